"""How wide the intervals of alpha and AC2 will be: the bootstrap itself, on simulated studies.

Both depend only on how many raters gave each category, so a study is the number of its items in
each of a few such counts, and a replicate is a multinomial draw over them: the same law as
resampling items one by one, as another stream of random numbers. Units told apart only by how many
raters gave each category are of few kinds, so replicates are cheap; alpha, AC, percent agreement
and Fleiss' kappa ask for nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.agreement.catalogue import AC2_QUADRATIC, ALPHA_ORDINAL, Statistic
from cbt_core.stats.agreement.sums import (
    Codes,
    Features,
    Frame,
    Sums,
    categorised,
    coincidence_features,
    units,
)
from cbt_core.stats.planning.simulation import Assumptions, Batch, Mask, Scores, Size, batches
from cbt_core.stats.ratings import Floats, Integers, Ratings
from cbt_core.stats.values import Value, percentiles, undefined, with_interval

BINOMIAL: Final = 6
"""A multinomial count costs about as much as drawing this many items one by one."""


ONE_CORE: Final = 250_000
"""Multiplications of a product that OpenBLAS leaves to one core (its limit is 262,144)."""

LEAST_WIDTH: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Distinct kinds of units: their fixed side and their features (m, P)."""

    fixed: Frame
    features: Features

    def sums(self, numbers: Floats) -> Sums:
        """Return the sums of numbers of units (P, b)."""
        return Sums(self.fixed, _product(self.features.rows, numbers), self.features.places)

    def together(self, profiles: csr_array) -> "Kinds":
        """Return items of the same kinds of units, (P, G) units each, as kinds of their own."""
        return Kinds(self.fixed, Features(self.features.rows @ profiles, self.features.places))


def _product(rows: Floats, numbers: Floats) -> Floats:
    """Return rows @ numbers in pieces that BLAS computes on one core.

    Small products gain nothing from a second core, and waiting for it can cost ten times as much.
    """
    width = ONE_CORE // max(rows.size, 1)
    if not LEAST_WIDTH <= width < numbers.shape[1]:
        return np.asarray(rows @ numbers)
    pieces = [rows @ numbers[:, start : start + width]
              for start in range(0, numbers.shape[1], width)]  # fmt: skip
    return np.concatenate(pieces, axis=1)


def interval(
    ratings: Ratings,
    scale: str,
    categories: Sequence[float],
    *,
    statistic: Statistic,
    replicates: int = 1000,
    seed: int = 1,
) -> Value:
    """Return a statistic of all units of a scale with its interval, items resampled.

    It must rest on the counts of categories alone: alpha, AC, percent agreement, Fleiss' kappa.

    Raises:
        StudyError: a score is none of the scale's values.
    """
    codes, item, values = _coded(ratings, scale, categories)
    kinds, kind = told_apart(codes, values)
    profiles, numbers = _profiles(kind, item, len(kinds.features.rows.T), len(ratings.items))
    whole = kinds.together(profiles)
    sample = whole.sums(numbers[:, np.newaxis])
    point = float(statistic.compute(sample)[0])
    if np.isnan(point):
        return undefined(statistic.reason(sample))
    drawn = counts(numbers, replicates, np.random.default_rng(seed))
    return with_interval(point, statistic.compute(whole.sums(drawn)))


def told_apart(codes: Codes, categories: Floats) -> tuple[Kinds, Integers]:
    """Return the distinct kinds of units and each unit's kind (n,), for sorted codes (n, slots)."""
    base, slots = len(categories) + 1, codes.shape[1]
    if base**slots < np.iinfo(np.int64).max:
        place = (codes.astype(np.int64) + 1) @ (base ** np.arange(slots, dtype=np.int64))
        _, first, kind = np.unique(place, return_index=True, return_inverse=True)
        kept = codes[first]
    else:
        kept, kind = np.unique(codes, axis=0, return_inverse=True)
    fixed = _frame(slots, categories)
    return Kinds(fixed, coincidence_features(kept, fixed)), kind.ravel().astype(np.int64)


def _frame(slots: int, categories: Floats) -> Frame:
    """Return a fixed side without raters: who gave a score is not known any more."""
    nobody = np.zeros(0, dtype=np.int64)
    centred = categories - (categories[0] if len(categories) else 0.0)
    return Frame(categories, centred, np.arange(slots), nobody, nobody, nobody, 0)


def counts(numbers: Floats, replicates: int, random: np.random.Generator) -> Floats:
    """Return how often each profile (G,) was drawn when items are resampled (G, replicates)."""
    items, profiles = int(numbers.sum()), len(numbers)
    if items > BINOMIAL * profiles:
        drawn = random.multinomial(items, numbers / items, size=replicates)
        return drawn.T.astype(np.float64)
    of_item = np.repeat(np.arange(profiles), numbers.astype(np.int64))
    single = of_item[random.integers(items, size=(replicates, items))]
    single += (np.arange(replicates) * profiles)[:, np.newaxis]
    tallies = np.bincount(single.ravel(), minlength=replicates * profiles)
    return tallies.reshape(replicates, profiles).T.astype(np.float64)


def _coded(
    ratings: Ratings, scale: str, categories: Sequence[float]
) -> tuple[Codes, Integers, Floats]:
    """Return sorted codes (units, slots), -1 = no score, each unit's item, and the values."""
    values = np.unique(np.asarray(categories, dtype=np.float64))
    scores = ratings.values[scale]
    scored = np.flatnonzero(~np.isnan(scores))
    unit, first = units(ratings, scored)
    starts = np.searchsorted(unit, np.arange(len(first)))
    slot = np.arange(len(scored)) - starts[unit]
    codes = np.full((len(first), int(slot.max(initial=0)) + 1), -1, dtype=np.int16)
    codes[unit, slot] = categorised(scores[scored], values, scale)
    return np.sort(codes, axis=1), ratings.item[first], values


def _profiles(
    kind: Integers, item: Integers, kinds: int, items: int
) -> tuple[csr_array, Floats]:
    """Return what units each kind of item has (P, G) and how many items are of it (G,)."""
    turn = np.lexsort((kind, item))
    kind, item = kind[turn], item[turn]
    nth = np.arange(len(item)) - np.searchsorted(item, item)
    profile = np.zeros(items, dtype=np.int64)
    for place in range(int(nth.max(initial=-1)) + 1):
        own = np.zeros(items, dtype=np.int64)
        own[item[nth == place]] = kind[nth == place] + 1
        _, profile = np.unique(profile * (kinds + 1) + own, return_inverse=True)
    _, first, profile = np.unique(profile, return_index=True, return_inverse=True)
    shown = np.full(items, -1, dtype=np.int64)
    shown[first] = np.arange(len(first))
    kept = shown[item] >= 0
    cells = kind[kept], shown[item][kept]
    table = csr_array((np.ones(len(cells[0])), cells), shape=(kinds, len(first)))
    return table, np.bincount(profile, minlength=len(first)).astype(np.float64)


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
        for statistic in statistics:
            parts[statistic.key].append(statistic.compute(sums).reshape(count, -1).T)
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
