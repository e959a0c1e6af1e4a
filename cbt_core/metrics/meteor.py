"""METEOR of Banerjee & Lavie (2005) for Chinese: exact words, then synonyms when a list is given.

With m matched words, c chunks, candidate length n and reference length r: precision P = m / n,
recall R = m / r, F = P R / (0.9 P + 0.1 R) = 10 P R / (R + 9 P), penalty = 0.5 (c / m)^3, score = F
(1 - penalty); 0 without a match. Several references: the best. A chunk is a run of matches that are
neighbours, in order, in both texts. Chinese has no word stems, so the stem stage of the original
falls away.

Alignment follows nltk's: stage by stage, candidate words from last to first, each taking the last
word of the reference that is still free. (The paper asks for the alignment with the fewest
crossings; nltk's is what published METEOR figures in Python rest on. A test holds us to it.)

A list of synonyms comes from a user's file: 同义词词林, or plain lines of words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Final

import numpy as np

from cbt_core.metrics.corpus import Task
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
    matches = []
    for at in reversed(places):
        best = max((_last_free(names.get(name, []), taken) for name in wanted[at]), default=-1)
        if best >= 0:
            taken.add(best)
            matches.append((at, best))
    return matches


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
    task_scores = []
    for task in tasks:
        references = [cut(text) for text in task.references]
        values = [
            max(meteor(candidate, reference, synonyms) for reference in references)
            for candidate in map(cut, task.candidates)
        ]
        task_scores.append(np.array(values, dtype=np.float64))
    return task_scores


CILIN = re.compile(r"[A-Z][a-z][0-9]{2}[A-Z][0-9]{2}([=#@])")
"""Code of a group in the extended 同义词词林: ``=`` synonyms, ``#`` related, ``@`` alone."""

BLANKS = re.compile(r"[\s,，、;；|]+")


def read_synonyms(lines: Iterable[str]) -> Synonyms:
    """Return the groups of each word: one group per line, words cut by blanks or commas.

    Lines of the extended 同义词词林 (``Aa01A02= 人类 生人 全人类``) count only when marked ``=``;
    in other files every line is a group. Lines that start with ``#`` are comments. Words are
    compared in lower case.
    """
    groups: dict[str, set[str]] = {}
    for number, line in enumerate(lines):
        for word in _words(line):
            groups.setdefault(word, set()).add(str(number))
    return {word: frozenset(names) for word, names in groups.items()}


def digest(synonyms: Synonyms) -> str:
    """Return a short digest of a list, for signatures."""
    listing = "\n".join(f"{word} {' '.join(sorted(synonyms[word]))}" for word in sorted(synonyms))
    return sha256(listing.encode()).hexdigest()[:8]


def _words(line: str) -> list[str]:
    text = line.strip().lstrip("\ufeff")
    if text.startswith("#"):
        return []
    words = [word.lower() for word in BLANKS.split(text) if word]
    code = CILIN.fullmatch(text.split(maxsplit=1)[0]) if text else None
    if code is None:
        return words if len(words) > 1 else []
    return words[1:] if code.group(1) == "=" else []
