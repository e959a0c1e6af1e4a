"""Kendall's tau-b and Spearman's rho for many weightings of the same answers at once."""

from typing import Final

import numpy as np

from cbt_core.stats.numbers import ratio, settled
from cbt_core.stats.ratings import Floats

MOST: Final = 1500
"""Kendall's tau looks at every pair of answers: above so many it is not resampled."""


def kendall(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return tau-b (b,) of values (n,) taken `weights` (n, b) times; nan if one is constant.

    Source: M. G. Kendall, Biometrika 33 (1945) 239.
    """
    of_x = np.sign(x[:, np.newaxis] - x)
    of_y = np.sign(y[:, np.newaxis] - y)
    concordant, untied_x, untied_y = (
        ((table @ weights) * weights).sum(axis=0)
        for table in (of_x * of_y, np.abs(of_x), np.abs(of_y))
    )
    return ratio(concordant, np.sqrt(untied_x * untied_y))


def spearman(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return rho (b,): Pearson's correlation of mid-ranks; nan if one is constant."""
    return _pearson(_ranks(x, weights), _ranks(y, weights), weights)


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Return mid-ranks (n, b), equal values sharing theirs."""
    distinct, place = np.unique(values, return_inverse=True)
    counts = np.zeros((len(distinct), weights.shape[1]))
    np.add.at(counts, place, weights)
    return np.asarray((np.cumsum(counts, axis=0) - counts / 2)[place])


def _pearson(x: Floats, y: Floats, weights: Floats) -> Floats:
    size = weights.sum(axis=0)
    x = x - ratio((x * weights).sum(axis=0), size)
    y = y - ratio((y * weights).sum(axis=0), size)
    scale = size**3  # ranks reach up to size, so their squares sum up to about size^3
    spread_x = settled((x * x * weights).sum(axis=0), scale)
    spread_y = settled((y * y * weights).sum(axis=0), scale)
    return ratio((x * y * weights).sum(axis=0), np.sqrt(spread_x * spread_y))
