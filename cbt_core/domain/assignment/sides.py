"""The order of one rater's main tasks, and which system stands in which slot of each.

Drawn task after task, the last uneven sides evened out by small random changes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations
from random import Random
from typing import Final, TypeAlias

from cbt_core.domain.assignment.tasks import Systems

Row: TypeAlias = tuple[int, int]
"""A system and the number of slots of the panel it stands in: what sides are balanced for."""

_MOVES_TRIED: Final = 240
_HALF_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """Tasks of a rater given before, per row: `first` in the first half of the whole, `total`."""

    first: Mapping[Row, int]
    total: Mapping[Row, int]


def rows_of(panel: Systems) -> list[Row]:
    """Return the rows that a panel counts for."""
    return [(system, len(panel)) for system in panel]


def split(
    counts: Mapping[Systems, int], room: int, standing: Standing, rng: Random
) -> dict[Systems, int]:
    """Return how many new tasks of each panel go into the `room` left in the first half."""
    total = dict(standing.total)
    for panel, count in counts.items():
        for row in rows_of(panel):
            total[row] = total.get(row, 0) + count
    first = _proportional(counts, room, rng)
    placed = dict(standing.first)
    for panel, count in first.items():
        for row in rows_of(panel):
            placed[row] = placed.get(row, 0) + count
    panels = list(counts)
    for _ in range(_HALF_STEPS):
        if not _improve(counts, first, (placed, total), _moves(panels, rng)):
            break
    return first


def _proportional(counts: Mapping[Systems, int], room: int, rng: Random) -> dict[Systems, int]:
    everything = sum(counts.values())
    first = {panel: count * room // max(1, everything) for panel, count in counts.items()}
    rest = sorted(
        counts, key=lambda panel: (first[panel] - counts[panel] * room / everything, rng.random())
    )
    for panel in rest[: room - sum(first.values())]:
        first[panel] += 1
    return first


def _moves(panels: list[Systems], rng: Random) -> Iterable[tuple[Systems, Systems]]:
    if len(panels) ** 2 <= _MOVES_TRIED:
        return [(a, b) for a in panels for b in panels if a != b]
    return [(rng.choice(panels), rng.choice(panels)) for _ in range(_MOVES_TRIED)]


def _improve(
    counts: Mapping[Systems, int],
    first: dict[Systems, int],
    standing: tuple[dict[Row, int], dict[Row, int]],
    moves: Iterable[tuple[Systems, Systems]],
) -> bool:
    """Make the best move of one task in and one task out of the first half, if any helps."""
    placed, total = standing
    best, chosen = 0, None
    for out, back in moves:
        if out == back or first[out] == 0 or first[back] == counts[back]:
            continue
        gain = _change(placed, total, out, back)
        if gain < best:
            best, chosen = gain, (out, back)
    if chosen is None:
        return False
    for panel, step in zip(chosen, (-1, 1), strict=True):
        first[panel] += step
        for row in rows_of(panel):
            placed[row] += step
    return True


def _change(
    placed: Mapping[Row, int], total: Mapping[Row, int], out: Systems, back: Systems
) -> int:
    steps: dict[Row, int] = {}
    for panel, step in ((out, -1), (back, 1)):
        for row in rows_of(panel):
            steps[row] = steps.get(row, 0) + step
    return sum(
        _cost(row, placed[row] + step, total[row]) - _cost(row, placed[row], total[row])
        for row, step in steps.items()
        if step
    )


def _cost(row: Row, first: int, total: int) -> int:
    """Return how far a row is from even halves: the square of the gap, or 1 for a harmless two."""
    gap = 2 * first - total
    if row[1] == 2 and abs(gap) == 2:
        return 1 if first % 2 == 0 else 6
    return gap * gap


Counts: TypeAlias = dict[Row, list[int]]
"""How often a system stood in slot A, B, … of panels of a size."""

Placed: TypeAlias = tuple[Systems, Systems]
"""A panel and the order drawn for its slots."""

_WINDOW: Final = 8
_UNEVEN: Final = 100


@cache
def orders(size: int) -> tuple[tuple[int, ...], ...]:
    """Return every way to give `size` systems their slots: order[i] is the slot of system i."""
    return tuple(permutations(range(size)))


@dataclass(slots=True)
class Tally:
    """The sides of a rater so far.

    `finish` holds, per row, what it costs (-1, 0, 1 per split looked at) when a slot gets one of
    the system's last, uneven uses; `least` how often every slot of the row is used in any case.
    """

    counts: Counts
    least: dict[Row, int] = field(default_factory=dict)
    finish: dict[Row, list[int]] = field(default_factory=dict)

    def copy(self) -> "Tally":
        """Return a tally that can be changed without changing this one."""
        return Tally(
            {row: list(used) for row, used in self.counts.items()}, self.least, self.finish
        )

    def add(self, panel: Systems, slots: Systems) -> None:
        """Count one task."""
        size = len(slots)
        for slot, system in enumerate(slots):
            self.counts.setdefault((system, size), [0] * size)[slot] += 1


def walk(panels: Sequence[Systems], tally: Tally, rng: Random) -> list[Placed]:
    """Give every panel its slots, in about this order: a panel that fits badly waits a little."""
    if all(len(panel) == 1 for panel in panels):
        for panel in panels:
            tally.add(panel, panel)
        return [(panel, panel) for panel in panels]
    waiting: list[Systems] = []
    placed: list[Placed] = []
    for turn in range(len(panels)):
        waiting += panels[turn + len(waiting) : turn + _WINDOW]
        place, order = _choose(waiting, tally, rng)
        panel = waiting.pop(place)
        slots = _in_slots(panel, order)
        tally.add(panel, slots)
        placed.append((panel, slots))
    return placed


def _in_slots(panel: Systems, order: tuple[int, ...]) -> Systems:
    slots = [0] * len(panel)
    for system, slot in zip(panel, order, strict=True):
        slots[slot] = system
    return tuple(slots)


def _choose(waiting: list[Systems], tally: Tally, rng: Random) -> tuple[int, tuple[int, ...]]:
    """Return the place of the first waiting panel that fits, or of the one that fits best."""
    tried: set[Systems] = set()
    best_place, best_cost, best_order = 0, 0, None
    for place, panel in enumerate(waiting):
        if panel in tried:
            continue
        tried.add(panel)
        cost, order = _best_order(panel, tally, rng)
        if best_order is None or cost < best_cost:
            best_place, best_cost, best_order = place, cost, order
        if best_cost <= 0:
            break
    if best_order is None:  # pragma: no cover - a window is never empty
        raise ValueError
    return best_place, best_order


def _best_order(panel: Systems, tally: Tally, rng: Random) -> tuple[int, tuple[int, ...]]:
    size = len(panel)
    if size == 1:
        return 0, (0,)
    prices = [_prices(row, tally) for row in rows_of(panel)]
    best: list[tuple[int, ...]] = []
    lowest = 0
    for order in orders(size):
        cost = 0
        for price, slot in zip(prices, order, strict=True):
            cost += price[slot]
        if not best or cost < lowest:
            best, lowest = [order], cost
        elif cost == lowest:
            best.append(order)
    return lowest, best[int(rng.random() * len(best))] if len(best) > 1 else best[0]


def _prices(row: Row, tally: Tally) -> list[int]:
    """Price every slot of a row: uses beyond the least used one, then the end in view."""
    used = tally.counts.get(row)
    if used is None:
        return [0] * row[1]
    floor = min(used)
    prices = [(count - floor) * _UNEVEN for count in used]
    end = tally.finish.get(row)
    if end is not None and floor >= tally.least[row]:
        return [price + extra for price, extra in zip(prices, end, strict=True)]
    return prices


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
        own_slot = slots.index(row[0])
        other = rng.choice([slot for slot in range(len(slots)) if slot != own_slot])
        turned = list(slots)
        turned[own_slot], turned[other] = turned[other], turned[own_slot]
        self.put({place: (panel, tuple(turned))})

    def exchange(self, row: Row, rng: Random) -> None:
        """Let a task of a faulty row change places with another new task."""
        place = rng.choice(self.places[row])
        other = rng.randrange(self.fixed, len(self.sequence))
        if other != place:
            self.put({place: self.sequence[other], other: self.sequence[place]})


Wish: TypeAlias = tuple[int, Systems]
"""An item and its panel."""

_DRAWS: Final = 8
_MENDINGS: Final = 4
_TAILS: Final = 40
_LONG: Final = 400
"""Tasks from which drawing again costs more than mending, and the second cut is left alone."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """A main task with its slots drawn."""

    item: int
    panel: Systems
    slots: Systems


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one rater's sequence is built from; `half` is n // 2 of the whole sequence."""

    given: tuple[Placed, ...]
    counts: Mapping[Systems, int]
    totals: Mapping[Row, int]
    half: int
    whole: int


def arrange(wishes: Sequence[Wish], given: Sequence[Placed], rng: Random) -> list[Arranged]:
    """Return the new tasks in order, with slots; `given` are the rater's main tasks so far."""
    if not wishes:
        return []
    items: dict[Systems, list[int]] = {}
    for item, panel in wishes:
        items.setdefault(panel, []).append(item)
    for held in items.values():
        rng.shuffle(held)
    plan = _plan({panel: len(held) for panel, held in items.items()}, given)
    best, lowest = _drawn(plan, rng)
    for _ in range(_MENDINGS):
        if lowest < HARD:
            break
        mended = mend([*given, *best], len(given), rng)
        if (fault := faults(mended)) < lowest:
            best, lowest = mended[len(given) :], fault
        if lowest >= HARD and plan.whole <= _LONG:
            again, fault = _drawn(plan, rng)
            best, lowest = (again, fault) if fault < lowest else (best, lowest)
    return [Arranged(items[panel].pop(), panel, slots) for panel, slots in best]


def _drawn(plan: _Plan, rng: Random) -> tuple[list[Placed], int]:
    """Draw the new part until it is even or drawing no longer pays; return it and its faults."""
    best: list[Placed] = []
    lowest = -1
    enough, draws = (0, _DRAWS) if plan.whole <= _LONG else (HARD - 1, 2)
    for _ in range(draws):
        fault, drawn = _draw(plan, rng)
        if lowest < 0 or fault < lowest:
            best, lowest = drawn, fault
        if lowest <= enough:
            break
    return best, lowest


def faults(sequence: Sequence[Placed]) -> int:
    """Measure how uneven a sequence is: 0 when all bounds hold, else 10 or more.

    Below 10 only the cut that leaves the middle task of an odd number in the first half is uneven.
    """
    half = len(sequence) // 2
    after = tally_of(sequence).counts
    cuts = [(tally_of(sequence[:half]).counts, HARD)]
    if len(sequence) % 2:
        cuts.append((tally_of(sequence[: half + 1]).counts, 1))
    return _faults(after, cuts)


def _faults(after: Counts, cuts: Sequence[tuple[Counts, int]]) -> int:
    return sum(
        row_faults(used, [(before.get(row), weight) for before, weight in cuts])
        for row, used in after.items()
    )


def _plan(counts: Mapping[Systems, int], given: Sequence[Placed]) -> _Plan:
    whole = len(given) + sum(counts.values())
    totals = {row: sum(used) for row, used in tally_of(given).counts.items()}
    for panel, count in counts.items():
        for row in rows_of(panel):
            totals[row] = totals.get(row, 0) + count
    return _Plan(tuple(given), counts, totals, whole // 2, whole)


def _draw(plan: _Plan, rng: Random) -> tuple[int, list[Placed]]:
    """Draw the new part once: up to the cut, the middle task of an odd number, the rest.

    Returns the faults of the whole sequence, as `faults` counts them, and the new part.
    """
    early, late = _two_parts(plan, rng)
    tally = tally_of(plan.given)
    tally.least = {row: total // row[1] for row, total in plan.totals.items()}
    _, drawn = _part(early, tally, lambda now: _dead_ends(now.counts, plan.totals), rng)
    cuts: list[tuple[Counts, int]] = [(_counts_at(plan, drawn, plan.half), HARD)]
    tally.finish = _ends(plan.totals, cuts)
    middle = plan.half + 1
    if plan.whole % 2:
        if len(plan.given) + len(drawn) < middle:
            drawn += walk(late[:1], tally, rng)
            late = late[1:]
        cuts.append((_counts_at(plan, drawn, middle), 1))
        tally.finish = _ends(plan.totals, cuts)
    fault, rest = _part(late, tally, lambda now: _faults(now.counts, cuts), rng)
    return fault, drawn + rest


def _two_parts(plan: _Plan, rng: Random) -> tuple[list[Systems], list[Systems]]:
    room = max(0, plan.half - len(plan.given))
    first = dict.fromkeys(plan.counts, 0)
    if room:
        before = {row: sum(used) for row, used in tally_of(plan.given).counts.items()}
        first = split(plan.counts, room, Standing(before, before), rng)
    rest = {panel: count - first[panel] for panel, count in plan.counts.items()}
    return _spread(first, rng), _spread(rest, rng)


def _spread(counts: Mapping[Systems, int], rng: Random) -> list[Systems]:
    """Order panels so that each is spread evenly over the part, at places left to chance."""
    times = [
        ((turn + rng.random()) / count, panel)
        for panel, count in counts.items()
        for turn in range(count)
    ]
    times.sort()
    return [panel for _, panel in times]


def _part(
    panels: list[Systems], tally: Tally, goal: Callable[[Tally], int], rng: Random
) -> tuple[int, list[Placed]]:
    """Draw one part, and its tail again and again until the goal is 0. Changes the tally."""
    reach = min(len(panels), 16 + 4 * len(set(panels[-200:])))
    start = len(panels) - reach
    drawn = walk(panels[:start], tally, rng)
    tail = panels[start:]
    best: tuple[int, list[Placed], Tally] | None = None
    for _ in range(_TAILS):
        trial = tally.copy()
        placed = walk(tail, trial, rng)
        fault = goal(trial)
        if best is None or fault < best[0]:
            best = (fault, placed, trial)
        if best[0] == 0:
            break
        tail = list(tail)
        rng.shuffle(tail)
    if best is None:  # pragma: no cover - at least one tail is drawn
        raise ValueError
    tally.counts = best[2].counts
    return best[0], drawn + best[1]


def _counts_at(plan: _Plan, drawn: Sequence[Placed], cut: int) -> Counts:
    return tally_of([*plan.given, *drawn][:cut]).counts


def _ends(totals: Mapping[Row, int], cuts: Sequence[tuple[Counts, int]]) -> dict[Row, list[int]]:
    """Price each slot's last, uneven use: what it adds to the gap between the halves."""
    ends: dict[Row, list[int]] = {}
    for (system, size), total in totals.items():
        least = total // size
        prices = [0] * size
        for before, weight in cuts:
            first = before.get((system, size), [0] * size)
            for slot in range(size):
                gap = 2 * first[slot] - least
                extra = max(0, abs(gap - 1) - 1) - max(0, abs(gap) - 1)
                prices[slot] += weight * extra
        ends[(system, size)] = prices
    return ends


def _dead_ends(counts: Counts, totals: Mapping[Row, int]) -> int:
    """Count the rows whose sides at the cut leave no even ending."""
    return sum(
        not _can_end(counts.get(row, [0] * row[1]), total // row[1], total % row[1])
        for row, total in totals.items()
    )


def _can_end(first: Sequence[int], least: int, extra: int) -> bool:
    """Tell whether final uses `least` or `least` + 1 (in `extra` slots) keep the halves even."""
    must = may = 0
    for count in first:
        without, with_one = abs(2 * count - least) <= 1, abs(2 * count - least - 1) <= 1
        if not (without or with_one):
            return False
        must += not without
        may += with_one
    return must <= extra <= may
