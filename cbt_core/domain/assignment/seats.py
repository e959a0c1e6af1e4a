"""Who rates which panel: a greedy choice that keeps load flat first, co-rating pairs second.

Then panels of an item trade their raters, seats move along chains of raters, and two raters swap
seats, until load, panels and pairs are about even.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby, permutations
from random import Random
from typing import Final

from cbt_core.domain.assignment.tasks import PlannedTask, Systems
from cbt_core.domain.study import Kind
from cbt_core.errors import StudyError

_TRY_ALL_ORDERS = 3


@dataclass(slots=True)
class Block:
    """A panel of an item with its raters; the first `fixed` of them had it before this plan."""

    item: int
    panel: Systems
    members: list[int]
    fixed: int
    missing: int

    def newcomers(self) -> list[int]:
        """Return the raters that this plan gave the panel to."""
        return self.members[self.fixed :]


@dataclass(slots=True)
class Seating:
    """The working state of a plan. Raters are counted 0 … R-1 in the order of the demand.

    `load` counts main tasks, `pair` panels rated by both, `strata` main tasks per panel.
    """

    load: list[int]
    pair: list[list[int]]
    strata: list[dict[Systems, int]]
    met: dict[int, set[int]]
    blocks: list[Block] = field(default_factory=list)

    def sit(self, block: Block, rater: int) -> None:
        """Give a panel to a rater."""
        row = self.pair[rater]
        for other in block.members:
            row[other] += 1
            self.pair[other][rater] += 1
        block.members.append(rater)
        self.load[rater] += 1
        self.met.setdefault(block.item, set()).add(rater)
        self.strata[rater][block.panel] = self.strata[rater].get(block.panel, 0) + 1

    def leave(self, block: Block, rater: int) -> None:
        """Take a panel that this plan gave to a rater away again."""
        block.members.remove(rater)
        row = self.pair[rater]
        for other in block.members:
            row[other] -= 1
            self.pair[other][rater] -= 1
        self.load[rater] -= 1
        self.met[block.item].discard(rater)
        self.strata[rater][block.panel] -= 1


def seat_given(raters: Sequence[int], given: Iterable[PlannedTask]) -> Seating:
    """Return the state that the tasks given before leave behind (main tasks of these raters)."""
    index = {rater: place for place, rater in enumerate(raters)}
    size = len(raters)
    seating = Seating(
        load=[0] * size,
        pair=[[0] * size for _ in range(size)],
        strata=[{} for _ in range(size)],
        met={},
    )
    held: dict[tuple[int, Systems], Block] = {}
    for task in given:
        if task.kind is not Kind.MAIN or task.rater not in index:
            continue
        key = (task.item, task.panel)
        block = held.setdefault(key, Block(task.item, task.panel, [], 0, 0))
        seating.sit(block, index[task.rater])
    return seating


def add_blocks(
    seating: Seating,
    missing: Mapping[tuple[int, Systems], int],
    members: Mapping[tuple[int, Systems], list[int]],
) -> None:
    """Add the panels that still lack raters; `members` are the raters who have them already."""
    for (item, panel), count in missing.items():
        present = list(members.get((item, panel), ()))
        seating.blocks.append(Block(item, panel, present, len(present), count))


def fill(seating: Seating, rng: Random) -> None:
    """Give every missing seat to a rater who has not met the item: tightest items first.

    Raises:
        StudyError: an item needs more raters than have not met it (`assignment.too_few_raters`).
    """
    size = len(seating.load)
    groups = [list(group) for _, group in groupby(seating.blocks, key=lambda b: b.item)]
    slack = {
        group[0].item: size
        - len(seating.met.get(group[0].item, ()))
        - sum(block.missing for block in group)
        for group in groups
    }
    worst = min(slack.values(), default=0)
    if worst < 0:
        raise StudyError("assignment.too_few_raters", needed=size - worst, raters=size)
    rng.shuffle(groups)
    groups.sort(key=lambda group: slack[group[0].item])
    for group in groups:
        _fill_item(seating, group, rng)


def _fill_item(seating: Seating, group: list[Block], rng: Random) -> None:
    met = seating.met.get(group[0].item, ())
    free = [rater for rater in range(len(seating.load)) if rater not in met]
    rng.shuffle(free)
    free.sort(key=seating.load.__getitem__)
    if len(group) == 1:
        _fill_one(seating, group[0], free)
        return
    need = sum(block.missing for block in group)
    chosen = _partition(seating, group, free[:need], rng)
    for block, newcomers in zip(group, chosen, strict=True):
        for rater in newcomers:
            seating.sit(block, rater)
        block.missing = 0


def _fill_one(seating: Seating, block: Block, free: list[int]) -> None:
    """Take all below the load of the last one needed, then whoever met the others least."""
    load = seating.load
    cut = load[free[block.missing - 1]]
    must = [rater for rater in free if load[rater] < cut]
    may = [rater for rater in free if load[rater] == cut]
    wanted = block.missing - len(must)
    for rater in must:
        seating.sit(block, rater)
    for _ in range(wanted):
        best = _least_met(seating, block.members, may)
        may.remove(best)
        seating.sit(block, best)
    block.missing = 0


def _least_met(seating: Seating, members: Sequence[int], candidates: list[int]) -> int:
    if not members:
        return candidates[0]
    if len(members) == 1:
        return min(candidates, key=seating.pair[members[0]].__getitem__)
    rows = [seating.pair[member] for member in members]
    sums = [sum(column) for column in zip(*rows, strict=True)]
    return min(candidates, key=sums.__getitem__)


def _partition(
    seating: Seating, group: list[Block], pool: list[int], rng: Random
) -> list[list[int]]:
    """Share the raters of one item out to its panels, in turn, each taking whom it met least."""
    tables = [list(block.members) for block in group]
    wanted = [block.missing for block in group]
    turns = list(range(len(group)))
    rng.shuffle(turns)
    while pool:
        for turn in turns:
            if wanted[turn]:
                best = _least_met(seating, tables[turn], pool)
                pool.remove(best)
                tables[turn].append(best)
                wanted[turn] -= 1
    chosen = [table[block.fixed :] for table, block in zip(tables, group, strict=True)]
    if any(block.fixed for block in group) or len({block.missing for block in group}) > 1:
        return chosen
    return _spread_panels(seating, group, chosen, turns)


def _spread_panels(
    seating: Seating, group: list[Block], chosen: list[list[int]], turns: list[int]
) -> list[list[int]]:
    """Decide which group of raters gets which panel, so that each rater meets all panels alike."""
    costs = [
        [sum(seating.strata[rater].get(block.panel, 0) for rater in raters) for raters in chosen]
        for block in group
    ]
    places = range(len(group))
    if len(group) <= _TRY_ALL_ORDERS:
        best = min(
            permutations(places),
            key=lambda order: sum(costs[place][order[place]] for place in places),
        )
        return [chosen[place] for place in best]
    left = list(places)
    result: list[list[int]] = [[] for _ in places]
    for turn in turns:
        pick = min(left, key=costs[turn].__getitem__)
        left.remove(pick)
        result[turn] = chosen[pick]
    return result


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
    takers: list[tuple[int, Block]] = []
    for block in blocks:
        if not left:
            break
        able = left - seating.met[block.item]
        takers.extend((taker, block) for taker in sorted(able))
        left -= able
    return takers


def _walk_back(
    came: dict[int, tuple[int, Block]], donor: int, taker: int
) -> list[tuple[int, int, Block]]:
    chain = []
    while taker != donor:
        giver, block = came[taker]
        chain.append((giver, taker, block))
        taker = giver
    return chain


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
    pairs = [pair for pair, count in counts.items() if count > lowest + _EVEN]
    rng.shuffle(pairs)
    pairs.sort(key=counts.__getitem__, reverse=True)
    return pairs[:_PAIRS_A_ROUND]


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


_SWEEPS: Final = 6
_LOOK_AFTER: Final = 400


def even_panels(seating: Seating, rng: Random) -> None:
    """Exchange raters within items until each has met the panels of this plan evenly."""
    groups = [list(group) for _, group in groupby(seating.blocks, key=lambda b: b.item)]
    groups = [group for group in groups if len(group) > 1]
    rng.shuffle(groups)
    for _ in range(_SWEEPS):
        if not _sweep(seating, groups):
            return


def _sweep(seating: Seating, groups: list[list[Block]]) -> bool:
    """Go once through the items; tell whether another round may help."""
    changed = False
    bounds = _pair_bounds(seating)
    for turn, group in enumerate(groups):
        if turn % _LOOK_AFTER == 0 and _even(seating):
            return False
        for block, other in combinations(group, 2):
            if _helps(seating, block, other) and _keeps_pairs(seating, block, other, bounds):
                _trade(seating, block, other)
                changed = True
    return changed


def _pair_bounds(seating: Seating) -> tuple[int, int]:
    counts = [seating.pair[a][b] for a, b in combinations(range(len(seating.load)), 2)]
    lowest = min(counts, default=0)
    return lowest, max(lowest + PAIR_BOUND, *counts, 0)


def _even(seating: Seating) -> bool:
    panels = {block.panel for block in seating.blocks}
    return all(
        max(met.get(panel, 0) for panel in panels) - min(met.get(panel, 0) for panel in panels)
        <= _EVEN
        for met in seating.strata
    )


def _helps(seating: Seating, block: Block, other: Block) -> bool:
    """Tell whether a trade lets the raters meet the panels more evenly."""
    there, back = block.newcomers(), other.newcomers()
    if len(there) != len(back):
        return False
    gain = len(there) + len(back)
    for rater in there:
        met = seating.strata[rater]
        gain += met.get(other.panel, 0) - met.get(block.panel, 0)
    for rater in back:
        met = seating.strata[rater]
        gain += met.get(block.panel, 0) - met.get(other.panel, 0)
    return gain < 0


def _keeps_pairs(seating: Seating, block: Block, other: Block, bounds: tuple[int, int]) -> bool:
    """Tell whether all pair counts stay within bounds; between new panels none changes."""
    low, high = bounds
    for here, there in ((block, other), (other, block)):
        stay, meet = here.members[: here.fixed], there.members[: there.fixed]
        for rater in here.newcomers():
            row = seating.pair[rater]
            if any(row[mate] <= low for mate in stay) or any(row[mate] >= high for mate in meet):
                return False
    return True


def _trade(seating: Seating, first_block: Block, other: Block) -> None:
    there, back = first_block.newcomers(), other.newcomers()
    for block, raters in ((first_block, there), (other, back)):
        for rater in raters:
            seating.leave(block, rater)
    for block, raters in ((first_block, back), (other, there)):
        for rater in raters:
            seating.sit(block, rater)
