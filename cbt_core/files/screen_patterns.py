"""Patterns of the screening: each finds its phrases in one linear pass over a text.

A pattern is an alternation whose branches begin with a bare character: the engine then skips,
at a few nanoseconds each, every character that begins no branch. A case-blind flag over the whole
would lose that, so a phrase with a letter in front has one branch per case of that letter.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

WORDS: Final = Path(__file__).with_name("screen_words.toml")


@cache
def words(section: str, name: str) -> tuple[str, ...]:
    """Return a list of phrases of ``screen_words.toml``."""
    found = tomllib.loads(WORDS.read_text("utf-8"))[section][name]
    return tuple(str(phrase) for phrase in found)


def phrases(found: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of the phrases, the longest first, in any case.

    An ASCII phrase is found only as whole words. Without phrases nothing is found.
    """
    groups: dict[str, list[str]] = {}
    for phrase in sorted(set(found), key=lambda phrase: (-len(phrase), phrase)):
        for letter in {phrase[0].lower(), phrase[0].upper()}:
            groups.setdefault(letter, []).append(_rest(phrase))
    branches = [_opening(letter) + f"(?:{'|'.join(rest)})" for letter, rest in groups.items()]
    return re.compile("|".join(branches) or r"(?!)")


def _rest(phrase: str) -> str:
    """Return the pattern of a phrase after its first letter."""
    after = r"(?![A-Za-z])" if _is_word(phrase[-1]) else ""
    return f"(?i:{re.escape(phrase[1:])}){after}"


def _opening(letter: str) -> str:
    """Return a letter that begins a word, written so that the letter itself comes first."""
    escaped = re.escape(letter)
    return f"{escaped}(?<![A-Za-z0-9]{escaped})" if _is_word(letter) else escaped


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
    r"[0-9][0-9 \-]{9,30}[0-9Xx]"
    r"|@"
    r"|[微薇威](?:[信芯]号?|x)[是为]?[^\u4e00-\u9fff\n]{0,8}[A-Za-z0-9_\-]{5,20}"
    r"|[WwVv](?:(?i:echat|eixin|x))[^A-Za-z\u4e00-\u9fff\n]{1,8}[A-Za-z0-9_\-]{5,20}"
    r"|[Qq]{2}(?:号|群)?[：: ]{0,3}[0-9]{5,11}"
)
"""Anything that may be a number or name of a person; `screening` looks at each find again."""

MOBILE: Final = re.compile(r"(?:86)?1[3-9][0-9]{9}")
LANDLINE: Final = re.compile(r"0[0-9]{2,3}[ \-][0-9]{7,8}")
CARD: Final = re.compile(r"[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx]")
FOREIGN: Final = re.compile(r"[0-9]{3}[ \-][0-9]{3}[ \-][0-9]{4}")
MAIL_AFTER: Final = re.compile(r"[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,4}")
