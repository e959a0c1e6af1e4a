"""Which of the five steps an answer shows, by cues in flowing text; and the figures made of them.

The steps and their names are those of the CBT prompt (validation and empathy; identify key thought
or belief; pose challenge or reflection; provide strategy or insight; encouragement and foresight).
A rule sees words, not sense: a hint for a corpus, never a judgement of an answer.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import blocks
from cbt_core.stats.values import Value, with_interval

FOLDER: Final = Path(__file__).parent
LANGUAGES: Final = ("zh", "en")
STEPS: Final = (1, 2, 3, 4, 5)
WEAK_NEEDED: Final = 2
QUOTED: Final = re.compile("“[^”]{0,200}”|「[^」]{0,200}」|\"[^\"\n]{0,200}\"")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that speaks for a step: start and end in characters of the answer, end exclusive."""

    step: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The cues of a step and the part of an answer (shares of its length) they may stand in."""

    number: int
    begin: float
    end: float
    outside_quotes: bool
    strong: re.Pattern[str]
    weak: tuple[re.Pattern[str], ...]


def steps_of(text: str, language: str = "zh") -> tuple[int, ...]:
    """Return the steps an answer shows, 1 to 5, in order."""
    return tuple(sorted({mark.step for mark in marks(text, language)}))


def marks(text: str, language: str = "zh") -> tuple[Mark, ...]:
    """Return, for each step shown, the first place that speaks for it."""
    lower = text.lower().replace("’", "'")
    unquoted = QUOTED.sub(lambda found: "\0" * len(found.group()), lower)
    step_marks = (
        _mark(rule, unquoted if rule.outside_quotes else lower) for rule in rules(language)
    )
    return tuple(mark for mark in step_marks if mark is not None)


def _mark(rule: Rule, text: str) -> Mark | None:
    start, end = int(len(text) * rule.begin), round(len(text) * rule.end)
    strong = rule.strong.search(text, start, end)
    if strong:
        return Mark(rule.number, strong.start(), strong.end())
    weak = list(_first_weak(rule.weak, text, start, end))
    return Mark(rule.number, *weak[0].span()) if len(weak) >= WEAK_NEEDED else None


def _first_weak(
    cues: Sequence[re.Pattern[str]], text: str, start: int, end: int
) -> Iterator[re.Match[str]]:
    """Yield the first match of each weak cue until there are enough."""
    count = 0
    for cue in cues:
        match = cue.search(text, start, end)
        if match:
            yield match
            count += 1
            if count == WEAK_NEEDED:
                return


@cache
def rules(language: str) -> tuple[Rule, ...]:
    """Return the rules of a language; any but Chinese is read as English."""
    name = language if language in LANGUAGES else "en"
    table = tomllib.loads((FOLDER / f"structure.{name}.toml").read_text("utf-8"))
    return tuple(
        Rule(
            number=one["number"], begin=one["from"], end=one["to"],
            outside_quotes=one.get("outside_quotes", False),
            strong=re.compile("|".join(f"(?:{cue})" for cue in one["strong"])),
            weak=tuple(re.compile(cue) for cue in one["weak"]),
        )
        for one in table["steps"]
    )


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
    characters = set()
    for row in GB2312_ROWS:
        for column in range(0xA1, 0xFF):
            try:
                characters.add(bytes((row, column)).decode("gb2312"))
            except UnicodeDecodeError:  # the last five places are empty
                continue
    return frozenset(characters)


METHOD: Final = "automatic: rules and counts, no human judgement"
COUNTED: Final = (
    "length", "sentences", "sentence_length", "distinct_1", "distinct_2", "rare_characters",
    "paragraphs", "list_items", "headings", "bold", "emoji", "questions", "english_share",
)
NO_ANSWERS: Final = "no answers"
NO_HAN: Final = "no Chinese characters"
CORPUS_ONLY: Final = "no interval: distinct-n of a corpus depends on its size"
SIGNATURE: Final = "structure|steps:rules.v1|distinct:char(zh),word(en)|rare:gb2312-1"


@dataclass(frozen=True, slots=True)
class Structure:
    """What one answer shows: the steps with a place for each, and its counts."""

    steps: tuple[int, ...]
    marks: tuple[Mark, ...]
    figures: Figures


def structure(text: str, language: str = "zh") -> Structure:
    """Return what can be seen of an answer's structure; automatic, never a judgement."""
    step_marks = marks(text, language)
    return Structure(
        tuple(sorted({mark.step for mark in step_marks})), step_marks, figures(text, language)
    )


def structure_scores(answers: Sequence[str], language: str = "zh") -> dict[str, list[float]]:
    """Return a score per answer for each measure.

    `step_1` … `step_5` are 0 or 1, `steps` counts them (0 to 5); the others are those of
    `Figures`, NaN where a text has none (the share of rare characters in an English answer).
    """
    structures = [structure(answer, language) for answer in answers]
    scores: dict[str, list[float]] = {
        f"step_{step}": [float(step in one.steps) for one in structures] for step in STEPS
    }
    scores["steps"] = [float(len(one.steps)) for one in structures]
    counts = [asdict(one.figures) for one in structures]
    for name in COUNTED:
        values = (one[name] for one in counts)
        scores[name] = [float("nan") if value is None else float(value) for value in values]
    return scores


def summary(
    answers: Sequence[str], language: str = "zh", *, bootstrap: int = 1000, seed: int = 1
) -> dict[str, object]:
    """Return the means of a system's answers with 95 % intervals that resample answers.

    `distinct_1_corpus` and `distinct_2_corpus` take all answers as one text (no interval: they
    fall with its size, so compare corpora of one size only).
    """
    scores = structure_scores(answers, language)
    measures: dict[str, object] = {
        name: value.json() for name, value in _means(scores, bootstrap, seed).items()
    }
    units = [units_of(answer, language) for answer in answers]
    for size in (1, 2):
        measures[f"distinct_{size}_corpus"] = _corpus_distinct(units, size).json()
    return {
        "method": METHOD, "signature": f"{SIGNATURE}|lang:{language}|boot:{bootstrap}|seed:{seed}",
        "n_answers": len(answers), "scores": measures,
    }


def _corpus_distinct(units: Sequence[Sequence[str]], size: int) -> Value:
    joined = [unit for one in units for unit in one]
    if not joined:
        return Value(None, reason=NO_ANSWERS)
    return Value(distinct(joined, size), reason=CORPUS_ONLY)


def _means(scores: Mapping[str, Sequence[float]], bootstrap: int, seed: int) -> dict[str, Value]:
    """Return the mean of each measure with its percentile interval."""
    names = list(scores)
    table = np.array([scores[name] for name in names], dtype=np.float64)  # (measures, answers)
    if not table.shape[1]:
        return dict.fromkeys(names, Value(None, reason=NO_ANSWERS))
    replicates = _replicates(table, bootstrap, seed)
    means = {}
    for name, row, drawn in zip(names, table, replicates, strict=True):
        known = row[~np.isnan(row)]
        means[name] = (
            with_interval(float(known.mean()), drawn) if len(known) else Value(None, reason=NO_HAN)
        )
    return means


def _replicates(table: Floats, bootstrap: int, seed: int) -> Floats:
    """Return the means of resampled answers (measures, replicates); nan where none is known."""
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    parts = [np.empty((len(table), 0))]
    for weights in blocks(table.shape[1], replicates=bootstrap, seed=seed):
        counts = known.astype(np.float64) @ weights
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(np.asarray(filled @ weights / counts))
    return np.concatenate(parts, axis=1)
