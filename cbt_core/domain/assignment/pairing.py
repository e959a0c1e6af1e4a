"""Even co-rating: two raters swap seats of this plan until all pairs meet about equally often.

A swap keeps every load. It is made when it lowers the sum of squared pair counts, which is least
when all pairs are equal; while the bound is broken also when it keeps the sum, to leave a dead end.
"""

from itertools import combinations
from random import Random
from typing import Final

from cbt_core.domain.assignment.seating import Block, Seating

PAIR_BOUND: Final = 2
_EVEN: Final = 1
_COIN: Final = 0.5
_EFFORT: Final = 12_000
_PAIRS_A_ROUND: Final = 120
_DRAWS_A_PAIR: Final = 24
_SEARCH: Final = 40


class _Seats:
    """Which seats of this plan each rater has; stale entries are passed over when drawn."""

    def __init__(self, seating: Seating) -> None:
        self.of: list[list[Block]] = [[] for _ in seating.load]
        self.by_item: dict[int, list[Block]] = {}
        for block in seating.blocks:
            self.by_item.setdefault(block.item, []).append(block)
            for rater in block.newcomers():
                self.of[rater].append(block)

    def draw(self, rater: int, rng: Random) -> Block | None:
        """Return one seat of a rater at random, or none when the draw was stale."""
        held = self.of[rater]
        if not held:
            return None
        block = held[int(rng.random() * len(held))]
        return block if rater in block.newcomers() else None

    def within(self, item: int, rater: int) -> Block | None:
        """Return the rater's seat in an item when this plan gave it."""
        for block in self.by_item[item]:
            if rater in block.newcomers():
                return block
        return None


def even_pairs(seating: Seating, rng: Random) -> None:
    """Swap seats until the pair counts differ by at most one, or nothing helps any more."""
    if len(seating.load) <= 2 or not seating.blocks:
        return
    seats = _Seats(seating)
    effort = 0
    while effort < _EFFORT:
        crowded = _crowded(seating, rng)
        effort += len(crowded)
        allowed = 0 if pair_range(seating) > PAIR_BOUND else -1
        moved = [_relieve(seating, seats, (*pair, allowed), rng) for pair in crowded]
        if not any(moved):
            return


def pair_range(seating: Seating) -> int:
    """Return how far apart the most and the least co-rating pair are, in panels."""
    counts = [seating.pair[a][b] for a, b in combinations(range(len(seating.load)), 2)]
    return max(counts, default=0) - min(counts, default=0)


def _crowded(seating: Seating, rng: Random) -> list[tuple[int, int]]:
    """Return the pairs that met at least two times more often than the least met one."""
    counts = {(a, b): seating.pair[a][b] for a, b in combinations(range(len(seating.load)), 2)}
    lowest = min(counts.values())
    found = [pair for pair, count in counts.items() if count > lowest + _EVEN]
    rng.shuffle(found)
    found.sort(key=counts.__getitem__, reverse=True)
    return found[:_PAIRS_A_ROUND]


def _relieve(seating: Seating, seats: _Seats, wish: tuple[int, int, int], rng: Random) -> bool:
    """Try to part a pair once, by giving one of them another seat at no more than a cost."""
    stay, leave, allowed = wish
    if rng.random() < _COIN:
        stay, leave = leave, stay
    row = seating.pair[stay]
    others = [rater for rater in range(len(row)) if rater != stay and row[rater] < row[leave]]
    if not others:
        return False
    for _ in range(_DRAWS_A_PAIR):
        block = _shared(seats, stay, leave, rng)
        if block is None:
            return False
        come = min(rng.sample(others, min(2, len(others))), key=row.__getitem__)
        other = _exchange(seating, seats, (block, leave, come), rng)
        if other is not None and _gain(seating, (block, leave), (other, come)) <= allowed:
            _swap(seating, seats, (block, leave), (other, come))
            return True
    return False


def _shared(seats: _Seats, stay: int, leave: int, rng: Random) -> Block | None:
    """Draw a panel that both rate and that this plan gave to the one who is to leave it."""
    for _ in range(_SEARCH):
        block = seats.draw(leave, rng)
        if block is not None and stay in block.members:
            return block
    return None


def _exchange(
    seating: Seating, seats: _Seats, wish: tuple[Block, int, int], rng: Random
) -> Block | None:
    """Find a seat of the one to come that the one to leave can take; same panel preferred."""
    block, leave, come = wish
    if come in block.members:
        return None
    if come in seating.met[block.item]:
        return seats.within(block.item, come)
    spare = None
    for _ in range(6):
        other = seats.draw(come, rng)
        if other is None or leave in seating.met[other.item]:
            continue
        if other.panel == block.panel:
            return other
        spare = other
    return spare


def _gain(seating: Seating, here: tuple[Block, int], there: tuple[Block, int]) -> int:
    """Return half the change of the sum of squared pair counts if the two raters swap seats."""
    (block, leave), (other, come) = here, there
    out, back = seating.pair[leave], seating.pair[come]
    stayers = [rater for rater in block.members if rater != leave]
    others = [rater for rater in other.members if rater != come]
    change = 0
    for rater in stayers:
        if rater not in others:
            change += back[rater] - out[rater] + 1
    for rater in others:
        if rater not in stayers:
            change += out[rater] - back[rater] + 1
    return change


def _swap(
    seating: Seating, seats: _Seats, here: tuple[Block, int], there: tuple[Block, int]
) -> None:
    (block, leave), (other, come) = here, there
    seating.leave(block, leave)
    seating.leave(other, come)
    seating.sit(block, come)
    seating.sit(other, leave)
    seats.of[come].append(block)
    seats.of[leave].append(other)
