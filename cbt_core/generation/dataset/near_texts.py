"""Texts that are nearly the same: within a set, and across sets, which must not be trained on.

What two texts have in common is estimated from a few numbers each: MinHash (Broder 1997, "On the
resemblance and containment of documents") over runs of three characters; the work is done in numpy
for thousands of texts at a time.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint32]

RUN: Final = 3
"""Characters of a shingle: a changed character in a Chinese question of 40 costs 3 of 38."""

BANDS: Final = 24
ROWS: Final = 7
"""24 bands of 7: a pair alike by .8 is met with probability .996, by .5 with .17, by .3 with
.005 (1 - (1 - s^7)^24); what is met is then compared exactly."""

PERMUTATIONS: Final = BANDS * ROWS
PIECE: Final = 1_500_000
"""Characters hashed at a time (about 40 MB of work space)."""

SEED: Final = 20240324
NOISE: Final = re.compile(r"[\W_]+")
WEIGHTS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def plain(text: str) -> str:
    """Return what of a text counts: letters and digits in one width and case."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return NOISE.sub("", text.lower())


def shingles(plain_text: str) -> Hashes:
    """Return the different hashes of a text's runs of three characters, sorted."""
    return np.unique(_hashes(_codes([plain_text])[0]))


def signatures(plain_texts: Sequence[str]) -> Signatures:
    """Return a signature for each text: shape (texts, 168)."""
    table = np.empty((len(plain_texts), PERMUTATIONS), dtype=np.uint32)
    for first, last in _pieces(plain_texts):
        table[first:last] = _signatures(plain_texts[first:last])
    return table


def band_keys(table: Signatures, band: int) -> Hashes:
    """Return what texts of one bucket share in a band: shape (texts,)."""
    rows = table[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
    return _mixed((rows * _odd(ROWS, SEED + band)).sum(axis=1, dtype=np.uint64))


def _signatures(texts: Sequence[str]) -> Signatures:
    codes, starts = _codes(texts)
    hashed = _hashes(codes)
    sizes = np.diff(np.append(starts, len(codes)))
    keep = np.ones(len(codes), dtype=bool)
    for back in range(1, RUN):  # a run may not begin where it would reach into the next text
        keep[starts + sizes - back] = False
    kept = hashed[keep[: len(hashed)]]
    begins = starts - (RUN - 1) * np.arange(len(starts))
    factors, addends = _odd(PERMUTATIONS, SEED), _odd(PERMUTATIONS, SEED + 1)
    out = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
    for number in range(PERMUTATIONS):
        moved = ((kept * factors[number] + addends[number]) >> np.uint64(32)).astype(np.uint32)
        out[:, number] = np.minimum.reduceat(moved, begins)
    return out


def _codes(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.int64]]:
    """Return the characters of all texts as numbers, and where each text begins."""
    padded = [text.ljust(RUN, "\0") for text in texts]
    joined = "".join(padded).encode("utf-32-le", "surrogatepass")
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    return np.frombuffer(joined, dtype="<u4").astype(np.uint64), np.cumsum(lengths) - lengths


def _hashes(codes: Hashes) -> Hashes:
    """Return the hash of the run that begins at each character but the last two."""
    last = len(codes) - RUN + 1
    sums = np.zeros(last, dtype=np.uint64)
    for place, weight in enumerate(WEIGHTS):
        sums += codes[place : place + last] * np.uint64(weight)
    return _mixed(sums)


def _mixed(values: Hashes) -> Hashes:
    """Spread every bit over the word (the finalizer of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _odd(count: int, seed: int) -> Hashes:
    draw = np.random.default_rng(seed)
    return draw.integers(1, 2**63, count, dtype=np.uint64) | np.uint64(1)


def _pieces(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first, characters = 0, 0
    for number, text in enumerate(texts, start=1):
        characters += len(text)
        if characters >= PIECE:
            yield first, number
            first, characters = number, 0
    if first < len(texts):
        yield first, len(texts)


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
    pairs = alike(chosen, _candidates(signatures(chosen), threshold), threshold)
    near = [Pair(different[one.first], different[one.second], one.similarity) for one in pairs]
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
        first, other = sorted((top(pair.first), top(pair.second)))
        root[other] = first
    members: dict[int, list[int]] = {}
    for place in range(count):
        members.setdefault(top(place), []).append(place)
    return list(members.values())


def alike(bare: Sequence[str], candidates: Numbers, threshold: float) -> list[Pair]:
    """Return those of the candidate pairs (shape (pairs, 2)) that reach the threshold exactly."""
    known: dict[int, Hashes] = {}

    def of(place: int) -> Hashes:
        if place not in known:
            known[place] = shingles(bare[place])
        return known[place]

    pairs = []
    for first, second in candidates.tolist():
        left, other = of(first), of(second)
        shared = len(np.intersect1d(left, other, assume_unique=True))
        similarity = shared / (len(left) + len(other) - shared)
        if similarity >= threshold:
            pairs.append(Pair(first, second, similarity))
    return pairs


def likely(table: Signatures, pairs: Numbers, threshold: float) -> Numbers:
    """Return the pairs whose signatures agree in enough places to be worth comparing."""
    least = (threshold - SLACK) * table.shape[1]
    kept = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = pairs[start : start + PAIRS_AT_ONCE]
        agreeing = (table[part[:, 0]] == table[part[:, 1]]).sum(axis=1)
        kept.append(part[agreeing >= least])
    return np.concatenate(kept) if kept else np.empty((0, 2), dtype=np.int64)


def _candidates(table: Signatures, threshold: float) -> Numbers:
    """Return the pairs that share a bucket in some band and look alike."""
    met = [np.empty((0, 2), dtype=np.int64)]
    for band in range(BANDS if len(table) > 1 else 0):
        met.append(likely(table, _bucket_pairs(band_keys(table, band)), threshold))
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


MOST_A_BUCKET: Final = 256
"""Texts of the other set that one text is compared with in a bucket."""

SHORTEST_TELLING: Final = 10
"""Letters and digits a question needs for its sameness to be no accident."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text (by place) and the text of the other set it is most like; similarity 0 to 1."""

    text: int
    against: int
    similarity: float


def near_matches(
    texts: Sequence[str], against: Sequence[str], *, threshold: float = THRESHOLD
) -> list[Match]:
    """Return the texts that nearly stand in `against`, each with its best match, by place.

    Alike means: Jaccard similarity of character trigrams of at least `threshold`, spacing,
    width, case and punctuation left out. Time grows with the sum of both sets.
    """
    bare, others = [plain(text) for text in texts], [plain(text) for text in against]
    best: dict[int, Match] = {}
    known = {text: place for place, text in reversed(list(enumerate(others))) if text}
    for place, text in enumerate(bare):
        if text in known:
            best[place] = Match(place, known[text], 1.0)
    for pair in _near(bare, others, threshold):
        standing = best.get(pair.first)
        if standing is None or pair.similarity > standing.similarity:
            best[pair.first] = Match(pair.first, pair.second, pair.similarity)
    return [best[place] for place in sorted(best)]


def question_matches(
    asked: Sequence[tuple[str, str]], against: Sequence[tuple[str, str]]
) -> list[Match]:
    """Return the items, as (question, description), that nearly stand in `against`.

    Two items match when question and description together are alike, or when the questions
    alone are the same (of at least 10 letters): a study may show a question without its
    description.
    """
    whole = near_matches([f"{q}\n{d}" for q, d in asked], [f"{q}\n{d}" for q, d in against])
    best = {match.text: match for match in whole}
    questions = [plain(question) for question, _ in against]
    known = {text: place for place, text in enumerate(questions) if len(text) >= SHORTEST_TELLING}
    for place, (question, _) in enumerate(asked):
        if place not in best and (twin := known.get(plain(question))) is not None:
            best[place] = Match(place, twin, 1.0)
    return [best[place] for place in sorted(best)]


def _near(bare: Sequence[str], others: Sequence[str], threshold: float) -> list[Pair]:
    """Return pairs (place in `bare`, place in `others`) that reach the threshold."""
    left = [place for place, text in enumerate(bare) if text]
    right = [place for place, text in enumerate(others) if text]
    if not left or not right:
        return []
    joined = [*(bare[place] for place in left), *(others[place] for place in right)]
    table = signatures(joined)
    met = [np.empty((0, 2), dtype=np.int64)]
    for band in range(BANDS):
        keys = band_keys(table, band)
        met.append(likely(table, _crossing(keys, len(left)), threshold))
    pairs = alike(joined, np.unique(np.concatenate(met), axis=0), threshold)
    return [
        Pair(left[pair.first], right[pair.second - len(left)], pair.similarity) for pair in pairs
    ]


def _crossing(keys: Hashes, border: int) -> Numbers:
    """Return pairs of equal keys, one before the border and one after it."""
    theirs = keys[border:]
    order = np.argsort(theirs, kind="stable")
    ranked = theirs[order]
    begin = np.searchsorted(ranked, keys[:border], side="left")
    end = np.searchsorted(ranked, keys[:border], side="right")
    counts = np.minimum(end - begin, MOST_A_BUCKET)
    own_places = np.repeat(np.arange(border), counts)
    offsets = np.arange(len(own_places)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([own_places, border + order[np.repeat(begin, counts) + offsets]], axis=1)
