"""The two tests on many simulated studies at once, for several numbers of items at a time.

The first n items of a study are a study of n items, so one simulation gives a whole curve. The
t-test by item stands in for sign flips: at 50 items they decide alike in 97 % of studies and more
(a test shows it).

The mixed model of `comparison.crossed` is fitted for many studies of one design at once. With one
design the equations of the raters are the same for every study. On a grid of the two variance
ratios they are solved once (eigenvectors), and the restricted likelihood of all studies follows by
matrix products; a parabola through the best node gives the rest. Its p is within 5 % of that of the
exact search, which a power simulation does not notice (a test shows it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cbt_core.stats.planning.simulation import Assumptions, Batch, Size, batches
from cbt_core.stats.ratings import Floats, Integers

ITEM_RATIOS: Final = np.concatenate([[0.0], np.geomspace(0.04, 6, 60)])
RATER_RATIOS: Final = np.concatenate([[0.0], np.geomspace(0.01, 4, 70)])
"""Standard deviations of item and rater in units of the residual's; the first node is none."""

FLAT: Final = 1e-9
"""Curvature added so that a likelihood without any does not stop the others' equations."""

Three = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Sums over the items of each size class, as in `mixed`, for S studies of k raters.

    Of the design: `size`, `items` (C,), `raters` (C, k), `met` (C, k, k). Of the studies: `sums`,
    `squared` (C, S), `scores` (S, k), `shared` (C, S, k), `squares` (S,).
    """

    size: Floats
    items: Floats
    raters: Floats
    met: Floats
    sums: Floats
    squared: Floats
    scores: Floats
    shared: Floats
    squares: Floats
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """On the grid (G, H): `log_info`, `volume`; with S studies: `log_rest`, `mean` (G, H, S)."""

    log_info: Floats
    volume: Floats
    log_rest: Floats
    mean: Floats
    freedom: int


def fitted(y: Floats, rater: Integers, present: NDArray[np.bool_], raters: int) -> Three:
    """Return mean, squared standard error and degrees of freedom (S,) of differences.

    y (S, items, overlap), 0 where `present` (items, overlap) is False; nan when it cannot be told.
    """
    totals = _totals(y, rater, present, raters)
    with np.errstate(divide="ignore", invalid="ignore"):
        surface = _surface(totals)
        return _at_best(surface)


def _totals(y: Floats, rater: Integers, present: NDArray[np.bool_], raters: int) -> Totals:
    items, overlap = rater.shape
    rows, slots = np.nonzero(present)
    incidence = np.zeros((items, raters))
    incidence[rows, rater[rows, slots]] = 1.0
    total = y.sum(axis=2)
    sizes, which = np.unique(incidence.sum(axis=1), return_inverse=True)
    classes = [which == place for place, size in enumerate(sizes) if size > 0]
    cell = csr_array(
        (np.ones(len(rows)), (rows * overlap + slots, rater[rows, slots])),
        shape=(items * overlap, raters),
    )
    return Totals(
        size=sizes[sizes > 0],
        items=np.array([float(chosen.sum()) for chosen in classes]),
        raters=np.stack([incidence[chosen].sum(axis=0) for chosen in classes]),
        met=np.stack([incidence[chosen].T @ incidence[chosen] for chosen in classes]),
        sums=np.stack([total[:, chosen].sum(axis=1) for chosen in classes]),
        squared=np.stack([(total[:, chosen] ** 2).sum(axis=1) for chosen in classes]),
        scores=np.asarray(y.reshape(len(y), -1) @ cell),
        shared=np.stack([total[:, chosen] @ incidence[chosen] for chosen in classes]),
        squares=(y**2).sum(axis=(1, 2)),
        count=int(present.sum()),
    )


def _surface(totals: Totals) -> Surface:
    grid, studies = (len(ITEM_RATIOS), len(RATER_RATIOS)), len(totals.squares)
    info, volume = np.ones(grid), np.zeros(grid)
    rest, mean = np.ones((*grid, studies)), np.zeros((*grid, studies))
    for place, ratio in enumerate(ITEM_RATIOS):
        if place and totals.size.max() < 2:  # one rater an item: item and residual are one
            rest[place:] = np.nan
            break
        info[place], volume[place], rest[place], mean[place] = _for_item_ratio(totals, ratio**2)
    freedom = totals.count - 1
    return Surface(np.log(info), volume, np.log(rest), mean, freedom)


def _for_item_ratio(totals: Totals, ratio: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return information, volume (H,), residual form and mean (H, S) for all rater ratios."""
    grown = 1 + totals.size * ratio
    explained = ratio / grown
    x_x = float((totals.items * totals.size / grown).sum())
    x_y = (totals.sums / grown[:, np.newaxis]).sum(axis=0)
    y_y = totals.squares - explained @ totals.squared
    z_x = (totals.raters / grown[:, np.newaxis]).sum(axis=0)
    z_y = totals.scores - np.tensordot(explained, totals.shared, axes=1)
    z_z = np.diag(totals.raters.sum(axis=0)) - np.tensordot(explained, totals.met, axes=1)
    values, vectors = np.linalg.eigh(z_z)
    u, w = z_x @ vectors, (z_y @ vectors).T
    squared = RATER_RATIOS[:, np.newaxis] ** 2
    stretched = 1 + squared * np.maximum(values, 0)
    kept = squared / stretched
    info = x_x - kept @ u**2
    right = x_y - (kept * u) @ w
    rest = y_y - kept @ w**2 - right**2 / info[:, np.newaxis]
    volume = float((totals.items * np.log(grown)).sum()) + np.log(stretched).sum(axis=1)
    return info, volume, rest, right / info[:, np.newaxis]


def _at_best(surface: Surface) -> Three:
    """Return mean, variance and degrees of freedom at the best ratios of each study."""
    fixed = (surface.volume + surface.log_info)[:, :, np.newaxis]
    deviance = surface.freedom * surface.log_rest + fixed
    flat = np.where(np.isfinite(deviance), deviance, np.inf).reshape(-1, deviance.shape[2])
    best = np.unravel_index(flat.argmin(axis=0), deviance.shape[:2])
    study = np.arange(deviance.shape[2])
    free = np.stack([index > 0 for index in best])  # (2, S): a component that is there
    centre = [np.clip(index, np.where(index > 0, 2, 0), length - 2)
              for index, length in zip(best, deviance.shape[:2], strict=True)]  # fmt: skip

    def around(field: Floats) -> Floats:
        """Return the nine values (3, 3, S) around each study's best node."""
        rows = np.stack([np.where(free[0], centre[0] + step, 0) for step in (-1, 0, 1)])
        columns = np.stack([np.where(free[1], centre[1] + step, 0) for step in (-1, 0, 1)])
        picked = rows[:, np.newaxis], columns[np.newaxis, :]
        return np.asarray(field[(*picked, study)] if field.ndim == 3 else field[picked])

    return _estimates(surface, around(surface.log_rest), around(fixed[:, :, 0]),
                 around(surface.log_info), around(surface.mean), free)  # fmt: skip


def _estimates(
    surface: Surface, rest: Floats, fixed: Floats, info: Floats, mean: Floats,
    free: NDArray[np.bool_],
) -> Three:  # fmt: skip
    slope, bend = _derivatives(surface.freedom * rest + fixed)
    step = _step(slope, bend, free)
    log_variance = rest - np.log(surface.freedom) - info
    variance = np.exp(_moved(log_variance, step))
    return _moved(mean, step), variance, _freedom(surface, rest, fixed, info, free)


def _step(slope: Floats, bend: Floats, free: NDArray[np.bool_]) -> Floats:
    """Return Newton's step (2, S) in nodes, along the components that are there."""
    held = _held(bend, free) + FLAT * np.eye(2)[:, :, np.newaxis]
    solved = np.linalg.solve(held.transpose(2, 0, 1), slope.T[:, :, np.newaxis])
    step = -np.asarray(solved[:, :, 0].T, dtype=np.float64)
    return np.where(free & np.isfinite(step), np.clip(step, -1.5, 1.5), 0.0)


def _held(bend: Floats, free: NDArray[np.bool_]) -> Floats:
    """Return curvatures (2, 2, S) with a plain 1 where a component is not there."""
    both = free[:, np.newaxis] & free[np.newaxis, :]
    return np.where(both, bend, 0.0) + np.where(free, 0.0, 1.0) * np.eye(2)[:, :, np.newaxis]


def _derivatives(nine: Floats) -> tuple[Floats, Floats]:
    """Return first (2, S) and second (2, 2, S) differences at the middle of (3, 3, S)."""
    slope = np.stack([nine[2, 1] - nine[0, 1], nine[1, 2] - nine[1, 0]]) / 2
    twist = (nine[2, 2] - nine[2, 0] - nine[0, 2] + nine[0, 0]) / 4
    first = nine[2, 1] - 2 * nine[1, 1] + nine[0, 1]
    second = nine[1, 2] - 2 * nine[1, 1] + nine[1, 0]
    return slope, np.array([[first, twist], [twist, second]])


def _moved(nine: Floats, step: Floats) -> Floats:
    slope, bend = _derivatives(nine)
    curved = np.einsum("is,ijs,js->s", step, bend, step) / 2
    values: Floats = nine[1, 1] + (slope * step).sum(axis=0) + curved
    return values


def _freedom(
    surface: Surface, rest: Floats, fixed: Floats, info: Floats, free: NDArray[np.bool_]
) -> Floats:
    """Return Satterthwaite's degrees of freedom, 2 V^2 / Var(V).

    In the logarithms of residual variance and ratios, with -2 log L = f log s + fixed + R / s at
    s = R / f: the same number as in the variances themselves, because the slope there is 0.
    """
    f, studies = surface.freedom, rest.shape[2]
    slope, bend = _derivatives(rest)
    of_ratios = _derivatives(fixed)[1] + f * (bend + slope[:, np.newaxis] * slope[np.newaxis, :])
    curve = np.zeros((3, 3, studies))
    curve[0, 0] = f
    curve[0, 1:] = curve[1:, 0] = np.where(free, -f * slope, 0.0)
    curve[1:, 1:] = _held(of_ratios, free) + FLAT * np.eye(2)[:, :, np.newaxis]
    pull = np.concatenate([np.ones((1, studies)), np.where(free, -_derivatives(info)[0], 0.0)])
    solved = np.linalg.solve(curve.transpose(2, 0, 1), pull.T[:, :, np.newaxis])[:, :, 0]
    degrees: Floats = 1 / (pull.T * solved).sum(axis=1)
    return np.where(degrees > 0, degrees, np.nan)


FEWEST_RATERS: Final = 3
"""Fewer raters leave the crossed test undefined, as in `crossed`."""

LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Mean difference, its squared standard error and degrees of freedom (studies, sizes)."""

    value: Floats
    variance: Floats
    freedom: Floats

    def p(self) -> Floats:
        """Return two-sided p; 1 when every difference is 0, nan when it cannot be told."""
        from scipy.special import stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.value) / np.sqrt(self.variance)
            p = 2 * stdtr(self.freedom, -t)
        return np.where((self.value == 0) & ~(self.variance > 0), 1.0, p)

    def half_width(self) -> Floats:
        """Return half the width of the 95 % interval."""
        from scipy.special import stdtrit

        reach: Floats = stdtrit(self.freedom, 0.975) * np.sqrt(self.variance)
        return reach


@dataclass(frozen=True, slots=True)
class Share:
    """A simulated share (0 to 1) with its Monte Carlo standard error; None has a reason code."""

    value: float | None
    mc_error: float | None = None
    reason: str | None = None

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {"value": self.value, "mc_error": self.mc_error, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Power:
    """How often each test rejects with this number of items, and the usual half-widths.

    `item_half_width`, `crossed_half_width`: medians, of the 95 % intervals of the difference.
    """

    items: int
    item_level: Share
    crossed: Share
    item_half_width: float | None
    crossed_half_width: float | None


def power(
    size: Size,
    assumed: Assumptions,
    shift: float,
    *,
    sizes: Sequence[int] = (),
    studies: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> tuple[Power, ...]:
    """Return the power with each number of items in `sizes` (ascending; default: those of `size`).

    `level`: two-sided level of each test. `shift` 0 gives the type I error.
    """
    wanted = tuple(sizes) or (size.items,)
    largest = Size(max(wanted), size.raters, size.overlap)
    tests = [
        (item_level(batch, wanted), crossed(batch, wanted))
        for batch in batches(largest, assumed, shift, studies=studies, seed=seed)
    ]
    items = _joined([each for each, _ in tests])
    parts = [each for _, each in tests if each is not None]
    both = _joined(parts) if parts else None
    return tuple(_power_at(n, place, items, both, level) for place, n in enumerate(wanted))


def _power_at(n: int, place: int, items: Tested, both: Tested | None, level: float) -> Power:
    none = Share(None, reason="fewer_than_three_raters")
    return Power(
        n,
        share(items.p()[:, place] <= level),
        none if both is None else share(both.p()[:, place] <= level),
        _median(items.half_width()[:, place]),
        None if both is None else _median(both.half_width()[:, place]),
    )


def share(hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Share:
    """Return the share of True with its standard error, never told as smaller than of 1 in n."""
    value, n = float(hits.mean()), hits.size
    safe = min(max(value, 1 / n), 1 - 1 / n) if n > 1 else value
    return Share(value, float(np.sqrt(safe * (1 - safe) / n)))


def _median(widths: Floats) -> float | None:
    known = widths[np.isfinite(widths)]
    return float(np.median(known)) if len(known) else None


def _joined(parts: Sequence[Tested]) -> Tested:
    return Tested(*(
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("value", "variance", "freedom")
    ))  # fmt: skip


def differences(batch: Batch) -> Floats:
    """Return system - baseline (studies, items, overlap), 0 where missing."""
    margins = (batch.system - batch.baseline).astype(np.float64)
    return margins if batch.design.present.all() else margins * batch.design.present


def item_level(batch: Batch, sizes: Sequence[int]) -> Tested:
    """Return the test of item means: items sampled, raters as they are."""
    y, present = differences(batch), batch.design.present
    count = present.sum(axis=1)
    means = y.sum(axis=2) / np.maximum(count, 1)
    at = np.asarray(sizes) - 1
    n = np.cumsum(count > 0)[at].astype(np.float64)
    mean = np.cumsum(means, axis=1)[:, at] / np.maximum(n, 1)
    squares = np.cumsum(means**2, axis=1)[:, at] - n * mean**2
    variance = np.maximum(squares, 0) / np.maximum(n - 1, 1) / np.maximum(n, 1)
    return Tested(mean, variance, np.broadcast_to(np.maximum(n - 1, 1), mean.shape))


def crossed(batch: Batch, sizes: Sequence[int]) -> Tested | None:
    """Return the crossed test: quasi-F with complete data, else the mixed model; None: 2 raters."""
    design = batch.design
    if design.raters < FEWEST_RATERS:
        return None
    y = differences(batch)
    if design.complete:
        return quasi_f(y, sizes)
    parts = [fitted(y[:, :n], design.rater[:n], design.present[:n], design.raters)
             for n in sizes]  # fmt: skip
    return Tested(*(np.stack(column, axis=1) for column in zip(*parts, strict=True)))


def quasi_f(y: Floats, sizes: Sequence[int]) -> Tested:
    """Return quasi-F of differences (studies, items, raters), as `crossed.quasi_f` for each n."""
    at, k = np.asarray(sizes) - 1, y.shape[2]
    n = np.asarray(sizes, dtype=np.float64)
    means = y.mean(axis=2)
    mean = np.cumsum(means, axis=1)[:, at] / n
    of_raters = np.cumsum(y, axis=1)[:, at] / n[:, np.newaxis]
    ss_item = k * (np.cumsum(means**2, axis=1)[:, at] - n * mean**2)
    ss_rater = n * ((of_raters - mean[:, :, np.newaxis]) ** 2).sum(axis=2)
    total = np.cumsum((y**2).sum(axis=2), axis=1)[:, at] - n * k * mean**2
    error = np.maximum(total - ss_item - ss_rater, 0) / ((n - 1) * (k - 1))
    item, rater = np.maximum(ss_item, 0) / (n - 1), ss_rater / (k - 1)
    held = np.maximum(item + rater - error, np.maximum(item, rater))
    spread = item**2 / (n - 1) + rater**2 / (k - 1) + error**2 / ((n - 1) * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = held**2 / spread
    return Tested(mean, held / (n * k), freedom)
