"""The two tests on many simulated studies at once, for several numbers of items at a time.

The first n items of a study are a study of n items, so one simulation gives a whole curve.
The t-test by item stands in for sign flips: at 50 items they decide alike in 97 % of studies and
more (a test shows it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.planning import reml
from cbt_core.stats.planning.model import Assumptions
from cbt_core.stats.planning.simulate import Batch, Size, batches
from cbt_core.stats.ratings import Floats

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

        found: Floats = stdtrit(self.freedom, 0.975) * np.sqrt(self.variance)
        return found


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
    found = [
        (item_level(batch, wanted), crossed(batch, wanted))
        for batch in batches(largest, assumed, shift, studies=studies, seed=seed)
    ]
    items = _joined([each for each, _ in found])
    parts = [each for _, each in found if each is not None]
    both = _joined(parts) if parts else None
    return tuple(_told(n, place, items, both, level) for place, n in enumerate(wanted))


def _told(n: int, place: int, items: Tested, both: Tested | None, level: float) -> Power:
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
    found = (batch.system - batch.baseline).astype(np.float64)
    return found if batch.design.present.all() else found * batch.design.present


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
    parts = [reml.fitted(y[:, :n], design.rater[:n], design.present[:n], design.raters)
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
