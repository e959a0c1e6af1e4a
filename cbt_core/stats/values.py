"""A figure with its interval, or the reason why there is none.

A reason is one code, its words in two languages; a division says nan where a figure is undefined.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from cbt_core.stats.ratings import Floats
from cbt_core.words import say


class Reason(StrEnum):
    """Why a value, or only its interval, is missing."""

    NO_RATINGS = "no_ratings"
    NO_PAIRS = "no_pairs"
    NO_COMMON = "no_common"
    ALL_EQUAL = "all_equal"
    ONE_CATEGORY = "one_category"
    CONSTANT_RATER = "constant_rater"
    FEW_RATERS = "few_raters"
    FEWER_THAN_THREE_RATERS = "fewer_than_three_raters"
    NOT_CROSSED = "not_crossed"
    ONE_COMPLETE = "one_complete"
    NO_UNIT_VARIANCE = "no_unit_variance"
    SINGLE_RATINGS = "single_ratings"
    FEW_MODAL = "few_modal"
    NO_RESIDUAL = "no_residual"
    NOMINAL = "nominal"
    UNSTABLE = "unstable"
    FEW_PAIRED_ITEMS = "few_paired_items"
    ALL_ZERO = "all_zero"
    NO_SPREAD = "no_spread"
    NOT_CONVERGED = "not_converged"
    NO_MODEL = "no_model"
    NO_GUESSES = "no_guesses"
    ONLY_DONT_KNOW = "only_dont_know"
    NOT_TWO_ARMS = "not_two_arms"
    NO_CHANCE_DISAGREEMENT = "no_chance_disagreement"
    ONE_CLUSTER = "one_cluster"
    NO_VARIATION = "no_variation"
    FEW_COMMON = "few_common"
    NO_REPEATS = "no_repeats"
    NO_PREFERENCES = "no_preferences"
    NO_DECIDED = "no_decided"
    ONLY_TIES = "only_ties"
    NO_TIES = "no_ties"
    SEPARATED = "separated"
    DISCONNECTED = "disconnected"
    SIDES_FIXED = "sides_fixed"
    LENGTH_CONSTANT = "length_constant"
    FEW_TASKS = "few_tasks"
    NO_MATCHED = "no_matched"
    CONSTANT_MEASURE = "constant_measure"
    FEW_INSTANCES = "few_instances"
    WILCOXON_USED = "wilcoxon_used"
    NO_ANSWERS = "no_answers"
    TOO_MANY_ANSWERS = "too_many_answers"
    NOT_YET_LOCKED = "not_yet_locked"
    NOT_UNBLINDED = "not_unblinded"

    @property
    def text(self) -> str:
        """Return the reason as it stands in the JSON (English)."""
        return say(f"stats.{self.value}", "en")


def translated(text: str, language: str) -> str:
    """Return a reason of the JSON in a language; an unknown one comes back as it is."""
    for reason in Reason:
        if reason.text == text:
            return say(f"stats.{reason.value}", language)
    return text


TAIL: Final = 0.025
"""Each tail of a 95 % percentile interval."""

UNSTABLE_SHARE: Final = 0.05
"""More undefined replicates than this leave the interval out."""


class Framed(Protocol):
    """What any figure with limits has, whatever made it."""

    @property
    def value(self) -> float | None:
        """Return the figure; None has a reason."""
        ...

    @property
    def low(self) -> float | None:
        """Return the lower limit."""
        ...

    @property
    def high(self) -> float | None:
        """Return the upper limit."""
        ...

    @property
    def reason(self) -> str | None:
        """Return why the figure, or only its interval, is missing."""
        ...


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


ROUNDING = 1e-9
"""Sums of squares below this share of the total are rounding, not variance."""


def ratio(above: Floats, below: Floats) -> Floats:
    """Return above / below, nan where below is 0 (or not a number)."""
    above, below = np.broadcast_arrays(above, below)
    result = np.full(below.shape, np.nan)
    np.divide(above, below, out=result, where=(below != 0) & ~np.isnan(below))
    return result


def settled(variation: Floats, total: Floats) -> Floats:
    """Return sums of squares with rounding noise set to exactly 0."""
    return np.where(np.abs(variation) <= ROUNDING * np.abs(total), 0.0, variation)


NORMAL: Final = 1.959963984540054
"""The .975 quantile of the standard normal distribution."""
