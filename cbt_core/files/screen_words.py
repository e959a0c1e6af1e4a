"""Words a study is screened for: risk of each item, leaks, privacy, answers too (un)like.

A finding is a hint to a person, never a diagnosis: plain phrases are looked for, nothing more. Each
pattern finds its phrases in one linear pass over a text in lower case. A pattern is an alternation
with one branch per first character: the engine then skips, at a few nanoseconds each, every
character that begins no phrase. A case-blind flag would lose that.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cbt_core.domain.study import ImportedItem, ImportedStudy, Problem, Risk
from cbt_core.files.problems import Findings, shown
from cbt_core.files.study import ReadStudy
from cbt_core.files.tables import SYSTEM_PREFIX

WORDS: Final = Path(__file__).with_name("screen_words.toml")


@cache
def words(section: str, name: str) -> tuple[str, ...]:
    """Return a list of phrases of ``screen_words.toml``."""
    entries = tomllib.loads(WORDS.read_text("utf-8"))[section][name]
    return tuple(str(phrase) for phrase in entries)


def phrases(entries: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of the phrases in a text of lower case, the longest first.

    An ASCII phrase is found only as whole words. Without phrases nothing is found.
    """
    groups: dict[str, list[str]] = {}
    for phrase in sorted({phrase.lower() for phrase in entries}, key=lambda phrase: -len(phrase)):
        groups.setdefault(phrase[0], []).append(_rest(phrase))
    branches = [_opening(first) + f"(?:{'|'.join(rest)})" for first, rest in groups.items()]
    return re.compile("|".join(branches) or r"(?!)")


def _rest(phrase: str) -> str:
    """Return the pattern of a phrase after its first character."""
    after = r"(?![a-z])" if _is_word(phrase[-1]) else ""
    return re.escape(phrase[1:]) + after


def _opening(first: str) -> str:
    """Return a character that begins a word, written so that the character itself comes first."""
    escaped = re.escape(first)
    return f"{escaped}(?<![a-z0-9]{escaped})" if _is_word(first) else escaped


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


@cache
def risk_pattern(level: str) -> re.Pattern[str]:
    """Return the pattern of the risk phrases of a level, and of those said without meaning it."""
    return phrases(words("risk", level) + words("risk", "never"))


@cache
def meaningless() -> frozenset[str]:
    """Return the phrases said without meaning it, in lower case."""
    return frozenset(phrase.lower() for phrase in words("risk", "never"))


@cache
def leak_pattern() -> re.Pattern[str]:
    """Return the pattern of phrases that say what wrote an answer, and of models' names."""
    return phrases(words("leak", "phrases") + words("leak", "models"))


def system_pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of a study's own system and model names, ordinary words left out."""
    ordinary = {word.casefold() for word in words("leak", "ordinary")}
    return phrases(
        name.strip()
        for name in names
        if len(name.strip()) >= 3 and name.strip().casefold() not in ordinary
    )


PRIVATE: Final = re.compile(
    r"[0-9@微薇威wvq](?:"
    r"(?<=@)"
    r"|(?<=[0-9])[0-9 \-]{9,30}[0-9x]"
    r"|(?<=[微薇威])(?:[信芯]号?|x)[是为]?[^\u4e00-\u9fff\n]{0,8}[a-z0-9_\-]{5,20}"
    r"|(?<=[wv])(?:echat|eixin|x)[^a-z\u4e00-\u9fff\n]{1,8}[a-z0-9_\-]{5,20}"
    r"|(?<=q)q(?:号|群)?[：: ]{0,3}[0-9]{5,11}"
    r")"
)
"""Anything that may be a number or name of a person; `screening` looks at each find again."""

MOBILE: Final = re.compile(r"(?:86)?1[3-9][0-9]{9}")
LANDLINE: Final = re.compile(r"0[0-9]{2,3}[ \-][0-9]{7,8}")
CARD: Final = re.compile(r"[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9x]")
FOREIGN: Final = re.compile(r"[0-9]{3}[ \-][0-9]{3}[ \-][0-9]{4}")
MAIL_AFTER: Final = re.compile(r"[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4}")

UNEQUAL_RATIO: float = 5.0
UNEQUAL_CHARACTERS: int = 200
"""Answers to one item are very unequal when the longest is so many times the shortest, and longer
by so many characters."""
MODELS_SOUGHT: int = 100


@dataclass(frozen=True, slots=True)
class Screening:
    """What was found: risk by item id, the ids whose risk was detected (not given), warnings."""

    risks: dict[str, Risk]
    detected: frozenset[str]
    warnings: tuple[Problem, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


def screen(study: ImportedStudy) -> Screening:
    """Look over every text of a study once; time grows with the characters only."""
    look = _Look(study)
    risks: dict[str, Risk] = {}
    for item in study.items:
        risks[item.key] = item.risk or risk_of(f"{item.question}\n{item.description}")
        look.over(item)
    detected = frozenset(item.key for item in study.items if item.risk is None)
    return Screening(risks, detected, look.findings.warnings(), look.findings.warning_counts())


def risk_of(text: str) -> Risk:
    """Return how likely a question speaks of harm to self or others, by its phrases."""
    text = text.lower()
    for level in (Risk.HIGH, Risk.POSSIBLE):
        matches = risk_pattern(level.value).finditer(text)
        if any(match.group() not in meaningless() for match in matches):
            return level
    return Risk.NONE


def private_kinds(text: str) -> set[str]:
    """Return which marks of a person stand in a text: `phone`, `mail`, `card`, `chat`."""
    text = text.lower()
    kinds: set[str] = set()
    for match in PRIVATE.finditer(text):
        if match.group() == "@":
            if _is_mail(text, match.start()):
                kinds.add("mail")
        elif match.group()[0].isdigit():
            if text[match.start() - 1 : match.start()] == ".":
                continue  # decimals
            kinds.update(_number_kinds(match.group()))
        else:
            kinds.add("chat")
    return kinds


def _is_mail(text: str, at: int) -> bool:
    """Look at the characters around an @ only: a free search would be quadratic."""
    before = text[at - 1 : at] if at else ""
    return before.isascii() and before.isalnum() and MAIL_AFTER.match(text, at + 1) is not None


def _number_kinds(number: str) -> Iterator[str]:
    """Judge a run of digits as a whole and, where spaces part it, piece by piece."""
    if FOREIGN.fullmatch(number) or LANDLINE.fullmatch(number):
        yield "phone"
    for piece in {number.replace(" ", ""), *number.split(" ")}:
        digits = piece.replace("-", "")
        if CARD.fullmatch(digits):
            yield "card"
        elif MOBILE.fullmatch(digits):
            yield "phone"


class _Look:
    """Goes over the items of one study and gathers what it finds."""

    def __init__(self, study: ImportedStudy) -> None:
        self.findings = Findings()
        self._file = study.file if isinstance(study, ReadStudy) else ""
        self._places = study.places if isinstance(study, ReadStudy) else {}
        self._leaks = leak_pattern()
        self._names = system_pattern((*study.systems, *_models(study)))

    def over(self, item: ImportedItem) -> None:
        """Look over one item."""
        self._private(item, "question", item.question)
        if item.description:
            self._private(item, "description", item.description)
        for system, answer in item.answers.items():
            self._private(item, system, answer.text)
            self._leak(item, system, answer.text)
        if len(item.answers) > 1 or item.references:
            self._alike(item)
            self._lengths(item)

    def _warn(self, item: ImportedItem, where: str, code: str, **values: object) -> None:
        """Warn at an answer (`where` is its system) or at a field of the item."""
        is_answer = where in item.answers
        file, row = self._places.get(item.key, {}).get(where, (self._file, item.row))
        name = SYSTEM_PREFIX + shown(where) if is_answer else where
        self.findings.warn(Problem(file, row, name, code, {"item": shown(item.key), **values}))

    def _private(self, item: ImportedItem, where: str, text: str) -> None:
        for kind in sorted(private_kinds(text)):
            self._warn(item, where, f"privacy_{kind}")

    def _leak(self, item: ImportedItem, system: str, text: str) -> None:
        text = text.lower()
        for pattern, code in ((self._names, "leak_system"), (self._leaks, "leak_phrase")):
            excerpt = _found(pattern, text)
            if excerpt:
                self._warn(item, system, code, value=shown(excerpt))
                return

    def _alike(self, item: ImportedItem) -> None:
        references = set(item.references)
        for system, answer in item.answers.items():
            if answer.text in references:
                self._warn(item, system, "same_reference", system=shown(system))
        first: dict[str, str] = {}
        for system, answer in item.answers.items():
            other = first.setdefault(answer.text, system)
            if other != system:
                self._warn(item, system, "same_answer", system=shown(other), other=shown(system))

    def _lengths(self, item: ImportedItem) -> None:
        lengths = [len(answer.text) for answer in item.answers.values()]
        short, long = min(lengths, default=0), max(lengths, default=0)
        if long - short >= UNEQUAL_CHARACTERS and long >= UNEQUAL_RATIO * short:
            self._warn(item, "answers", "lengths_unequal", short=short, long=long)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group() if match else ""


def _models(study: ImportedStudy) -> list[str]:
    """Return the names of models the answers give, the first 100 different ones."""
    models: dict[str, None] = {}
    for item in study.items:
        for answer in item.answers.values():
            if answer.model and len(models) < MODELS_SOUGHT:
                models[answer.model] = None
    return list(models)
