"""Systems against a baseline: what `compare` returns, and its JSON.

One system against the baseline on one scale: tests, effects, intervals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.stats import resampling
from cbt_core.stats.comparison import paired_tests
from cbt_core.stats.comparison.crossed import Crossed, crossed
from cbt_core.stats.comparison.paired_tests import Pairs, effects, item_means, pairs
from cbt_core.stats.ratings import Floats, Ratings, signature, told_values
from cbt_core.stats.values import Reason, Value, undefined, with_interval

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
        for each, effect_blocks in zip(contrasts, effect_parts, strict=True):
            effect_blocks.append(effects(each.pairs.mean, each.pairs.items, weights))
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
        half = paired_tests.superiority(differences)
        return Tests(1.0, 1.0, None, half, Reason.ALL_ZERO.text)
    return Tests(
        paired_tests.wilcoxon(differences),
        paired_tests.sign_flips(differences, seed),
        paired_tests.rank_biserial(differences),
        paired_tests.superiority(differences),
    )


@dataclass(frozen=True, slots=True)
class SystemMean:
    """Mean and sd (ddof 1) of the item means of a system."""

    mean: Value
    sd: float | None
    n_items: int

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "mean": self.mean.value, "sd": self.sd, "n_items": self.n_items,
            "low": self.mean.low, "high": self.mean.high, "reason": self.mean.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemContrast:
    """A system against the baseline on one scale; `reason` explains tests that are None.

    `p_holm` of the `primary` comparison is its own p. `tests_disagree`: one of the two tests is
    below .05 and the other is not; None where one of them is missing.
    """

    system: str
    n_items: int
    n_items_dropped: int
    n_raters: int
    difference: Value
    wilcoxon_p: float | None
    permutation_p: float | None
    p_holm: float | None
    rank_biserial: float | None
    rank_biserial_interval: Value
    superiority: float | None
    superiority_interval: Value
    difference_unpaired: Value
    difference_crossed: Crossed
    tests_disagree: bool | None
    primary: bool
    reason: str | None

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "system": self.system,
            "n_items": self.n_items,
            "n_items_dropped": self.n_items_dropped,
            "n_raters": self.n_raters,
            "difference": self.difference.json(),
            "wilcoxon_p": self.wilcoxon_p,
            "permutation_p": self.permutation_p,
            "p_holm": self.p_holm,
            "rank_biserial": self.rank_biserial,
            "rank_biserial_interval": self.rank_biserial_interval.json(),
            "probability_of_superiority": self.superiority,
            "probability_of_superiority_interval": self.superiority_interval.json(),
            "effects_of": "item means",
            "difference_unpaired": self.difference_unpaired.json(),
            "difference_crossed": self.difference_crossed.json(),
            "tests_disagree": self.tests_disagree,
            "permutation_null": NULL_HYPOTHESIS,
            "estimand": ESTIMAND,
            "reason": self.reason,
            "primary": self.primary,
        }


@dataclass(frozen=True, slots=True)
class ScaleComparison:
    """One scale: the systems' means, and every other system against the baseline."""

    systems: Mapping[str, SystemMean]
    contrasts: tuple[SystemContrast, ...]

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "systems": {name: mean.json() for name, mean in self.systems.items()},
            "comparisons": [contrast.json() for contrast in self.contrasts],
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every system against the baseline; `family_size` comparisons share Holm's adjustment."""

    signature: str
    baseline: str
    family_size: int
    flow: Mapping[str, object]
    scales: Mapping[str, ScaleComparison]

    @property
    def contrasts(self) -> list[tuple[str, SystemContrast]]:
        """Return every comparison with its scale."""
        return [
            (scale, contrast) for scale, found in self.scales.items()
            for contrast in found.contrasts
        ]

    def json(self) -> Json:
        """Return the `compare` JSON."""
        return {
            "signature": self.signature,
            "baseline": self.baseline,
            "family_size": self.family_size,
            "flow": dict(self.flow),
            "scales": {scale: found.json() for scale, found in self.scales.items()},
        }


def system_contrast(
    each: Contrast, own_tests: Tests, raters: Crossed, replicates: Drawn,
    *, p_holm: float | None, primary: bool,
) -> SystemContrast:
    """Return one comparison; `p_holm` is known once all comparisons are tested."""
    return SystemContrast(
        system=each.system,
        n_items=len(each.pairs.items),
        n_items_dropped=each.pairs.dropped,
        n_raters=len(np.unique(each.pairs.rater)),
        difference=_paired(each, replicates),
        wilcoxon_p=own_tests.wilcoxon_p,
        permutation_p=own_tests.permutation_p,
        p_holm=p_holm,
        rank_biserial=own_tests.rank_biserial,
        rank_biserial_interval=_effect(each, own_tests.rank_biserial, own_tests, replicates, 0),
        superiority=own_tests.superiority,
        superiority_interval=_effect(each, own_tests.superiority, own_tests, replicates, 1),
        difference_unpaired=_unpaired(each, replicates),
        difference_crossed=raters,
        tests_disagree=_disagree(own_tests.permutation_p, raters.p),
        primary=primary,
        reason=own_tests.reason,
    )


def system_mean(means: Floats, replicates: Floats) -> SystemMean:
    """Return mean, sd (ddof 1, of item means) and interval of a system from item means (I,)."""
    known = means[~np.isnan(means)]
    return SystemMean(
        mean=with_interval(float(known.mean()), replicates) if len(known)
        else undefined(Reason.NO_RATINGS),
        sd=float(known.std(ddof=1)) if len(known) > 1 else None,
        n_items=len(known),
    )


def _paired(each: Contrast, replicates: Drawn) -> Value:
    differences = each.pairs.mean
    if len(differences) < 2:
        return undefined(Reason.FEW_PAIRED_ITEMS)
    return with_interval(float(differences.mean()), replicates.differences[each.scale, each.system])


def _effect(
    each: Contrast, point: float | None, own_tests: Tests, replicates: Drawn, row: int
) -> Value:
    """Return an effect (of item means) with its interval."""
    if point is None:
        return Value(None, reason=own_tests.reason)
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


def compare(
    ratings: Ratings,
    *,
    baseline: str,
    values: Mapping[str, Sequence[float]] | None = None,
    bootstrap: int = 1000,
    seed: int = 1,
    primary: Key | None = None,
) -> Comparison:
    """Return every system against the baseline.

    `values`: the scales to compare and all values of each; left out, every scale there is.
    `primary` is the (scale, system) the protocol named before data: it is tested alone, all other
    comparisons of all scales share Holm's adjustment. Intervals resample items; the same rows and
    seed give the same figures. Scores are taken as numbers, so a nominal scale must not come here.

    Raises:
        StudyError: the baseline or a scale is not among the ratings, or it is the only system.
    """
    chosen = tuple(values if values is not None else ratings.scales)
    _refuse_absent(ratings, baseline, chosen)
    means = _means(ratings, chosen)
    contrasts = _contrasts(ratings, baseline, chosen, means)
    replicates = drawn(means, contrasts, bootstrap=bootstrap, seed=seed)
    tested = [tests(each.pairs.mean, seed) for each in contrasts]
    adjusted = _adjusted(contrasts, tested, primary)
    compared = [
        system_contrast(
            each, found, crossed(each.pairs), replicates, primary=_is_primary(each, primary),
            p_holm=found.permutation_p if _is_primary(each, primary) else p,
        )
        for each, found, p in zip(contrasts, tested, adjusted, strict=True)
    ]
    settings = _settings(values, baseline, primary) | {"boot": bootstrap, "seed": seed}
    return Comparison(
        signature=signature(ratings, chosen, settings),
        baseline=baseline,
        family_size=sum(p is not None for p in adjusted),
        flow=dict(ratings.flow),
        scales={
            scale: ScaleComparison(
                _systems(scale, means, replicates), _of_scale(scale, contrasts, compared)
            )
            for scale in chosen
        },
    )


def _means(ratings: Ratings, scales: Sequence[str]) -> dict[Key, Floats]:
    return {
        (scale, name): item_means(ratings, scale, index)
        for scale in scales
        for index, name in enumerate(ratings.systems)
    }


def _of_scale(
    scale: str, contrasts: Sequence[Contrast], compared: Sequence[SystemContrast]
) -> tuple[SystemContrast, ...]:
    return tuple(
        found for each, found in zip(contrasts, compared, strict=True) if each.scale == scale
    )


def _systems(
    scale: str, means: Mapping[Key, Floats], replicates: Drawn
) -> dict[str, SystemMean]:
    return {
        name: system_mean(found, replicates.means[of, name])
        for (of, name), found in means.items()
        if of == scale
    }


def _refuse_absent(ratings: Ratings, baseline: str, scales: Sequence[str]) -> None:
    for scale in scales:
        if scale not in ratings.values:
            raise StudyError("stats.no_such_scale", scale=scale)
    if baseline not in ratings.systems:
        raise StudyError("stats.no_such_system", system=baseline)
    if len(ratings.systems) < 2:
        raise StudyError("stats.one_system", system=baseline)


def _contrasts(
    ratings: Ratings, baseline: str, scales: Sequence[str], means: dict[Key, Floats]
) -> list[Contrast]:
    base = ratings.systems.index(baseline)
    return [
        Contrast(
            scale=scale,
            system=name,
            baseline=baseline,
            pairs=pairs(ratings, scale, index, base),
            own=means[scale, name],
            base=means[scale, baseline],
        )
        for scale in scales
        for index, name in enumerate(ratings.systems)
        if index != base
    ]


def _settings(
    values: Mapping[str, Sequence[float]] | None, baseline: str, primary: Key | None
) -> dict[str, object]:
    settings: dict[str, object] = {"values": told_values(values, tuple(values))} if values else {}
    settings |= {"baseline": baseline, "permutations": paired_tests.DRAWS}
    return settings | ({"primary": "/".join(primary)} if primary else {})


def _is_primary(each: Contrast, primary: Key | None) -> bool:
    return (each.scale, each.system) == primary


def _adjusted(
    contrasts: Sequence[Contrast], tested: Sequence[Tests], primary: Key | None
) -> list[float | None]:
    """Return Holm's p of every comparison; None for the primary one, which is tested alone."""
    return paired_tests.holm([
        None if _is_primary(each, primary) else found.permutation_p
        for each, found in zip(contrasts, tested, strict=True)
    ])
