"""The form of an answer in numbers: what a rater may tell a system by without reading."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
LATIN: Final = re.compile("[a-zA-Z]")
SENTENCES: Final = re.compile(r"[。！？!?…]+|\.(?=\s|$)")
LIST: Final = re.compile(
    r"^[ \t]*(?:[-•·●]|\*(?!\*)|\(?[0-9]{1,2}[.)、．）]|"
    r"[（(]?[一二三四五六七八九十]{1,2}[)）、.])[ \t]*\S",
    re.M,
)
INLINE_LIST: Final = re.compile(
    r"首先|其次|再次|最后|第[一二三四五六][，,、]|(?i:\b(?:firstly|secondly|finally)\b)"
)
HEADING: Final = re.compile(
    r"^[ \t]*(?:#{1,6} |\*\*[^*\n]{1,40}\*\*[:：]?[ \t]*$|【[^】\n]{1,40}】)", re.M
)
BOLD: Final = re.compile(r"\*\*[^*\n]+\*\*")
EMOJI: Final = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")

COUNTED: Final = (
    "length", "sentence_length", "newlines", "lists", "ordinals", "headings", "bold", "emoji",
    "english_share", "polite_you", "plain_you", "questions", "exclamations", "quotes",
)
OPENING_CHARACTERS: Final = 4
CLOSING_CHARACTERS: Final = 5
PHRASES: Final = 6
"""Openings, and closings, that become features: the most frequent ones."""

LEAST_SHARE: Final = 0.1
"""Share of a system's answers a phrase must begin or end to become a feature."""


def counted(text: str) -> list[float]:
    """Return the numbers of one answer, in the order of `COUNTED`."""
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    sentences = [part for part in SENTENCES.split(text) if part.strip()]
    return [
        float(len(text)),
        len(text) / max(1, len(sentences)),
        float(text.strip().count("\n")),
        float(len(LIST.findall(text))),
        float(len(INLINE_LIST.findall(text))),
        float(len(HEADING.findall(text))),
        float(len(BOLD.findall(text))),
        float(len(EMOJI.findall(text))),
        latin / max(1, latin + han),
        float(text.count("您")),
        float(text.count("你")),
        float(text.count("？") + text.count("?")),
        float(text.count("！") + text.count("!")),
        float(text.count("“") + text.count('"')),
    ]


def features(texts: Sequence[Sequence[str]]) -> tuple[list[str], list[Floats]]:
    """Return names and, per system, a matrix (answers, features).

    Openings and closings that one system favours are features of their own.
    """
    opened, closed = (
        _favoured(texts, part) for part in (_opening, _closing)
    )
    names = [*COUNTED, *(f"opening:{one}" for one in opened), *(f"closing:{one}" for one in closed)]
    matrices = [
        np.array([
            [*counted(text), *(float(_opening(text) == one) for one in opened),
             *(float(_closing(text) == one) for one in closed)]
            for text in answers
        ])
        for answers in texts
    ]
    return names, matrices


def _opening(text: str) -> str:
    return text.strip()[:OPENING_CHARACTERS]


def _closing(text: str) -> str:
    return text.strip().rstrip("。.！!～~ ")[-CLOSING_CHARACTERS:]


def _favoured(texts: Sequence[Sequence[str]], part: Callable[[str], str]) -> list[str]:
    """Return the parts that begin (or end) enough answers of a system, the most frequent first."""
    best: Counter[str] = Counter()
    for answers in texts:
        seen = Counter(map(part, answers))
        for phrase, count in seen.items():
            if phrase and count >= max(2.0, LEAST_SHARE * len(answers)):
                best[phrase] = max(best[phrase], count)
    return sorted(best, key=lambda phrase: (-best[phrase], phrase))[:PHRASES]
