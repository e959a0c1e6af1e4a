"""One system against the baseline on one scale: tests, effects, intervals, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import permutation, resampling
from cbt_core.stats.crossed import Crossed
from cbt_core.stats.effects import effects
from cbt_core.stats.pairing import Pairs
from cbt_core.stats.ratings import Floats
from cbt_core.stats.reasons import Reason
from cbt_core.stats.values import Value, undefined, with_interval

ESTIMAND: Final = {
    "difference": (
        "mean difference with these raters, generalised to further items like these; the raters "
        "are taken as they are"
    ),
    "difference_crossed": (
        "mean difference generalised to further items and to further raters like these"
    ),
    "difference_unpaired": (
        "difference of the two systems' means over items, whichever raters scored them"
    ),
}
NULL_HYPOTHESIS: Final = "item differences are symmetric about 0 (signs flipped by item)"
LEVEL: Final = 0.05

Json = dict[str, object]
Key = tuple[str, str]
"""A scale and a system."""


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """A system against the baseline, with the item means (I,) of both; nan = not scored."""

    scale: str
    system: str
    baseline: str
    pairs: Pairs
    own: Floats
    base: Floats


@dataclass(frozen=True, slots=True)
class Tests:
    """Two-sided tests and effects of the item differences; `reason` explains what is None."""

    wilcoxon_p: float | None = None
    permutation_p: float | None = None
    rank_biserial: float | None = None
    superiority: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Bootstrap replicates (B,) of each system's mean and of each contrast's mean difference.

    `effects` (2, B): rank-biserial and probability of superiority of each contrast.
    """

    means: Mapping[Key, Floats]
    differences: Mapping[Key, Floats]
    effects: Mapping[Key, Floats]


def drawn(
    means: Mapping[Key, Floats], contrasts: Sequence[Contrast], *, bootstrap: int, seed: int
) -> Drawn:
    """Return the replicates, all from the same draws of items."""
    columns = list(means.values())
    for each in contrasts:
        paired = np.full(len(each.own), np.nan)
        paired[each.pairs.items] = each.pairs.mean
        columns.append(paired)
    table = np.stack(columns)
    known = ~np.isnan(table)
    both = np.concatenate([np.nan_to_num(table), known.astype(np.float64)]).T
    parts: list[Floats] = [np.empty((len(table), 0))]
    effect_parts: list[list[Floats]] = [[np.empty((2, 0))] for _ in contrasts]
    for weights in resampling.blocks(table.shape[1], replicates=bootstrap, seed=seed):
        # This way round the product is several times as fast as (sums, items) @ (items, b).
        totals, counts = np.split((weights.T @ both).T, 2)
        part = np.full(counts.shape, np.nan)
        np.divide(totals, counts, out=part, where=counts > 0)
        parts.append(part)
        for each, found in zip(contrasts, effect_parts, strict=True):
            found.append(effects(each.pairs.mean, each.pairs.items, weights))
    replicates = np.concatenate(parts, axis=1)
    compared = [(each.scale, each.system) for each in contrasts]
    return Drawn(
        dict(zip(means, replicates[: len(means)], strict=True)),
        dict(zip(compared, replicates[len(means) :], strict=True)),
        {key: np.concatenate(found, axis=1)
         for key, found in zip(compared, effect_parts, strict=True)},
    )


def tests(differences: Floats, seed: int) -> Tests:
    """Return the tests and effects of item differences (n,)."""
    if len(differences) < 2:
        return Tests(reason=Reason.FEW_PAIRED_ITEMS.text)
    if not differences.any():
        half = permutation.superiority(differences)
        return Tests(1.0, 1.0, None, half, Reason.ALL_ZERO.text)
    return Tests(
        permutation.wilcoxon(differences),
        permutation.sign_flips(differences, seed),
        permutation.rank_biserial(differences),
        permutation.superiority(differences),
    )


def comparison_json(each: Contrast, found: Tests, raters: Crossed, replicates: Drawn) -> Json:
    """Return one comparison; `p_holm` is filled in when all are known."""
    return {
        "system": each.system,
        "n_items": len(each.pairs.items),
        "n_items_dropped": each.pairs.dropped,
        "n_raters": len(np.unique(each.pairs.rater)),
        "difference": _paired(each, replicates).json(),
        "wilcoxon_p": found.wilcoxon_p,
        "permutation_p": found.permutation_p,
        "p_holm": None,
        "rank_biserial": found.rank_biserial,
        "rank_biserial_interval": _effect(each, found.rank_biserial, found, replicates, 0).json(),
        "probability_of_superiority": found.superiority,
        "probability_of_superiority_interval": _effect(
            each, found.superiority, found, replicates, 1
        ).json(),
        "effects_of": "item means",
        "difference_unpaired": _unpaired(each, replicates).json(),
        "difference_crossed": raters.json(),
        "tests_disagree": _disagree(found.permutation_p, raters.p),
        "permutation_null": NULL_HYPOTHESIS,
        "estimand": ESTIMAND,
        "reason": found.reason,
    }


def system_json(means: Floats, replicates: Floats) -> Json:
    """Return mean, sd (ddof 1, of item means) and interval of a system from item means (I,)."""
    known = means[~np.isnan(means)]
    found = with_interval(float(known.mean()), replicates) if len(known) else None
    mean = found or undefined(Reason.NO_RATINGS)
    return {
        "mean": mean.value,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
        "n_items": len(known),
        "low": mean.low,
        "high": mean.high,
        "reason": mean.reason,
    }


def _paired(each: Contrast, replicates: Drawn) -> Value:
    differences = each.pairs.mean
    if len(differences) < 2:
        return undefined(Reason.FEW_PAIRED_ITEMS)
    return with_interval(float(differences.mean()), replicates.differences[each.scale, each.system])


def _effect(
    each: Contrast, point: float | None, found: Tests, replicates: Drawn, row: int
) -> Value:
    """Return an effect (of item means) with its interval."""
    if point is None:
        return Value(None, reason=found.reason)
    return with_interval(point, replicates.effects[each.scale, each.system][row])


def _unpaired(each: Contrast, replicates: Drawn) -> Value:
    own, base = each.own[~np.isnan(each.own)], each.base[~np.isnan(each.base)]
    if not (len(own) and len(base)):
        return undefined(Reason.NO_RATINGS)
    moved = replicates.means[each.scale, each.system] - replicates.means[each.scale, each.baseline]
    return with_interval(float(own.mean() - base.mean()), moved)


def _disagree(by_item: float | None, by_both: float | None) -> bool | None:
    """Tell whether one of two tests is below .05 and the other is not."""
    if by_item is None or by_both is None:
        return None
    return (by_item < LEVEL) != (by_both < LEVEL)
