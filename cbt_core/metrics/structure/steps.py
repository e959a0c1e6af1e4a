"""Which of the five steps an answer shows, by cues in flowing text.

The steps and their names are those of the CBT prompt (validation and empathy; identify key thought
or belief; pose challenge or reflection; provide strategy or insight; encouragement and foresight).
A rule sees words, not sense: a hint for a corpus, never a judgement of an answer.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

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
    found = (
        _mark(rule, unquoted if rule.outside_quotes else lower) for rule in rules(language)
    )
    return tuple(mark for mark in found if mark is not None)


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
        found = cue.search(text, start, end)
        if found:
            yield found
            count += 1
            if count == WEAK_NEEDED:
                return


@cache
def rules(language: str) -> tuple[Rule, ...]:
    """Return the rules of a language; any but Chinese is read as English."""
    name = language if language in LANGUAGES else "en"
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    return tuple(
        Rule(
            number=one["number"], begin=one["from"], end=one["to"],
            outside_quotes=one.get("outside_quotes", False),
            strong=re.compile("|".join(f"(?:{cue})" for cue in one["strong"])),
            weak=tuple(re.compile(cue) for cue in one["weak"]),
        )
        for one in table["steps"]
    )
