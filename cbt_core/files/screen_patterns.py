"""Patterns of the screening: each finds its phrases in one linear pass over a text.

They are for texts in lower case. A pattern is an alternation with one branch per first character:
the engine then skips, at a few nanoseconds each, every character that begins no phrase. A
case-blind flag would lose that.
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
    """Return a pattern that finds any of the phrases in a text of lower case, the longest first.

    An ASCII phrase is found only as whole words. Without phrases nothing is found.
    """
    groups: dict[str, list[str]] = {}
    for phrase in sorted({phrase.lower() for phrase in found}, key=lambda phrase: -len(phrase)):
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
