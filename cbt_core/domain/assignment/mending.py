"""Even out the last sides that drawing task after task left uneven, by small random changes.

Two systems of a task change slots, or two tasks change places, whenever the sequence gets no worse
by it. Needed for panels of several sizes, and for tasks that follow others given long before.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from cbt_core.domain.assignment.halves import Row
from cbt_core.domain.assignment.sides import Counts, Placed, Tally

HARD: Final = 10
"""What a step beyond a bound weighs; the cut with the middle task in the first half weighs 1."""

SLOTS: Final = 5 * HARD
"""Slots of the whole sequence come first: they are even wherever that can be."""

_STEPS: Final = 3000
_COIN: Final = 0.5


def row_faults(used: Sequence[int], firsts: Sequence[tuple[Sequence[int] | None, int]]) -> int:
    """Measure one row: slots more than one apart, and halves more than one apart, per cut."""
    fault = SLOTS * max(0, max(used) - min(used) - 1)
    for first, weight in firsts:
        for slot, count in enumerate(used):
            gap = abs(2 * first[slot] - count) if first else count
            if gap > 1:
                fault += weight * (gap - 1)
    return fault


def tally_of(sequence: Sequence[Placed]) -> Tally:
    """Count the sides of a sequence."""
    tally = Tally({})
    for panel, slots in sequence:
        tally.add(panel, slots)
    return tally


def mend(sequence: list[Placed], fixed: int, rng: Random) -> list[Placed]:
    """Return the sequence with fewer faults; its first `fixed` tasks stay as they are."""
    work = _Work(sequence, fixed)
    for _ in range(_STEPS):
        row = work.worst(rng)
        if row is None:
            break
        work.turn(row, rng) if rng.random() < _COIN else work.exchange(row, rng)
    return work.sequence


class _Work:
    """A sequence with the counts that its faults are measured by, kept up to date."""

    def __init__(self, sequence: list[Placed], fixed: int) -> None:
        self.sequence = list(sequence)
        self.fixed = fixed
        half = len(sequence) // 2
        self.cuts = [(half, HARD)] + ([(half + 1, 1)] if len(sequence) % 2 else [])
        self.after: Counts = tally_of(sequence).counts
        self.before: list[Counts] = [tally_of(sequence[:cut]).counts for cut, _ in self.cuts]
        self.places: dict[Row, list[int]] = {}
        for place, (panel, _) in enumerate(sequence[fixed:], fixed):
            for system in panel:
                self.places.setdefault((system, len(panel)), []).append(place)
        self.faulty = {row for row in self.after if self.fault(row) >= HARD}

    def fault(self, row: Row) -> int:
        """Measure one row."""
        weights = (weight for _, weight in self.cuts)
        firsts = [
            (before.get(row), weight) for before, weight in zip(self.before, weights, strict=True)
        ]
        return row_faults(self.after[row], firsts)

    def worst(self, rng: Random) -> Row | None:
        """Return a row beyond a bound that new tasks can still change, or none."""
        rows = sorted(row for row in self.faulty if row in self.places)
        return rng.choice(rows) if rows else None

    def count(self, place: int, step: int) -> None:
        """Add or take away the task at a place."""
        panel, slots = self.sequence[place]
        size = len(panel)
        tables = [self.after]
        tables += [
            before for before, (cut, _) in zip(self.before, self.cuts, strict=True) if place < cut
        ]
        for table in tables:
            for slot, system in enumerate(slots):
                table.setdefault((system, size), [0] * size)[slot] += step

    def put(self, changes: dict[int, Placed]) -> None:
        """Put other tasks at places unless faults grow."""
        old = {place: self.sequence[place] for place in changes}
        tasks = (*old.values(), *changes.values())
        rows = {(system, len(panel)) for panel, _ in tasks for system in panel}
        was = sum(self.fault(row) for row in rows)
        self._write(changes)
        if sum(self.fault(row) for row in rows) > was:
            self._write(old)
            return
        for row in rows:
            (self.faulty.add if self.fault(row) >= HARD else self.faulty.discard)(row)
        self._move_places(old, changes)

    def _write(self, changes: dict[int, Placed]) -> None:
        for place, task in changes.items():
            self.count(place, -1)
            self.sequence[place] = task
            self.count(place, 1)

    def _move_places(self, old: dict[int, Placed], new: dict[int, Placed]) -> None:
        for place, (panel, _) in old.items():
            if new[place][0] == panel:
                continue
            for system in panel:
                self.places[(system, len(panel))].remove(place)
            for system in new[place][0]:
                self.places[(system, len(new[place][0]))].append(place)

    def turn(self, row: Row, rng: Random) -> None:
        """Let a system of a faulty row change slots with another one of the same task."""
        place = rng.choice(self.places[row])
        panel, slots = self.sequence[place]
        if len(panel) == 1:
            return
        mine = slots.index(row[0])
        other = rng.choice([slot for slot in range(len(slots)) if slot != mine])
        turned = list(slots)
        turned[mine], turned[other] = turned[other], turned[mine]
        self.put({place: (panel, tuple(turned))})

    def exchange(self, row: Row, rng: Random) -> None:
        """Let a task of a faulty row change places with another new task."""
        place = rng.choice(self.places[row])
        other = rng.randrange(self.fixed, len(self.sequence))
        if other != place:
            self.put({place: self.sequence[other], other: self.sequence[place]})
