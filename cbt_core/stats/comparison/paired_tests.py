"""Scores of two systems on the same item by the same rater, paired; tests of their differences.

Sign flips, Wilcoxon, Holm's adjustment; effects are the rank-biserial correlation and the
probability of superiority, with their replicates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.ratings import Floats, Integers, Ratings
from cbt_core.stats.values import ratio

DRAWS: Final = 10_000
ENUMERATED: Final = 13
"""Up to this many items all sign patterns are tried."""

TOLERANCE: Final = 1e-12


def sign_flips(differences: Floats, seed: int) -> float:
    """Return the two-sided p of |mean| when every item's sign could have been the other (n,).

    All 2^n patterns for n up to 13, else 10,000 drawn ones: p = (1 + extreme ones) / 10,001.
    """
    size = len(differences)
    reached = abs(float(differences.mean())) - TOLERANCE
    if size <= ENUMERATED:
        flips = (np.arange(2**size)[:, np.newaxis] >> np.arange(size)) & 1
        means = (1 - 2 * flips) @ differences / size
        return float((np.abs(means) >= reached).mean())
    extreme = int((np.abs(_drawn_sums(differences, seed)) / size >= reached).sum())
    return (1 + extreme) / (DRAWS + 1)


def _drawn_sums(differences: Floats, seed: int) -> Floats:
    """Return sums (DRAWS,) with random signs; equal sizes are flipped together by one binomial."""
    sizes, counts = np.unique(np.abs(differences), return_counts=True)
    random = np.random.default_rng(seed)
    total = np.zeros(DRAWS)
    for size, count in zip(sizes, counts, strict=True):
        total += size * (2.0 * random.binomial(count, 0.5, DRAWS) - count)
    return total


def wilcoxon(differences: Floats) -> float:
    """Return the two-sided p of the signed-rank test, zeros ranked (Pratt), normal approximation.

    All-zero differences must not come here: scipy gives 1 or nan, depending on n.
    """
    from scipy.stats import wilcoxon as signed_rank

    result = signed_rank(differences, zero_method="pratt", correction=False, method="asymptotic")
    return float(result.pvalue)


def rank_biserial(differences: Floats) -> float | None:
    """Return the matched-pairs rank-biserial correlation, zeros dropped; None when all are zero.

    Source: D. S. Kerby 2014: (favourable - unfavourable) / all rank sums; > 0 favours the system.
    """
    moved = differences[differences != 0]
    if not len(moved):
        return None
    _, place, counts = np.unique(np.abs(moved), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks * np.sign(moved)).sum() / ranks.sum())


def superiority(differences: Floats) -> float:
    """Return P(d > 0) + P(d = 0) / 2 over the items."""
    return float((differences > 0).mean() + (differences == 0).mean() / 2)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted p; None stays None and is not counted."""
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    reached = 0.0
    for rank, (value, place) in enumerate(known):
        reached = max(reached, min(1.0, value * (len(known) - rank)))
        adjusted[place] = reached
    return adjusted


def effects(differences: Floats, items: Integers, weights: Floats) -> Floats:
    """Return rank-biserial and superiority (2, b) of differences (n,) when items are resampled.

    `items` (n,): the row of `weights` (I, b) that says how often each was drawn. Both effects
    follow from how often each size occurs with each sign, so no replicate is ranked anew.
    """
    sizes, place = np.unique(np.abs(differences), return_inverse=True)
    sign = np.sign(differences).astype(np.int64) + 1
    ones = np.ones(len(differences))
    shape = (3 * len(sizes), len(weights))
    counts = csr_array((ones, (sign * len(sizes) + place, items)), shape=shape) @ weights
    down, equal, up = counts.reshape(3, len(sizes), weights.shape[1])
    moved = up + down
    ranks = np.cumsum(moved, axis=0) - (moved - 1) / 2
    biserial = ratio((ranks * (up - down)).sum(axis=0), (ranks * moved).sum(axis=0))
    total = moved.sum(axis=0) + equal.sum(axis=0)
    superior = ratio(up.sum(axis=0) + equal.sum(axis=0) / 2, total)
    return np.stack([biserial, superior])


DECIMALS = 10
"""Differences are rounded so that float noise of item means breaks no tie in rank."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Differences system - baseline of one scale.

    `item`, `rater`, `difference` (n,): one row per item and rater who scored both, in the same
    panel; `items` (m,): the items that have such a rater, ascending; `mean` (m,): mean over those
    raters, rounded. `dropped`: items scored for one of the two systems at least, without one.
    """

    item: Integers
    rater: Integers
    difference: Floats
    items: Integers
    mean: Floats
    dropped: int


def pairs(ratings: Ratings, scale: str, system: int, baseline: int) -> Pairs:
    """Return the paired differences of two systems (indices into the labels)."""
    scores = ratings.values[scale]
    rows = [
        np.flatnonzero((ratings.system == which) & ~np.isnan(scores))
        for which in (system, baseline)
    ]
    keys = [_keys(ratings, chosen) for chosen in rows]
    _, left, right = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    left, right = rows[0][left], rows[1][right]
    item, rater, difference = _per_rater(ratings, left, scores[left] - scores[right])
    items, place = np.unique(item, return_inverse=True)
    count = np.bincount(place, minlength=len(items))
    mean = np.bincount(place, weights=difference, minlength=len(items)) / np.maximum(count, 1)
    met = len(np.unique(ratings.item[np.concatenate(rows)]))
    return Pairs(item, rater, difference, items, np.round(mean, DECIMALS), met - len(items))


def item_means(ratings: Ratings, scale: str, system: int) -> Floats:
    """Return the mean score of a system on each item (I,), nan = not scored."""
    scores = ratings.values[scale]
    chosen = (ratings.system == system) & ~np.isnan(scores)
    size = len(ratings.items)
    count = np.bincount(ratings.item[chosen], minlength=size)
    total = np.bincount(ratings.item[chosen], weights=scores[chosen], minlength=size)
    means = np.full(size, np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def _keys(ratings: Ratings, rows: Integers) -> Integers:
    """Return one number per (item, panel, rater)."""
    panel = ratings.item[rows] * len(ratings.panels) + ratings.panel[rows]
    return np.asarray(panel * len(ratings.raters) + ratings.rater[rows])


def _per_rater(
    ratings: Ratings, rows: Integers, difference: Floats
) -> tuple[Integers, Integers, Floats]:
    """Return item, rater and mean difference, one row per item and rater."""
    both = ratings.item[rows] * len(ratings.raters) + ratings.rater[rows]
    keys, place = np.unique(both, return_inverse=True)
    count = np.bincount(place, minlength=len(keys))
    total = np.bincount(place, weights=difference, minlength=len(keys))
    width = max(len(ratings.raters), 1)
    return keys // width, keys % width, total / np.maximum(count, 1)
