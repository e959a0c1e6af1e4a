"""Length, form, variety and readability of a text, by counting."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
LATIN_WORD: Final = re.compile(r"[a-zA-Z]+(?:['’\-][a-zA-Z]+)*")
SENTENCE_END: Final = re.compile(r"[。！？!?…]+|\.(?=\s|$)|\n+")
LIST_ITEM: Final = re.compile(
    r"^[ \t]*(?:[-•·●]|\*(?!\*)|\(?[0-9]{1,2}[.)、．）]|"
    r"[（(]?[一二三四五六七八九十]{1,2}[)）、.])[ \t]*\S",
    re.M,
)
HEADING: Final = re.compile(
    r"^[ \t]*(?:#{1,6} |\*\*[^*\n]{1,40}\*\*[:：]?[ \t]*$|【[^】\n]{1,40}】)", re.M
)
BOLD: Final = re.compile(r"\*\*[^*\n]+\*\*")
EMOJI: Final = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
GB2312_ROWS: Final = range(0xB0, 0xD8)
"""Rows of level 1 of GB 2312-1980: the 3,755 characters of frequent use."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one text; `distinct_1` and `distinct_2` are shares 0 to 1.

    Units are characters for Chinese, words for English. `rare_characters` is the share of Han
    characters outside the 3,755 of GB 2312 level 1 (None without Han characters).
    """

    length: int
    sentences: int
    sentence_length: float
    distinct_1: float
    distinct_2: float
    rare_characters: float | None
    paragraphs: int
    list_items: int
    headings: int
    bold: int
    emoji: int
    questions: int
    english_share: float


def figures(text: str, language: str = "zh") -> Figures:
    """Count one text."""
    units = units_of(text, language)
    sentences = [part for part in SENTENCE_END.split(text) if re.search(r"\w", part)]
    han, latin = HAN.findall(text), sum(map(len, LATIN_WORD.findall(text)))
    frequent = frequent_characters()
    return Figures(
        length=len(text.strip()),
        sentences=len(sentences),
        sentence_length=len(units) / len(sentences) if sentences else 0.0,
        distinct_1=distinct(units, 1),
        distinct_2=distinct(units, 2),
        rare_characters=sum(one not in frequent for one in han) / len(han) if han else None,
        paragraphs=sum(1 for line in text.splitlines() if line.strip()),
        list_items=len(LIST_ITEM.findall(text)),
        headings=len(HEADING.findall(text)),
        bold=len(BOLD.findall(text)),
        emoji=len(EMOJI.findall(text)),
        questions=text.count("？") + text.count("?"),
        english_share=latin / (latin + len(han)) if latin + len(han) else 0.0,
    )


def units_of(text: str, language: str) -> list[str]:
    """Return Han characters and foreign words (zh), or words in lower case (en)."""
    if language == "zh":
        return re.findall("[\u3400-\u9fff]|[a-zA-Z]+|[0-9]+", text.lower())
    return [word.lower() for word in re.findall(r"[^\W_]+(?:['’\-][^\W_]+)*", text)]


def distinct(units: Sequence[str], size: int) -> float:
    """Return different n-grams / n-grams (distinct-n, Li et al. 2016); 0 without any."""
    grams = list(zip(*(units[start:] for start in range(size)), strict=False))
    return len(set(grams)) / len(grams) if grams else 0.0


@cache
def frequent_characters() -> frozenset[str]:
    """Return the 3,755 characters of GB 2312 level 1, as Python's own codec has them."""
    found = set()
    for row in GB2312_ROWS:
        for column in range(0xA1, 0xFF):
            try:
                found.add(bytes((row, column)).decode("gb2312"))
            except UnicodeDecodeError:  # the last five places are empty
                continue
    return frozenset(found)
