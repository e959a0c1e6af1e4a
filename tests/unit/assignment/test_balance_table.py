"""The balance table tells what a plan gives, from the tasks alone."""

from dataclasses import replace

from drawing_tasks import demand, largest_half_gap, largest_slot_gap, loads, pair_counts, sequence

from cbt_core.domain.assignment.balance import balance_table
from cbt_core.domain.assignment.planner import plan
from cbt_core.domain.assignment.tasks import PlannedTask
from cbt_core.domain.study import Kind


def task(rater: int, item: int, slots: tuple[int, ...], position: int) -> PlannedTask:
    """Return a main task."""
    return PlannedTask(rater, item, tuple(sorted(slots)), slots, position)


def test_the_table_equals_counts_made_by_hand() -> None:
    study = demand(61, 10, systems=4)
    tasks = plan(study)
    table = balance_table(tasks)
    pairs = pair_counts(tasks, study.raters).values()
    mine = [sequence(tasks, rater) for rater in study.raters]
    assert table.load == (min(loads(tasks).values()), max(loads(tasks).values()))
    assert table.pair_range == (min(pairs), max(pairs))
    assert table.slots == max(map(largest_slot_gap, mine))
    assert table.halves == max(map(largest_half_gap, mine))


def test_uneven_slots_and_halves_are_shown() -> None:
    tasks = [task(1, item, (0, 1) if item < 5 else (1, 0), item) for item in range(1, 9)]
    table = balance_table(tasks)
    assert (table.slots, table.halves) == (0, 4)


def test_raters_who_share_no_panel_are_disconnected() -> None:
    apart = [task(1, 1, (0, 1), 1), task(2, 1, (1, 0), 1), task(3, 2, (0, 1), 1)]
    table = balance_table(apart)
    assert (table.connected, table.groups) == (False, 2)
    assert balance_table([*apart, task(3, 1, (0, 1), 2)]).connected


def test_a_named_rater_without_tasks_is_in_the_table() -> None:
    assert balance_table(plan(demand(9, 3)), raters=(1, 2, 3, 4)).load == (0, 9)


def test_repeats_placed_stand_beside_those_wanted() -> None:
    study = demand(24, 3, repeats=0.5)
    table = balance_table(plan(study), repeats=study.repeats)
    assert (table.repeats, table.repeats_wanted) == (15, 36)
    assert dict(table.as_rows())["Repeats placed (wanted)"] == "15 (36)"


def test_only_main_tasks_count_for_balance() -> None:
    tasks = plan(demand(20, 4))
    extra = replace(tasks[0], kind=Kind.REPEAT, position=99, repeat_of=1)
    assert balance_table([*tasks, extra]).load == balance_table(tasks).load


def test_minutes_cover_every_task() -> None:
    table = balance_table(plan(demand(10, 3)), minutes_a_task=6.0)
    assert {row.minutes for row in table.raters} == {60.0}


def test_rows_are_said_in_both_languages() -> None:
    table = balance_table(plan(demand(8, 3)))
    english, chinese = table.as_rows("en"), table.as_rows("zh")
    assert [value for _, value in english if value.isdigit()] == [
        value for _, value in chinese if value.isdigit()
    ]
    assert ("Raters", "3") in english
    assert ("评定者人数", "3") in chinese


def test_no_tasks_give_an_empty_table() -> None:
    table = balance_table([])
    assert (table.load, table.pair_range, table.connected) == ((0, 0), (0, 0), True)
