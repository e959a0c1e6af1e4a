"""How far annotators agree: what `labels agreement` returns, and its JSON; intervals over items.

Alpha over label sets, its distances MASI and Jaccard: alpha = 1 - D_o / D_e. D_o: mean distance of
the sets that two annotators gave to one item; D_e: mean distance of any two sets of the pairable
items. Source of the form: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011); with
sets: R. Passonneau (LREC 2006). Agreement on every single label: given or not, as a nominal scale
of two values.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats import resampling
from cbt_core.stats.agreement.catalogue import FULL, Statistic
from cbt_core.stats.agreement.figures import Plan, Result, figures
from cbt_core.stats.agreement.sums import Replicates, Sums, sample, table
from cbt_core.stats.labels import label_sets, spans
from cbt_core.stats.labels.label_sets import (
    ANY,
    LabelSets,
    Membership,
    Reason,
    signature,
    undefined,
)
from cbt_core.stats.labels.spans import Documents, PairF1, SpanTable
from cbt_core.stats.ratings import (
    POOLED,
    SHOWN,
    Columns,
    Floats,
    Integers,
    Numbers,
    Ratings,
    gather,
)
from cbt_core.stats.values import Reason as PlainReason
from cbt_core.stats.values import Value, ratio, with_interval

Similarity = Callable[[Floats, Floats, Floats], Floats]

MEASURES: Final[dict[str, Similarity]] = {
    "alpha_masi": label_sets.masi, "alpha_jaccard": label_sets.jaccard,
}  # fmt: skip
CELLS: Final = 4_000_000
"""Cells of the largest table of distances held at once (32 MB)."""


@dataclass(frozen=True, slots=True, eq=False)
class SetTable:
    """What alpha needs, item by item.

    `sets` (S, L): the distinct sets of pairable items; `counts` (S, I): how often each occurs in
    an item; `observed`: per measure (I,), the distances of an item's pairs, each ordered pair
    divided by the item's number of sets less one.
    """

    sets: Membership
    counts: csr_array
    observed: dict[str, Floats]

    @property
    def widest(self) -> int:
        """Return the longest axis that is multiplied with a block of replicates."""
        return len(self.sets)


def set_table(sets: LabelSets) -> SetTable:
    """Return the table of all items with at least two sets; the others have empty columns."""
    sizes = np.bincount(sets.item, minlength=len(sets.items))
    kept = sizes[sets.item] > 1
    item, given = sets.item[kept], sets.given[kept]
    packed = np.packbits(given, axis=1)
    _, first, code = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    shape = (len(first), len(sets.items))
    counts = csr_array((np.ones(len(item)), (code.ravel(), item)), shape=shape)
    return SetTable(given[first], counts, _observed(item, given, sizes.astype(np.float64)))


def alphas(table: SetTable, weights: Floats) -> dict[str, Floats]:
    """Return each alpha (b,) for item weights (I, b); nan where no disagreement is expected."""
    counts = np.asarray(table.counts @ weights)
    size = counts.sum(axis=0)
    by_measure = {}
    for key, measure in MEASURES.items():
        observed = ratio(table.observed[key] @ weights, size)
        expected = ratio(_expected(table.sets, counts, measure), size * (size - 1))
        by_measure[key] = 1 - ratio(observed, np.where(expected < ROUNDING, 0.0, expected))
    return by_measure


ROUNDING: Final = 1e-12
"""An expected disagreement below this is rounding, not disagreement."""


def reason(table: SetTable) -> Reason:
    """Return why an alpha of the data as they are is undefined."""
    return Reason.ALL_EQUAL if len(table.sets) else Reason.NO_PAIRS


def _observed(item: Integers, given: Membership, sizes: Floats) -> dict[str, Floats]:
    """Add up the distances of the pairs of each item; rows of one item stand together."""
    sums = {key: np.zeros(len(sizes)) for key in MEASURES}
    for shift in range(1, int(sizes.max(initial=0))):
        same = np.flatnonzero(item[shift:] == item[:-shift])
        at = item[same]
        met = label_sets.paired(given[same], given[same + shift])
        for key, measure in MEASURES.items():
            distances = 2 * (1 - measure(*met)) / (sizes[at] - 1)
            sums[key] += np.bincount(at, weights=distances, minlength=len(sizes))
    return sums


def _expected(sets: Membership, counts: Floats, measure: Similarity) -> Floats:
    """Return the distances of all ordered pairs of sets, counts (S, b) of each: (b,)."""
    total = np.zeros(counts.shape[1])
    for rows in _blocks(len(sets)):
        distances = 1 - measure(*label_sets.crossed(sets[rows], sets))
        total += np.einsum("sb,sb->b", counts[rows], distances @ counts)
    return total


def _blocks(count: int) -> Iterator[slice]:
    step = max(1, CELLS // max(count, 1))
    for start in range(0, count, step):
        yield slice(start, start + step)


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


@dataclass(frozen=True, slots=True)
class LabelKappa:
    """Cohen's kappa of two annotators on one label, over the `n` items they have in common."""

    a: str
    b: str
    n: int
    kappa: Value

    def json(self) -> Json:
        """Return the object of the JSON: kappa plain, its limits and reason beside."""
        return {
            "a": self.a, "b": self.b, "n": self.n, "kappa": self.kappa.value,
            "low": self.kappa.low, "high": self.kappa.high, "reason": self.kappa.reason,
        }


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Agreement on one label, given or not; `prevalence` is the share of annotators who gave it."""

    prevalence: Value
    n_sets: int
    percent_agreement: Value
    alpha: Value
    ac1: Value
    kappa_pairs: tuple[LabelKappa, ...]

    def kappa_of(self, a: str, b: str) -> LabelKappa | None:
        """Return the kappa of a pair of annotators, None for a pair that is not there."""
        return next((one for one in self.kappa_pairs if (one.a, one.b) == (a, b)), None)

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "prevalence": self.prevalence.value,
            "prevalence_low": self.prevalence.low,
            "prevalence_high": self.prevalence.high,
            "n_sets": self.n_sets,
            "percent_agreement": self.percent_agreement.json(),
            "alpha_nominal": self.alpha.json(),
            "ac1": self.ac1.json(),
            "kappa_pairs": [one.json() for one in self.kappa_pairs],
        }


@dataclass(frozen=True, slots=True)
class SpanFigures:
    """Agreement on marked characters: alpha, F1 pooled over pairs, mean F1 of the pairs."""

    char_alpha: Value
    char_f1_pooled: Value
    char_f1: Value

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "char_alpha": self.char_alpha.json(), "char_f1_pooled": self.char_f1_pooled.json(),
            "char_f1": self.char_f1.json(),
        }


@dataclass(frozen=True, slots=True)
class SpanAgreement:
    """Agreement on spans of any label, by pair of annotators, and label by label.

    `labels` is None where no spans were given at all.
    """

    whole: SpanFigures
    pairs: tuple[PairF1, ...]
    labels: Mapping[str, SpanFigures] | None

    def json(self) -> Json:
        """Return the `spans` object of the JSON."""
        pairs = [{"a": one.a, "b": one.b, "n": one.n, "f1": one.f1} for one in self.pairs]
        body: Json = {**self.whole.json(), "char_f1_pairs": pairs}
        if self.labels is not None:
            body["labels"] = {label: one.json() for label, one in self.labels.items()}
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsAgreement:
    """How far annotators agree: on whole sets, on any label, on every label, on spans."""

    signature: str
    flow: Mapping[str, object]
    n_items: int
    n_annotators: int
    n_sets: int
    n_pairable_items: int
    alpha_masi: Value
    alpha_jaccard: Value
    any: LabelAgreement
    labels: Mapping[str, LabelAgreement]
    spans: SpanAgreement

    def json(self) -> Json:
        """Return the `labels agreement` JSON."""
        return {
            "signature": self.signature,
            "flow": dict(self.flow),
            "n_items": self.n_items,
            "n_annotators": self.n_annotators,
            "n_sets": self.n_sets,
            "n_pairable_items": self.n_pairable_items,
            "alpha_masi": self.alpha_masi.json(),
            "alpha_jaccard": self.alpha_jaccard.json(),
            "any": self.any.json(),
            "labels": {label: one.json() for label, one in self.labels.items()},
            "spans": self.spans.json(),
        }


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

    def agreement(self, label: str) -> LabelAgreement:
        """Return the agreement on one label."""
        scale = self._tables[label]
        sums = sample(scale, len(self._ratings.items))
        result = Result(
            scale=scale, stratum=scale.strata[0], sums=sums[POOLED],
            points=_figures(POOLED, sums), replicates=self._drawn[label].figures(POOLED),
            ordered=False,
        )  # fmt: skip
        values = {one.key: _value(result, one) for one in PLAN.statistics}
        return LabelAgreement(
            prevalence=values["prevalence"],
            n_sets=int(result.sums["ratings"][0]),
            percent_agreement=values["percent_agreement"],
            alpha=values["alpha_nominal"],
            ac1=values["ac1"],
            kappa_pairs=_pairs(self._ratings, result),
        )


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
    figure = result.values(statistic.key, [reason])[0]
    return figure if figure.value is not None else Value(None, reason=WORDS[reason].text)


def _pairs(ratings: Ratings, result: Result) -> tuple[LabelKappa, ...]:
    """Return the kappa of every pair of annotators."""
    tables: Floats = result.sums["tables"][..., 0]
    names = [ratings.raters[at] for at in result.scale.patterns.raters]
    values = result.values("kappa", [PlainReason.CONSTANT_RATER] * len(tables))
    common = [int(table.sum()) for table in tables]
    fixed = result.stratum.frame
    return tuple(
        LabelKappa(names[a], names[b], common[index], _kappa(values[index], common[index]))
        for index, (a, b) in enumerate(zip(fixed.first, fixed.second, strict=True))
    )


def _kappa(value: Value, common: int) -> Value:
    if common < 2:
        return undefined(Reason.ONE_COMMON if common else Reason.NO_COMMON)
    return undefined(Reason.CONSTANT_ANNOTATOR) if value.value is None else value


Compute = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Setting:
    """How figures are computed and named: `bootstrap` 0 leaves the intervals out.

    `scheme`, `study`, `analysed` (which labels) stand in the signature.
    """

    bootstrap: int = 1000
    seed: int = 1
    scheme: str = ""
    study: str = ""
    analysed: str = ""

    def told(self) -> dict[str, object]:
        """Return the end of the signature."""
        return {"scheme": self.scheme, "boot": self.bootstrap, "seed": self.seed}


def labels_agreement(
    sets: LabelSets, setting: Setting, documents: Documents | None = None
) -> LabelsAgreement:
    """Return alpha over sets, figures per label, spans.

    Two empty sets agree. The same rows, labels and seed give the same figures.
    """
    together = _Together(sets, documents)
    for weights in blocks(len(sets.items), setting, together.widest):
        together.add(weights)
    return LabelsAgreement(
        signature=signature(sets.digest, {
            "study": setting.study, "set": setting.analysed, "items": len(sets.items),
            "annotators": len(sets.annotators), "labels": len(sets.labels),
            "spans": f"#{documents.digest[:SHOWN]}" if documents else "", **setting.told(),
        }),
        flow=dict(sets.flow),
        n_items=len(sets.items),
        n_annotators=len(sets.annotators),
        n_sets=len(sets.item),
        n_pairable_items=int((np.bincount(sets.item) > 1).sum()) if len(sets.item) else 0,
        alpha_masi=together.alpha("alpha_masi"),
        alpha_jaccard=together.alpha("alpha_jaccard"),
        any=together.labels.agreement(ANY),
        labels={label: together.labels.agreement(label) for label in sets.labels},
        spans=together.spans(),
    )


def blocks(items: int, setting: Setting, widest: int) -> Iterator[Floats]:
    """Yield item weights (items, b) of all replicates."""
    yield from resampling.blocks(
        items, replicates=setting.bootstrap if items else 0, seed=setting.seed, widest=widest
    )


class Figure:
    """One figure: of the data as they are, and of every replicate as blocks come in."""

    def __init__(self, items: int, compute: Compute, reason: Reason) -> None:
        """Compute it of the data as they are; `reason` stands where that is undefined."""
        self._compute = compute
        self._reason = reason
        self._point = float(compute(np.ones((items, 1)))[0])
        self._parts: list[Floats] = []

    def add(self, weights: Floats) -> None:
        """Compute it of one block of item weights (I, b)."""
        self._parts.append(self._compute(weights))

    def value(self) -> Value:
        """Return it with its interval, or the reason why it is undefined."""
        if np.isnan(self._point):
            return undefined(self._reason)
        drawn = np.concatenate(self._parts) if self._parts else np.empty(0)
        return with_interval(self._point, drawn)


class _Together:
    """Everything that is computed from the same draws of items."""

    def __init__(self, sets: LabelSets, documents: Documents | None) -> None:
        self.labels = LabelFigures(sets)
        self._table = set_table(sets)
        self._points = alphas(self._table, np.ones((len(sets.items), 1)))
        self._alphas: list[dict[str, Floats]] = []
        tables = _span_tables(sets, documents)
        self._spans = {name: _span_figures(len(sets.items), one) for name, one in tables.items()}
        self._pairs = tables[ANY].told if tables else ()
        self.widest = max([
            self._table.widest, self.labels.widest, *(one.widest for one in tables.values())
        ])

    def add(self, weights: Floats) -> None:
        self._alphas.append(alphas(self._table, weights))
        self.labels.add(weights)
        for pair in self._spans.values():
            for figure in pair.values():
                figure.add(weights)

    def alpha(self, key: str) -> Value:
        point = float(self._points[key][0])
        if np.isnan(point):
            return undefined(reason(self._table))
        drawn = [part[key] for part in self._alphas]
        return with_interval(point, np.concatenate(drawn) if drawn else np.empty(0))

    def spans(self) -> SpanAgreement:
        if not self._spans:
            absent = undefined(Reason.NO_SPANS_FILE)
            return SpanAgreement(SpanFigures(absent, absent, absent), (), None)
        known = {
            name: SpanFigures(**{key: figure.value() for key, figure in figures.items()})
            for name, figures in self._spans.items()
        }
        return SpanAgreement(known.pop(ANY), self._pairs, known)


def _span_tables(sets: LabelSets, documents: Documents | None) -> dict[str, SpanTable]:
    if documents is None:
        return {}
    return {
        ANY: spans.span_table(sets, documents),
        **{label: spans.span_table(sets, documents, label) for label in sets.labels},
    }


def _span_figures(items: int, table: SpanTable) -> dict[str, Figure]:
    return {
        "char_alpha": Figure(items, partial(spans.char_alpha, table), spans.alpha_reason(table)),
        "char_f1_pooled": Figure(
            items, partial(spans.char_f1_pooled, table), spans.f1_reason(table)
        ),
        "char_f1": Figure(items, partial(spans.char_f1, table), spans.f1_reason(table)),
    }
