"""Replicates of the effects of item differences: rank-biserial and probability of superiority."""

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.clustered import Truths
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats, Integers


def effects(differences: Floats, weights: Floats) -> Floats:
    """Return rank-biserial and superiority (2, b) of differences (n,) taken `weights` (n, b) times.

    Both follow from how often each size occurs with each sign, so no replicate is ranked anew.
    """
    sizes, found = np.unique(np.abs(differences), return_inverse=True)
    place = found.astype(np.int64)
    sign = np.sign(differences)
    up, down, equal = (
        _occurrences(place, len(sizes), sign == wanted) @ weights for wanted in (1.0, -1.0, 0.0)
    )
    moved = up + down
    ranks = np.cumsum(moved, axis=0) - (moved - 1) / 2
    favour = (ranks * (up - down)).sum(axis=0)
    biserial = ratio(favour, (ranks * moved).sum(axis=0))
    total = moved.sum(axis=0) + equal.sum(axis=0)
    superior = ratio(up.sum(axis=0) + equal.sum(axis=0) / 2, total)
    return np.stack([biserial, superior])


def _occurrences(place: Integers, sizes: int, chosen: Truths) -> csr_array:
    rows = np.flatnonzero(chosen)
    ones = np.ones(len(rows))
    return csr_array((ones, (place[rows], rows)), shape=(sizes, len(chosen)))
