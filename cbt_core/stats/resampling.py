"""Resampling of items: how often each is drawn in each replicate, and the figures that follow.

Figures are sums over clusters (items, or raters), with percentile intervals. Rows of a cluster are
drawn together, so rows that share an item never pose as independent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.values import ROUNDING, Reason, Value, framed, percentiles, ratio, undefined

CELLS: Final = 4_000_000
"""Cells of the largest array of a block of replicates (32 MB)."""


def blocks(items: int, *, replicates: int, seed: int, widest: int = 1) -> Iterator[Floats]:
    """Yield arrays (items, b): how often each item was drawn with replacement, b replicates each.

    All replicates together have the law of multinomial counts with equal chances. The size of a
    block, and so the memory, is bounded by `CELLS`; `widest` is the longest other axis that the
    caller will multiply with b.
    """
    random = np.random.default_rng(seed)
    size = max(16, CELLS // max(items, widest, 1))
    for start in range(0, replicates, size):
        count = min(size, replicates - start)
        drawn = random.integers(items, size=(count, items))
        drawn += (np.arange(count) * items)[:, np.newaxis]
        weights = np.bincount(drawn.ravel(), minlength=count * items)
        yield np.ascontiguousarray(weights.reshape(count, items).T, dtype=np.float64)


ONE: Final = 1
Truths = NDArray[np.bool_]
Compute = Callable[[Floats], Floats]
"""Sums (k, b) -> figure (b,) or figures (m, b); nan = undefined."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How many replicates, from which seed; no replicates leave the intervals out."""

    replicates: int = 1000
    seed: int = 1


def cluster_sums(cluster: Integers, columns: Floats) -> Floats:
    """Return the sums (k, C) of columns (k, n) over the C distinct values of `cluster` (n,)."""
    _, place = np.unique(cluster, return_inverse=True)
    size = int(place.max()) + 1 if len(place) else 0
    return np.stack([np.bincount(place, weights=column, minlength=size) for column in columns])


def estimate(
    cluster: Integers, columns: Floats, compute: Compute, *, how: Bootstrap, reason: Reason
) -> Value:
    """Return one figure with its interval; `reason` stands where it is undefined."""
    return estimates(cluster, columns, compute, how=how, reasons=[reason])[0]


def estimates(
    cluster: Integers, columns: Floats, compute: Compute, *, how: Bootstrap,
    reasons: Sequence[Reason],
) -> list[Value]:
    """Return m figures of rows (k, n) with their intervals, all from the same draws of clusters.

    A single cluster gives figures without intervals: nothing can be said about their spread.
    """
    if not len(cluster):
        return [undefined(reason) for reason in reasons]
    sums = cluster_sums(cluster, columns)
    points = np.atleast_2d(compute(sums.sum(axis=1, keepdims=True)))[:, 0]
    if sums.shape[1] == ONE:
        return [
            undefined(reason) if np.isnan(point) else Value(float(point), reason=_ONE_CLUSTER)
            for point, reason in zip(points, reasons, strict=True)
        ]
    low, high, share = percentiles(_replicates(sums, compute, len(points), how))
    return [
        undefined(reason) if np.isnan(point) else _told(point, *limits)
        for point, reason, limits in zip(
            points, reasons, zip(low, high, share, strict=True), strict=True
        )
    ]


def _told(point: float, low: float, high: float, share: float) -> Value:
    """Return a value; limits that coincide are no interval (nothing varied between clusters)."""
    if high - low <= ROUNDING:
        return Value(float(point), reason=Reason.NO_VARIATION.text, undefined_share=float(share))
    return framed(point, low, high, share)


def _replicates(sums: Floats, compute: Compute, figures: int, how: Bootstrap) -> Floats:
    parts = [np.empty((figures, 0))]
    for weights in blocks(sums.shape[1], replicates=how.replicates, seed=how.seed):
        parts.append(np.atleast_2d(compute(sums @ weights)))
    return np.concatenate(parts, axis=1)


def mean(cluster: Integers, values: Floats, *, how: Bootstrap, reason: Reason) -> Value:
    """Return the mean of values (n,), nan left out, with its interval over clusters."""
    known = ~np.isnan(values)
    columns = np.stack([values[known], np.ones(int(known.sum()))])
    return estimate(cluster[known], columns, quotient, how=how, reason=reason)


def quotient(sums: Floats) -> Floats:
    """Return the first sum over the second (b,)."""
    return ratio(sums[0], sums[1])


def share(cluster: Integers, hits: Floats, total: Floats, *, how: Bootstrap,
          reason: Reason) -> Value:
    """Return the sum of `hits` over the sum of `total` (both (n,)), with interval."""
    return estimate(cluster, np.stack([hits, total]), quotient, how=how, reason=reason)


_ONE_CLUSTER: Final = Reason.ONE_CLUSTER.text
