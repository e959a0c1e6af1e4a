"""Resampling of items: how often each item is drawn in each replicate."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats

CELLS: Final = 4_000_000
"""Cells of the largest array of a block of replicates (32 MB)."""


def blocks(items: int, *, replicates: int, seed: int, widest: int = 1) -> Iterator[Floats]:
    """Yield arrays (items, b): how often each item was drawn with replacement, b replicates each.

    All replicates together have the law of multinomial counts with equal chances. The size of a
    block, and so the memory, is bounded by `CELLS`; `widest` is the longest other axis that the
    caller will multiply with b.
    """
    random = np.random.default_rng(seed)
    size = max(16, CELLS // max(items, widest, 1))
    for start in range(0, replicates, size):
        count = min(size, replicates - start)
        drawn = random.integers(items, size=(count, items))
        drawn += (np.arange(count) * items)[:, np.newaxis]
        weights = np.bincount(drawn.ravel(), minlength=count * items)
        yield np.ascontiguousarray(weights.reshape(count, items).T, dtype=np.float64)
