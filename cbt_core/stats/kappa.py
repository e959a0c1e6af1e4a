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
    size = tables.sum(axis=(1, 2))
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    observed = np.einsum("ij,pijb->pb", disagreement, tables) * size
    expected = np.einsum("ij,pib,pjb->pb", disagreement, rows, columns, optimize=True)
    constant = ((rows > 0).sum(axis=1) < 2) | ((columns > 0).sum(axis=1) < 2)
    return 1 - ratio(observed, np.where(constant, 0.0, expected))


def common(sums: Sums) -> Floats:
    """Return how many units both raters of each pair scored (pairs, b)."""
    return np.asarray(sums["tables"].sum(axis=(1, 2)))
