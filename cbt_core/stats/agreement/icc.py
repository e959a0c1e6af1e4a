"""Intraclass correlations, from mean squares and from variance components; Kendall's W.

Sources: Shrout & Fleiss 1979; McGraw & Wong 1996. Two-way forms use the units every rater scored;
one-way forms the units with the modal number of ratings, raters interchangeable.

Agreement of a single rating with any pattern of missing ratings: scores are a sum of a mean, a
random unit, a random rater and a residual. The components are estimated by fitting constants (C. R.
Henderson 1953, method 3): on complete data this is the analysis of variance, so the figure equals
ICC(2,1). A negative rater component is set to 0 and the others are estimated again without it, as
restricted maximum likelihood would.

Kendall's W, corrected for ties, over the units every rater scored: M. G. Kendall, Rank Correlation
Methods (1948), chapter 6.
"""

from dataclasses import dataclass

import numpy as np

from cbt_core.stats.agreement.sums import Sums
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import ratio, settled


@dataclass(frozen=True, slots=True)
class TwoWay:
    """Mean squares (b,) of units, raters and residual; `units` (b,) and number of `raters`."""

    units: Floats
    raters: int
    between: Floats
    rater: Floats
    residual: Floats


def two_way(sums: Sums) -> TwoWay:
    """Return the mean squares of the completely scored units."""
    k, n = len(sums.frame.present), sums["complete"]
    margins, values = sums["complete_margins"], sums.frame.centred
    rater_totals = np.einsum("rqb,q->rb", margins, values)
    squares = np.einsum("rqb,q->b", margins, values**2)
    grand = ratio(rater_totals.sum(axis=0) ** 2, n * k)
    whole = settled(squares - grand, squares)
    between = settled(ratio(sums["complete_squared_totals"], np.full_like(n, k)) - grand, squares)
    raters = settled(ratio((rater_totals**2).sum(axis=0), n) - grand, squares)
    residual = settled(whole - between - raters, squares)
    return TwoWay(
        units=n,
        raters=k,
        between=_mean(between, n - 1),
        rater=_mean(raters, np.full_like(n, k - 1)),
        residual=_mean(residual, (n - 1) * (k - 1)),
    )


def agreement_single(m: TwoWay) -> Floats:
    """Return ICC(2,1): absolute agreement of one rating, raters random."""
    bias = m.raters * ratio(m.rater - m.residual, m.units)
    return ratio(m.between - m.residual, m.between + (m.raters - 1) * m.residual + bias)


def agreement_mean(m: TwoWay) -> Floats:
    """Return ICC(2,k): absolute agreement of the mean of the k raters."""
    bias = ratio(m.rater - m.residual, m.units)
    return ratio(m.between - m.residual, m.between + bias)


def consistency_single(m: TwoWay) -> Floats:
    """Return ICC(3,1): consistency of one rating, raters fixed."""
    return ratio(m.between - m.residual, m.between + (m.raters - 1) * m.residual)


def consistency_mean(m: TwoWay) -> Floats:
    """Return ICC(3,k): consistency of the mean of the k raters."""
    return ratio(m.between - m.residual, m.between)


def one_way(sums: Sums) -> tuple[Floats, Floats]:
    """Return ICC(1,1) and ICC(1,k) (b,) of the units with the modal number of ratings k."""
    k, n = sums.frame.modal, sums["modal_units"]
    if k < 2:
        return np.full_like(n, np.nan), np.full_like(n, np.nan)
    squares = sums["modal_squares"]
    grand = ratio(sums["modal_totals"] ** 2, n * k)
    per_unit = sums["modal_squared_totals"] / k
    between = _mean(settled(per_unit - grand, squares), n - 1)
    within = _mean(settled(squares - per_unit, squares), n * (k - 1))
    single = ratio(between - within, between + (k - 1) * within)
    return single, ratio(between - within, between)


def _mean(squares: Floats, freedom: Floats) -> Floats:
    return ratio(squares, np.maximum(freedom, 0.0))


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
    variances = components(sums)
    return ratio(variances.unit, variances.unit + variances.rater + variances.residual)


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


def kendall_w(sums: Sums) -> Floats:
    """Return W (b,); nan with fewer than 2 raters or units, or without any difference in rank.

    Units with the same score share the mean rank, so a unit's rank is a function of its category
    and the counts of that rater: the sum of squared rank sums follows from the pair tables.
    """
    k, n = len(sums.frame.present), sums["complete"]
    if k < 2:
        return np.full_like(n, np.nan)
    counts = sums["complete_margins"]
    ranks = np.cumsum(counts, axis=1) - counts / 2 - n / 2  # about their mean, hence n / 2
    own = (counts * ranks**2).sum(axis=(0, 1))
    a, b = np.triu_indices(k, 1)
    crossed = np.einsum(
        "pijb,pib,pjb->b", sums["complete_tables"], ranks[a], ranks[b], optimize=True
    )
    ties = (counts**3 - counts).sum(axis=(0, 1))
    possible = k**2 * (n**3 - n) - k * ties
    return ratio(12 * (own + 2 * crossed), settled(possible, k**2 * n**3))
