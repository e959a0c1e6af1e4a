"""Texts of one set that stand, nearly the same, in another: what must not be trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.generation.dataset.nearness import THRESHOLD, Numbers, Pair, alike, likely
from cbt_core.generation.dataset.signatures import BANDS, Hashes, band_keys, plain, signatures

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
        if place not in best and (found := known.get(plain(question))) is not None:
            best[place] = Match(place, found, 1.0)
    return [best[place] for place in sorted(best)]


def _near(bare: Sequence[str], others: Sequence[str], threshold: float) -> list[Pair]:
    """Return pairs (place in `bare`, place in `others`) that reach the threshold."""
    left = [place for place, text in enumerate(bare) if text]
    right = [place for place, text in enumerate(others) if text]
    if not left or not right:
        return []
    joined = [*(bare[place] for place in left), *(others[place] for place in right)]
    found = signatures(joined)
    met = [np.empty((0, 2), dtype=np.int64)]
    for band in range(BANDS):
        keys = band_keys(found, band)
        met.append(likely(found, _crossing(keys, len(left)), threshold))
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
    mine = np.repeat(np.arange(border), counts)
    offsets = np.arange(len(mine)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([mine, border + order[np.repeat(begin, counts) + offsets]], axis=1)
