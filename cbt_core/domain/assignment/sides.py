"""Which system stands in which slot, task after task, for one rater.

Sides are drawn so that after every task each system has stood in its slots about equally often:
the next slot is one it has used least in this sequence. Where several are free, chance decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations
from random import Random
from typing import Final, TypeAlias

from cbt_core.domain.assignment.halves import Row, rows_of
from cbt_core.domain.assignment.tasks import Systems

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
