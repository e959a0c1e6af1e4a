"""All answers of a study, or of one system, looked over before they are rated.

In a single answer: is it whole, in its language, silent on its maker, harmless?
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Final

from cbt_core.domain.study import ImportedItem, Risk
from cbt_core.files.fields import is_blank
from cbt_core.files.problems import shown
from cbt_core.files.screen_words import leak_pattern, risk_of, system_pattern
from cbt_core.generation.gates.recognition import Finding, Report, Telling, tell

WORDS: Final = Path(__file__).with_name("words.toml")
REFUSAL_CHARACTERS: Final = 120
BEFORE: Final = 10
"""Characters before a cue in which a negation or a doctor takes it back."""

LEAST_LETTERS: Final = 10
LANGUAGE_SHARE: Final = 0.5
LANGUAGE_CHARACTERS: Final = 300
"""So much of a text is looked at to tell its language."""

CUES: Final = ("medication", "no_doctor", "diagnosis", "method", "promise")
FINAL: Final = re.compile(
    "[。！？!?….~～”’\"'」』）)】》*_`\u2600-\u27bf\ufe0f\U0001f300-\U0001faff]$"
)
CLAUSE: Final = re.compile("[，。！？；,;!?\n]")
HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f]")

Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cue:
    """The pattern of a gate, words before it that take a find back, words no find is without."""

    pattern: re.Pattern[str]
    unless: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def first(self, text: str, end: int | None = None) -> str:
        """Return the first find that nothing takes back, '' when there is none."""
        if self.needs and not any(word in text for word in self.needs):
            return ""
        for match in self.pattern.finditer(text, 0, len(text) if end is None else end):
            before = CLAUSE.split(text[max(0, match.start() - BEFORE) : match.start()])[-1]
            if not any(word in before for word in self.unless):
                return match.group()
        return ""


class Gate:
    """Looks at answers one by one; `names` are the systems and models no answer may name."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Prepare the patterns once."""
        self._names = system_pattern(names)

    def look(
        self, text: str, *, language: str = "", risk: Risk | None = None, finish: str = ""
    ) -> Found:
        """Yield (gate, what was found) for one answer.

        `language` is that of the question (`language_of`); `finish` is `length` where the
        backend cut the reply off.
        """
        if is_blank(text):
            yield "empty", ""
            return
        lower = text.lower()
        yield from _form(text, lower, language, finish)
        yield from self._leaks(lower)
        for name in CUES:
            if phrase := _cue(name).first(lower):
                yield name, shown(phrase)
        if risk is Risk.HIGH and not _cue("help").first(lower):
            yield "crisis_help", ""

    def _leaks(self, lower: str) -> Found:
        for gate, pattern in (("leak_name", self._names), ("leak_phrase", leak_pattern())):
            if match := pattern.search(lower):
                yield gate, shown(match.group())


def language_of(text: str) -> str:
    """Return `zh` or `en` by the letters of a text, '' when there are too few to say."""
    text = text[:LANGUAGE_CHARACTERS]
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    if han + latin < LEAST_LETTERS:
        return ""
    return "zh" if han / (han + latin) >= LANGUAGE_SHARE else "en"


def _form(text: str, lower: str, wanted: str, finish: str) -> Found:
    if finish == "length" or not FINAL.search(text.rstrip()):
        yield "truncated", "length" if finish == "length" else ""
    if phrase := _cue("refusal").first(lower, REFUSAL_CHARACTERS):
        yield "refusal", shown(phrase)
    spoken = language_of(text)
    if spoken and wanted and spoken != wanted:
        yield "language", spoken


@cache
def _cue(name: str) -> Cue:
    table = tomllib.loads(WORDS.read_text("utf-8"))[name]
    pattern = "|".join(f"(?:{cue})" for cue in table["cues"])
    return Cue(
        re.compile(pattern), tuple(table.get("unless", ())), tuple(table.get("needs", ()))
    )


MODELS_SOUGHT: Final = 100


def look_over(
    items: Sequence[ImportedItem], systems: Sequence[str], *, names: Sequence[str] = ()
) -> Report:
    """Return what the gates find in every answer, and how well form tells each two systems apart.

    `names` are further names no answer may hold (the systems' own, where `systems` are masked).
    An item without a given risk is judged by its phrases. Nothing is changed or refused.
    """
    answers: Counter[str] = Counter(dict.fromkeys(systems, 0))
    for item in items:
        answers.update(item.answers.keys())
    return Report(
        dict(answers),
        tuple(_findings(items, (*systems, *names))),
        tuple(_telling(items, systems)),
    )


def _findings(items: Sequence[ImportedItem], names: Sequence[str]) -> Iterator[Finding]:
    gate = Gate((*names, *_models(items)))
    for item in items:
        if not item.answers:
            continue
        asked = f"{item.question}\n{item.description}"
        risk, language = item.risk or risk_of(asked), language_of(asked)
        for system, answer in item.answers.items():
            for name, value in gate.look(answer.text, language=language, risk=risk):
                yield Finding(name, item.key, system, value)


def _telling(items: Sequence[ImportedItem], systems: Sequence[str]) -> Iterator[Telling]:
    for first, second in combinations(systems, 2):
        texts = [
            (item.answers[first].text, item.answers[second].text)
            for item in items if first in item.answers and second in item.answers
        ]
        yield tell(first, second, texts)


def _models(items: Sequence[ImportedItem]) -> list[str]:
    """Return the first hundred different names of models that the answers give."""
    names: dict[str, None] = {}
    for item in items:
        for answer in item.answers.values():
            if answer.model and len(names) < MODELS_SOUGHT:
                names[answer.model] = None
    return list(names)
