"""Krippendorff's alpha over label sets, its distances MASI and Jaccard.

alpha = 1 - D_o / D_e. D_o: mean distance of the sets that two annotators gave to one item; D_e:
mean distance of any two sets of the pairable items. Source of the form: K. Krippendorff, Computing
Krippendorff's alpha-reliability (2011); with sets: R. Passonneau (LREC 2006).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.labels import similarity
from cbt_core.stats.labels.reasons import Reason
from cbt_core.stats.labels.sets import LabelSets
from cbt_core.stats.labels.similarity import Membership
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats, Integers

Similarity = Callable[[Floats, Floats, Floats], Floats]

MEASURES: Final[dict[str, Similarity]] = {
    "alpha_masi": similarity.masi, "alpha_jaccard": similarity.jaccard,
}  # fmt: skip
CELLS: Final = 4_000_000
"""Cells of the largest table of distances held at once (32 MB)."""


@dataclass(frozen=True, slots=True, eq=False)
class SetTable:
    """What alpha needs, item by item.

    `sets` (S, L): the distinct sets of pairable items; `counts` (S, I): how often each occurs in
    an item; `observed`: per measure (I,), the distances of an item's pairs, each ordered pair
    divided by the item's number of sets less one.
    """

    sets: Membership
    counts: csr_array
    observed: dict[str, Floats]

    @property
    def widest(self) -> int:
        """Return the longest axis that is multiplied with a block of replicates."""
        return len(self.sets)


def set_table(sets: LabelSets) -> SetTable:
    """Return the table of all items with at least two sets; the others have empty columns."""
    sizes = np.bincount(sets.item, minlength=len(sets.items))
    kept = sizes[sets.item] > 1
    item, given = sets.item[kept], sets.given[kept]
    packed = np.packbits(given, axis=1)
    _, first, code = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    shape = (len(first), len(sets.items))
    counts = csr_array((np.ones(len(item)), (code.ravel(), item)), shape=shape)
    return SetTable(given[first], counts, _observed(item, given, sizes.astype(np.float64)))


def alphas(table: SetTable, weights: Floats) -> dict[str, Floats]:
    """Return each alpha (b,) for item weights (I, b); nan where no disagreement is expected."""
    counts = np.asarray(table.counts @ weights)
    size = counts.sum(axis=0)
    found = {}
    for key, measure in MEASURES.items():
        observed = ratio(table.observed[key] @ weights, size)
        expected = ratio(_expected(table.sets, counts, measure), size * (size - 1))
        found[key] = 1 - ratio(observed, np.where(expected < ROUNDING, 0.0, expected))
    return found


ROUNDING: Final = 1e-12
"""An expected disagreement below this is rounding, not disagreement."""


def reason(table: SetTable) -> Reason:
    """Return why an alpha of the data as they are is undefined."""
    return Reason.ALL_EQUAL if len(table.sets) else Reason.NO_PAIRS


def _observed(item: Integers, given: Membership, sizes: Floats) -> dict[str, Floats]:
    """Add up the distances of the pairs of each item; rows of one item stand together."""
    found = {key: np.zeros(len(sizes)) for key in MEASURES}
    for shift in range(1, int(sizes.max(initial=0))):
        same = np.flatnonzero(item[shift:] == item[:-shift])
        at = item[same]
        met = similarity.paired(given[same], given[same + shift])
        for key, measure in MEASURES.items():
            distances = 2 * (1 - measure(*met)) / (sizes[at] - 1)
            found[key] += np.bincount(at, weights=distances, minlength=len(sizes))
    return found


def _expected(sets: Membership, counts: Floats, measure: Similarity) -> Floats:
    """Return the distances of all ordered pairs of sets, counts (S, b) of each: (b,)."""
    total = np.zeros(counts.shape[1])
    for rows in _blocks(len(sets)):
        distances = 1 - measure(*similarity.crossed(sets[rows], sets))
        total += np.einsum("sb,sb->b", counts[rows], distances @ counts)
    return total


def _blocks(count: int) -> Iterator[slice]:
    step = max(1, CELLS // max(count, 1))
    for start in range(0, count, step):
        yield slice(start, start + step)
