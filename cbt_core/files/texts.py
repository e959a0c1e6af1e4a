"""Texts that a person wrote or a model made: which are taken, doubted, refused."""

import re
from typing import Final

from cbt_core.files.limits import CELL_CHARACTERS, LONG_CHARACTERS
from cbt_core.files.problems import Place

RARE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00e3-\u00e9"
    "\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]"
)
"""Any character that needs a second look; U+0085 is a line end to some programs, and taken."""

CONTROL: Final = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
SURROGATE: Final = re.compile("[\ud800-\udfff]")
DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")

TRAIL: Final = "\u00a0-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
MARKS: Final = "\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
MANGLED: Final = re.compile(f"(?:[\u00e3-\u00e9][{TRAIL}{MARKS}][{TRAIL}{MARKS} ]){{2}}")
"""Two Chinese characters whose UTF-8 was read as Western European and saved again."""

INVISIBLE: Final = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]*"
)


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text can be seen (zero-width and filler characters are not)."""
    return INVISIBLE.fullmatch(text) is not None


def is_sound(text: str, place: Place, row: int, field: str) -> bool:
    """Judge the length and characters of a text; what is wrong or doubtful is noted."""
    if len(text) > LONG_CHARACTERS:
        if len(text) > CELL_CHARACTERS:
            place.refuse(row, field, "text_too_long", limit=CELL_CHARACTERS)
            return False
        place.warn(row, field, "text_long", count=len(text))
    return RARE.search(text) is None or _judge(text, place, row, field)


def _judge(text: str, place: Place, row: int, field: str) -> bool:
    if "\0" in text:
        place.refuse(row, field, "text_nul", at=text.index("\0") + 1)
        return False
    for pattern, code in ((SURROGATE, "text_surrogate"), (CONTROL, "text_control")):
        found = pattern.search(text)
        if found:
            character = f"U+{ord(found.group()):04X}"
            place.refuse(row, field, code, character=character, at=found.start() + 1)
            return False
    if "\ufffd" in text:
        place.warn(row, field, "text_damaged", at=text.index("\ufffd") + 1)
    if DIRECTION.search(text):
        place.warn(row, field, "text_direction")
    if MANGLED.search(text):
        place.warn(row, field, "text_mangled")
    return True
