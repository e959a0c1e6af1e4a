"""A figure with its interval, or the reason why there is none."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats
from cbt_core.stats.reasons import Reason

TAIL: Final = 0.025
"""Each tail of a 95 % percentile interval."""

UNSTABLE_SHARE: Final = 0.05
"""More undefined replicates than this leave the interval out."""


@dataclass(frozen=True, slots=True)
class Value:
    """A figure: `value` None has a `reason`; `low`, `high` None alone: no stable interval.

    `undefined_share` is the share (0 to 1) of bootstrap replicates in which it was undefined.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    undefined_share: float = 0.0

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        body: dict[str, object] = {
            "value": self.value, "low": self.low, "high": self.high, "reason": self.reason,
        }  # fmt: skip
        if self.undefined_share:
            body["undefined_share"] = round(self.undefined_share, 4)
        return body


def undefined(reason: Reason) -> Value:
    """Return a value that is not defined, with the reason."""
    return Value(None, reason=reason.text)


def with_interval(point: float, replicates: Floats) -> Value:
    """Return a defined point with the percentile interval of its replicates (B,), nan = undefined.

    No replicates: no interval.
    """
    low, high, share = percentiles(replicates[np.newaxis, :])
    return framed(point, low[0], high[0], share[0])


def framed(point: float, low: float, high: float, share: float) -> Value:
    """Return a defined point with limits already computed; nan limits are left out."""
    if np.isnan(low):
        reason = Reason.UNSTABLE.text if share > UNSTABLE_SHARE else None
        return Value(float(point), reason=reason, undefined_share=float(share))
    return Value(float(point), float(low), float(high), undefined_share=float(share))


def percentiles(replicates: Floats) -> tuple[Floats, Floats, Floats]:
    """Return low, high and share of undefined replicates (m,) of rows of replicates (m, B).

    Linear quantiles .025 and .975 of the defined replicates; nan when more than 5 % of them are
    undefined or when there are none.
    """
    rows, count = replicates.shape
    if count == 0:
        return np.full(rows, np.nan), np.full(rows, np.nan), np.zeros(rows)
    ordered = np.sort(replicates, axis=1)  # nan goes last
    defined = count - np.isnan(replicates).sum(axis=1)
    share = (count - defined) / count
    low = _quantile(ordered, defined, TAIL)
    high = _quantile(ordered, defined, 1 - TAIL)
    low[share > UNSTABLE_SHARE] = np.nan
    high[share > UNSTABLE_SHARE] = np.nan
    return low, high, share


def _quantile(ordered: Floats, defined: Floats, level: float) -> Floats:
    place = np.maximum(defined - 1, 0) * level
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(defined.astype(np.int64) - 1, 0))
    row = np.arange(len(ordered))
    first, second = ordered[row, below], ordered[row, above]
    return np.asarray(first + (second - first) * (place - below), dtype=np.float64)
