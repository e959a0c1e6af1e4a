"""The difference of two systems when raters, too, are a sample of the raters there could be.

With every rater on every item: quasi-F. D = within-rater differences; the variance of their mean is
(MS item + MS rater - MS error) / (items x raters), with Satterthwaite's degrees of freedom. Else
the mixed model. Taking raters as fixed finds differences that are only a few raters' liking: three
such raters can turn 5 % false alarms into 40 %.

The mixed model: a mean with crossed random items and raters, any pattern of missing cells, by REML.
y = mean + item + rater + residual. Items are absorbed by hand and raters by a small matrix, so
67,000 differences cost no more than a few milliseconds a step. Degrees of freedom after
Satterthwaite: 2 V^2 / Var(V), Var(V) from the curvature of the restricted likelihood.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from cbt_core.stats.comparison.paired_tests import Pairs
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.values import Reason

EDGE: Final = 1e-4
"""A standard deviation below this share of the residual's is taken for 0."""

STARTS: Final = ((0.5, 0.5), (2.0, 0.1), (0.1, 2.0))
"""Standard deviations of item and rater, in units of the residual's, to search from."""

STEP: Final = 1e-3
"""Relative step of the numerical second derivatives."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Mean, its squared standard error, degrees of freedom; variances of item, rater, residual."""

    value: float
    variance: float
    freedom: float
    components: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Sums over the items of each size class m (an item with m raters), C classes, k raters.

    `size`, `items` (C,); `raters` (C, k): ratings per rater; `met` (C, k, k): items rated by both;
    `sums` (C,): total of y; `squared` (C,): sum of squared item totals; `scores` (k,): total of y
    per rater; `shared` (C, k): item totals added up per rater; `squares`: sum of squared y.
    """

    size: Floats
    items: Floats
    raters: Floats
    met: Floats
    sums: Floats
    squared: Floats
    scores: Floats
    shared: Floats
    squares: float
    count: int


@dataclass(frozen=True, slots=True)
class Solved:
    """For given variance ratios: information on the mean, its estimate, residual form, log |V|."""

    information: float
    mean: float
    residual: float
    log_volume: float


def fit(item: Integers, rater: Integers, y: Floats) -> Fit | None:
    """Return the fitted mean of y (n,), one row per item and rater; None when it fails."""
    totals = _totals(item, rater, y)
    best = min((_searched(totals, start) for start in STARTS), key=lambda found: found[1])
    if not np.isfinite(best[1]):
        return None
    ratios = np.abs(best[0])
    return _fit_at(totals, np.where(ratios < EDGE, 0.0, ratios))


def _searched(totals: Totals, start: tuple[float, float]) -> tuple[Floats, float]:
    """Return the best ratios near a start and what they reach; infinite when it did not settle.

    A search without slopes: with tens of thousands of rows the slope of the likelihood towards
    few raters drowns in the rounding of its sum.
    """
    from scipy.optimize import minimize

    optimum = minimize(
        lambda ratios: _profiled(totals, ratios), start, method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 2000},
    )  # fmt: skip
    return np.asarray(optimum.x), float(optimum.fun) if optimum.success else float("inf")


def _fit_at(totals: Totals, ratios: Floats) -> Fit | None:
    solved = _solve(totals, ratios)
    residual = solved.residual / (totals.count - 1)
    if not residual > 0:
        return None
    components = np.array([*(residual * ratios**2), residual])
    variance = _variance(totals, components)
    freedom = _freedom(totals, components, variance)
    if not (np.isfinite(freedom) and freedom > 0):
        return None
    item, rater, rest = (float(each) for each in components)
    return Fit(solved.mean, variance, freedom, (item, rater, rest))


def _totals(item: Integers, rater: Integers, y: Floats) -> Totals:
    _, row = np.unique(item, return_inverse=True)
    _, column = np.unique(rater, return_inverse=True)
    incidence = np.zeros((row.max() + 1, column.max() + 1))
    incidence[row, column] = 1.0
    total = np.bincount(row, weights=y)
    sizes, which = np.unique(incidence.sum(axis=1), return_inverse=True)
    classes = [which == each for each in range(len(sizes))]
    return Totals(
        size=sizes,
        items=np.array([float(chosen.sum()) for chosen in classes]),
        raters=np.stack([incidence[chosen].sum(axis=0) for chosen in classes]),
        met=np.stack([incidence[chosen].T @ incidence[chosen] for chosen in classes]),
        sums=np.array([total[chosen].sum() for chosen in classes]),
        squared=np.array([(total[chosen] ** 2).sum() for chosen in classes]),
        scores=np.asarray(np.bincount(column, weights=y), dtype=np.float64),
        shared=np.stack([total[chosen] @ incidence[chosen] for chosen in classes]),
        squares=float(y @ y),
        count=len(y),
    )


def _solve(totals: Totals, ratios: Floats) -> Solved:
    """Solve for standard deviations of item and rater in units of the residual's."""
    item, rater = ratios[0] ** 2, ratios[1] ** 2
    grown = 1 + totals.size * item
    share = item / grown  # what of an item's total its own effect explains
    x_x = float((totals.items * totals.size / grown).sum())
    x_y = float((totals.sums / grown).sum())
    y_y = totals.squares - float((share * totals.squared).sum())
    z_x = (totals.raters / grown[:, np.newaxis]).sum(axis=0)
    z_y = totals.scores - (share[:, np.newaxis] * totals.shared).sum(axis=0)
    z_z = np.diag(totals.raters.sum(axis=0)) - np.tensordot(share, totals.met, axes=1)
    system = np.eye(len(z_x)) + rater * z_z
    solved = rater * np.linalg.solve(system, np.stack([z_x, z_y], axis=1))
    information = x_x - float(z_x @ solved[:, 0])
    right = x_y - float(z_x @ solved[:, 1])
    residual = y_y - float(z_y @ solved[:, 1]) - right**2 / information
    volume = float((totals.items * np.log(grown)).sum()) + float(np.linalg.slogdet(system)[1])
    return Solved(information, right / information, residual, volume)


def _profiled(totals: Totals, ratios: Floats) -> float:
    """Return -2 log restricted likelihood with the residual variance at its best."""
    solved = _solve(totals, np.asarray(ratios))
    if not solved.residual > 0:
        return np.inf
    freedom = totals.count - 1
    return float(
        freedom * np.log(solved.residual / freedom) + solved.log_volume + np.log(solved.information)
    )


def _deviance(totals: Totals, components: Floats) -> float:
    """Return -2 log restricted likelihood of the variances of item, rater and residual."""
    solved = _solve(totals, np.sqrt(np.maximum(components[:2], 0) / components[2]))
    freedom = totals.count - 1
    return float(
        freedom * np.log(components[2])
        + solved.log_volume
        + np.log(solved.information)
        + solved.residual / components[2]
    )


def _variance(totals: Totals, components: Floats) -> float:
    solved = _solve(totals, np.sqrt(np.maximum(components[:2], 0) / components[2]))
    return float(components[2] / solved.information)


def _freedom(totals: Totals, components: Floats, variance: float) -> float:
    """Return Satterthwaite's degrees of freedom; components at 0 are taken as known."""
    free = np.flatnonzero(components > 0)
    steps = STEP * components[free]

    def at(shifts: Floats) -> Floats:
        moved = components.copy()
        moved[free] += shifts * steps
        return moved

    unit = np.eye(len(free))
    slope = np.array([_variance(totals, at(e)) - _variance(totals, at(-e)) for e in unit])
    slope /= 2 * steps
    curve = np.array([[_curvature(totals, at, a, b) for a in unit] for b in unit])
    curve /= np.outer(steps, steps)
    try:
        spread = 2 * np.linalg.inv(curve)  # -2 log L has twice the information's curvature
    except np.linalg.LinAlgError:
        return float("nan")
    return float(2 * variance**2 / (slope @ spread @ slope))


def _curvature(totals: Totals, at: Callable[[Floats], Floats], a: Floats, b: Floats) -> float:
    same = _deviance(totals, at(a + b)) + _deviance(totals, at(-a - b))
    return (same - _deviance(totals, at(a - b)) - _deviance(totals, at(b - a))) / 4


FEWEST_RATERS: Final = 3
QUASI_F: Final = "quasi-F, Satterthwaite df"
MIXED: Final = (
    "mixed model of the within-rater differences, i.e. (1 + system | rater) + (1 + system | item); "
    "REML, Satterthwaite df"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean difference with its squared standard error and degrees of freedom."""

    value: float
    variance: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Crossed:
    """A mean difference with 95 % limits, two-sided p and its method; None has a `reason`."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    df: float | None = None
    method: str | None = None
    reason: str | None = None

    def json(self) -> dict[str, object]:
        """Return the `difference_crossed` object."""
        return asdict(self)


def crossed(pairs: Pairs) -> Crossed:
    """Return the mean difference for further items and raters; at least 3 raters are needed."""
    if len(pairs.items) < 2:
        return Crossed(reason=Reason.FEW_PAIRED_ITEMS.text)
    if len(np.unique(pairs.rater)) < FEWEST_RATERS:
        return Crossed(reason=Reason.FEWER_THAN_THREE_RATERS.text)
    if not pairs.difference.any():
        return Crossed(value=0.0, p=1.0, reason=Reason.ALL_ZERO.text)
    if np.ptp(pairs.difference) == 0:
        return Crossed(value=float(pairs.difference[0]), reason=Reason.NO_SPREAD.text)
    table = complete_table(pairs)
    if table is not None:
        return _tested(quasi_f(table), QUASI_F)
    mixed_fit = fit(pairs.item, pairs.rater, pairs.difference)
    if mixed_fit is None:
        return Crossed(method=MIXED, reason=Reason.NOT_CONVERGED.text)
    return _tested(Estimate(mixed_fit.value, mixed_fit.variance, mixed_fit.freedom), MIXED)


def complete_table(pairs: Pairs) -> Floats | None:
    """Return the differences (items, raters), or None when a rater lacks an item."""
    raters, column = np.unique(pairs.rater, return_inverse=True)
    shape = (len(pairs.items), len(raters))
    if len(pairs.difference) != shape[0] * shape[1]:
        return None
    table = np.empty(shape)
    table[np.searchsorted(pairs.items, pairs.item), column] = pairs.difference
    return table


def quasi_f(table: Floats) -> Estimate:
    """Return mean, its variance and degrees of freedom of differences (items, raters).

    The variance is not taken to be below what items alone or raters alone would give.
    """
    n, k = table.shape
    mean = table.mean()
    of_items, of_raters = table.mean(axis=1), table.mean(axis=0)
    item = k * ((of_items - mean) ** 2).sum() / (n - 1)
    rater = n * ((of_raters - mean) ** 2).sum() / (k - 1)
    rest = table - of_items[:, np.newaxis] - of_raters + mean
    error = (rest**2).sum() / ((n - 1) * (k - 1))
    total = max(item + rater - error, item, rater)
    spread = item**2 / (n - 1) + rater**2 / (k - 1) + error**2 / ((n - 1) * (k - 1))
    return Estimate(float(mean), float(total / (n * k)), float(total**2 / spread))


def _tested(estimate: Estimate, method: str) -> Crossed:
    from scipy.special import stdtr, stdtrit

    error = float(np.sqrt(estimate.variance))
    reach = float(stdtrit(estimate.freedom, 0.975)) * error
    return Crossed(
        value=estimate.value,
        low=estimate.value - reach,
        high=estimate.value + reach,
        p=float(2 * stdtr(estimate.freedom, -abs(estimate.value) / error)),
        df=estimate.freedom,
        method=method,
    )
