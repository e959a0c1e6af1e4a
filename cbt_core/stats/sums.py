"""Sums over units from which every agreement statistic follows.

Each feature of a unit (its coincidences, its sum of squares, the cell of each pair of raters …)
is added up over the units, weighted by how often the unit's item was drawn. The sums have one
column per replicate; the plain sample is a replicate in which each item was drawn once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from cbt_core.stats.patterns import Codes
from cbt_core.stats.ratings import Floats, Integers

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
    found = [_block(*each) for each in _of_counts(counts)]
    found += [_cells("tables", codes, fixed), *_complete(codes, fixed)]
    if full:
        found += [*_one_way(counts, fixed), *_crossed(codes, fixed)]
        found.append(_cells("complete_tables", _complete_codes(codes, fixed), fixed))
    return stacked(found)


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
