"""Agreement on every single label: given or not, as a nominal scale of two values."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from cbt_core.stats.catalogue import FULL, Statistic
from cbt_core.stats.figures import Plan, figures
from cbt_core.stats.labels.reasons import Reason
from cbt_core.stats.labels.sets import ANY, LabelSets
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import POOLED, Columns, Floats, Numbers, Ratings, gather
from cbt_core.stats.reasons import Reason as PlainReason
from cbt_core.stats.reporting import Result
from cbt_core.stats.strata import Replicates, sample, table
from cbt_core.stats.sums import Sums
from cbt_core.stats.values import Value

Json = dict[str, object]

VALUES: Final = (0.0, 1.0)
"""Not given, given: the categories are fixed, whether or not both occur."""

WORDS: Final = {
    PlainReason.NO_RATINGS: Reason.NO_SETS,
    PlainReason.NO_PAIRS: Reason.NO_PAIRS,
    PlainReason.ALL_EQUAL: Reason.ALL_EQUAL,
}
"""The reasons of the scales in words that speak of labels."""


def _prevalence(sums: Sums) -> Floats:
    return ratio(sums["prevalences"][1], sums["units"])


PREVALENCE: Final = Statistic(
    "prevalence", _prevalence, lambda _: PlainReason.NO_RATINGS, ordered=False
)
"""Share of an item's annotators who gave the label, averaged over items."""

WANTED: Final = ("percent_agreement", "alpha_nominal", "ac1")
PLAN: Final = Plan(
    (PREVALENCE, *(one for one in FULL if one.key in WANTED)), ("kappa",), full=False
)


class LabelFigures:
    """Figures of every label, and of "any label", put together block by block."""

    def __init__(self, sets: LabelSets) -> None:
        """Start with the data as they are and no replicate."""
        self._ratings = _as_ratings(sets)
        self._tables = {
            label: table(self._ratings, label, VALUES, full=False) for label in (ANY, *sets.labels)
        }
        self._drawn = {label: Replicates(one, _figures) for label, one in self._tables.items()}

    @property
    def widest(self) -> int:
        """Return the longest axis that is multiplied with a block of replicates."""
        return max(one.widest for one in self._tables.values())

    def add(self, weights: Floats) -> None:
        """Compute the figures of one block of item weights (I, b)."""
        for drawn in self._drawn.values():
            drawn.add(weights)

    def json(self, label: str) -> Json:
        """Return the figures of one label."""
        scale = self._tables[label]
        sums = sample(scale, len(self._ratings.items))
        result = Result(
            scale=scale, stratum=scale.strata[0], sums=sums[POOLED],
            points=_figures(POOLED, sums), replicates=self._drawn[label].figures(POOLED),
            ordered=False,
        )  # fmt: skip
        values = {one.key: _value(result, one) for one in PLAN.statistics}
        prevalence = values.pop("prevalence")
        return {
            "prevalence": prevalence.value,
            "prevalence_low": prevalence.low,
            "prevalence_high": prevalence.high,
            "n_sets": int(result.sums["ratings"][0]),
            **{key: value.json() for key, value in values.items()},
            "kappa_pairs": _pairs(self._ratings, result),
        }


def _figures(name: str, sums: Mapping[str, Sums]) -> dict[str, Floats]:
    return figures(PLAN, False, name, sums)


def _as_ratings(sets: LabelSets) -> Ratings:
    count = len(sets.item)
    columns: dict[str, Numbers] = {ANY: np.asarray(sets.given.any(axis=1), dtype=np.float64)}
    for at, label in enumerate(sets.labels):
        columns[label] = sets.given[:, at].astype(np.float64)
    return gather(Columns(
        item=[sets.items[at] for at in sets.item],
        system=[""] * count,
        rater=[sets.annotators[at] for at in sets.annotator],
        values=columns,
    ))


def _value(result: Result, statistic: Statistic) -> Value:
    reason = statistic.reason(result.sums)
    found = result.values(statistic.key, [reason])[0]
    return found if found.value is not None else Value(None, reason=WORDS[reason].text)


def _pairs(ratings: Ratings, result: Result) -> list[Json]:
    """Return kappa of every pair of annotators, `kappa` plain, its limits and reason beside."""
    tables: Floats = result.sums["tables"][..., 0]
    names = [ratings.raters[at] for at in result.scale.patterns.raters]
    values = result.values("kappa", [PlainReason.CONSTANT_RATER] * len(tables))
    fixed = result.stratum.frame
    return [
        {"a": names[a], "b": names[b], "n": int(tables[index].sum()),
         **_kappa(values[index], int(tables[index].sum()))}
        for index, (a, b) in enumerate(zip(fixed.first, fixed.second, strict=True))
    ]  # fmt: skip


def _kappa(value: Value, common: int) -> Json:
    if common < 2:
        reason = Reason.ONE_COMMON if common else Reason.NO_COMMON
        return {"kappa": None, "low": None, "high": None, "reason": reason.text}
    if value.value is None:
        return {"kappa": None, "low": None, "high": None, "reason": Reason.CONSTANT_ANNOTATOR.text}
    return {"kappa": value.value, "low": value.low, "high": value.high, "reason": value.reason}

