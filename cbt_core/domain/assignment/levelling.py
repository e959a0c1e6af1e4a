"""Flat load where raters are not free to take every item: seats move along chains of raters."""

from collections import deque

from cbt_core.domain.assignment.seating import Block, Seating

_FLAT = 1


def level(seating: Seating) -> None:
    """Move seats of this plan from the most to the least loaded until no chain helps.

    A chain u → v → w moves one seat from u to v and another from v to w: u loses one, w gains one.
    """
    if max(seating.load) - min(seating.load) <= _FLAT:
        return
    seats: list[list[Block]] = [[] for _ in seating.load]
    for block in seating.blocks:
        for rater in block.newcomers():
            seats[rater].append(block)
    while _move_one(seating, seats):
        continue


def _move_one(seating: Seating, seats: list[list[Block]]) -> bool:
    load = seating.load
    lowest = min(load)
    for donor in sorted(range(len(load)), key=load.__getitem__, reverse=True):
        if load[donor] <= lowest + _FLAT:
            return False
        chain = _chain(seating, seats, donor)
        if chain:
            for giver, taker, block in chain:
                seating.leave(block, giver)
                seating.sit(block, taker)
                seats[giver].remove(block)
                seats[taker].append(block)
            return True
    return False


def _chain(seating: Seating, seats: list[list[Block]], donor: int) -> list[tuple[int, int, Block]]:
    """Find the shortest chain from a rater to one with at least two tasks fewer, else nothing.

    Each taker has not met the item they take, so nobody is asked to take an item twice.
    """
    came: dict[int, tuple[int, Block]] = {}
    queue = deque([donor])
    while queue:
        giver = queue.popleft()
        for taker, block in _takers(seating, seats[giver], {donor, *came}):
            came[taker] = (giver, block)
            if seating.load[taker] <= seating.load[donor] - 1 - _FLAT:
                return _walk_back(came, donor, taker)
            queue.append(taker)
    return []


def _takers(seating: Seating, blocks: list[Block], reached: set[int]) -> list[tuple[int, Block]]:
    left = set(range(len(seating.load))) - reached
    found: list[tuple[int, Block]] = []
    for block in blocks:
        if not left:
            break
        able = left - seating.met[block.item]
        found.extend((taker, block) for taker in sorted(able))
        left -= able
    return found


def _walk_back(
    came: dict[int, tuple[int, Block]], donor: int, taker: int
) -> list[tuple[int, int, Block]]:
    chain = []
    while taker != donor:
        giver, block = came[taker]
        chain.append((giver, taker, block))
        taker = giver
    return chain
