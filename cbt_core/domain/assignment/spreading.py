"""Let every rater meet every panel about equally often: panels of an item trade their raters.

Two panels of one item exchange the raters this plan gave them. Loads stay as they are, pairs too
where both panels are new; elsewhere they stay within the bound, or where they were beyond it.
"""

from itertools import combinations, groupby
from random import Random
from typing import Final

from cbt_core.domain.assignment.pairing import PAIR_BOUND
from cbt_core.domain.assignment.seating import Block, Seating

_SWEEPS: Final = 6
_LOOK_AFTER: Final = 400
_EVEN: Final = 1


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
        for one, other in combinations(group, 2):
            if _helps(seating, one, other) and _keeps_pairs(seating, one, other, bounds):
                _trade(seating, one, other)
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


def _helps(seating: Seating, one: Block, other: Block) -> bool:
    """Tell whether a trade lets the raters meet the panels more evenly."""
    there, back = one.newcomers(), other.newcomers()
    if len(there) != len(back):
        return False
    gain = len(there) + len(back)
    for rater in there:
        met = seating.strata[rater]
        gain += met.get(other.panel, 0) - met.get(one.panel, 0)
    for rater in back:
        met = seating.strata[rater]
        gain += met.get(one.panel, 0) - met.get(other.panel, 0)
    return gain < 0


def _keeps_pairs(seating: Seating, one: Block, other: Block, bounds: tuple[int, int]) -> bool:
    """Tell whether all pair counts stay within bounds; between new panels none changes."""
    low, high = bounds
    for here, there in ((one, other), (other, one)):
        stay, meet = here.members[: here.fixed], there.members[: there.fixed]
        for rater in here.newcomers():
            row = seating.pair[rater]
            if any(row[mate] <= low for mate in stay) or any(row[mate] >= high for mate in meet):
                return False
    return True


def _trade(seating: Seating, one: Block, other: Block) -> None:
    there, back = one.newcomers(), other.newcomers()
    for block, raters in ((one, there), (other, back)):
        for rater in raters:
            seating.leave(block, rater)
    for block, raters in ((one, back), (other, there)):
        for rater in raters:
            seating.sit(block, rater)
