"""A whole plan: hours, advice, and what a pilot gives."""

import numpy as np
import pytest

from cbt_core.errors import StudyError
from cbt_core.stats.planning.pilot import pilot
from cbt_core.stats.planning.plan import Plan, Wish, advice, hours, plan
from cbt_core.stats.planning.simulation import ASSUMED, Assumptions, Size, drawn, drawn_design
from cbt_core.stats.ratings import Columns, Ratings, gather

CALM = ASSUMED.with_sds({"sd_rater_system": 0.0})


def planned(size: Size, difference: float, assumed: Assumptions = ASSUMED) -> Plan:
    return plan(Wish(size, difference, assumed, simulations=200))


def codes(found: Plan) -> list[str]:
    return [one.code for one in advice(found)]


def test_hours_follow_the_reading_time_of_a_pair() -> None:
    # 100 pairs of about 1,400 characters: 7 to 9 hours (4-5 minutes a pair).
    told = hours(Wish(Size(100, 3, 3), 0.2))
    assert (told.tasks, told.low, told.high) == pytest.approx((100, 100 * 4 / 60, 100 * 5 / 60))
    half = hours(Wish(Size(100, 6, 3), 0.2, comparisons=2, characters=700))
    assert (half.tasks, half.low) == pytest.approx((100, 100 * 2 / 60))


def test_a_large_difference_is_enough() -> None:
    assert codes(planned(Size(100, 10, 5), 0.5, CALM))[0] == "enough"


def test_more_items_are_advised_when_raters_have_no_likings() -> None:
    found = planned(Size(40, 5, 5), 0.2, CALM)
    assert codes(found)[0] == "more_items"
    assert "few_items_advice" in codes(found)


def test_more_raters_are_advised_when_items_do_not_help() -> None:
    found = planned(Size(100, 3, 3), 0.25)
    assert codes(found)[0] == "more_raters"
    assert "only_these_raters" in codes(found)
    assert "alarms" in codes(found)


def test_what_cannot_be_reached_is_said() -> None:
    assert codes(planned(Size(50, 3, 3), 0.05))[0] == "out_of_reach"


def test_two_raters_are_told_what_they_cannot_claim() -> None:
    assert codes(planned(Size(50, 2, 2), 0.2))[0] == "few_raters"


def test_panels_that_need_more_raters_are_told() -> None:
    found = plan(Wish(Size(50, 4, 3), 0.2, comparisons=2, simulations=100))
    assert "panels" in codes(found)
    assert found.wish.level == pytest.approx(0.025)


def test_no_study_has_more_raters_an_item_than_raters() -> None:
    with pytest.raises(StudyError):
        Wish(Size(50, 3, 4), 0.2)
    with pytest.raises(StudyError):
        Wish(Size(4, 3, 3), 0.2)


def as_pilot(size: Size, assumed: Assumptions, seed: int, *, keep: float = 1.0) -> Ratings:
    random = np.random.default_rng(seed)
    batch, _ = drawn(drawn_design(size, 0.0, random), assumed, 0.3, studies=1, random=random)
    item, rater = (index.ravel() for index in np.indices((size.items, size.raters)))
    chosen = random.random(len(item)) < keep
    item, rater = item[chosen], rater[chosen]
    values = [part[0].ravel()[chosen] for part in (batch.baseline, batch.system)]
    return gather(Columns(
        item=[f"q{one:04}" for one in item] * 2, rater=[f"R{one:02}" for one in rater] * 2,
        system=["base"] * len(item) + ["new"] * len(item),
        values={"s": np.concatenate(values).astype(float)},
    ))  # fmt: skip


def test_a_large_pilot_gives_back_what_made_it() -> None:
    made = Assumptions(sd_item=0.8, sd_item_system=0.4, sd_rater=0.4, sd_rater_system=0.3,
                       sd_noise=0.6)  # fmt: skip
    size = Size(300, 60, 60)
    found = pilot(as_pilot(size, made, 1, keep=0.5), "s", (0, 1, 2), "base")
    stretched = ASSUMED.total / made.total
    for name, share in (("sd_item", 0.12), ("sd_item_system", 0.12), ("sd_noise", 0.1),
                        ("sd_rater", 0.25), ("sd_rater_system", 0.25)):  # fmt: skip
        expected = getattr(made, name) * stretched
        assert getattr(found.assumed, name) == pytest.approx(expected, rel=share), name
    assert found.assumed.total == pytest.approx(ASSUMED.total)
    cuts = np.array(made.thresholds) * stretched
    assert found.assumed.thresholds == pytest.approx(cuts, abs=0.25)  # 60 raters' mean liking
    assert (found.items, found.raters) == (300, 60)


def test_a_small_or_flat_pilot_is_refused() -> None:
    small = as_pilot(Size(5, 3, 3), ASSUMED, 1)
    with pytest.raises(StudyError, match="too small"):
        pilot(small, "s", (0, 1, 2), "base")
    size = Size(20, 3, 3)
    held = as_pilot(size, ASSUMED, 1)
    flat = gather(Columns(
        item=[held.items[i] for i in held.item], rater=[held.raters[i] for i in held.rater],
        system=[held.systems[i] for i in held.system], values={"s": np.full(held.rows, 2.0)},
    ))  # fmt: skip
    with pytest.raises(StudyError, match="hardly vary"):
        pilot(flat, "s", (0, 1, 2), "base")


def test_a_pilot_needs_its_baseline_and_even_values() -> None:
    held = as_pilot(Size(20, 3, 3), ASSUMED, 1)
    with pytest.raises(StudyError, match="no system"):
        pilot(held, "s", (0, 1, 2), "other")
    with pytest.raises(StudyError, match="one point apart"):
        pilot(held, "s", (0, 1, 3), "base")
