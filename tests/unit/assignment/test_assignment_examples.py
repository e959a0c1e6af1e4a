"""Plans of studies as people run them, and the demands that are refused."""

from dataclasses import replace

import pytest
from drawing_tasks import (
    demand,
    largest_half_gap,
    largest_slot_gap,
    loads,
    mains,
    pair_counts,
    sequence,
    spread,
)

from cbt_core.domain.assignment.planner import plan
from cbt_core.domain.assignment.tasks import Demand, items_without_panel, panels_of, raters_needed
from cbt_core.domain.study import Kind, Panel
from cbt_core.errors import StudyError

GRID = [
    (100, 5, 2, 3, Panel.PAIRS),
    (60, 6, 2, 3, Panel.PAIRS),
    (8, 3, 2, 3, Panel.PAIRS),
    (24, 3, 2, 3, Panel.PAIRS),
    (84, 6, 2, 3, Panel.SINGLE),
    (68, 14, 3, 4, Panel.SINGLE),
    (40, 12, 4, 3, Panel.SINGLE),
    (61, 10, 4, 3, Panel.PAIRS),
    (90, 9, 4, 3, Panel.PAIRS),
    (200, 8, 2, 5, Panel.PAIRS),
    (150, 30, 2, 3, Panel.PAIRS),
    (33, 9, 3, 3, Panel.ALL_PAIRS),
    (60, 18, 4, 3, Panel.ALL_PAIRS),
    (77, 13, 4, 2, Panel.ALL_PAIRS),
    (40, 7, 3, 3, Panel.ALL),
    (41, 7, 4, 3, Panel.ALL),
]


@pytest.mark.parametrize(("items", "raters", "systems", "overlap", "form"), GRID)
def test_load_pairs_slots_and_halves_stay_within_bounds(
    items: int, raters: int, systems: int, overlap: int, form: Panel
) -> None:
    study = demand(items, raters, systems, overlap=overlap, panel=form, seed=7)
    tasks = plan(study)
    assert spread(loads(tasks)) <= 2
    assert spread(pair_counts(tasks, study.raters)) <= 2
    for rater in study.raters:
        mine = sequence(tasks, rater)
        assert largest_slot_gap(mine) <= 1
        assert largest_half_gap(mine) <= 1


def test_sixty_items_six_raters_overlap_three_is_a_balanced_block_design() -> None:
    # n*r/R = 30 and n*r*(r-1)/(R*(R-1)) = 12 are whole: a balanced incomplete block design
    # exists (Cochran & Cox 1957, ch. 11), and the plan reaches it.
    tasks = plan(demand(60, 6))
    assert set(loads(tasks).values()) == {30}
    assert set(pair_counts(tasks, range(1, 7)).values()) == {12}


def test_each_rater_meets_the_panels_equally_often() -> None:
    tasks = plan(demand(150, 12, systems=4))
    for rater in range(1, 13):
        met = [task.panel for task in sequence(tasks, rater)]
        assert max(map(met.count, set(met))) - min(map(met.count, set(met))) <= 2


def test_raters_see_the_items_in_different_orders() -> None:
    tasks = plan(demand(24, 3))
    orders = {tuple(task.item for task in sequence(tasks, rater)) for rater in (1, 2, 3)}
    assert len(orders) == 3


def test_order_and_panels_do_not_run_in_a_pattern() -> None:
    mine = sequence(plan(demand(60, 9, systems=4)), 1)
    panels = [task.panel for task in mine]
    assert all(panels[step:] != panels[:-step] for step in range(1, 13))
    assert [task.item for task in mine] != sorted(task.item for task in mine)


@pytest.mark.parametrize(
    ("form", "panels"),
    [
        (Panel.SINGLE, ((1,), (2,), (3,))),
        (Panel.PAIRS, ((1, 2), (2, 3))),
        (Panel.ALL_PAIRS, ((1, 2), (1, 3), (2, 3))),
        (Panel.ALL, ((1, 2, 3),)),
    ],
)
def test_panels_of_three_systems_with_baseline_two(
    form: Panel, panels: tuple[tuple[int, ...], ...]
) -> None:
    assert panels_of((3, 1, 2), form, baseline=2) == panels


def test_items_without_the_answers_for_a_panel_get_no_task_and_are_named() -> None:
    study = replace(demand(3, 3), items={1: (0, 1), 2: (1,), 3: (0,)})
    assert {task.item for task in plan(study)} == {1}
    assert items_without_panel(study) == (2, 3)


def test_repeats_are_placed_as_far_as_the_gap_allows() -> None:
    study = demand(24, 3, repeats=0.5, repeat_gap_tasks=20)
    repeats = [t for t in sequence(plan(study), 1) if t.kind is Kind.REPEAT]
    assert len(repeats) == 5  # 12 wanted; only the first 5 of 24 have 20 tasks after them


def test_short_sequences_get_no_repeat() -> None:
    tasks = plan(demand(8, 3, repeats=0.5, repeat_gap_tasks=20))
    assert all(task.kind is Kind.MAIN for task in tasks)


def test_repeats_reverse_four_slots() -> None:
    tasks = plan(demand(40, 3, systems=4, panel=Panel.ALL, repeats=0.25))
    mine = sequence(tasks, 2)
    repeats = [task for task in mine if task.kind is Kind.REPEAT]
    assert len(repeats) == 10
    assert all(t.slots == mine[(t.repeat_of or 0) - 1].slots[::-1] for t in repeats)


@pytest.mark.parametrize(("items", "placed"), [(9, 0), (10, 1), (66, 1), (67, 2), (200, 3)])
def test_quality_checks_are_few_and_never_first(items: int, placed: int) -> None:
    mine = sequence(plan(demand(items, 3, checks=(51, 52, 53))), 1)
    places = [place for place, task in enumerate(mine) if task.kind is Kind.CHECK]
    assert len(places) == placed
    assert 0 not in places


def test_calibration_items_come_after_every_so_many_main_tasks() -> None:
    mine = sequence(plan(demand(30, 3, calibrations=(8, 9), recalibrate_every=10)), 1)
    shown = [(place, task.item) for place, task in enumerate(mine) if task.kind is Kind.CALIBRATION]
    assert shown == [(10, 8), (21, 9)]


@pytest.mark.parametrize(
    ("study", "code"),
    [
        (demand(5, 2), "too_few_raters"),
        (demand(5, 8, systems=4), "too_few_raters"),
        (demand(5, 0), "no_raters"),
        (replace(demand(5, 3), raters=(1, 1, 2)), "rater_twice"),
        (demand(5, 3, overlap=0), "overlap_too_small"),
        (demand(5, 3, repeats=1.5), "repeats_share"),
        (demand(5, 3, repeat_gap_tasks=0), "repeat_gap"),
        (demand(5, 3, baseline=None), "no_baseline"),
        (demand(5, 3, systems=1), "no_panels"),
        (demand(5, 3, systems=5, panel=Panel.ALL), "too_many_systems"),
    ],
)
def test_an_impossible_demand_is_refused_with_a_sentence(study: Demand, code: str) -> None:
    with pytest.raises(StudyError) as refusal:
        plan(study)
    assert refusal.value.code == f"assignment.{code}"
    assert str(refusal.value) != refusal.value.say("zh")


def test_too_few_raters_names_the_number_needed() -> None:
    study = demand(5, 8, systems=4)
    with pytest.raises(StudyError) as refusal:
        plan(study)
    assert refusal.value.values == {"needed": 9, "raters": 8}
    assert raters_needed(study) == 9


def test_no_task_stands_twice() -> None:
    tasks = plan(demand(60, 9, systems=4))
    assert len({(t.rater, t.item, t.panel) for t in mains(tasks)}) == len(tasks)
