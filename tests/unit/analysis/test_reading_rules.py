"""What figures say: every border of every rule, just below it, at it, just above it."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbt_core import words
from cbt_core.analysis.reading_rules import (
    BothTests,
    Difference,
    Shift,
    Verdict,
    agreement_verdict,
    band,
    benchmark,
    both_tests,
    difference_verdict,
    is_settled,
    shift,
    verdict_of,
)
from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.agreement.results import StratumFigures
from cbt_core.stats.comparison.contrasts import SystemContrast
from cbt_core.stats.comparison.crossed import Crossed
from cbt_core.stats.ratings import Columns, gather
from cbt_core.stats.values import Value
from cbt_core.words import say

LOW, HIGH = -math.inf, math.inf


def below(value: float) -> float:
    return math.nextafter(value, LOW)


@pytest.mark.parametrize(("alpha", "verdict"), [
    (1.0, Verdict.RELIABLE), (0.8, Verdict.RELIABLE), (below(0.8), Verdict.TENTATIVE),
    (0.667, Verdict.TENTATIVE), (below(0.667), Verdict.WEAK), (0.0, Verdict.WEAK),
    (-0.3, Verdict.WEAK),
])
def test_an_alpha_is_read_by_krippendorffs_benchmarks(alpha: float, verdict: Verdict) -> None:
    assert benchmark(alpha) is verdict
    spread = agreement_verdict(percent=0.9, alpha=alpha, commonest=0.5)
    assert spread is verdict  # values that differ are no paradox, however high the percentage


@pytest.mark.parametrize(("percent", "alpha", "commonest", "verdict"), [
    (0.8, 0.5, 0.8, Verdict.PARADOX),
    (below(0.8), 0.5, 0.8, Verdict.WEAK),
    (0.8, 0.5, below(0.8), Verdict.WEAK),
    (0.8, below(0.667), 0.8, Verdict.PARADOX),
    (0.8, 0.667, 0.8, Verdict.TENTATIVE),
    (0.95, 0.8, 0.95, Verdict.RELIABLE),
    (0.98, -0.01, 0.99, Verdict.PARADOX),
    (None, 0.5, 0.9, Verdict.WEAK),
    (0.9, 0.5, None, Verdict.WEAK),
    (None, 0.7, None, Verdict.TENTATIVE),
])
def test_alpha_says_little_only_where_nearly_all_values_are_the_same(
    percent: float | None, alpha: float, commonest: float | None, verdict: Verdict
) -> None:
    assert agreement_verdict(percent=percent, alpha=alpha, commonest=commonest) is verdict


def test_the_case_that_page_and_report_read_in_two_ways_is_plainly_weak() -> None:
    # alpha .50, AC2 .60, 85 %: such an AC2 needs scores that lie far apart, not alike.
    assert agreement_verdict(percent=0.85, alpha=0.5, commonest=0.45) is Verdict.WEAK


@pytest.mark.parametrize(("percent", "verdict"), [
    (None, Verdict.NOTHING), (0.0, Verdict.UNDEFINED), (1.0, Verdict.UNDEFINED),
])
def test_without_an_alpha_nothing_is_judged(percent: float | None, verdict: Verdict) -> None:
    assert agreement_verdict(percent=percent, alpha=None, commonest=1.0) is verdict


@pytest.mark.parametrize(("verdict", "is_below"), [
    (Verdict.WEAK, True), (Verdict.PARADOX, True), (Verdict.TENTATIVE, False),
    (Verdict.RELIABLE, False), (Verdict.UNDEFINED, False), (Verdict.NOTHING, False),
])
def test_a_paradox_too_is_below_the_benchmark(verdict: Verdict, is_below: bool) -> None:
    assert verdict.is_below is is_below


def rated(pairs: list[tuple[int, int]], *, nominal: bool = False) -> StratumFigures:
    """Return the pooled figures of two raters on a scale of 0 to 2."""
    items = [f"Q{at:03d}" for at in range(len(pairs))]
    found = agreement(
        gather(Columns(
            item=[*items, *items], system=["S1"] * 2 * len(pairs),
            rater=["R1"] * len(pairs) + ["R2"] * len(pairs),
            values={"s": [*(one for one, _ in pairs), *(two for _, two in pairs)]},
        )),
        values={"s": (0, 1, 2)}, bootstrap=0, nominal={"s"} if nominal else (),
    )
    return found.pooled("s")


def test_half_and_half_on_two_neighbours_is_weak_however_high_ac2_is() -> None:
    found = rated([(1, 1)] * 40 + [(2, 2)] * 40 + [(1, 2)] * 10 + [(2, 1)] * 10)
    assert found.commonest == 0.5
    assert found.percent_agreement.value == pytest.approx(0.8)
    assert found.ac.value is not None
    assert found.ac.value > 0.85
    assert verdict_of(found) is Verdict.WEAK


def test_nearly_all_values_the_same_is_a_paradox_with_a_high_ac2() -> None:
    found = rated([(2, 2)] * 90 + [(1, 2)] * 5 + [(2, 1)] * 5)
    assert found.commonest == pytest.approx(0.95)
    assert found.ac.value is not None
    assert found.ac.value > 0.9
    assert verdict_of(found) is Verdict.PARADOX


@pytest.mark.parametrize("pairs", [[(1, 1)], [(2, 2)] * 9])
def test_one_item_or_equal_scores_have_a_percentage_and_no_verdict(
    pairs: list[tuple[int, int]]
) -> None:
    assert verdict_of(rated(pairs)) is Verdict.UNDEFINED


def test_one_item_on_which_two_raters_differ_is_weak() -> None:
    assert verdict_of(rated([(0, 2)])) is Verdict.WEAK


def test_a_single_rater_has_nothing_to_agree_on() -> None:
    alone = agreement(
        gather(Columns(item=["a"], system=["S1"], rater=["R1"], values={"s": [1]})),
        values={"s": (0, 1, 2)}, bootstrap=0,
    ).pooled("s")
    assert alone.commonest is None
    assert verdict_of(alone) is Verdict.NOTHING


def test_names_are_read_by_nominal_alpha_and_ac1() -> None:
    found = rated([(0, 0)] * 10 + [(1, 1)] * 9 + [(2, 2)] * 9 + [(0, 2)], nominal=True)
    assert found.alpha is found.values["alpha_nominal"]
    assert (found.ac, found.ac_name) == (found.values["ac1"], "AC1")
    assert verdict_of(found) is Verdict.RELIABLE


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60),
       st.integers(0, 2), st.integers(0, 200))
def test_where_alpha_says_little_gwets_coefficient_is_never_low(
    pairs: list[tuple[int, int]], usual: int, more: int
) -> None:
    found = rated([*pairs, *[(usual, usual)] * more])
    if verdict_of(found) is Verdict.PARADOX:
        assert found.ac.value is not None
        assert found.ac.value > 2 / 3


@pytest.mark.parametrize(("value", "low", "high", "settled"), [
    (0.9, 0.8, 0.95, True), (0.9, below(0.8), 0.95, False), (0.7, 0.667, below(0.8), True),
    (0.7, 0.667, 0.8, False), (0.7, below(0.667), 0.75, False), (0.2, -0.1, 0.5, True),
    (0.9, None, 0.95, None), (0.9, 0.8, None, None), (None, 0.8, 0.9, None),
])
def test_an_interval_is_settled_on_one_side_of_the_benchmarks(
    value: float | None, low: float | None, high: float | None, settled: bool | None
) -> None:
    assert is_settled(Value(value, low, high)) is settled


@pytest.mark.parametrize(("value", "name"), [
    (-0.1, "poor"), (0.0, "slight"), (0.2, "slight"), (0.21, "fair"), (0.4, "fair"),
    (0.41, "moderate"), (0.6, "moderate"), (0.61, "substantial"), (0.8, "substantial"),
    (0.81, "almost_perfect"), (1.0, "almost_perfect"),
])
def test_bands_are_landis_and_kochs(value: float, name: str) -> None:
    assert band(value) == name


def contrast(**changed: Any) -> SystemContrast:
    """Return a comparison that both tests call a difference."""
    some = Value(0.3, 0.1, 0.5)
    return replace(SystemContrast(
        system="S2", n_items=30, n_items_dropped=0, n_raters=4, difference=some, wilcoxon_p=0.01,
        permutation_p=0.01, p_holm=0.02, rank_biserial=0.4, rank_biserial_interval=some,
        superiority=0.6, superiority_interval=some, difference_unpaired=some,
        difference_crossed=Crossed(0.3, 0.1, 0.5, p=0.01), tests_disagree=False, primary=False,
        reason=None,
    ), **changed)


@pytest.mark.parametrize(("changed", "verdict"), [
    ({}, Difference.BOTH_TESTS),
    ({"permutation_p": below(0.05)}, Difference.BOTH_TESTS),
    ({"permutation_p": 0.05}, Difference.NONE),
    ({"permutation_p": None}, Difference.NONE),
    ({"p_holm": below(0.05)}, Difference.BOTH_TESTS),
    ({"p_holm": 0.05}, Difference.NOT_AFTER_HOLM),
    ({"p_holm": 0.05, "primary": True}, Difference.BOTH_TESTS),
    ({"p_holm": None}, Difference.BOTH_TESTS),
    ({"difference_crossed": Crossed(), "tests_disagree": None}, Difference.ITEM_ONLY),
    ({"tests_disagree": True}, Difference.DISAGREE),
    ({"tests_disagree": True, "permutation_p": 0.2}, Difference.DISAGREE),
    ({"p_holm": 0.2, "difference_crossed": Crossed(), "tests_disagree": None},
     Difference.NOT_AFTER_HOLM),
])
def test_a_difference_is_told_by_its_own_p_then_holm_then_both_tests(
    changed: dict[str, Any], verdict: Difference
) -> None:
    assert difference_verdict(contrast(**changed)) is verdict


@pytest.mark.parametrize(("told", "verdict"), [
    ([False, False], BothTests.AGREE), ([], BothTests.AGREE), ([False, None], BothTests.UNTESTED),
    ([None, True], BothTests.DISAGREE), ([False, True], BothTests.DISAGREE),
])
def test_tests_agree_only_where_every_comparison_has_both(
    told: list[bool | None], verdict: BothTests
) -> None:
    assert both_tests([contrast(tests_disagree=one) for one in told]) is verdict


@pytest.mark.parametrize(("effect", "way"), [
    (Value(0.2, 0.01, 0.4), Shift.UP), (Value(0.2, 0.0, 0.4), Shift.NONE),
    (Value(-0.2, -0.4, -0.01), Shift.DOWN), (Value(-0.2, -0.4, 0.0), Shift.NONE),
    (Value(0.2), Shift.NONE), (Value(0.2, 0.1, None), Shift.NONE),
    (Value(-0.2, None, -0.1), Shift.NONE), (Value(None), Shift.UNDEFINED),
])
def test_an_effect_goes_where_its_whole_interval_lies(effect: Value, way: Shift) -> None:
    assert shift(effect) is way


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_verdict_has_its_sentences(language: str) -> None:
    known = words.sentences(language)
    for verdict in Verdict:
        assert f"results.read_{verdict}" in known
    for verdict in BothTests:
        assert f"results.tests_{verdict}" in known
    for way in Shift:
        assert f"label_results.read_effect_{way}" in known
    for verdict in (Verdict.RELIABLE, Verdict.TENTATIVE, Verdict.WEAK):
        assert say(f"report.alpha_{verdict}", language)
        assert f"label_results.read_{verdict}" in known
    for verdict in Difference:
        assert say(f"report.verdict_{verdict}", language)
