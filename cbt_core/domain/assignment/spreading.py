"""Let every rater meet every panel about equally often: panels of an item trade their raters.

Two panels of one item exchange the raters this plan gave them. Loads stay as they are; pairs too
where both panels are new, and elsewhere an exchange is made only if they get no less even.
"""

from itertools import combinations, groupby
from random import Random
from typing import Final

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
    for turn, group in enumerate(groups):
        if turn % _LOOK_AFTER == 0 and _even(seating):
            return False
        for one, other in combinations(group, 2):
            if _helps(seating, one, other):
                _trade(seating, one, other)
                changed = True
    return changed


def _even(seating: Seating) -> bool:
    panels = {block.panel for block in seating.blocks}
    return all(
        max(met.get(panel, 0) for panel in panels) - min(met.get(panel, 0) for panel in panels)
        <= _EVEN
        for met in seating.strata
    )


def _helps(seating: Seating, one: Block, other: Block) -> bool:
    """Tell whether a trade makes the panels more even and the pairs no less."""
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
    return gain < 0 and _pair_gain(seating, one, other) <= 0


def _pair_gain(seating: Seating, one: Block, other: Block) -> int:
    """Return half the change of the sum of squared pair counts; 0 when both panels are new."""
    gain = 0
    for here, there in ((one, other), (other, one)):
        stay, meet = here.members[: here.fixed], there.members[: there.fixed]
        for rater in here.newcomers():
            row = seating.pair[rater]
            gain += sum(row[mate] for mate in meet) - sum(row[mate] - 1 for mate in stay)
    return gain


def _trade(seating: Seating, one: Block, other: Block) -> None:
    there, back = one.newcomers(), other.newcomers()
    for block, raters in ((one, there), (other, back)):
        for rater in raters:
            seating.leave(block, rater)
    for block, raters in ((one, back), (other, there)):
        for rater in raters:
            seating.sit(block, rater)
