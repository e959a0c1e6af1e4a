"""How alike two label sets are: Jaccard, and MASI with its weights 1, 2/3, 1/3, 0.

Sources: P. Jaccard 1912; R. Passonneau, Measuring agreement on set-valued items (LREC 2006). Two
empty sets agree in full: "no distortion" twice is agreement.
"""

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats.ratings import Floats

Membership = NDArray[np.bool_]
"""Label sets as rows (n, L): which labels a set holds."""

SUBSET, OVERLAP = 2 / 3, 1 / 3
"""MASI's weight where one set holds the other, and where they only meet."""


def jaccard(common: Floats, first: Floats, second: Floats) -> Floats:
    """Return |common| / |union| of sets of these sizes (any shape), 1 where both are empty."""
    union = first + second - common
    return np.divide(common, union, out=np.ones(np.shape(union)), where=union > 0)


def masi(common: Floats, first: Floats, second: Floats) -> Floats:
    """Return Jaccard times 1 (equal), 2/3 (one holds the other), 1/3 (they meet) or 0."""
    smaller = np.minimum(first, second)
    weight = np.where(common == smaller, SUBSET, OVERLAP)
    weight = np.where((common == first) & (common == second), 1.0, weight)
    return np.asarray(weight * jaccard(common, first, second))  # apart: jaccard is 0


def paired(first: Membership, second: Membership) -> tuple[Floats, Floats, Floats]:
    """Return sizes (n,) of what two sets share and of each, row by row."""
    common = (first & second).sum(axis=1).astype(np.float64)
    return common, first.sum(axis=1).astype(np.float64), second.sum(axis=1).astype(np.float64)


def crossed(first: Membership, second: Membership) -> tuple[Floats, Floats, Floats]:
    """Return the same sizes of every set with every other: (n, m), (n, 1), (1, m)."""
    left, right = first.astype(np.float64), second.astype(np.float64)
    return left @ right.T, left.sum(axis=1)[:, np.newaxis], right.sum(axis=1)[np.newaxis, :]
