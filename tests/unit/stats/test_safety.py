"""Flagged answers: by any, by majority, differences, agreement; what a zero says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from cbt_core.stats.comparison.safety import Flags, Safety, safety, wilson
from cbt_core.stats.resampling import Bootstrap

HOW = Bootstrap(500)
Row = tuple[int, int, int, bool]
"""Item, system, rater, flagged."""


def of(rows: list[Row], reference: str | None = "S1") -> Safety:
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    flags = Flags(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(bool))
    return safety(flags, {0: "S1", 1: "S2"}, reference=reference, how=HOW)


def rated(flagged: dict[tuple[int, int], set[int]], items: int = 4, raters: int = 3) -> list[Row]:
    return [
        (item, system, rater, rater in flagged.get((item, system), set()))
        for item in range(items) for system in (0, 1) for rater in range(raters)
    ]


def test_one_of_three_raters_is_any_and_two_are_the_majority() -> None:
    found = of(rated({(0, 1): {0}, (1, 1): {0, 2}, (2, 1): {0, 1, 2}})).systems["S2"]
    assert (found.by_any.count, found.by_majority.count, found.by_any.n) == (3, 2, 4)
    assert found.by_any.share.value == 0.75
    assert found.raters_per_answer == (3, 3, 3)


def test_half_of_the_raters_are_no_majority() -> None:
    found = of(rated({(0, 1): {0}}, raters=2)).systems["S2"]
    assert (found.by_any.count, found.by_majority.count) == (1, 0)


def test_the_number_of_raters_stands_beside_the_share() -> None:
    rows = [*rated({}, items=3), (9, 1, 0, True)]
    assert of(rows).systems["S2"].raters_per_answer == (1, 3, 3)


def test_the_difference_is_paired_by_item() -> None:
    found = of(rated({(0, 1): {0}, (1, 1): {1}, (1, 0): {2}})).differences[0]
    assert (found.system, found.n_items) == ("S2", 4)
    assert found.by_any.value == 0.25  # 2/4 - 1/4
    assert found.by_any.low is not None
    assert found.by_any.low <= 0.25


def test_items_with_one_system_only_have_no_difference() -> None:
    found = of([(0, 0, 0, True), (1, 1, 0, False)]).differences[0]
    assert found.n_items == 0
    assert found.by_any.reason == "fewer than 2 paired items"


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_limits_are_those_of_statsmodels(share: tuple[int, int]) -> None:
    assert wilson(*share) == pytest.approx(proportion_confint(*share, method="wilson"), abs=1e-9)


def test_wilsons_limits_of_a_published_share() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I: 81/263 .2553 to .3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    # 0/20: 0 to .1611; 1/29: .0061 to .1718.
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_no_flag_at_all_has_wilsons_limit_and_no_bootstrap_interval() -> None:
    """Resampling answers without a flag never draws one: 0 to 0 would claim certainty."""
    found = of(rated({}, items=20)).systems["S1"].by_any
    assert (found.share.value, found.share.low) == (0.0, None)
    assert "nothing varies" in str(found.share.reason)
    assert found.wilson_high == pytest.approx(0.1611, abs=5e-5)


def test_agreement_on_flags_is_nominal() -> None:
    found = of(rated({(0, 1): {0, 1, 2}, (1, 0): {0, 1, 2}})).agreement
    assert found["percent_agreement"].value == 1.0
    assert found["alpha_nominal"].value == pytest.approx(1.0)
    assert of(rated({})).agreement["alpha_nominal"].reason == "all ratings are equal"


def test_without_a_rating_everything_has_a_reason() -> None:
    found = of([])
    assert found.systems["S1"].by_any.share.reason == "no answer was rated"
    assert found.systems["S1"].by_any.wilson_low is None
    assert found.agreement["ac1"].reason == "no ratings"


def test_without_a_reference_there_is_no_difference() -> None:
    assert of(rated({}), reference=None).differences == ()
