"""How many tasks of each panel fall into the first half of a rater's sequence.

Every system must stand in both halves about equally often. With 2w tasks of a system in one half
and 2w + 2 in the other its sides can still be even in both; any other gap of two cannot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from cbt_core.domain.assignment.tasks import Systems

Row: TypeAlias = tuple[int, int]
"""A system and the number of slots of the panel it stands in: what sides are balanced for."""

_MOVES_TRIED: Final = 240
_STEPS: Final = 200


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
    for _ in range(_STEPS):
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
