"""Demands to plan for, and plain counts of what a plan gives, written apart from the planner."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

from cbt_core.domain.assignment.tasks import Demand, PlannedTask
from cbt_core.domain.study import Kind, Panel


def demand(items: int, raters: int, systems: int = 2, **changes: object) -> Demand:
    """Return a study in which every system answered every item; system 0 is the baseline."""
    plain = Demand(
        items={item: tuple(range(systems)) for item in range(1, items + 1)},
        raters=tuple(range(1, raters + 1)),
        panel=Panel.PAIRS,
        baseline=0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def mains(tasks: Iterable[PlannedTask]) -> list[PlannedTask]:
    """Return the main tasks."""
    return [task for task in tasks if task.kind is Kind.MAIN]


def sequence(tasks: Iterable[PlannedTask], rater: int) -> list[PlannedTask]:
    """Return all tasks of a rater in order."""
    return sorted((t for t in tasks if t.rater == rater), key=lambda t: t.position)


def loads(tasks: Iterable[PlannedTask]) -> Counter[int]:
    """Count main tasks per rater."""
    return Counter(task.rater for task in mains(tasks))


def raters_of_panels(tasks: Iterable[PlannedTask]) -> dict[tuple[int, tuple[int, ...]], list[int]]:
    """Return who rates each panel of each item."""
    found: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for task in mains(tasks):
        found[task.item, task.panel].append(task.rater)
    return found


def pair_counts(tasks: Iterable[PlannedTask], raters: Iterable[int]) -> Counter[frozenset[int]]:
    """Count the panels that each two raters share."""
    counts = Counter({frozenset(pair): 0 for pair in combinations(raters, 2)})
    for members in raters_of_panels(tasks).values():
        counts.update(frozenset(pair) for pair in combinations(members, 2))
    return counts


def spread(counts: Counter[int] | Counter[frozenset[int]]) -> int:
    """Return the difference between the most and the least."""
    return max(counts.values()) - min(counts.values())


def slot_counts(tasks: Iterable[PlannedTask]) -> Counter[tuple[int, int, int]]:
    """Count (system, panel size, slot)."""
    return Counter(
        (system, len(task.slots), slot) for task in tasks for slot, system in enumerate(task.slots)
    )


def largest_slot_gap(tasks: list[PlannedTask]) -> int:
    """Return the largest difference between two slots of one system among panels of one size."""
    counts = slot_counts(tasks)
    return max(
        abs(counts[system, size, slot] - counts[system, size, other])
        for system, size, _ in counts
        for slot in range(size)
        for other in range(size)
    )


def largest_half_gap(tasks: list[PlannedTask]) -> int:
    """Return the largest difference between the halves per system and slot (first half: n // 2)."""
    half = len(tasks) // 2
    first, second = slot_counts(tasks[:half]), slot_counts(tasks[half:])
    return max(abs(first[key] - second[key]) for key in first | second)


def opened_up_to(tasks: Iterable[PlannedTask], share: float) -> list[PlannedTask]:
    """Return the tasks with the first share of every rater's sequence opened."""
    tasks = list(tasks)
    length = Counter(task.rater for task in tasks)
    return [replace(t, opened=t.position <= share * length[t.rater]) for t in tasks]
