"""Agreement of a single rating from variance components, with any pattern of missing ratings.

Scores are a sum of a mean, a random unit, a random rater and a residual. The components are
estimated by fitting constants (C. R. Henderson 1953, method 3): on complete data this is the
analysis of variance, so the figure equals ICC(2,1). A negative rater component is set to 0 and the
others are estimated again without it, as restricted maximum likelihood would.
"""

from dataclasses import dataclass

import numpy as np

from cbt_core.stats.numbers import ratio, settled
from cbt_core.stats.ratings import Floats
from cbt_core.stats.sums import Sums

RIDGE = 1e-12
"""Share of the mean diagonal that makes the singular normal equations invertible."""


@dataclass(frozen=True, slots=True)
class Components:
    """Variances (b,) of unit, rater and residual."""

    unit: Floats
    rater: Floats
    residual: Floats


def agreement(sums: Sums) -> Floats:
    """Return unit variance / total variance (b,); nan when it cannot be estimated."""
    found = components(sums)
    return ratio(found.unit, found.unit + found.rater + found.residual)


def components(sums: Sums) -> Components:
    """Return the components, none of them negative."""
    full = _crossed(sums)
    lower = _without_raters(sums)
    drop = full.rater < 0
    return Components(
        unit=np.maximum(np.where(drop, lower.unit, full.unit), 0.0),
        rater=np.maximum(full.rater, 0.0),
        residual=np.where(drop, lower.residual, full.residual),
    )


def _crossed(sums: Sums) -> Components:
    ratings, units, squares = sums["ratings"], sums["units"], sums["squares"]
    counts, totals = sums["rater_counts"], sums["rater_totals"]
    raters = (counts > 0).sum(axis=0)
    gain, rank = _rater_reduction(sums)
    explained = sums["unit_squares"] + gain
    left = settled(squares - explained, squares)
    residual = ratio(left, np.maximum(ratings - units - rank, 0.0))
    rater = ratio(settled(gain - rank * residual, squares), ratings - units)
    alone = (totals**2 / np.maximum(counts, 1)).sum(axis=0)
    beyond = settled(explained - alone - (units + rank - raters) * residual, squares)
    return Components(ratio(beyond, np.maximum(ratings - raters, 0.0)), rater, residual)


def _rater_reduction(sums: Sums) -> tuple[Floats, Floats]:
    """Return the sum of squares of raters after units, and its degrees of freedom (b,).

    The equations say nothing of the mean of raters who are linked by common units, so a constant
    is added for each group of them; a ridge holds up what a replicate lacks beyond that, and is
    not counted as a degree of freedom.
    """
    normal = _normal_equations(sums)
    k = normal.shape[1]
    met = (np.diagonal(normal, axis1=1, axis2=2) > 0).astype(np.float64)
    linked = np.equal.outer(sums.frame.groups, sums.frame.groups)
    scale = np.maximum(np.trace(normal, axis1=1, axis2=2) / max(k, 1), 1.0)
    together = met[:, :, np.newaxis] * met[:, np.newaxis, :] * linked
    ridge = (RIDGE * scale)[:, np.newaxis, np.newaxis] * np.eye(k)
    constant = (scale / max(k, 1))[:, np.newaxis, np.newaxis] * together
    inverse = np.linalg.inv(normal + constant + ridge)
    held = RIDGE * scale * np.trace(inverse, axis1=1, axis2=2)
    groups = (1 / np.maximum(together.sum(axis=2), 1) * met).sum(axis=1)
    rank = np.maximum(np.round(k - held - groups), 0.0)
    right = sums["rater_deviations"].T
    gain = np.einsum("bi,bij,bj->b", right, inverse, right, optimize=True)
    return gain, rank


def _normal_equations(sums: Sums) -> Floats:
    """Return the equations of the raters with the units absorbed (b, k, k)."""
    counts, shares = sums["rater_counts"], sums["rater_shares"]
    k, width = counts.shape
    normal = np.zeros((width, k, k))
    first, second = np.triu_indices(k, 1)
    normal[:, first, second] = -sums["meetings"].T
    normal += normal.transpose(0, 2, 1)
    normal[:, np.arange(k), np.arange(k)] = (counts - shares).T
    return normal


def _without_raters(sums: Sums) -> Components:
    ratings, units, squares = sums["ratings"], sums["units"], sums["squares"]
    left = settled(squares - sums["unit_squares"], squares)
    residual = ratio(left, ratings - units)
    grand = ratio(sums["totals"] ** 2, ratings)
    spread = ratings - ratio(sums["squared_sizes"], ratings)
    unit = ratio(
        settled(sums["unit_squares"] - grand - (units - 1) * residual, squares),
        settled(spread, ratings),
    )
    return Components(unit, np.zeros_like(unit), residual)
