"""The order and the sides of one rater's main tasks.

Items come in an order of the rater's own, panels spread over it. Over the whole each system stands
in its slots equally often (at most one apart), and in each slot equally often in both halves. The
first half of n tasks is the first n // 2; when n is odd the other cut is kept even where possible.
Tasks given before stay as they are: the new ones follow and even out what they can.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from cbt_core.domain.assignment.halves import Row, Standing, rows_of, split
from cbt_core.domain.assignment.mending import HARD, mend, row_faults, tally_of
from cbt_core.domain.assignment.sides import Counts, Placed, Tally, walk
from cbt_core.domain.assignment.tasks import Systems

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
