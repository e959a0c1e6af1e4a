"""Side and length: shares of the left slot, scores on log length."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from cbt_core.stats.bias.position import (
    SidePairs,
    SlotScores,
    adjusted_difference,
    left_share,
    preferred_sides,
    score_per_doubling,
    scored_sides,
)
from cbt_core.stats.comparison.bradley_terry import TIE, Choices
from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import Bootstrap

HOW = Bootstrap(2000)


def pairs(signs: list[float]) -> SidePairs:
    count = len(signs)
    return SidePairs(np.arange(count), np.arange(count) % 2, np.array(signs))


def test_ties_are_counted_and_left_out_of_the_share() -> None:
    found = left_share(pairs([1, 1, 1, -1, 0, 0]), {0: "R1", 1: "R2"}, how=HOW)
    assert (found.n, found.n_equal) == (4, 2)
    assert found.share.value == 0.75
    assert found.by_rater["R1"].value == 1.0  # signs 1, 1 and a tie
    assert found.by_rater["R2"].value == 0.5


def test_the_interval_of_independent_pairs_is_the_binomial_one() -> None:
    signs = [1.0] * 60 + [-1.0] * 40
    found = left_share(pairs(signs), {0: "R1", 1: "R2"}, how=HOW).share
    low, high = proportion_confint(60, 100, method="normal")
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def test_nobody_leaning_is_undefined_with_its_reason() -> None:
    found = left_share(pairs([0, 0]), {0: "R1", 1: "R2"}, how=HOW)
    assert found.share.reason == "no comparison favours either side"
    assert found.by_rater["R1"].value is None


def test_every_pair_of_slots_of_a_task_is_compared() -> None:
    scores = SlotScores(
        task=np.array([7, 7, 7, 9]), item=np.array([0, 0, 0, 1]), rater=np.array([0, 0, 0, 1]),
        slot=np.array([2, 0, 1, 0]), score=np.array([0.0, 2.0, 2.0, 1.0]),
    )
    # Slots 2, 2, 0: (0, 1) equal, (1, 2) and (0, 2) left ahead; the single answer has no pair.
    assert sorted(scored_sides(scores).sign.tolist()) == [0.0, 1.0, 1.0]


def test_no_scores_give_no_pairs() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = SlotScores(nothing, nothing, nothing, nothing, np.zeros(0))
    assert not len(scored_sides(empty).sign)


def test_larger_panels_have_no_left_and_right_preference() -> None:
    chosen = Choices(
        ("a", "b", "c"), np.arange(3), np.zeros(3, dtype=int),
        shown=np.array([[0, 1, -1], [1, 0, -1], [0, 1, 2]]), outcome=np.array([0, TIE, 2]),
    )
    assert preferred_sides(chosen).sign.tolist() == [1.0, 0.0]


def simulated() -> tuple[Floats, Floats]:
    random = np.random.default_rng(3)
    ratio = random.normal(0.2, 0.4, size=60)
    return ratio, 0.3 + 0.5 * ratio + random.normal(size=60) * 0.4


def test_the_adjusted_difference_is_the_intercept_of_least_squares() -> None:
    ratio, difference = simulated()
    expected = OLS(difference, np.stack([np.ones(60), ratio]).T).fit().params
    found = adjusted_difference(np.arange(60), difference, ratio, how=HOW)
    assert found.difference.value == pytest.approx(expected[0])
    assert found.per_doubling.value == pytest.approx(expected[1] * np.log(2))
    assert not found.extrapolated
    assert found.mean_length_ratio == pytest.approx(np.exp(ratio.mean()))


def test_the_adjusted_interval_is_close_to_that_of_least_squares() -> None:
    ratio, difference = simulated()
    low, high = OLS(difference, np.stack([np.ones(60), ratio]).T).fit().conf_int()[0]
    found = adjusted_difference(np.arange(60), difference, ratio, how=HOW).difference
    assert found.low == pytest.approx(low, abs=0.04)
    assert found.high == pytest.approx(high, abs=0.04)


def test_lengths_on_one_side_only_are_extrapolated() -> None:
    found = adjusted_difference(
        np.arange(4), np.array([1.0, 0, 1, 2]), np.array([0.5, 0.6, 0.7, 0.9]), how=HOW
    )
    assert found.extrapolated


def test_equal_length_ratios_leave_the_adjustment_undefined() -> None:
    found = adjusted_difference(np.arange(4), np.arange(4.0), np.full(4, 0.3), how=HOW)
    assert found.difference.reason == "the answers' lengths do not vary"


def test_scores_on_length_are_compared_within_item_and_rater_only() -> None:
    # Between groups longer is worse; within each, twice as long scores one more.
    item = np.array([0, 0, 1, 1])
    length = np.array([100.0, 200, 1000, 2000])
    score = np.array([5.0, 6, 1, 2])
    assert score_per_doubling(item, item, length, score, how=HOW).value == pytest.approx(1.0)


def test_scores_on_length_agree_with_a_regression_with_a_level_per_group() -> None:
    random = np.random.default_rng(1)
    group = np.repeat(np.arange(20), 3)
    length = np.exp(random.normal(6, 0.5, size=60))
    score = random.normal(size=20)[group] + 0.4 * np.log(length) + random.normal(size=60)
    levels = np.eye(20)[group]
    expected = OLS(score, np.column_stack([np.log(length), levels])).fit().params[0]
    found = score_per_doubling(group, group, length, score, how=HOW)
    assert found.value == pytest.approx(expected * np.log(2))


def test_equal_lengths_say_nothing_of_scores() -> None:
    found = score_per_doubling(
        np.array([0, 0]), np.array([0, 0]), np.array([9.0, 9.0]), np.array([1.0, 2.0]), how=HOW
    )
    assert found.reason == "the answers' lengths do not vary"
