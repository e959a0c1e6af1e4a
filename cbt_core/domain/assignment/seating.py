"""Who rates which panel: a greedy choice that keeps load flat first, co-rating pairs second."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, permutations
from random import Random

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
