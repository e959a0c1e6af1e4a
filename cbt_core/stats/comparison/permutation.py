"""Paired differences by item: sign flips, Wilcoxon, Holm's adjustment, effects.

The effects are the rank-biserial correlation and the probability of superiority, with their
replicates.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats, Integers

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
