"""Cohen's kappa, unweighted, linear and quadratic, for every pair of raters.

Sources: J. Cohen 1960 and, for the weights, 1968.
"""

import numpy as np

from cbt_core.stats.chance import weights
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats
from cbt_core.stats.sums import Sums


def kappa(sums: Sums, power: int) -> Floats:
    """Return kappa per pair (pairs, b) with weights of power 0 (none), 1 or 2.

    nan where a rater gave the pair's common units one value only: agreement beyond chance cannot
    be told then, and 0 would look like a finding.
    """
    tables = sums["tables"]
    disagreement = 1 - weights(sums.frame.categories, power)
    rows, columns = _margins(tables, 1), _margins(tables, 0)
    size: Floats = np.zeros_like(rows[0]) + sum(rows)
    observed, expected = np.zeros_like(size), np.zeros_like(size)
    # Cell by cell: with 50 raters there are 1,225 pairs, and whole products of them are slow.
    for i, j in zip(*np.nonzero(disagreement), strict=True):
        observed += disagreement[i, j] * tables[:, i, j]
        expected += disagreement[i, j] * rows[i] * columns[j]
    constant = (_used(rows) < 2) | (_used(columns) < 2)
    return 1 - ratio(observed * size, np.where(constant, 0.0, expected))


def _margins(tables: Floats, axis: int) -> list[Floats]:
    """Return per category how often one rater of each pair gave it (pairs, b)."""
    cells = np.moveaxis(tables, (1, 2), (0, 1) if axis else (1, 0))
    return [np.asarray(np.add.reduce(own)) for own in cells]


def _used(margins: list[Floats]) -> Floats:
    """Return how many categories were given (pairs, b)."""
    found: Floats = np.zeros(margins[0].shape) if margins else np.zeros(0)
    for own in margins:
        found += own > 0
    return found


def common(sums: Sums) -> Floats:
    """Return how many units both raters of each pair scored (pairs, b)."""
    return np.asarray(sums["tables"].sum(axis=(1, 2)))
