"""Intraclass correlations from mean squares.

Sources: Shrout & Fleiss 1979; McGraw & Wong 1996. Two-way forms use the units every rater
scored; one-way forms the units with the modal number of ratings, raters interchangeable.
"""

from dataclasses import dataclass

import numpy as np

from cbt_core.stats.numbers import ratio, settled
from cbt_core.stats.ratings import Floats
from cbt_core.stats.sums import Sums


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
