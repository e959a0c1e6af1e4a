"""Raters and overlap added later, raters who leave, and what may never change."""

from dataclasses import replace

import pytest
from drawing_tasks import (
    demand,
    largest_half_gap,
    largest_slot_gap,
    loads,
    mains,
    opened_up_to,
    pair_counts,
    raters_of_panels,
    sequence,
    spread,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.domain.assignment.planner import plan, redraw, release
from cbt_core.domain.assignment.tasks import Change, PlannedTask
from cbt_core.domain.study import Kind
from cbt_core.errors import StudyError


def after(given_tasks: list[PlannedTask], change: Change) -> list[PlannedTask]:
    """Return the tasks that stand after a change."""
    gone = set(change.removed)
    return [task for task in given_tasks if task not in gone] + list(change.added)


def test_planning_again_adds_nothing() -> None:
    study = demand(40, 5)
    assert plan(study, plan(study)) == ()


def test_more_overlap_adds_only_new_tasks_after_the_old_ones() -> None:
    study = demand(60, 6)
    old = plan(study)
    new = plan(replace(study, overlap=4), old)
    last = {rater: len(sequence(old, rater)) for rater in study.raters}
    assert all(len(raters) == 1 for raters in raters_of_panels(new).values())
    assert min(task.position - last[task.rater] for task in new) == 1
    assert all(
        [task.position for task in sequence([*old, *new], rater)]
        == list(range(1, loads(old)[rater] + loads(new)[rater] + 1))
        for rater in study.raters
    )


@pytest.mark.parametrize("seed", range(8))
def test_more_overlap_keeps_load_pairs_and_slots_even(seed: int) -> None:
    study = demand(60, 6, seed=seed)
    old = plan(study)
    both = [*old, *plan(replace(study, overlap=4), old)]
    assert spread(loads(both)) <= 2
    assert spread(pair_counts(both, study.raters)) <= 2
    for rater in study.raters:
        assert largest_slot_gap(sequence(both, rater)) <= 1
        assert largest_half_gap(sequence(both, rater)) <= 1


def test_raters_added_with_overlap_are_raised_first() -> None:
    study = demand(60, 6)
    old = plan(study)
    new = plan(replace(study, raters=(*study.raters, 7), overlap=4), old)
    assert loads(new)[7] in (34, 35)  # (180 + 60) / 7 tasks each, from none
    assert spread(loads([*old, *new])) <= 2


def test_a_rater_added_without_overlap_gets_nothing_until_tasks_are_drawn_anew() -> None:
    study = demand(60, 6)
    old = opened_up_to(plan(study), 0.2)
    more = replace(study, raters=(*study.raters, 7))
    assert plan(more, old) == ()
    change = redraw(more, old)
    standing = after(old, change)
    assert not any(task.opened for task in change.removed)
    assert spread(loads(standing)) <= 2
    assert spread(pair_counts(standing, more.raters)) <= 2


def test_items_added_later_are_shared_out_by_present_load() -> None:
    study = demand(40, 5)
    old = plan(study)
    new = plan(demand(50, 5), old)
    assert {task.item for task in new} == set(range(41, 51))
    assert spread(loads([*old, *new])) <= 2


@settings(max_examples=40, deadline=None)
@given(
    items=st.integers(10, 60),
    raters=st.integers(5, 10),
    share=st.sampled_from([0.0, 0.1, 0.4, 0.9]),
    seed=st.integers(0, 999),
)
def test_a_release_keeps_opened_tasks_and_the_overlap(
    items: int, raters: int, share: float, seed: int
) -> None:
    study = demand(items, raters, seed=seed, repeats=0.1, checks=(1,))
    old = opened_up_to(plan(study), share)
    change = release(study, old, rater=2)
    standing = after(old, change)
    assert not any(task.opened for task in change.removed)
    assert all(task.opened for task in standing if task.rater == 2)
    assert all(
        len(set(members)) == len(members) == study.overlap
        for members in raters_of_panels(standing).values()
    )
    met = [(task.rater, task.item) for task in mains(standing)]
    assert len(met) == len(set(met))


@pytest.mark.parametrize("systems", [2, 3])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(4))
def test_the_bounds_hold_after_a_release(systems: int, share: float, seed: int) -> None:
    study = demand(60, 9, systems=systems, seed=seed)
    old = opened_up_to(plan(study), share)
    standing = after(old, release(study, old, rater=4))
    others = [rater for rater in study.raters if rater != 4]
    kept = [task for task in standing if task.rater != 4]
    assert spread(loads(kept)) <= 2
    assert spread(pair_counts(kept, others)) <= 2
    for rater in others:
        assert largest_slot_gap(sequence(kept, rater)) <= 1
        assert largest_half_gap(sequence(kept, rater)) <= 1


def test_positions_stay_unique_after_a_release() -> None:
    study = demand(60, 6, repeats=0.1, checks=(1, 2))
    old = opened_up_to(plan(study), 0.3)
    standing = after(old, release(study, old, rater=1))
    places = [(task.rater, task.position) for task in standing]
    assert len(places) == len(set(places))


def test_repeats_of_opened_tasks_point_at_them_after_a_release() -> None:
    study = demand(60, 6, repeats=0.2)
    old = opened_up_to(plan(study), 0.3)
    standing = after(old, release(study, old, rater=1))
    by_place = {(task.rater, task.position): task for task in standing}
    repeats = [t for t in standing if t.kind is Kind.REPEAT and t.repeat_of is not None]
    assert repeats
    for again in repeats:
        original = by_place[again.rater, again.repeat_of or 0]
        assert original.item == again.item
        assert again.position - original.position >= study.repeat_gap_tasks


def test_a_release_that_nobody_can_take_over_says_how_many_tasks_are_stuck() -> None:
    study = demand(8, 3)
    with pytest.raises(StudyError) as refusal:
        release(study, plan(study), rater=2)
    assert refusal.value.code == "assignment.cannot_release"
    assert refusal.value.values == {"stuck": 8, "tasks": 8, "raters": 2}


def test_a_release_after_everything_was_opened_changes_nothing() -> None:
    study = demand(8, 3)
    assert release(study, opened_up_to(plan(study), 1.0), rater=2) == Change((), ())


def test_tasks_of_a_rater_who_left_still_count_as_ratings() -> None:
    study = demand(30, 6)
    old = plan(study)
    assert plan(replace(study, raters=study.raters[:-1]), old) == ()
