"""Test-retest: a rater's second score of the same answer against the first.

Repeats with the answers on the same sides and on swapped sides stand apart. Never pooled with
agreement between raters: it answers another question.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats import resampling
from cbt_core.stats.numbers import ratio, settled
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Reason, Value, undefined

FEWEST: Final = 10
"""Below so many scores given twice a kappa says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Scores given twice on one scale: `item`, `rater` (n,) indices, `first`, `second` (n,).

    `same_order` (n,): the answers stood in the same slots both times.
    """

    item: Integers
    rater: Integers
    first: Floats
    second: Floats
    same_order: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Retest:
    """Exact agreement, quadratic kappa, mean shift (second - first) of `n` scores given twice.

    Kappa and shift need an ordered scale.
    """

    n: int
    n_items: int
    exact: Value
    kappa_quadratic: Value
    shift: Value


@dataclass(frozen=True, slots=True)
class RetestOfScale:
    """Pooled over raters (all repeats, same order, swapped order) and per rater."""

    pooled: Retest
    same_order: Retest
    swapped_order: Retest
    by_rater: dict[str, Retest]


def retest(
    repeated: Repeated, raters: Mapping[int, str], *, how: Bootstrap, ordered: bool = True
) -> RetestOfScale:
    """Return the test-retest figures of a scale; `raters` maps index to code."""

    def of(chosen: NDArray[np.bool_]) -> Retest:
        return _retest(repeated, np.flatnonzero(chosen), how=how, ordered=ordered)

    return RetestOfScale(
        pooled=of(np.ones(len(repeated.item), dtype=bool)),
        same_order=of(repeated.same_order),
        swapped_order=of(~repeated.same_order),
        by_rater={
            raters[int(one)]: of(repeated.rater == one) for one in np.unique(repeated.rater)
        },
    )


def _retest(repeated: Repeated, rows: Integers, *, how: Bootstrap, ordered: bool) -> Retest:
    item, first, second = repeated.item[rows], repeated.first[rows], repeated.second[rows]
    equal = (first == second).astype(np.float64)
    if not ordered:
        kappa = shift = undefined(Reason.NOMINAL)
    else:
        kappa = _kappa(item, first, second, how)
        shift = resampling.mean(item, second - first, how=how, reason=Reason.NO_REPEATS)
    return Retest(
        n=len(rows),
        n_items=len(np.unique(item)),
        exact=resampling.mean(item, equal, how=how, reason=Reason.NO_REPEATS),
        kappa_quadratic=kappa,
        shift=shift,
    )


def _kappa(item: Integers, first: Floats, second: Floats, how: Bootstrap) -> Value:
    if len(item) < FEWEST:
        return undefined(Reason.FEW_COMMON if len(item) else Reason.NO_REPEATS)
    columns = np.stack([
        np.ones_like(first), first, second, first * first, second * second, first * second,
    ])
    return resampling.estimate(
        item, columns, quadratic_kappa, how=how, reason=Reason.CONSTANT_RATER
    )


def quadratic_kappa(sums: Floats) -> Floats:
    """Return quadratic kappa (b,) from sums (6, b): n, a, b, aa, bb, ab; nan if a or b is constant.

    1 - mean (a-b)^2 / mean of (a-b)^2 over all pairs of an a with a b (J. Cohen 1968), which
    needs no table of categories.
    """
    n, a, b, aa, bb, ab = sums
    spread_a, spread_b = settled(n * aa - a * a, n * aa), settled(n * bb - b * b, n * bb)
    observed = n * (aa + bb - 2 * ab)
    expected = n * (aa + bb) - 2 * a * b
    constant = (spread_a == 0) | (spread_b == 0)
    return np.asarray(1 - ratio(observed, np.where(constant, np.nan, expected)))
