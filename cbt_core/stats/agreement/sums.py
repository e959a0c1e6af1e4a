"""Sums over units from which every agreement statistic follows, for each stratum of a scale.

The units × raters table of one scale is held as its distinct rows and how often an item has each.
Ratings on a short scale repeat: 22,327 units with three raters have at most 64 different rows.
Every statistic is a function of how often each row occurs, so a bootstrap replicate needs only the
item weights times one sparse table.

Each feature of a unit (its coincidences, its sum of squares, the cell of each pair of raters …) is
added up over the units, weighted by how often the unit's item was drawn. The sums have one column
per replicate; the plain sample is a replicate in which each item was drawn once. A scale is cut
into strata: every system, and all pooled.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from cbt_core.errors import StudyError
from cbt_core.stats.ratings import POOLED, Floats, Integers, Ratings

Codes = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Distinct units of one scale.

    `codes` (P, R): category of each rater, -1 = no score; `raters` (R,): indices into the labels
    of the raters who scored on this scale; `categories` (q,): the values of the scale, ascending;
    `members`: per system one sparse table (P, I), how many units of an item have this row.
    """

    codes: Codes
    raters: Integers
    categories: Floats
    members: tuple[csr_array, ...]


def patterns(ratings: Ratings, scale: str, categories: Sequence[float]) -> Patterns:
    """Return the distinct units of a scale, per system.

    Raises:
        StudyError: a score is none of the scale's values.
    """
    values = np.unique(np.asarray(categories, dtype=np.float64))
    scores = ratings.values[scale]
    scored = np.flatnonzero(~np.isnan(scores))
    raters, column = np.unique(ratings.rater[scored], return_inverse=True)
    unit, first = units(ratings, scored)
    codes = np.full((len(first), len(raters)), -1, dtype=np.int16)
    codes[unit, column] = categorised(scores[scored], values, scale)
    kept, pattern = _distinct(codes, len(values))
    shape = (len(kept), len(ratings.items))
    members = tuple(
        _occurrences(pattern, ratings.item[first], ratings.system[first] == system, shape)
        for system in range(len(ratings.systems))
    )
    return Patterns(codes[kept], raters, values, members)


def categorised(scores: Floats, values: Floats, scale: str) -> Integers:
    """Return the index of each score among the ascending values of its scale.

    Raises:
        StudyError: a score is none of them.
    """
    index = np.minimum(np.searchsorted(values, scores), max(len(values) - 1, 0))
    if len(scores) and (len(values) == 0 or bool((values[index] != scores).any())):
        raise StudyError("stats.value_not_on_scale", scale=scale)
    return index


def units(ratings: Ratings, rows: Integers) -> tuple[Integers, Integers]:
    """Return the unit index of each row and the first row of each unit (rows are sorted)."""
    keys = np.stack([ratings.item[rows], ratings.system[rows], ratings.panel[rows]])
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return np.cumsum(starts) - 1, rows[starts]


def _distinct(codes: Codes, categories: int) -> tuple[Integers, Integers]:
    """Return the index of one row per distinct row, and each row's place among them."""
    place = np.zeros(len(codes), dtype=np.int64)
    base = categories + 1
    limit = np.iinfo(np.int64).max // (base + 1)
    largest = 0
    for column in codes.T:
        if largest > limit:
            seen, place = np.unique(place, return_inverse=True)
            largest = len(seen)
        place = place * base + (column + 1)
        largest = largest * base + base
    _, kept, inverse = np.unique(place, return_index=True, return_inverse=True)
    return kept.astype(np.int64), inverse.astype(np.int64)


def _occurrences(
    pattern: Integers, item: Integers, chosen: NDArray[np.bool_], shape: tuple[int, int]
) -> csr_array:
    ones = np.ones(int(chosen.sum()))
    return csr_array((ones, (pattern[chosen], item[chosen])), shape=shape)


Block = tuple[str, tuple[int, ...], csr_array]
"""A feature: its name, its shape without the replicates, its rows (m, P)."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What does not change between replicates of one scale and stratum.

    `centred` (q,): values of the categories less their mean; `present` (R,): which raters have a
    score here; `groups` (present,): which of them are linked by common units; `first`, `second`
    (pairs,): columns of each pair of raters; `modal`: the most frequent number of ratings of a
    unit (the larger one of two).
    """

    categories: Floats
    centred: Floats
    present: Integers
    groups: Integers
    first: Integers
    second: Integers
    modal: int


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Rows (m, P) of features, sparse or dense, with the place and shape of each."""

    rows: csr_array | Floats
    places: Mapping[str, tuple[int, tuple[int, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Summed features (m, b) of b replicates of one stratum."""

    frame: Frame
    data: Floats
    places: Mapping[str, tuple[int, tuple[int, ...]]]

    def __getitem__(self, name: str) -> Floats:
        """Return one feature, (…, b)."""
        start, shape = self.places[name]
        size = int(np.prod(shape, dtype=np.int64))
        return self.data[start : start + size].reshape(*shape, self.data.shape[1])


def frame(codes: Codes, categories: Floats, occurring: Floats) -> Frame:
    """Return the fixed side of a stratum; `occurring` (P,): how many units have each row."""
    used = codes[occurring > 0] >= 0
    present = np.flatnonzero(used.any(axis=0))
    first, second = np.triu_indices(len(present), 1)
    sizes = np.bincount((codes >= 0).sum(axis=1), weights=occurring)
    modal = len(sizes) - 1 - int(np.argmax(sizes[::-1])) if len(sizes) else 0
    centred = categories - (categories[0] if len(categories) else 0.0)
    _, groups = connected_components(_linked(used[:, present]), directed=False)
    fixed = (present, groups.astype(np.int64), present[first], present[second])
    return Frame(categories, centred, *fixed, modal)


def _linked(scored: NDArray[np.bool_]) -> csr_array:
    """Return which raters (k, k) have a unit in common; scored (P, k)."""
    dense = scored.astype(np.float64)
    return csr_array(dense.T @ dense)


def features(codes: Codes, fixed: Frame, *, full: bool = True) -> Features:
    """Return all features of the distinct units; without `full` those a live page needs."""
    counts = category_counts(codes, len(fixed.categories))
    blocks = [_block(*each) for each in _of_counts(counts)]
    blocks += [_cells("tables", codes, fixed), *_complete(codes, fixed)]
    if full:
        blocks += [*_one_way(counts, fixed), *_crossed(codes, fixed)]
        blocks.append(_cells("complete_tables", _complete_codes(codes, fixed), fixed))
    return stacked(blocks)


def coincidence_features(codes: Codes, fixed: Frame) -> Features:
    """Return only the features that alpha, percent agreement, Fleiss' kappa and AC need.

    They are dense: a few dozen rows, which a matrix product of its own kind is fastest for.
    """
    places: dict[str, tuple[int, tuple[int, ...]]] = {}
    parts: list[Floats] = []
    start = 0
    for name, columns in _of_counts(category_counts(codes, len(fixed.categories))):
        parts.append(columns.reshape(len(codes), int(np.prod(columns.shape[1:], dtype=np.int64))))
        places[name] = (start, columns.shape[1:])
        start += parts[-1].shape[1]
    return Features(np.ascontiguousarray(np.concatenate(parts, axis=1).T), places)


def category_counts(codes: Codes, categories: int) -> Floats:
    """Return how many raters gave each category, (P, q)."""
    counts = [(codes == category).sum(axis=1) for category in range(categories)]
    return np.stack(counts, axis=1).astype(np.float64)


def stacked(blocks: list[Block]) -> Features:
    """Put blocks of features under each other and note where each begins."""
    places: dict[str, tuple[int, tuple[int, ...]]] = {}
    start = 0
    for name, shape, _ in blocks:
        places[name] = (start, shape)
        start += int(np.prod(shape, dtype=np.int64))
    return Features(csr_array(vstack([rows for _, _, rows in blocks], format="csr")), places)


def _block(name: str, columns: Floats) -> Block:
    """Make a feature of an array (P, …)."""
    flat = columns.reshape(len(columns), int(np.prod(columns.shape[1:], dtype=np.int64)))
    return name, columns.shape[1:], csr_array(flat.T)


def _of_counts(counts: Floats) -> list[tuple[str, Floats]]:
    """Features of how many raters chose each category, counts (P, q)."""
    size = counts.sum(axis=1)
    pairs = size * (size - 1)
    agreeing = counts * (counts - 1)
    same = counts[:, :, np.newaxis] * counts[:, np.newaxis, :]
    diagonal = np.arange(counts.shape[1])
    same[:, diagonal, diagonal] = agreeing
    others = np.where(size > 1, size - 1, np.inf)[:, np.newaxis, np.newaxis]
    whole = np.where(size > 1, pairs, np.inf)[:, np.newaxis, np.newaxis]
    return [
        ("units", (size > 0).astype(np.float64)),
        ("pairable", (size > 1).astype(np.float64)),
        ("ratings", size),
        ("pairs", pairs / 2),
        ("agreeing", agreeing.sum(axis=1) / 2),
        ("pairable_counts", counts * (size > 1)[:, np.newaxis]),
        ("coincidences", same / others),
        ("agreements", same / whole),
        ("prevalences", counts / np.maximum(size, 1)[:, np.newaxis]),
    ]


def _one_way(counts: Floats, fixed: Frame) -> list[Block]:
    """Features of the units with the modal number of ratings, and of all units."""
    size = counts.sum(axis=1)
    total, squares = counts @ fixed.centred, counts @ fixed.centred**2
    modal = (size == fixed.modal).astype(np.float64)
    return [
        _block("modal_units", modal),
        _block("modal_totals", modal * total),
        _block("modal_squared_totals", modal * total**2),
        _block("modal_squares", modal * squares),
        _block("totals", total),
        _block("squares", squares),
        _block("unit_squares", total**2 / np.maximum(size, 1)),
        _block("squared_sizes", size**2),
    ]


def _complete(codes: Codes, fixed: Frame) -> list[Block]:
    """Features of the units that every present rater scored."""
    kept = _complete_codes(codes, fixed)[:, fixed.present]
    complete = np.asarray((kept >= 0).any(axis=1), dtype=np.float64)
    scores = np.where(kept >= 0, fixed.centred[kept], 0.0)
    totals: Floats = np.asarray(scores.sum(axis=1), dtype=np.float64)
    margins = np.stack([kept == category for category in range(len(fixed.categories))], axis=2)
    return [
        _block("complete", complete),
        _block("complete_squared_totals", totals**2),
        _block("complete_margins", margins.astype(np.float64)),
    ]


def _complete_codes(codes: Codes, fixed: Frame) -> Codes:
    """Return the codes with the units that lack a present rater's score emptied."""
    complete = (codes[:, fixed.present] >= 0).all(axis=1, keepdims=True)
    return np.where(complete, codes, np.int16(-1))


def _crossed(codes: Codes, fixed: Frame) -> list[Block]:
    """Features of raters by units on all data: scores, deviations from the unit, meetings."""
    scored = codes[:, fixed.present] >= 0
    size = np.maximum(scored.sum(axis=1), 1)
    scores = np.where(scored, fixed.centred[codes[:, fixed.present]], 0.0)
    mean = scores.sum(axis=1) / size
    return [
        _block("rater_counts", scored.astype(np.float64)),
        _block("rater_totals", scores),
        _block("rater_deviations", np.where(scored, scores - mean[:, np.newaxis], 0.0)),
        _block("rater_shares", scored / size[:, np.newaxis]),
        _shared(codes, fixed, 1 / size),
    ]


def _cells(name: str, codes: Codes, fixed: Frame) -> Block:
    """Features (pairs, q, q): the cell of each pair of raters who both scored the unit."""
    q = len(fixed.categories)
    pair, unit = _meetings(codes, fixed)
    a = codes[unit, fixed.first[pair]].astype(np.int64)
    b = codes[unit, fixed.second[pair]].astype(np.int64)
    shape = (len(fixed.first) * q * q, len(codes))
    rows = csr_array((np.ones(len(unit)), ((pair * q + a) * q + b, unit)), shape=shape)
    return name, (len(fixed.first), q, q), rows


def _shared(codes: Codes, fixed: Frame, share: Floats) -> Block:
    """Feature (pairs,): 1 / number of ratings of the units both raters scored."""
    pair, unit = _meetings(codes, fixed)
    shape = (len(fixed.first), len(codes))
    return "meetings", shape[:1], csr_array((share[unit], (pair, unit)), shape=shape)


def _meetings(codes: Codes, fixed: Frame) -> tuple[Integers, Integers]:
    """Return the (pair, unit) of every two scores of a unit."""
    scored = codes >= 0
    units = [
        np.flatnonzero(scored[:, a] & scored[:, b])
        for a, b in zip(fixed.first, fixed.second, strict=True)
    ]
    if not units:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pair = np.repeat(np.arange(len(units)), [len(both) for both in units])
    return pair, np.concatenate(units).astype(np.int64)


Figures = dict[str, Floats]
"""Statistic -> figures (m, b): m = 1, or the number of pairs of raters."""

Compute = Callable[[str, Mapping[str, Sums]], Figures]
"""Stratum name and the sums of all strata -> figures of this stratum."""


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """One system (or all pooled) on one scale: `systems` are indices into the patterns' members."""

    name: str
    systems: tuple[int, ...]
    frame: Frame
    features: Features


@dataclass(frozen=True, slots=True, eq=False)
class ScaleTable:
    """A scale with its distinct units and strata; the pooled one comes first."""

    scale: str
    patterns: Patterns
    strata: tuple[Stratum, ...]

    @property
    def widest(self) -> int:
        """Return the longest axis that is multiplied with a block of replicates."""
        rows = max(int(stratum.features.rows.shape[0]) for stratum in self.strata)
        return max(rows, len(self.patterns.codes))


def table(
    ratings: Ratings, scale: str, categories: Sequence[float], *, full: bool = True
) -> ScaleTable:
    """Return the strata of a scale, ready to be summed.

    Raises:
        StudyError: a score is none of the scale's values.
    """
    distinct = patterns(ratings, scale, categories)
    cuts = [(POOLED, tuple(range(len(ratings.systems))))]
    cuts += [(name, (index,)) for index, name in enumerate(ratings.systems)]
    strata = []
    for name, systems in cuts:
        occurring = occurrences(distinct, systems)
        fixed = frame(distinct.codes, distinct.categories, occurring)
        own_features = features(distinct.codes, fixed, full=full)
        strata.append(Stratum(name, systems, fixed, own_features))
    return ScaleTable(scale, distinct, tuple(strata))


def sums(scale: ScaleTable, weights: Floats) -> dict[str, Sums]:
    """Return the sums of every stratum for item weights (I, b)."""
    counts = [member @ weights for member in scale.patterns.members]
    by_stratum = {}
    for stratum in scale.strata:
        chosen = [counts[system] for system in stratum.systems]
        nothing = np.zeros((len(scale.patterns.codes), weights.shape[1]))
        units = chosen[0] if len(chosen) == 1 else sum(chosen, nothing)
        data = stratum.features.rows @ units
        by_stratum[stratum.name] = Sums(stratum.frame, data, stratum.features.places)
    return by_stratum


def sample(scale: ScaleTable, items: int) -> dict[str, Sums]:
    """Return the sums of the data as they are: each item once."""
    return sums(scale, np.ones((items, 1)))


class Replicates:
    """Figures of all replicates of one scale, put together block by block."""

    def __init__(self, scale: ScaleTable, compute: Compute) -> None:
        """Start without a replicate."""
        self._scale = scale
        self._compute = compute
        self._parts: dict[str, list[Figures]] = {stratum.name: [] for stratum in scale.strata}

    def add(self, weights: Floats) -> None:
        """Compute the figures of one block of item weights (I, b)."""
        block_sums = sums(self._scale, weights)
        for name in self._names():
            self._parts[name].append(self._compute(name, block_sums))

    def figures(self, stratum: str) -> Figures:
        """Return statistic -> figures (m, B) of a stratum; without replicates B is 0."""
        parts = self._parts[stratum if stratum in self._names() else self._scale.strata[0].name]
        if not parts:
            return {}
        return {key: np.concatenate([part[key] for part in parts], axis=1) for key in parts[0]}

    def _names(self) -> Iterator[str]:
        """Yield the strata that differ: with one system, pooled and system are the same."""
        only_pooled = len(self._scale.strata) == 2
        yield from (s.name for s in self._scale.strata[: 1 if only_pooled else None])


def occurrences(distinct: Patterns, systems: tuple[int, ...]) -> Floats:
    """Return how many units of these systems have each distinct row (P,)."""
    counts = np.zeros(len(distinct.codes))
    for system in systems:
        counts += np.asarray(distinct.members[system].sum(axis=1))
    return counts
