"""Plan a study's tasks, add to a plan, and take a leaving rater's tasks over.

The same demand, tasks given before and seed give the same plan. Nothing given before is changed:
raters or overlap added later bring new tasks only; a release takes unopened tasks of one rater.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

from cbt_core.domain.assignment.extras import weave
from cbt_core.domain.assignment.levelling import level
from cbt_core.domain.assignment.pairing import even_pairs
from cbt_core.domain.assignment.panels import panels_by_item
from cbt_core.domain.assignment.seating import Seating, add_blocks, fill, seat_given
from cbt_core.domain.assignment.sequence import Wish, arrange
from cbt_core.domain.assignment.tasks import Demand, PlannedTask, Release, Systems
from cbt_core.domain.study import Kind
from cbt_core.errors import StudyError


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
    return _seat_and_order(demand, given, missing, f"plan/{demand.overlap}")


def release(demand: Demand, given: Sequence[PlannedTask], rater: int) -> Release:
    """Take the unopened tasks of a rater and give the main ones to the raters of the demand.

    The rater's opened tasks stay. Repeats, checks and calibration items are taken, not passed on:
    they belong to the rater's own sequence.

    Raises:
        StudyError: `assigning.cannot_release` with the number of tasks that nobody can take.
    """
    stayers = tuple(other for other in demand.raters if other != rater)
    removed = tuple(task for task in given if task.rater == rater and not task.opened)
    kept = [task for task in given if task.rater != rater or task.opened]
    freed = {(task.item, task.panel): 1 for task in _mains(removed)}
    stuck = _nobody_left(freed, kept, stayers)
    if stuck:
        raise StudyError(
            "assigning.cannot_release", stuck=stuck, tasks=len(freed), raters=len(stayers)
        )
    rest = replace(demand, raters=stayers)
    return Release(removed, _seat_and_order(rest, kept, freed, f"release/{rater}"))


def _mains(tasks: Iterable[PlannedTask]) -> list[PlannedTask]:
    return [task for task in tasks if task.kind is Kind.MAIN]


def _nobody_left(
    freed: Iterable[Wish], kept: Iterable[PlannedTask], stayers: Sequence[int]
) -> int:
    """Count the freed tasks whose item every remaining rater has met."""
    there = set(stayers)
    met: dict[int, set[int]] = {}
    for task in _mains(kept):
        if task.rater in there:
            met.setdefault(task.item, set()).add(task.rater)
    return sum(len(met.get(item, ())) == len(there) for item, _ in freed)


def _seat_and_order(
    demand: Demand,
    given: Sequence[PlannedTask],
    missing: Mapping[Wish, int],
    occasion: str,
) -> tuple[PlannedTask, ...]:
    if not missing:
        return ()
    name = f"{demand.seed}/{occasion}/{len(given)}"
    seating = seat_given(demand.raters, given)
    add_blocks(seating, missing, _members(demand.raters, given, missing))
    chance = Random(name)  # noqa: S311 - a stored seed, not a secret
    fill(seating, chance)
    level(seating)
    even_pairs(seating, chance)
    return _ordered(demand, given, _wishes(seating), name)


def _members(
    raters: Sequence[int], given: Iterable[PlannedTask], missing: Mapping[Wish, int]
) -> dict[Wish, list[int]]:
    index = {rater: place for place, rater in enumerate(raters)}
    members: dict[tuple[int, Systems], list[int]] = {}
    for task in _mains(given):
        if task.rater in index and (task.item, task.panel) in missing:
            members.setdefault((task.item, task.panel), []).append(index[task.rater])
    return members


def _wishes(seating: Seating) -> list[list[Wish]]:
    wishes: list[list[Wish]] = [[] for _ in seating.load]
    for block in seating.blocks:
        for rater in block.newcomers():
            wishes[rater].append((block.item, block.panel))
    return wishes


def _ordered(
    demand: Demand,
    given: Sequence[PlannedTask],
    wishes: Sequence[Sequence[Wish]],
    name: str,
) -> tuple[PlannedTask, ...]:
    """Order each rater's tasks by a chance of their own, so that no two sequences are alike."""
    mine: dict[int, list[PlannedTask]] = {rater: [] for rater in demand.raters}
    for task in sorted(given, key=lambda task: task.position):
        if task.rater in mine:
            mine[task.rater].append(task)
    planned: list[PlannedTask] = []
    for place, rater in enumerate(demand.raters):
        chance = Random(f"{name}/{place}")  # noqa: S311 - a stored seed, not a secret
        held = mine[rater]
        before = [(task.panel, task.slots) for task in _mains(held)]
        arranged = arrange(wishes[place], before, chance)
        planned += weave(rater, arranged, held, demand, chance)
    return tuple(planned)
