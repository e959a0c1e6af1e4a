"""Each rater against the others (severity, drift, pace) and against themselves (test-retest).

Intervals leave out one item at a time (jackknife, t quantile): no draws, so they cost nothing on
large files and need no seed. Repeats with the answers on the same sides and on swapped sides stand
apart, and are never pooled with agreement between raters: they answer another question.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats import resampling
from cbt_core.stats.agreement.results import RaterFigures
from cbt_core.stats.ratings import Floats, Integers, Ratings
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import TAIL, Reason, Value, ratio, settled, undefined

POSITIONS: Final = 10
"""Drift is told per this many positions of a rater's sequence."""

FEWEST_TASKS: Final = 20
"""Below so many tasks drift has no interval."""


def rater_figures(
    ratings: Ratings, scale: str, rows: Integers, *, ordered: bool, intervals: bool = True
) -> tuple[RaterFigures, ...]:
    """Return the figures of every rater of these scored rows; means are None on a nominal scale.

    `severity`: mean of own score less the mean of the others' over the rater's pairable units.
    `drift`: least-squares slope of that difference per 10 positions. None = not known. Each has
    its interval beside it unless `intervals` is false.
    """
    scores = ratings.values[scale][rows]
    against = _against_others(ratings, scores, rows)
    figures = []
    for rater in np.unique(ratings.rater[rows]):
        own = ratings.rater[rows] == rater
        plain = RaterFigures(
            rater=ratings.raters[rater],
            n=int(own.sum()),
            mean=float(scores[own].mean()) if ordered else None,
            severity=_mean(against[own]) if ordered else None,
            drift=_drift(ratings, rows[own], against[own]) if ordered else None,
            seconds_median=_median(ratings.seconds, rows[own]),
        )
        figures.append(
            _with_intervals(ratings, rows[own], against[own], plain, drawn=intervals)
            if ordered else plain
        )
    return tuple(figures)


def _against_others(ratings: Ratings, scores: Floats, rows: Integers) -> Floats:
    """Return own score less the mean of the others on the unit, nan where there is no other."""
    keys = np.stack([ratings.item[rows], ratings.system[rows], ratings.panel[rows]])
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    unit = np.cumsum(starts) - 1
    size = np.bincount(unit)[unit].astype(np.float64)
    total = np.bincount(unit, weights=scores)[unit]
    others = np.full(len(rows), np.nan)
    np.divide(total - scores, size - 1, out=others, where=size > 1)
    return np.asarray(scores - others)


def _mean(differences: Floats) -> float | None:
    defined = differences[~np.isnan(differences)]
    return float(defined.mean()) if len(defined) else None


def _drift(ratings: Ratings, rows: Integers, differences: Floats) -> float | None:
    if ratings.order is None:
        return None
    position = ratings.order[rows]
    known: NDArray[np.bool_] = ~(np.isnan(differences) | np.isnan(position))
    if not known.any() or np.ptp(position[known]) == 0:
        return None
    centred = position[known] - position[known].mean()
    # Not `@`: a threaded BLAS spins longer on such short products than they take.
    return float(POSITIONS * (centred * differences[known]).sum() / (centred * centred).sum())


def _with_intervals(
    ratings: Ratings, rows: Integers, differences: Floats, plain: RaterFigures, *, drawn: bool
) -> RaterFigures:
    severity, drift = plain.severity, plain.drift
    if not drawn:
        return replace(
            plain, severity_interval=_bare(severity, Reason.NO_PAIRS),
            drift_interval=_bare(drift, Reason.FEW_TASKS),
        )
    known = ~np.isnan(differences)
    item, d = ratings.item[rows][known], differences[known]
    own = _interval(severity, item, np.stack([d, np.ones_like(d)]), _quotient, Reason.NO_PAIRS)
    slope = Value(None, reason=Reason.FEW_TASKS.text)
    if ratings.order is not None:
        position = ratings.order[rows][known]
        slope = _drift_interval(drift, item, d, position)
    return replace(plain, severity_interval=own, drift_interval=slope)


def _bare(point: float | None, reason: Reason) -> Value:
    """Return a figure without interval; `reason` when it is undefined."""
    return Value(None, reason=reason.text) if point is None else Value(point)


def _drift_interval(drift: float | None, item: Integers, d: Floats, position: Floats) -> Value:
    known = ~np.isnan(position)
    if drift is None or _tasks(position[known]) < FEWEST_TASKS:
        return Value(drift, reason=Reason.FEW_TASKS.text)
    x, y = position[known] - position[known].mean(), d[known]
    columns = np.stack([np.ones_like(x), x, y, x * x, x * y])
    return _interval(drift, item[known], columns, _slope, Reason.FEW_TASKS)


def _interval(
    point: float | None, item: Integers, columns: Floats, compute: Callable[[Floats], Floats],
    reason: Reason,
) -> Value:
    """Return a figure of sums of columns (k, n) with its jackknife limits over items."""
    if point is None:
        return Value(None, reason=reason.text)
    place = np.cumsum(np.diff(item, prepend=item[:1]) != 0)  # rows are sorted by item
    sums = np.stack([np.bincount(place, weights=column) for column in columns])
    items = sums.shape[1]
    if items < 2:
        return Value(point, reason=Reason.ONE_CLUSTER.text)
    without = compute(sums.sum(axis=1, keepdims=True) - sums)
    if np.isnan(without).any():
        return Value(point, reason=Reason.UNSTABLE.text)
    from scipy.special import stdtrit

    error = np.sqrt((items - 1) / items * ((without - without.mean()) ** 2).sum())
    reach = float(stdtrit(items - 1, 1 - TAIL) * error)
    return Value(point, point - reach, point + reach)


def _tasks(positions: Floats) -> int:
    """Return how many different positions there are, or some number that is enough."""
    some = len(np.unique(positions[: 20 * FEWEST_TASKS]))
    return some if some >= FEWEST_TASKS else len(np.unique(positions))


def _quotient(sums: Floats) -> Floats:
    return ratio(sums[0], sums[1])


def _slope(sums: Floats) -> Floats:
    n, x, y, xx, xy = sums
    return POSITIONS * ratio(n * xy - x * y, settled(n * xx - x * x, n * xx))


def _median(seconds: Floats | None, rows: Integers) -> float | None:
    if seconds is None:
        return None
    known = seconds[rows][~np.isnan(seconds[rows])]
    return float(np.median(known)) if len(known) else None


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
