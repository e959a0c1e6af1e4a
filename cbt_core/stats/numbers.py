"""Division that says nan where a figure is undefined."""

from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats

ROUNDING = 1e-9
"""Sums of squares below this share of the total are rounding, not variance."""


def ratio(above: Floats, below: Floats) -> Floats:
    """Return above / below, nan where below is 0 (or not a number)."""
    above, below = np.broadcast_arrays(above, below)
    result = np.full(below.shape, np.nan)
    np.divide(above, below, out=result, where=(below != 0) & ~np.isnan(below))
    return result


def settled(variation: Floats, total: Floats) -> Floats:
    """Return sums of squares with rounding noise set to exactly 0."""
    return np.where(np.abs(variation) <= ROUNDING * np.abs(total), 0.0, variation)


NORMAL: Final = 1.959963984540054
"""The .975 quantile of the standard normal distribution."""
