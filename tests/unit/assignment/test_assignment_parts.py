"""The parts of the planner that back each other up, each on its own."""

from random import Random

import pytest

from cbt_core.domain.assignment.seats import Block, Seating, level
from cbt_core.domain.assignment.sides import (
    Placed,
    Standing,
    Tally,
    arrange,
    faults,
    mend,
    split,
    walk,
)

PAIR = (0, 1)


def seating(raters: int) -> Seating:
    """Return a state in which nobody has anything."""
    return Seating(
        load=[0] * raters,
        pair=[[0] * raters for _ in range(raters)],
        strata=[{} for _ in range(raters)],
        met={},
    )


def seat(state: Seating, item: int, rater: int) -> None:
    """Give a new panel of an item to a rater."""
    block = Block(item, PAIR, [], 0, 0)
    state.blocks.append(block)
    state.sit(block, rater)


def test_a_task_reaches_a_rater_through_one_who_can_pass_another_on() -> None:
    state = seating(3)
    for item in (1, 2, 3):
        seat(state, item, rater=0)
    seat(state, 4, rater=1)
    for item in (1, 2, 3):  # rater 2 has met all that rater 0 could give away
        state.met[item].add(2)
    level(state)
    assert sorted(state.load) == [1, 1, 2]
    assert state.load[2] == 1


def test_loads_stay_where_nobody_else_may_take_a_task() -> None:
    state = seating(2)
    for item in (1, 2, 3):
        seat(state, item, rater=0)
        state.met[item].add(1)
    level(state)
    assert state.load == [3, 0]


@pytest.mark.parametrize("seed", range(5))
def test_mending_evens_out_slots_and_halves_of_the_new_tasks_only(seed: int) -> None:
    crooked: list[Placed] = [(PAIR, (0, 1))] * 20
    mended = mend(crooked, 4, Random(seed))
    assert mended[:4] == crooked[:4]
    assert faults(crooked) > 0
    assert faults(mended) < 10


def test_mending_keeps_the_panels() -> None:
    panels = [(0, 1), (0, 1, 2), (1, 2), (0, 2), (0, 1, 2)] * 4
    mended = mend([(panel, panel) for panel in panels], 0, Random(1))
    assert sorted(panel for panel, _ in mended) == sorted(panels)
    assert all(tuple(sorted(slots)) == panel for panel, slots in mended)


@pytest.mark.parametrize("seed", range(6))
def test_odd_panels_are_split_so_that_every_system_stands_in_both_halves(seed: int) -> None:
    counts = {(0, 1): 3, (0, 2): 3, (1, 3): 3, (2, 3): 3}
    first = split(counts, 6, Standing({}, {}), Random(seed))
    for system in range(4):
        early = sum(first[panel] for panel in counts if system in panel)
        assert early == 3


def test_the_last_uneven_uses_go_where_they_keep_the_halves_even() -> None:
    for seed in range(20):
        tally = Tally(
            counts={(0, 2): [5, 5], (1, 2): [5, 5]},
            least={(0, 2): 5, (1, 2): 5},
            finish={(0, 2): [10, -10], (1, 2): [-10, 10]},
        )
        assert walk([PAIR], tally, Random(seed)) == [(PAIR, (1, 0))]


@pytest.mark.parametrize("tasks", [40, 41, 42, 43])
def test_one_pair_is_even_at_both_cuts_of_an_odd_number(tasks: int) -> None:
    arranged = arrange([(item, PAIR) for item in range(tasks)], (), Random(3))
    assert faults([(task.panel, task.slots) for task in arranged]) == 0


@pytest.mark.parametrize("size", [2, 3, 4])
def test_slots_are_even_after_every_single_task(size: int) -> None:
    panel = tuple(range(size))
    arranged = arrange([(item, panel) for item in range(50)], (), Random(5))
    tally = Tally({})
    for task in arranged:
        tally.add(task.panel, task.slots)
        assert all(max(used) - min(used) <= 1 for used in tally.counts.values())
