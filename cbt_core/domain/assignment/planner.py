"""Plan a study's tasks, add to a plan, and take a leaving rater's tasks over.

The same demand, tasks given before and seed give the same plan. Nothing given before is changed:
raters or overlap added later bring new tasks only; a release takes unopened tasks of one rater.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from cbt_core.domain.assignment.extras import weave
from cbt_core.domain.assignment.seats import (
    PAIR_BOUND,
    Seating,
    add_blocks,
    even_pairs,
    even_panels,
    fill,
    level,
    pair_range,
    seat_given,
)
from cbt_core.domain.assignment.sides import Wish, arrange
from cbt_core.domain.assignment.tasks import Change, Demand, PlannedTask, Systems, panels_by_item
from cbt_core.domain.study import Kind
from cbt_core.errors import StudyError

_SEATINGS: Final = 6
_SMALL: Final = 3000
"""Panels up to which seating everybody again costs little."""


def plan(demand: Demand, given: Sequence[PlannedTask] = ()) -> tuple[PlannedTask, ...]:
    """Return the tasks still missing, by rater (in the order of the demand) and position.

    `given` are all tasks that stand, also of raters who left; each counts as a rating of its
    panel. New raters are raised first, as far as they have not met the items.

    Raises:
        StudyError: the demand cannot be met (`assigning.…`).
    """
    held = Counter((task.item, task.panel) for task in _mains(given))
    missing = {
        (item, panel): demand.overlap - held[(item, panel)]
        for item, panels in panels_by_item(demand).items()
        for panel in panels
        if held[(item, panel)] < demand.overlap
    }
    name = f"{demand.seed}/plan/{demand.overlap}/{len(given)}"
    seating = _seated(demand, given, missing, name)
    return _ordered(demand, given, _wishes(demand, seating), name)


def release(demand: Demand, given: Sequence[PlannedTask], rater: int) -> Change:
    """Take the unopened tasks of a rater and give the main ones to the other raters.

    Opened tasks stay, of everybody. Who takes a task over gets the unopened part of the sequence
    drawn anew, so that the bounds hold for the whole: those tasks are among `removed`, and again,
    with new positions and slots, among `added`. Where co-rating pairs would drift apart, all
    unopened tasks are dealt anew. Repeats, checks and calibration items are not passed on: they
    belong to a rater's own sequence.

    Raises:
        StudyError: `assignment.cannot_release` with the number of tasks that nobody can take.
    """
    rest = replace(demand, raters=tuple(other for other in demand.raters if other != rater))
    left = [task for task in given if task.rater == rater and not task.opened]
    kept = [task for task in given if task.rater != rater or task.opened]
    stuck = _nobody_left(left, kept, rest.raters)
    if stuck:
        raise StudyError(
            "assignment.cannot_release",
            stuck=stuck,
            tasks=len(_mains(left)),
            raters=len(rest.raters),
        )
    name = f"{demand.seed}/release/{rater}/{len(kept)}"
    few = _seated(rest, kept, _wanted(left), name)
    if pair_range(few) > PAIR_BOUND:
        loose = [task for task in kept if task.rater in rest.raters and not task.opened]
        stand = _without(kept, loose)
        every = _seated(rest, stand, _wanted([*left, *loose]), name)
        if pair_range(every) < pair_range(few):
            return Change((*left, *loose), _ordered(rest, stand, _wishes(rest, every), name))
    return _taken_over(rest, kept, left, (_wishes(rest, few), name))


def _taken_over(
    rest: Demand,
    kept: Sequence[PlannedTask],
    left: Sequence[PlannedTask],
    seats: tuple[dict[int, list[Wish]], str],
) -> Change:
    """Put the tasks taken over into the unopened part of the takers' sequences."""
    takers, name = seats
    loose = [task for task in kept if takers.get(task.rater) and not task.opened]
    for task in _mains(loose):
        takers[task.rater].append((task.item, task.panel))
    return Change((*left, *loose), _ordered(rest, _without(kept, loose), takers, name))


def redraw(demand: Demand, given: Sequence[PlannedTask]) -> Change:
    """Draw every unopened task anew, so that raters added later get their share at once.

    Opened tasks stay where they are. Unlike `plan` this changes who is to rate what, in tasks that
    nobody has seen; it is a choice the lead makes, never a side effect.

    Raises:
        StudyError: the demand cannot be met (`assigning.…`).
    """
    opened = [task for task in given if task.opened]
    removed = tuple(task for task in given if not task.opened)
    return Change(removed, plan(demand, opened))


def _mains(tasks: Iterable[PlannedTask]) -> list[PlannedTask]:
    return [task for task in tasks if task.kind is Kind.MAIN]


def _without(tasks: Iterable[PlannedTask], gone: Iterable[PlannedTask]) -> list[PlannedTask]:
    away = {id(task) for task in gone}
    return [task for task in tasks if id(task) not in away]


def _wanted(tasks: Iterable[PlannedTask]) -> dict[Wish, int]:
    """Count the ratings that tasks stand for, item by item."""
    counts = Counter((task.item, task.panel) for task in _mains(tasks))
    return dict(sorted(counts.items()))


def _nobody_left(
    left: Iterable[PlannedTask], kept: Iterable[PlannedTask], stayers: Sequence[int]
) -> int:
    """Count the main tasks left behind whose item every remaining rater has met."""
    there = set(stayers)
    met: dict[int, set[int]] = {}
    for task in _mains(kept):
        if task.rater in there:
            met.setdefault(task.item, set()).add(task.rater)
    return sum(len(met.get(task.item, ())) == len(there) for task in _mains(left))


def _seated(
    demand: Demand,
    given: Sequence[PlannedTask],
    missing: Mapping[Wish, int],
    name: str,
) -> Seating:
    """Give the missing ratings to raters; `missing` is grouped by item.

    A small plan from nothing is seated again when its pairs come out of bounds, which is rare.
    """
    best = _seated_once(demand, given, missing, name)
    if given or len(missing) > _SMALL:
        return best
    for turn in range(1, _SEATINGS):
        if pair_range(best) <= PAIR_BOUND:
            break
        other = _seated_once(demand, given, missing, f"{name}/{turn}")
        best = min(best, other, key=pair_range)
    return best


def _seated_once(
    demand: Demand,
    given: Sequence[PlannedTask],
    missing: Mapping[Wish, int],
    name: str,
) -> Seating:
    seating = seat_given(demand.raters, given)
    if not missing:
        return seating
    add_blocks(seating, missing, _members(demand.raters, given, missing))
    chance = Random(name)
    fill(seating, chance)
    level(seating)
    even_pairs(seating, chance)
    even_panels(seating, chance)
    return seating


def _wishes(demand: Demand, seating: Seating) -> dict[int, list[Wish]]:
    """Return what each rater of the demand gets by this plan."""
    wishes: dict[int, list[Wish]] = {rater: [] for rater in demand.raters}
    for block in seating.blocks:
        for place in block.newcomers():
            wishes[demand.raters[place]].append((block.item, block.panel))
    return wishes


def _members(
    raters: Sequence[int], given: Iterable[PlannedTask], missing: Mapping[Wish, int]
) -> dict[Wish, list[int]]:
    index = {rater: place for place, rater in enumerate(raters)}
    members: dict[tuple[int, Systems], list[int]] = {}
    for task in _mains(given):
        if task.rater in index and (task.item, task.panel) in missing:
            members.setdefault((task.item, task.panel), []).append(index[task.rater])
    return members


def _ordered(
    demand: Demand,
    given: Sequence[PlannedTask],
    wishes: Mapping[int, Sequence[Wish]],
    name: str,
) -> tuple[PlannedTask, ...]:
    """Order each rater's tasks by a chance of their own, so that no two sequences are alike."""
    own_tasks: dict[int, list[PlannedTask]] = {rater: [] for rater in wishes}
    for task in sorted(given, key=lambda task: task.position):
        if task.rater in own_tasks:
            own_tasks[task.rater].append(task)
    planned: list[PlannedTask] = []
    for rater, wanted in wishes.items():
        chance = Random(f"{name}/{rater}")
        held = own_tasks[rater]
        before = [(task.panel, task.slots) for task in _mains(held)]
        arranged = arrange(wanted, before, chance)
        planned += weave(rater, arranged, held, demand, chance)
    return tuple(planned)
