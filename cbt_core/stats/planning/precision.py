"""How wide the intervals of alpha and AC2 will be: the bootstrap itself, on simulated studies.

Both depend only on how many raters gave each category, so a study is the number of its items in
each of a few such counts, and a replicate is a multinomial draw over them: the same law as
resampling items.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.catalogue import AC2_QUADRATIC, ALPHA_ORDINAL, Statistic
from cbt_core.stats.kinds import Kinds, told_apart
from cbt_core.stats.patterns import Codes
from cbt_core.stats.planning.model import Assumptions
from cbt_core.stats.planning.simulate import Batch, Mask, Scores, Size, batches
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import percentiles

STATISTICS: Final = (ALPHA_ORDINAL, AC2_QUADRATIC)
REPLICATES: Final = 300
STUDIES: Final = 100
BLOCK: Final = 1_000_000
"""Cells of the counts drawn at a time."""


@dataclass(frozen=True, slots=True)
class Width:
    """A figure's mean, the median width of its 95 % interval and how it varies between studies.

    `low`, `high`: the middle 80 % of widths; `undefined`: share of studies without an interval.
    """

    value: float | None
    width: float | None
    low: float | None
    high: float | None
    undefined: float

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "value": self.value, "width": self.width, "low": self.low, "high": self.high,
            "undefined_share": self.undefined,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Studies:
    """Studies as numbers (studies, P) of units of each kind."""

    kinds: Kinds
    numbers: Floats


def widths(
    size: Size,
    assumed: Assumptions,
    *,
    sizes: Sequence[int] = (),
    studies: int = STUDIES,
    seed: int = 1,
) -> tuple[dict[str, Width], ...]:
    """Return, per number of items, statistic -> its usual value and width (baseline's answers)."""
    wanted = tuple(sizes) or (size.items,)
    largest = Size(max(wanted), size.raters, size.overlap)
    held = list(batches(largest, assumed, 0.0, studies=studies, seed=seed))
    categories = np.arange(assumed.highest + 1, dtype=np.float64)
    return tuple(_for_items(held, n, categories, seed) for n in wanted)


def _for_items(
    drawn_studies: Sequence[Batch], n: int, categories: Floats, seed: int
) -> dict[str, Width]:
    tables = [coded(batch.baseline[:, :n], batch.design.present[:n]) for batch in drawn_studies]
    held = studies_of(np.concatenate(tables), categories)
    points = {one.key: one.compute(held.kinds.sums(held.numbers.T)) for one in STATISTICS}
    drawn = replicates(held, STATISTICS, count=REPLICATES, seed=seed)
    return {key: _told(points[key], drawn[key]) for key in points}


def coded(scores: Scores, present: Mask) -> Codes:
    """Return category codes, -1 = missing, sorted within each unit: who gave which is no matter."""
    return np.sort(np.where(present, scores, np.int8(-1)), axis=-1).astype(np.int16)


def studies_of(codes: Codes, categories: Floats) -> Studies:
    """Return the kinds of units in codes (studies, items, slots) and their numbers."""
    studies, items, slots = codes.shape
    kinds, kind = told_apart(codes.reshape(-1, slots), categories)
    width = len(kinds.features.rows.T)
    place = np.repeat(np.arange(studies), items) * width + kind
    numbers = np.bincount(place, minlength=studies * width).reshape(studies, width)
    return Studies(kinds, numbers.astype(np.float64))


def replicates(
    held: Studies, statistics: Sequence[Statistic], *, count: int, seed: int
) -> dict[str, Floats]:
    """Return statistic -> bootstrap replicates (studies, count), items resampled."""
    random = np.random.default_rng(seed)
    studies, width = held.numbers.shape
    items = int(held.numbers[0].sum())
    parts: dict[str, list[Floats]] = {one.key: [] for one in statistics}
    size = max(1, BLOCK // (count * width))
    for start in range(0, studies, size):
        chances = held.numbers[start : start + size] / items
        drawn = random.multinomial(items, chances, size=(count, len(chances)))
        sums = held.kinds.sums(drawn.reshape(-1, width).T.astype(np.float64))
        for one in statistics:
            parts[one.key].append(one.compute(sums).reshape(count, -1).T)
    return {key: np.concatenate(found) for key, found in parts.items()}


def _told(points: Floats, drawn: Floats) -> Width:
    low, high, _ = percentiles(drawn)
    known = (high - low)[np.isfinite(high - low)]
    missing = 1 - len(known) / len(low)
    defined = points[np.isfinite(points)]
    value = float(defined.mean()) if len(defined) else None
    if not len(known):
        return Width(value, None, None, None, missing)
    tenth, middle, ninth = (float(x) for x in np.quantile(known, [0.1, 0.5, 0.9]))
    return Width(value, middle, tenth, ninth, missing)
