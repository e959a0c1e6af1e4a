"""Do side and length sway scores and preferences? Shares of the left slot; scores on log length."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.comparison.bradley_terry import TIE, Choices
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Reason, Value, ratio, settled

EVEN: Final = 0.5
DOUBLING: Final = float(np.log(2))


@dataclass(frozen=True, slots=True)
class LeftShare:
    """How often the left one of two slots came out ahead, among the `n` that came out unequal.

    `n_equal` counts ties. `by_rater` holds the same per rater code. An even share is .5.
    """

    n: int
    n_equal: int
    share: Value
    by_rater: dict[str, Value]


@dataclass(frozen=True, slots=True, eq=False)
class SlotScores:
    """Scores of one scale: `task`, `item`, `rater`, `slot` (n,) indices, `score` (n,) numbers."""

    task: Integers
    item: Integers
    rater: Integers
    slot: Integers
    score: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SidePairs:
    """Pairs of slots of one task: +1 the left is ahead, -1 the right, 0 equal; indices (n,)."""

    item: Integers
    rater: Integers
    sign: Floats


def preferred_sides(choices: Choices) -> SidePairs:
    """Return the preferences between two answers as pairs of sides; larger panels have no side."""
    two = (choices.shown >= 0).sum(axis=1) == 2
    outcome = choices.outcome[two]
    sign = np.where(outcome == TIE, 0.0, np.where(outcome == 0, 1.0, -1.0))
    return SidePairs(choices.item[two], choices.rater[two], sign)


def scored_sides(scores: SlotScores) -> SidePairs:
    """Return every pair of scored slots of a task; the one further left comes first."""
    turn = np.lexsort((scores.slot, scores.task))
    task, score = scores.task[turn], scores.score[turn]
    item, rater, sign = [], [], []
    most = int(np.bincount(np.unique(task, return_inverse=True)[1]).max()) if len(task) else 0
    for ahead in range(1, most):
        left = np.flatnonzero(task[ahead:] == task[:-ahead])
        item.append(scores.item[turn][left])
        rater.append(scores.rater[turn][left])
        sign.append(np.sign(score[left] - score[left + ahead]))
    if not item:
        nothing = np.zeros(0, dtype=np.int64)
        return SidePairs(nothing, nothing, np.zeros(0))
    return SidePairs(np.concatenate(item), np.concatenate(rater), np.concatenate(sign))


def left_share(pairs: SidePairs, raters: Mapping[int, str], *, how: Bootstrap) -> LeftShare:
    """Return the share of the left slot, pooled and per rater (index to code), by items."""
    unequal = pairs.sign != 0
    item, rater = pairs.item[unequal], pairs.rater[unequal]
    left = (pairs.sign[unequal] > 0).astype(np.float64)

    def shared(chosen: Integers) -> Value:
        return resampling.mean(item[chosen], left[chosen], how=how, reason=Reason.NO_DECIDED)

    return LeftShare(
        n=len(left),
        n_equal=int((~unequal).sum()),
        share=shared(np.arange(len(left))),
        by_rater={
            raters[int(one)]: shared(np.flatnonzero(rater == one))
            for one in np.unique(pairs.rater)
        },
    )


def score_per_doubling(
    item: Integers, group: Integers, length: Floats, score: Floats, *, how: Bootstrap
) -> Value:
    """Return how much a score rises when an answer is twice as long, within item and rater.

    `group` (n,): the rater's rows of one item; only answers of the same group are compared (least
    squares with a level per group). `length` in characters. Items are resampled.
    """
    known = ~np.isnan(score) & (length > 0)
    if not known.any():
        return Value(None, reason=Reason.NO_RATINGS.text)
    x, y = np.log(length[known]), score[known]
    _, place = np.unique(group[known], return_inverse=True)
    x, y = _centred(x, place), _centred(y, place)
    columns = np.stack([x * y * DOUBLING, settled(x * x, np.ones_like(x))])
    return resampling.estimate(
        item[known], columns, resampling.quotient, how=how, reason=Reason.LENGTH_CONSTANT
    )


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A difference at equal length: intercept of item differences on the log length ratio.

    `per_doubling`: change of the difference when the system's answer is twice as long beside the
    baseline's. `extrapolated`: no item has a ratio of 1 or lies on the other side of it, so the
    intercept lies outside the data.
    """

    n_items: int
    mean_length_ratio: float | None
    difference: Value
    per_doubling: Value
    extrapolated: bool


def adjusted_difference(
    item: Integers, difference: Floats, log_ratio: Floats, *, how: Bootstrap
) -> Adjusted:
    """Return the difference adjusted for length from item differences (n,) and log ratios (n,)."""
    known = ~(np.isnan(difference) | np.isnan(log_ratio))
    item, y, x = item[known], difference[known], log_ratio[known]
    columns = np.stack([np.ones_like(x), x, y, x * x, x * y])
    reason = Reason.FEW_PAIRED_ITEMS if len(x) < 3 else Reason.LENGTH_CONSTANT
    at_equal, slope = resampling.estimates(item, columns, _line, how=how, reasons=[reason] * 2)
    return Adjusted(
        n_items=len(x),
        mean_length_ratio=float(np.exp(x.mean())) if len(x) else None,
        difference=at_equal,
        per_doubling=slope,
        extrapolated=bool(len(x)) and not (x.min() <= 0 <= x.max()),
    )


def _line(sums: Floats) -> Floats:
    """Return intercept and slope per doubling (2, b) of sums (5, b): n, x, y, xx, xy."""
    n, x, y, xx, xy = sums
    spread = settled(n * xx - x * x, n * xx)
    slope = np.where(n > 2, ratio(n * xy - x * y, spread), np.nan)
    return np.stack([ratio(y - slope * x, n), slope * DOUBLING])


def _centred(values: Floats, place: Integers) -> Floats:
    count = np.bincount(place)
    return np.asarray(values - (np.bincount(place, weights=values) / count)[place])
