"""Which texts of a set are nearly the same, and which belong together because of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.generation.dataset.signatures import (
    BANDS,
    Hashes,
    Signatures,
    band_keys,
    plain,
    shingles,
    signatures,
)

THRESHOLD: Final = 0.8
"""Jaccard similarity of the character trigrams from which two texts count as nearly the same."""

SLACK: Final = 0.12
"""How far below the threshold a signature's estimate may lie: three standard errors
(sqrt(.8 * .2 / 168) = .031) and a little."""

NEIGHBOURS: Final = 64
"""In a bucket of more different texts, each is compared with so many that follow."""

PAIRS_AT_ONCE: Final = 100_000

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts by their places (`first` < `second`) and how alike they are, 0 to 1."""

    first: int
    second: int
    similarity: float


def near_pairs(texts: Sequence[str], *, threshold: float = THRESHOLD) -> list[Pair]:
    """Return the pairs of texts that are nearly the same, by place.

    Texts that differ in spacing, width, case and punctuation only are alike by 1. Of several
    such texts each is paired with the first. A text without letters or digits is like no other.
    """
    bare = [plain(text) for text in texts]
    firsts: dict[str, int] = {}
    same = [
        Pair(firsts[text], place, 1.0)
        for place, text in enumerate(bare)
        if text and firsts.setdefault(text, place) != place
    ]
    different = list(firsts.values())
    chosen = [bare[place] for place in different]
    found = alike(chosen, _candidates(signatures(chosen), threshold), threshold)
    near = [Pair(different[one.first], different[one.second], one.similarity) for one in found]
    return sorted([*same, *near], key=lambda pair: (pair.second, pair.first))


def groups(count: int, pairs: Iterable[Pair]) -> list[list[int]]:
    """Return the connected groups of `count` texts in order of their first members."""
    root = list(range(count))

    def top(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for pair in pairs:
        one, other = sorted((top(pair.first), top(pair.second)))
        root[other] = one
    found: dict[int, list[int]] = {}
    for place in range(count):
        found.setdefault(top(place), []).append(place)
    return list(found.values())


def alike(bare: Sequence[str], candidates: Numbers, threshold: float) -> list[Pair]:
    """Return those of the candidate pairs (shape (pairs, 2)) that reach the threshold exactly."""
    known: dict[int, Hashes] = {}

    def of(place: int) -> Hashes:
        if place not in known:
            known[place] = shingles(bare[place])
        return known[place]

    found = []
    for first, second in candidates.tolist():
        one, other = of(first), of(second)
        shared = len(np.intersect1d(one, other, assume_unique=True))
        similarity = shared / (len(one) + len(other) - shared)
        if similarity >= threshold:
            found.append(Pair(first, second, similarity))
    return found


def likely(found: Signatures, pairs: Numbers, threshold: float) -> Numbers:
    """Return the pairs whose signatures agree in enough places to be worth comparing."""
    least = (threshold - SLACK) * found.shape[1]
    kept = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = pairs[start : start + PAIRS_AT_ONCE]
        agreeing = (found[part[:, 0]] == found[part[:, 1]]).sum(axis=1)
        kept.append(part[agreeing >= least])
    return np.concatenate(kept) if kept else np.empty((0, 2), dtype=np.int64)


def _candidates(found: Signatures, threshold: float) -> Numbers:
    """Return the pairs that share a bucket in some band and look alike."""
    met = [np.empty((0, 2), dtype=np.int64)]
    for band in range(BANDS if len(found) > 1 else 0):
        met.append(likely(found, _bucket_pairs(band_keys(found, band)), threshold))
    return np.unique(np.concatenate(met), axis=0)


def _bucket_pairs(keys: Hashes) -> Numbers:
    """Return the pairs with equal keys; in large buckets only near neighbours."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for lag in range(1, min(NEIGHBOURS, len(keys) - 1) + 1):
        at = np.flatnonzero(ranked[lag:] == ranked[:-lag])
        if not len(at):
            break
        pairs.append(np.stack([order[at], order[at + lag]], axis=1))
    return np.sort(np.concatenate(pairs), axis=1)
