"""The alternative annotator test: the authors' procedure by hand, corrections, degenerate data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, wilcoxon
from statsmodels.stats.multitest import multipletests

from cbt_core.stats.agreement.machine import (
    AlternativeAnnotator,
    Answers,
    Rules,
    alternative_annotator,
    benjamini_yekutieli,
)
from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import Bootstrap

NAN = float("nan")
HOW = Bootstrap(300)


def tried(
    human: Floats, judge: Floats, *, systems: int = 1, rules: Rules | None = None
) -> AlternativeAnnotator:
    place = np.arange(len(human))
    raters = tuple(f"R{number}" for number in range(1, human.shape[1] + 1))
    return alternative_annotator(
        Answers(place // systems, place % systems, human), judge, raters,
        rules=rules or Rules(0.15), how=HOW,
    )


def by_the_authors(
    human: Floats, judge: Floats, epsilon: float, *, nominal: bool = False
) -> tuple[float, float, list[float]]:
    """Return winning rate, advantage and p, as N. Calderon's alt_test.py does, answer by answer.

    Instances one by one: scores against the remaining humans, ties to both, one-sample t (or
    Wilcoxon below 30) that mean(human wins - judge wins) < epsilon, Benjamini-Yekutieli.
    """
    p, wins = [], []
    for j in range(human.shape[1]):
        of_judge, of_human = [], []
        for row, machine in zip(human, judge, strict=True):
            others = [x for k, x in enumerate(row) if k != j and not np.isnan(x)]
            if np.isnan(row[j]) or np.isnan(machine) or not others:
                continue
            if nominal:
                ours, theirs = (np.mean([x == one for x in others]) for one in (machine, row[j]))
            else:
                ours, theirs = (
                    -np.sqrt(np.mean([(x - one) ** 2 for x in others])) for one in (machine, row[j])
                )
            of_judge.append(float(ours >= theirs - 1e-9))
            of_human.append(float(theirs >= ours - 1e-9))
        moved = np.array(of_human) - np.array(of_judge)
        if len(moved) >= 30:
            p.append(float(ttest_1samp(moved, epsilon, alternative="less").pvalue))
        else:
            p.append(float(wilcoxon(moved - epsilon, alternative="less").pvalue))
        wins.append(float(np.mean(of_judge)))
    rejected = multipletests(p, alpha=0.05, method="fdr_by")[0]
    return float(np.mean(rejected)), float(np.mean(wins)), p


def scores(count: int, raters: int, *, seed: int, noise: float = 0.6) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    truth = random.normal(1, 0.7, size=(count, 1))
    human = np.clip(np.round(truth + random.normal(size=(count, raters)) * noise), 0, 2)
    judge = np.clip(np.round(truth[:, 0] + random.normal(size=count) * noise * 0.7), 0, 2)
    return human, judge


@pytest.mark.parametrize(("count", "seed"), [(60, 1), (200, 2), (40, 3), (20, 4), (29, 5)])
@pytest.mark.parametrize("nominal", [False, True])
def test_one_answer_an_item_is_the_authors_procedure(
    count: int, seed: int, nominal: bool
) -> None:
    human, judge = scores(count, 3, seed=seed)
    rate, advantage, p = by_the_authors(human, judge, 0.15, nominal=nominal)
    found = tried(human, judge, rules=Rules(0.15, nominal=nominal))
    assert found.winning_rate.value == pytest.approx(rate)
    assert found.advantage.value == pytest.approx(advantage)
    assert [one.p for one in found.humans] == pytest.approx(p)
    assert found.passed is (rate >= 0.5)
    assert found.alignment == ("accuracy" if nominal else "-RMSE")


def test_missing_scores_leave_out_only_their_instances() -> None:
    human, judge = scores(80, 4, seed=6)
    human[:20, 0] = NAN
    human[60:, 1:] = NAN  # there rater 1 is alone
    judge[5] = NAN
    rate, advantage, p = by_the_authors(human, judge, 0.1)
    found = tried(human, judge, rules=Rules(0.1))
    assert [one.p for one in found.humans] == pytest.approx(p)
    assert found.advantage.value == pytest.approx(advantage)
    assert found.winning_rate.value == pytest.approx(rate)
    assert [one.n for one in found.humans] == [40, 59, 59, 59]


def test_answers_of_one_item_are_one_instance() -> None:
    human, judge = scores(60, 3, seed=7)
    once = tried(human, judge)
    copied = tried(np.repeat(human, 4, axis=0), np.repeat(judge, 4), systems=4)
    assert [one.n for one in copied.humans] == [60, 60, 60]
    assert [one.p for one in copied.humans] == pytest.approx([one.p for one in once.humans])


def test_a_judge_who_is_right_passes_and_one_who_guesses_does_not() -> None:
    human, good = scores(150, 3, seed=8)
    bad = np.random.default_rng(0).integers(3, size=150).astype(np.float64)
    assert tried(human, good).passed is True
    found = tried(human, bad)
    assert found.passed is False
    assert found.winning_rate.value == 0.0


def test_the_test_used_follows_the_number_of_items() -> None:
    human, judge = scores(29, 3, seed=9)
    found = tried(human, judge)
    assert {one.test for one in found.humans} == {"Wilcoxon signed-rank"}
    assert found.winning_rate.low is None
    assert "fewer than 30 items" in str(found.winning_rate.reason)
    assert found.advantage.low is not None


def test_intervals_frame_the_figures() -> None:
    found = tried(*scores(100, 3, seed=10))
    for one in (found.advantage, found.winning_rate):
        assert one.value is not None
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_the_correction_is_that_of_statsmodels(p: list[float]) -> None:
    expected = multipletests(p, method="fdr_by")[1]
    assert benjamini_yekutieli(list(p)) == pytest.approx(list(expected))


def test_an_untested_human_is_not_counted_in_the_correction() -> None:
    found = benjamini_yekutieli([0.01, None, 0.02])
    assert found[1] is None
    assert found[0] == pytest.approx(multipletests([0.01, 0.02], method="fdr_by")[1][0])


def test_two_humans_are_too_few() -> None:
    human, judge = scores(40, 2, seed=11)
    found = tried(human, judge)
    assert found.reason == "fewer than 3 raters"
    assert (found.winning_rate.value, found.passed) == (None, None)


def test_a_judge_that_always_agrees_with_everybody_wins_for_certain() -> None:
    """Every d is 0: no spread, no t; the mean lies below epsilon all the same."""
    human = np.ones((40, 3))
    found = tried(human, np.ones(40))
    assert [one.p for one in found.humans] == [0.0, 0.0, 0.0]
    assert (found.winning_rate.value, found.advantage.value) == (1.0, 1.0)
    assert tried(human, np.ones(40), rules=Rules(0.0)).winning_rate.value == 0.0


def test_a_judge_without_common_answers_is_undefined() -> None:
    found = tried(scores(40, 3, seed=1)[0], np.full(40, NAN))
    assert found.reason == "no answer has both values"
    assert found.humans == ()


def test_one_item_is_too_few() -> None:
    found = tried(np.array([[0.0, 1, 2]]), np.array([1.0]))
    assert found.winning_rate.reason == "fewer than 2 items"
