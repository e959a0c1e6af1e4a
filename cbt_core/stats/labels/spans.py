"""Agreement on marked characters: alpha of "marked or not", and F1 of pairs of annotators.

A document counts for an annotator who decided on its labels; without a span it is all unmarked.
Alpha: K. Krippendorff, nominal, each character a unit. Intervals resample whole documents.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cbt_core.stats.labels.label_sets import LabelSets, Reason
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import ratio

Marked = NDArray[np.int64]
"""Documents as (annotators, characters): 1 where an annotator marked a character."""


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One marked span of a document: Python string offsets, `end` exclusive."""

    item: str
    annotator: str
    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """Marked spans with the `lengths` of the documents they lie in (characters)."""

    spans: Sequence[SpanRow]
    lengths: Mapping[str, int]

    @property
    def digest(self) -> str:
        """Return the SHA-256 (hexadecimal) of spans and lengths, whatever their order."""
        lines = sorted(
            f"{one.item}\0{one.annotator}\0{one.start}\0{one.end}\0{one.label}"
            for one in self.spans
        )
        lines += [f"{item}\0{length}" for item, length in sorted(self.lengths.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PairF1:
    """F1 of two annotators over the `n` documents both labelled; None: neither marked anything."""

    a: str
    b: str
    n: int
    f1: float | None


@dataclass(frozen=True, slots=True, eq=False)
class SpanTable:
    """Sums per item, of documents with two annotators or more.

    `sums` (3, I): characters times annotators; how many of those are marked; ordered pairs that
    differ on a character, divided by the annotators less one. `overlap`, `either` (pairs, I):
    characters both of a pair marked, and the sum of what each marked. `told`: F1 of every pair
    with a document in common, by name.
    """

    sums: csr_array
    overlap: csr_array
    either: csr_array
    told: tuple[PairF1, ...] = ()

    @property
    def widest(self) -> int:
        """Return the longest axis that is multiplied with a block of replicates."""
        return int(self.overlap.shape[0])


def span_table(sets: LabelSets, documents: Documents, label: str | None = None) -> SpanTable:
    """Return the sums of all spans together, or of those of one label."""
    spans = _by_place(documents.spans, label)
    count = len(sets.items)
    size, marked, apart = sums = np.zeros((3, count))
    pairs = _Pairs(len(sets.annotators), count)
    for item, annotators in _shared(sets):
        key = sets.items[item]
        length = documents.lengths.get(key)
        if length is None:
            continue
        size[item] = length * len(annotators)
        pairs.meet(annotators)
        if key not in spans:
            continue
        marks = _marks(length, [spans[key].get(sets.annotators[one], ()) for one in annotators])
        given = marks.sum(axis=0)
        marked[item] = given.sum()
        apart[item] = (2 * given * (len(annotators) - given)).sum() / (len(annotators) - 1)
        pairs.add(item, annotators, marks)
    return SpanTable(csr_array(sums), *pairs.tables(), pairs.told(sets.annotators))


def char_alpha(table: SpanTable, weights: Floats) -> Floats:
    """Return alpha (b,) of "marked or not" per character for item weights (I, b)."""
    size, marked, apart = np.asarray(table.sums @ weights)
    expected = ratio(2 * marked * (size - marked), size - 1)
    return 1 - ratio(apart, expected)


def char_f1(table: SpanTable, weights: Floats) -> Floats:
    """Return the mean over pairs of 2 * common / (sum of both) characters (b,).

    A pair that marked nothing in its common documents has no F1 and is left out.
    """
    pairs = ratio(2 * (table.overlap @ weights), np.asarray(table.either @ weights))
    defined = ~np.isnan(pairs)
    return ratio(np.where(defined, pairs, 0.0).sum(axis=0), defined.sum(axis=0).astype(np.float64))


def char_f1_pooled(table: SpanTable, weights: Floats) -> Floats:
    """Return 2 * common / (sum of both) over the characters of all pairs together (b,).

    A pair weighs as much as it marked in its common documents, unlike in `char_f1`.
    """
    common = np.asarray(table.overlap @ weights).sum(axis=0)
    return ratio(2 * common, np.asarray(table.either @ weights).sum(axis=0))


def alpha_reason(table: SpanTable) -> Reason:
    """Return why alpha of the data as they are is undefined."""
    size, marked, _ = table.sums.sum(axis=1)
    if not size:
        return Reason.NO_CHARACTERS
    return Reason.ALL_MARKED if marked else Reason.NOTHING_MARKED


def f1_reason(table: SpanTable) -> Reason:
    """Return why F1 of the data as they are is undefined."""
    return Reason.NOTHING_MARKED if table.sums.sum() else Reason.NO_CHARACTERS


class _Pairs:
    """Characters that pairs of annotators marked, item by item."""

    def __init__(self, annotators: int, items: int) -> None:
        self._annotators = annotators
        self._items = items
        self._cells: list[tuple[int, int, float, float]] = []
        self._common: Counter[tuple[int, int]] = Counter()

    def meet(self, annotators: Sequence[int]) -> None:
        """Count a document that these annotators have in common."""
        self._common.update(combinations(annotators, 2))

    def told(self, names: Sequence[str]) -> tuple[PairF1, ...]:
        """Return F1 of every pair that has a document in common."""
        sums: dict[int, list[float]] = {}
        for pair, _, common, either in self._cells:
            pair_sums = sums.setdefault(pair, [0.0, 0.0])
            pair_sums[0] += 2 * common
            pair_sums[1] += either
        return tuple(
            PairF1(names[a], names[b], n,
                   own[0] / own[1] if (own := sums.get(a * self._annotators + b)) else None)
            for (a, b), n in sorted(self._common.items())
        )

    def add(self, item: int, annotators: Sequence[int], marks: Marked) -> None:
        both = marks @ marks.T
        for a, b in combinations(range(len(annotators)), 2):
            either = float(both[a, a] + both[b, b])
            if either:
                pair = annotators[a] * self._annotators + annotators[b]
                self._cells.append((pair, item, float(both[a, b]), either))

    def tables(self) -> tuple[csr_array, csr_array]:
        cells = np.array(self._cells, dtype=np.float64).reshape(-1, 4)
        known, pair = np.unique(cells[:, 0], return_inverse=True)
        place = (pair, cells[:, 1].astype(np.int64))
        shape = (len(known), self._items)
        return (
            csr_array((cells[:, 2], place), shape=shape),
            csr_array((cells[:, 3], place), shape=shape),
        )


def _by_place(
    spans: Iterable[SpanRow], label: str | None
) -> dict[str, dict[str, list[tuple[int, int]]]]:
    by_item: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for span in spans:
        if label is None or span.label == label:
            by_annotator = by_item.setdefault(span.item, {})
            by_annotator.setdefault(span.annotator, []).append((span.start, span.end))
    return by_item


def _shared(sets: LabelSets) -> Iterator[tuple[int, list[int]]]:
    """Yield each item with the annotators who decided on it, where there are at least two."""
    starts = np.searchsorted(sets.item, np.arange(len(sets.items) + 1))
    for item, (start, end) in enumerate(pairwise(starts)):
        if end - start > 1:
            yield item, sets.annotator[start:end].tolist()


def _marks(length: int, spans: Sequence[Sequence[tuple[int, int]]]) -> Marked:
    marks = np.zeros((len(spans), length), dtype=np.int64)
    for row, own_spans in enumerate(spans):
        for start, end in own_spans:
            marks[row, start:end] = 1
    return marks
