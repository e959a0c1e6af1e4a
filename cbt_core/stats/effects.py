"""Replicates of the effects of item differences: rank-biserial and probability of superiority."""

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats, Integers


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
