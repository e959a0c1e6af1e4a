"""Signatures of texts: what two texts have in common, estimated from a few numbers each.

MinHash (Broder 1997, "On the resemblance and containment of documents") over runs of three
characters; the work is done in numpy for thousands of texts at a time.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
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
    found = np.empty((len(plain_texts), PERMUTATIONS), dtype=np.uint32)
    for first, last in _pieces(plain_texts):
        found[first:last] = _signatures(plain_texts[first:last])
    return found


def band_keys(found: Signatures, band: int) -> Hashes:
    """Return what texts of one bucket share in a band: shape (texts,)."""
    rows = found[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
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
    found = np.zeros(last, dtype=np.uint64)
    for place, weight in enumerate(WEIGHTS):
        found += codes[place : place + last] * np.uint64(weight)
    return _mixed(found)


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
