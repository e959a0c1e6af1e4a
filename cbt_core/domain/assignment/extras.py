"""What is woven between a rater's main tasks: repeats, quality checks, calibration items."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from cbt_core.domain.assignment.sides import Arranged
from cbt_core.domain.assignment.tasks import (
    CHECK_PANEL,
    CHECK_SHARE,
    CHECKS_FROM_TASKS,
    Demand,
    PlannedTask,
    Systems,
)
from cbt_core.domain.study import Kind

_HALF_UP: Final = 0.5 + 1e-9


@dataclass(frozen=True, slots=True)
class _Entry:
    """A place in the sequence to be; `main` counts the rater's main tasks from 0."""

    kind: Kind
    item: int
    panel: Systems
    slots: Systems
    main: int = -1


def weave(
    rater: int,
    arranged: Sequence[Arranged],
    given: Sequence[PlannedTask],
    demand: Demand,
    rng: Random,
) -> list[PlannedTask]:
    """Return a rater's new tasks with their positions, which go on after those given before."""
    if not arranged:
        return []
    held = sorted(given, key=lambda task: task.position)
    mains = [task for task in held if task.kind is Kind.MAIN]
    entries = [
        _Entry(Kind.MAIN, task.item, task.panel, task.slots, len(mains) + place)
        for place, task in enumerate(arranged)
    ]
    entries = _with_repeats(entries, held, demand, rng)
    entries = _with_calibrations(entries, held, demand)
    entries = _with_checks(entries, held, demand, rng)
    places = [task.position for task in mains]
    start = max((task.position for task in held), default=0) + 1
    return _numbered(rater, entries, places, start)


def _numbered(
    rater: int, entries: Sequence[_Entry], places: list[int], start: int
) -> list[PlannedTask]:
    """Give positions; `places` are the positions of the main tasks so far."""
    tasks = []
    for position, entry in enumerate(entries, start):
        original = None
        if entry.kind is Kind.MAIN:
            places.append(position)
        elif entry.kind is Kind.REPEAT:
            original = places[entry.main]
        tasks.append(
            PlannedTask(rater, entry.item, entry.panel, entry.slots, position, entry.kind, original)
        )
    return tasks


def repeats_wanted(mains: int, share: float) -> int:
    """Return the number of repeats for a number of main tasks (half rounded up)."""
    return int(mains * share + _HALF_UP)


def _with_repeats(
    entries: list[_Entry], held: Sequence[PlannedTask], demand: Demand, rng: Random
) -> list[_Entry]:
    """Show some main tasks again, at least the gap later in main tasks, sides reversed."""
    originals = [
        _Entry(Kind.MAIN, task.item, task.panel, task.slots, place)
        for place, task in enumerate(task for task in held if task.kind is Kind.MAIN)
    ]
    first_new, total = len(originals), len(originals) + len(entries)
    repeated = {(t.item, t.panel) for t in held if t.kind is Kind.REPEAT}
    gap = demand.repeat_gap_tasks
    able = [
        entry
        for entry in (originals + entries)[: max(0, total - gap + 1)]
        if (entry.item, entry.panel) not in repeated
    ]
    wanted = max(0, repeats_wanted(total, demand.repeats) - len(repeated))
    after: dict[int, list[_Entry]] = {}
    for entry in rng.sample(able, min(wanted, len(able))):
        place = rng.randint(max(entry.main + gap - 1, first_new), total - 1)
        again = _Entry(Kind.REPEAT, entry.item, entry.panel, entry.slots[::-1], entry.main)
        after.setdefault(place, []).append(again)
    return [woven for entry in entries for woven in (entry, *after.get(entry.main, ()))]


def _with_calibrations(
    entries: list[_Entry], held: Sequence[PlannedTask], demand: Demand
) -> list[_Entry]:
    """Show the next calibration item after every so many main tasks, each at most once."""
    every = demand.recalibrate_every
    shown = {task.item for task in held if task.kind is Kind.CALIBRATION}
    left = [item for item in demand.calibrations if item not in shown]
    if every < 1 or not left:
        return entries
    queue = iter(left)
    woven = []
    last = entries[-1]
    for entry in entries:
        woven.append(entry)
        due = entry.kind is Kind.MAIN and (entry.main + 1) % every == 0 and entry is not last
        if due and (item := next(queue, None)) is not None:
            woven.append(_Entry(Kind.CALIBRATION, item, (), ()))
    return woven


def checks_wanted(mains: int, offered: int) -> int:
    """Return the number of quality checks: at most 3 % of the main tasks, but one from ten on."""
    if mains < CHECKS_FROM_TASKS:
        return 0
    return min(offered, max(1, int(mains * CHECK_SHARE)))


def _with_checks(
    entries: list[_Entry], held: Sequence[PlannedTask], demand: Demand, rng: Random
) -> list[_Entry]:
    """Spread quality checks over the sequence, never first, sides in turn by chance."""
    shown = {task.item for task in held if task.kind is Kind.CHECK}
    left = [item for item in demand.checks if item not in shown]
    mains = sum(e.kind is Kind.MAIN for e in entries) + sum(t.kind is Kind.MAIN for t in held)
    wanted = min(len(left), max(0, checks_wanted(mains, len(demand.checks)) - len(shown)))
    swapped = rng.random() < 0.5
    woven = list(entries)
    for turn, item in reversed(list(enumerate(rng.sample(left, wanted)))):
        place = int((turn + 0.2 + 0.6 * rng.random()) * len(entries) / wanted)
        slots = CHECK_PANEL if (turn % 2 == 1) is swapped else CHECK_PANEL[::-1]
        woven.insert(max(1, place), _Entry(Kind.CHECK, item, CHECK_PANEL, slots))
    return woven
