"""METEOR of Banerjee & Lavie (2005) for Chinese: exact words, then synonyms when a list is given.

With m matched words, c chunks, candidate length n and reference length r:
precision P = m / n, recall R = m / r, F = P R / (0.9 P + 0.1 R) = 10 P R / (R + 9 P),
penalty = 0.5 (c / m)^3, score = F (1 - penalty); 0 without a match. Several references: the best.
A chunk is a run of matches that are neighbours, in order, in both texts. Chinese has no word
stems, so the stem stage of the original falls away.

Alignment follows nltk's: stage by stage, candidate words from last to first, each taking the last
word of the reference that is still free. (The paper asks for the alignment with the fewest
crossings; nltk's is what published METEOR figures in Python rest on. A test holds us to it.)
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from cbt_core.metrics.pairing import Task
from cbt_core.metrics.segmentation import segmenter
from cbt_core.stats.ratings import Floats

ALPHA: Final = 0.9
BETA: Final = 3.0
GAMMA: Final = 0.5

Synonyms = Mapping[str, frozenset[str]]
"""The groups each word belongs to; two words of one group match."""

Words = Sequence[str]


def meteor(candidate: Words, reference: Words, synonyms: Synonyms | None = None) -> float:
    """Return METEOR, 0-1, of two texts cut into words."""
    matches = sorted(aligned(candidate, reference, synonyms or {}))
    if not matches:
        return 0.0
    count = len(matches)
    precision, recall = count / len(candidate), count / len(reference)
    harmonic = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    penalty = GAMMA * (chunks(matches) / count) ** BETA
    return float((1 - penalty) * harmonic)


def aligned(candidate: Words, reference: Words, synonyms: Synonyms) -> list[tuple[int, int]]:
    """Return (place in candidate, place in reference) of each match: exact first, then synonyms."""
    exact = _matched(
        [(word,) for word in candidate], [(word,) for word in reference], range(len(candidate))
    )
    if not synonyms:
        return exact
    here, there = {a for a, _ in exact}, {b for _, b in exact}
    left = [at for at in range(len(candidate)) if at not in here]
    free = [
        () if at in there else tuple(synonyms.get(word, ())) for at, word in enumerate(reference)
    ]
    groups = [tuple(synonyms.get(word, ())) for word in candidate]
    return exact + _matched(groups, free, left)


def _matched(
    wanted: Sequence[Words], offered: Sequence[Words], places: Sequence[int]
) -> list[tuple[int, int]]:
    """Give each place, last first, the last free place of the reference with a common name."""
    names: dict[str, list[int]] = {}
    for at, offers in enumerate(offered):
        for name in offers:
            names.setdefault(name, []).append(at)
    taken: set[int] = set()
    found = []
    for at in reversed(places):
        best = max((_last_free(names.get(name, []), taken) for name in wanted[at]), default=-1)
        if best >= 0:
            taken.add(best)
            found.append((at, best))
    return found


def _last_free(places: list[int], taken: set[int]) -> int:
    while places and places[-1] in taken:
        places.pop()
    return places[-1] if places else -1


def chunks(matches: Sequence[tuple[int, int]]) -> int:
    """Return into how many runs the sorted matches fall."""
    follows = sum(
        after == (before[0] + 1, before[1] + 1)
        for before, after in pairwise(matches)
    )
    return len(matches) - follows


def scores(segment: str, synonyms: Synonyms | None, tasks: Sequence[Task]) -> list[Floats]:
    """Return, per task, METEOR (answers,) of its candidates against their best reference."""
    cut = segmenter(segment)
    found = []
    for task in tasks:
        references = [cut(text) for text in task.references]
        values = [
            max(meteor(candidate, reference, synonyms) for reference in references)
            for candidate in map(cut, task.candidates)
        ]
        found.append(np.array(values, dtype=np.float64))
    return found
