"""Do the conclusions stand when the set of ratings changes? The same figures on each set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.agreement.figures import core_agreement
from cbt_core.stats.comparison.paired_tests import pairs
from cbt_core.stats.ratings import Ratings
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Reason, Value, undefined


@dataclass(frozen=True, slots=True)
class Variant:
    """One scale of one set of ratings; `differences` maps system to system - reference."""

    name: str
    scale: str
    n_items: int
    n_raters: int
    n_ratings: int
    alpha: Value
    differences: dict[str, Value]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The smallest and largest difference when one rater is left out, and who that is."""

    scale: str
    system: str
    low: float
    low_without: str
    high: float
    high_without: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Each named set of ratings on each scale, and what becomes of differences without a rater."""

    variants: tuple[Variant, ...]
    leave_one_rater_out: tuple[LeftOut, ...]


def sensitivity(
    sets: Mapping[str, Ratings], *, main: str, values: Mapping[str, Sequence[float]],
    nominal: frozenset[str], reference: str | None, how: Bootstrap,
) -> Sensitivity:
    """Return the figures of every set; raters are left out of the set called `main`.

    Without a `reference` there are no differences.
    """
    variants = tuple(
        variant(name, ratings, scale, values[scale], reference=reference, how=how,
                ordered=scale not in nominal)
        for name, ratings in sets.items()
        for scale in values
        if scale in ratings.values
    )
    ordered = [scale for scale in values if scale not in nominal]
    left_out = () if reference is None else _left_out(sets[main], ordered, reference)
    return Sensitivity(variants, left_out)


def variant(
    name: str, ratings: Ratings, scale: str, values: Sequence[float], *,
    reference: str | None, how: Bootstrap, ordered: bool,
) -> Variant:
    """Return agreement (ordinal alpha) and differences of one scale of one set."""
    known = ~np.isnan(ratings.values[scale])
    return Variant(
        name=name, scale=scale,
        n_items=len(np.unique(ratings.item[known])),
        n_raters=len(np.unique(ratings.rater[known])),
        n_ratings=int(known.sum()),
        alpha=_alpha(ratings, scale, values, how) if ordered else undefined(Reason.NOMINAL),
        differences={
            system: _difference(ratings, scale, system, reference, how)
            for system in ratings.systems
            if ordered and reference in ratings.systems and system != reference
        },
    )


def _alpha(ratings: Ratings, scale: str, values: Sequence[float], how: Bootstrap) -> Value:
    agreement = core_agreement(
        ratings, values={scale: values}, bootstrap=how.replicates, seed=how.seed
    )
    return agreement.pooled(scale).alpha


def _difference(
    ratings: Ratings, scale: str, system: str, reference: str | None, how: Bootstrap
) -> Value:
    pairing = pairs(
        ratings, scale, ratings.systems.index(system), ratings.systems.index(str(reference))
    )
    if len(pairing.items) < 2:
        return undefined(Reason.FEW_PAIRED_ITEMS)
    return resampling.mean(pairing.items, pairing.mean, how=how, reason=Reason.FEW_PAIRED_ITEMS)


def _left_out(
    ratings: Ratings, scales: Sequence[str], reference: str
) -> tuple[LeftOut, ...]:
    ranges = []
    for scale in scales:
        for system in ratings.systems:
            if system != reference and reference in ratings.systems:
                ranges += _range(ratings, scale, system, reference)
    return tuple(ranges)


def _range(ratings: Ratings, scale: str, system: str, reference: str) -> list[LeftOut]:
    """Return one range, or nothing when fewer than two raters leave a difference defined."""
    all_pairs = pairs(
        ratings, scale, ratings.systems.index(system), ratings.systems.index(reference)
    )
    means: dict[str, float] = {}
    for rater in np.unique(all_pairs.rater):
        rest = all_pairs.rater != rater
        if rest.any():
            _, place = np.unique(all_pairs.item[rest], return_inverse=True)
            sums = np.bincount(place, weights=all_pairs.difference[rest])
            means[ratings.raters[rater]] = float((sums / np.bincount(place)).mean())
    if len(means) < 2:
        return []
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    return [LeftOut(scale, system, means[low], low, means[high], high)]
