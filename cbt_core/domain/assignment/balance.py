"""The balance table: what a plan gives every rater, shown before it is confirmed.

Computed from the tasks alone, so that it also checks plans made long ago or by other hands.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

from cbt_core.domain.assignment.extras import repeats_wanted
from cbt_core.domain.assignment.tasks import PlannedTask, Systems
from cbt_core.domain.study import Kind
from cbt_core.words import say

MINUTES_A_TASK: Final = 4.5
"""A pair of answers takes four to five minutes; the lead may put in a measured value."""

_Places: TypeAlias = Counter[tuple[int, int, int]]
"""How often a system stood in a slot, by (system, size of the panel, slot)."""


@dataclass(frozen=True, slots=True)
class RaterBalance:
    """One rater's share of a plan.

    `slots` and `halves` are the largest differences between slots of a system, and between the
    halves of the main tasks per system and slot; among panels of one size. `minutes` covers all
    tasks, `systems` counts main tasks per system, `gap` is the least distance of a repeat in tasks.
    """

    rater: int
    main: int
    repeats: int
    checks: int
    calibrations: int
    minutes: float
    slots: int
    halves: int
    gap: int | None
    systems: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of a plan over all raters who have main tasks or were named.

    `pairs` maps two raters (lower number first) to the panels both rate; `groups` is the number of
    sets of raters that no shared panel links (1 = connected; agreement across sets is unknown).
    """

    raters: tuple[RaterBalance, ...]
    pairs: Mapping[tuple[int, int], int]
    groups: int
    repeats_wanted: int

    @property
    def load(self) -> tuple[int, int]:
        """Return the fewest and the most main tasks of a rater."""
        return _ends(rater.main for rater in self.raters)

    @property
    def pair_range(self) -> tuple[int, int]:
        """Return the fewest and the most panels that two raters share."""
        return _ends(self.pairs.values())

    @property
    def slots(self) -> int:
        """Return the largest difference between the slots of a system for any rater."""
        return max((rater.slots for rater in self.raters), default=0)

    @property
    def halves(self) -> int:
        """Return the largest difference between the halves of any rater's main tasks."""
        return max((rater.halves for rater in self.raters), default=0)

    @property
    def connected(self) -> bool:
        """Tell whether shared panels link all raters."""
        return self.groups <= 1

    @property
    def repeats(self) -> int:
        """Return the number of repeats placed."""
        return sum(rater.repeats for rater in self.raters)

    def as_rows(self, language: str = "en") -> tuple[tuple[str, str], ...]:
        """Return the table as (name, value) in a language, in the order it is printed."""
        gaps = [rater.gap for rater in self.raters if rater.gap is not None]
        minutes = [round(rater.minutes) for rater in self.raters]
        cells = {
            "raters": str(len(self.raters)),
            "tasks": str(sum(rater.main for rater in self.raters)),
            "load": _span(self.load),
            "minutes": _span(_ends(minutes)),
            "pairs": _span(self.pair_range),
            "connected": say(f"assignment.{'yes' if self.connected else 'no'}", language),
            "groups": str(self.groups),
            "slots": str(self.slots),
            "halves": str(self.halves),
            "repeats": f"{self.repeats} ({self.repeats_wanted})",
            "gap": str(min(gaps)) if gaps else say("assignment.none", language),
            "checks": str(sum(rater.checks for rater in self.raters)),
            "calibrations": str(sum(rater.calibrations for rater in self.raters)),
        }
        return tuple((say(f"assignment.table_{key}", language), cells[key]) for key in cells)


def balance_table(
    tasks: Iterable[PlannedTask],
    *,
    raters: Sequence[int] = (),
    repeats: float = 0.0,
    minutes_a_task: float = MINUTES_A_TASK,
) -> Balance:
    """Return the balance of tasks; `raters` adds those without a task, `repeats` is the share."""
    own_tasks: dict[int, list[PlannedTask]] = {rater: [] for rater in raters}
    for task in tasks:
        own_tasks.setdefault(task.rater, []).append(task)
    rows = tuple(_of_rater(rater, own_tasks[rater], minutes_a_task) for rater in own_tasks)
    pairs = _pairs(own_tasks)
    return Balance(
        raters=rows,
        pairs=pairs,
        groups=_groups(list(own_tasks), pairs),
        repeats_wanted=sum(repeats_wanted(row.main, repeats) for row in rows),
    )


def _of_rater(rater: int, tasks: Iterable[PlannedTask], minutes_a_task: float) -> RaterBalance:
    ordered = sorted(tasks, key=lambda task: task.position)
    mains = [task for task in ordered if task.kind is Kind.MAIN]
    kinds = Counter(task.kind for task in ordered)
    half = len(mains) // 2
    whole = _places(task.slots for task in mains)
    first = _places(task.slots for task in mains[:half])
    gaps = [t.position - t.repeat_of for t in ordered if t.repeat_of is not None]
    return RaterBalance(
        rater=rater,
        main=len(mains),
        repeats=kinds[Kind.REPEAT],
        checks=kinds[Kind.CHECK],
        calibrations=kinds[Kind.CALIBRATION],
        minutes=len(ordered) * minutes_a_task,
        slots=_slot_gap(whole),
        halves=max((abs(2 * first[key] - count) for key, count in whole.items()), default=0),
        gap=min(gaps, default=None),
        systems=Counter(system for task in mains for system in task.panel),
    )


def _places(slots: Iterable[Systems]) -> _Places:
    return Counter(
        (system, len(order), slot) for order in slots for slot, system in enumerate(order)
    )


def _slot_gap(places: _Places) -> int:
    rows = {(system, size) for system, size, _ in places}
    return max(
        (
            max(places[(system, size, slot)] for slot in range(size))
            - min(places[(system, size, slot)] for slot in range(size))
            for system, size in rows
        ),
        default=0,
    )


def _pairs(own_tasks: Mapping[int, Sequence[PlannedTask]]) -> dict[tuple[int, int], int]:
    sharing: dict[tuple[int, Systems], list[int]] = {}
    for rater, tasks in own_tasks.items():
        for task in tasks:
            if task.kind is Kind.MAIN:
                sharing.setdefault((task.item, task.panel), []).append(rater)
    pairs = dict.fromkeys(combinations(sorted(own_tasks), 2), 0)
    for members in sharing.values():
        for pair in combinations(sorted(members), 2):
            pairs[pair] += 1
    return pairs


def _groups(raters: Sequence[int], pairs: Mapping[tuple[int, int], int]) -> int:
    leader = {rater: rater for rater in raters}

    def find(rater: int) -> int:
        while leader[rater] != rater:
            rater = leader[rater]
        return rater

    for (member, other), shared in pairs.items():
        if shared:
            leader[find(member)] = find(other)
    return sum(leader[rater] == rater for rater in raters)


def _ends(values: Iterable[int]) -> tuple[int, int]:
    known = list(values)
    return (min(known), max(known)) if known else (0, 0)


def _span(ends: tuple[int, int]) -> str:
    low, high = ends
    return str(low) if low == high else f"{low} – {high}"
