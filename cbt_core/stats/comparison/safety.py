"""How often an answer is flagged: by at least one of its k raters, and by most of them.

The share by at least one rises with k, so k stands beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats import resampling
from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.ratings import Columns, Floats, Integers, gather
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import NORMAL, Reason, Value, undefined


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """Who flagged which answer: `item`, `system`, `rater` (n,) indices, `flagged` (n,)."""

    item: Integers
    system: Integers
    rater: Integers
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of answers: `count` of `n`, with the item-bootstrap and Wilson's 95 % limits."""

    count: int
    n: int
    share: Value
    wilson_low: float | None
    wilson_high: float | None


@dataclass(frozen=True, slots=True)
class SystemSafety:
    """Flagged answers of one system; `raters_per_answer`: fewest, most and usual k."""

    by_any: Rate
    by_majority: Rate
    raters_per_answer: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SafetyDifference:
    """Share of flagged answers, system - reference, over `n_items` items that have both."""

    system: str
    n_items: int
    by_any: Value
    by_majority: Value


@dataclass(frozen=True, slots=True)
class Safety:
    """Flags of one severity. `agreement`: percent, nominal alpha and AC1 on flagged or not."""

    reference: str | None
    systems: dict[str, SystemSafety]
    differences: tuple[SafetyDifference, ...]
    agreement: dict[str, Value]


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """Per answer (m,): item, system, raters, and whether any or most of them flagged it."""

    item: Integers
    system: Integers
    raters: Integers
    any: Floats
    majority: Floats


def safety(
    flags: Flags, systems: Mapping[int, str], *, reference: str | None, how: Bootstrap
) -> Safety:
    """Return the shares of flagged answers; `systems` maps index to name."""
    answers = _answers(flags)
    places = {name: index for index, name in systems.items()}
    differences = tuple(
        _difference(answers, name, place, places[reference], how)
        for name, place in places.items()
        if reference is not None and name != reference
    )
    return Safety(
        reference=reference,
        systems={name: _system(answers, place, how) for name, place in places.items()},
        differences=differences,
        agreement=_agreement(flags, how),
    )


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % limits of a share (E. B. Wilson, JASA 22 (1927) 209)."""
    share, square = count / n, NORMAL**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = NORMAL / (1 + square / n) * np.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return 0.0 if count == 0 else float(low), 1.0 if count == n else float(high)


def _answers(flags: Flags) -> _Answers:
    width = int(flags.system.max()) + 1 if len(flags.system) else 1
    keys, place = np.unique(flags.item * width + flags.system, return_inverse=True)
    raters = np.bincount(place, minlength=len(keys))
    flagged = np.bincount(place, weights=flags.flagged.astype(np.float64), minlength=len(keys))
    return _Answers(
        keys // width, keys % width, raters,
        (flagged > 0).astype(np.float64), (2 * flagged > raters).astype(np.float64),
    )


def _system(answers: _Answers, system: int, how: Bootstrap) -> SystemSafety:
    own_answers = answers.system == system
    item, raters = answers.item[own_answers], answers.raters[own_answers]
    usual = int(np.bincount(raters).argmax()) if len(raters) else 0
    return SystemSafety(
        by_any=_rate(item, answers.any[own_answers], how),
        by_majority=_rate(item, answers.majority[own_answers], how),
        raters_per_answer=(int(raters.min()), int(raters.max()), usual) if len(raters)
        else (0, 0, 0),
    )


def _rate(item: Integers, flagged: Floats, how: Bootstrap) -> Rate:
    count, n = int(flagged.sum()), len(flagged)
    low, high = wilson(count, n) if n else (None, None)
    return Rate(
        count, n, resampling.mean(item, flagged, how=how, reason=Reason.NO_ANSWERS), low, high
    )


def _difference(
    answers: _Answers, name: str, system: int, reference: int, how: Bootstrap
) -> SafetyDifference:
    own, base = answers.system == system, answers.system == reference
    item, left, right = np.intersect1d(answers.item[own], answers.item[base], return_indices=True)

    def of(flagged: Floats) -> Value:
        moved = flagged[own][left] - flagged[base][right]
        if len(item) < 2:
            return undefined(Reason.FEW_PAIRED_ITEMS)
        return resampling.mean(item, moved, how=how, reason=Reason.FEW_PAIRED_ITEMS)

    return SafetyDifference(name, len(item), of(answers.any), of(answers.majority))


def _agreement(flags: Flags, how: Bootstrap) -> dict[str, Value]:
    keys = {"percent_agreement", "alpha_nominal", "ac1"}
    if not len(flags.item):
        return {key: undefined(Reason.NO_RATINGS) for key in sorted(keys)}
    keys_of_rows = np.stack([flags.item, flags.system, flags.rater])
    _, seen = np.unique(keys_of_rows, axis=1, return_index=True)
    columns = Columns(
        item=[str(one) for one in flags.item[seen]],
        system=[str(one) for one in flags.system[seen]],
        rater=[str(one) for one in flags.rater[seen]],
        values={"flagged": flags.flagged[seen].astype(np.float64)},
    )
    figures = agreement(
        gather(columns), values={"flagged": (0.0, 1.0)}, bootstrap=how.replicates, seed=how.seed,
        nominal={"flagged"},
    )
    values = figures.pooled("flagged").values
    return {key: values[key] for key in sorted(keys)}
