"""Rank correlation of metrics and people: values of scipy, clusters, ceiling, what is undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from cbt_core.stats.agreement import machine
from cbt_core.stats.agreement.machine import Answers, human_ceiling, with_metric
from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import Bootstrap

HOW = Bootstrap(300)
values = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=25)
NAN = float("nan")


@settings(deadline=None, max_examples=80)
@given(values, st.data())
def test_weighted_correlations_are_those_of_repeated_rows(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    x, y = np.array(rows, dtype=np.float64).T
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(x), max_size=len(x))))
    own, other = np.repeat(x, times), np.repeat(y, times)
    weights = times[:, np.newaxis].astype(np.float64)
    tau, rho = (
        one(x, y, weights)[0] for one in (machine.kendall, machine.spearman)
    )
    if len(set(own)) < 2 or len(set(other)) < 2:
        assert np.isnan(tau)
        assert np.isnan(rho)
    else:
        assert tau == pytest.approx(kendalltau(own, other).statistic)
        assert rho == pytest.approx(spearmanr(own, other).statistic)


def test_the_tuna_example() -> None:
    # M. Hollander & D. A. Wolfe 1973, p. 187: lightness and quality of canned tuna, tau .4444.
    x = np.array([44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1])
    y = np.array([2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8])
    assert machine.kendall(x, y, np.ones((9, 1)))[0] == pytest.approx(4 / 9)


def answers(human: Floats, systems: int = 2) -> Answers:
    count = len(human)
    return Answers(np.arange(count) // systems, np.arange(count) % systems, human)


def test_pooled_correlation_of_systems_that_differ_is_no_knowledge_of_answers() -> None:
    random = np.random.default_rng(0)
    human, metric = random.normal(size=(80, 1)), random.normal(size=80)
    human[1::2] += 5
    metric[1::2] += 5
    found = with_metric(answers(human), metric, {0: "a", 1: "b"}, how=HOW)
    assert found.pooled.spearman.value is not None
    assert found.pooled.spearman.value > 0.6
    assert found.within.spearman.value is not None
    assert abs(found.within.spearman.value) < 0.25


def test_within_systems_is_the_mean_of_the_systems() -> None:
    random = np.random.default_rng(1)
    human, metric = random.integers(3, size=(60, 3)).astype(float), random.normal(size=60)
    found = with_metric(answers(human), metric, {0: "a", 1: "b"}, how=HOW)
    means = human.mean(axis=1)
    each = [kendalltau(means[place::2], metric[place::2]).statistic for place in (0, 1)]
    assert [one.kendall.value for one in found.by_system.values()] == pytest.approx(each)
    assert found.within.kendall.value == pytest.approx(np.mean(each))
    assert found.pooled.kendall.value == pytest.approx(kendalltau(means, metric).statistic)
    assert (found.pooled.n, found.by_system["a"].n) == (60, 30)


def test_answers_without_a_metric_or_a_score_are_left_out() -> None:
    human = np.array([[0.0, NAN], [1, 1], [2, NAN], [NAN, NAN], [2, 2]])
    metric = np.array([0.1, 0.2, 0.3, 0.4, NAN])
    found = with_metric(answers(human, 1), metric, {0: "a"}, how=HOW).pooled
    assert found.n == 3
    assert found.kendall.value == pytest.approx(1.0)


def test_a_constant_metric_and_too_few_answers_are_undefined() -> None:
    human = np.array([[0.0], [1], [2], [1]])
    constant = with_metric(answers(human, 1), np.ones(4), {0: "a"}, how=HOW).pooled
    assert constant.kendall.reason == "one of the two measures is constant"
    few = with_metric(answers(human[:2], 1), np.arange(2.0), {0: "a"}, how=HOW).pooled
    assert few.spearman.reason == "no answer has both values"
    none = with_metric(answers(np.zeros((0, 1)), 1), np.zeros(0), {0: "a"}, how=HOW).pooled
    assert none.spearman.value is None


def test_the_ceiling_is_the_mean_of_each_rater_with_the_others() -> None:
    random = np.random.default_rng(2)
    truth = random.normal(size=(50, 1))
    human = np.round(truth + random.normal(size=(50, 3)) * 0.5)
    human[:5, 2] = NAN
    found = human_ceiling(answers(human, 1), {0: "a"}, how=HOW).pooled
    expected = []
    for rater in range(3):
        others = np.nanmean(np.delete(human, rater, axis=1), axis=1)
        known = ~np.isnan(human[:, rater])
        expected.append(spearmanr(human[known, rater], others[known]).statistic)
    assert found.spearman.value == pytest.approx(np.mean(expected))
    assert found.spearman.low is not None
    assert found.spearman.low < found.spearman.value


def test_one_rater_has_no_ceiling() -> None:
    found = human_ceiling(answers(np.arange(6.0)[:, np.newaxis]), {0: "a", 1: "b"}, how=HOW)
    assert found.pooled.kendall.value is None


def test_intervals_resample_items_with_all_their_answers() -> None:
    random = np.random.default_rng(3)
    human, metric = random.normal(size=(40, 1)), random.normal(size=40)
    item = np.arange(40)
    single = with_metric(Answers(item, item * 0, human), metric, {0: "a"}, how=HOW).pooled
    copied = with_metric(
        Answers(np.tile(item, 4), np.tile(item * 0, 4), np.tile(human, (4, 1))),
        np.tile(metric, 4), {0: "a"}, how=HOW,
    ).pooled
    assert copied.spearman.low == pytest.approx(single.spearman.low, abs=1e-9)
    assert copied.spearman.high == pytest.approx(single.spearman.high, abs=1e-9)


def test_the_interval_covers_what_it_should() -> None:
    """At a true rho of about .48 the 95 % interval of 60 items covers it in most of 60 samples."""
    random, covered = np.random.default_rng(4), 0
    for seed in range(60):
        x = random.normal(size=60)
        human, metric = (x + random.normal(size=60))[:, np.newaxis], x + random.normal(size=60)
        one = with_metric(answers(human, 1), metric, {0: "a"}, how=Bootstrap(300, seed)).pooled
        assert one.spearman.low is not None
        assert one.spearman.high is not None
        covered += one.spearman.low <= 0.483 <= one.spearman.high
    assert covered >= 51
