"""One value of a record read and checked: ids and names, texts, numbers, probabilities."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from cbt_core.domain.study import Risk
from cbt_core.files.json_records import kind_of
from cbt_core.files.problems import (
    CELL_CHARACTERS,
    KEY_CHARACTERS,
    LONG_CHARACTERS,
    NAME_CHARACTERS,
    Place,
    shown,
)
from cbt_core.files.xlsx import Number, Odd

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
        match = pattern.search(text)
        if match:
            character = f"U+{ord(match.group()):04X}"
            place.refuse(row, field, code, character=character, at=match.start() + 1)
            return False
    if "\ufffd" in text:
        place.warn(row, field, "text_damaged", at=text.index("\ufffd") + 1)
    if DIRECTION.search(text):
        place.warn(row, field, "text_direction")
    if MANGLED.search(text):
        place.warn(row, field, "text_mangled")
    return True


WRITTEN: Final = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def chance(written: str) -> float | None:
    """Return the probability a text stands for; None unless it is above 0 and at most 1."""
    probability = float(written) if WRITTEN.fullmatch(written) else 0.0
    return probability if 0 < probability <= 1 else None


EXACT_DIGITS: Final = 15
"""A spreadsheet keeps 15 digits of a number; a longer id has lost its end."""

WHOLE: Final = re.compile(r"(-?[0-9]+)(?:\.0+)?", re.ASCII)
SCIENTIFIC: Final = re.compile(r"-?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}", re.ASCII)
COMMAS: Final = re.compile(r"[,，;；、|]")
BARS: Final = re.compile(r"\|")


class Values:
    """The values of one record; `sheet` tells whether it came from CSV or XLSX."""

    def __init__(self, place: Place, *, sheet: bool) -> None:
        """Remember the file; `at` moves on to each record."""
        self.place = place
        self.sheet = sheet
        self.row = 0
        self.sound = True
        self._record: dict[str, object] = {}

    def at(self, row: int, record: dict[str, object]) -> None:
        """Move on to a record."""
        self.row = row
        self.sound = True
        self._record = record

    def refuse(self, field: str, code: str, **values: object) -> None:
        """Note a problem of this record."""
        self.sound = False
        self.place.refuse(self.row, field, code, **values)

    def get(self, field: str) -> object:
        """Return the bare value of a field (None when absent)."""
        return self._record.get(field)

    def text(self, field: str, *, required: bool = False) -> str:
        """Return a text of the record."""
        return self.text_of(self._record.get(field), field, required=required)

    def text_of(self, value: object, field: str, *, required: bool = False) -> str:
        """Return a value as text; '' when it is empty or (noted) none."""
        if isinstance(value, str):
            if required and is_blank(value):
                self.refuse(field, "text_empty")
                return ""
            if not is_sound(value, self.place, self.row, field):
                self.sound = False
                return ""
            return value
        if value is None:
            if required:
                self.refuse(field, "text_empty")
            return ""
        self._not_text(value, field)
        return ""

    def name(self, field: str) -> str:
        """Return a short name (source, licence, model, run); a whole number is its digits."""
        value = self._record.get(field)
        if value is None or value == "":
            return ""
        number = whole(value)
        text = number if number is not None else self.text_of(value, field)
        if len(text) > NAME_CHARACTERS:
            self.refuse(field, "name_too_long", limit=NAME_CHARACTERS)
        return text

    def names(self, field: str, cut: re.Pattern[str] = COMMAS) -> tuple[str, ...]:
        """Return a list of short names; a text is cut at `cut`."""
        value = self._record.get(field)
        if value is None or value == "":
            return ()
        if isinstance(value, list):
            if all(isinstance(name, str) for name in value):
                return tuple(self.text_of(name, field) for name in value if name)
            self.refuse(field, "list_of_texts")
            return ()
        return tuple(part.strip() for part in cut.split(self.name(field)) if part.strip())

    def key(self) -> str:
        """Return the id of the record, '' when it cannot be one (noted)."""
        value = self._record.get("id")
        key = value if isinstance(value, str) else self._number_key(value)
        if key is None:
            return ""
        if self.sheet and isinstance(value, str):
            key = self._sheet_key(key)
        if is_blank(key):
            self.refuse("id", "key_empty")
            return ""
        if len(key) > KEY_CHARACTERS:
            self.refuse("id", "key_too_long", limit=KEY_CHARACTERS, value=shown(key))
            return ""
        return self.text_of(key, "id")

    def risk(self) -> Risk | None:
        """Return the risk given, None when it is not."""
        value = self._record.get("risk")
        if value is None or (isinstance(value, str) and is_blank(value)):
            return None
        if isinstance(value, str) and value.strip() in set(Risk):
            return Risk(value.strip())
        self.refuse("risk", "risk_unknown", value=shown(_plain(value)))
        return None

    def _number_key(self, value: object) -> str | None:
        if value is None:
            return ""
        if isinstance(value, Number) and value.padded:
            self.refuse("id", "key_padded", value=shown(value.digits))
            return None
        digits = whole(value)
        if digits is None:
            self.refuse("id", "key_not_text", kind=kind(value))
            return None
        if isinstance(value, Number) and len(digits.lstrip("-")) > EXACT_DIGITS:
            self.refuse("id", "key_rounded", value=shown(digits))
            return None
        return digits

    def _sheet_key(self, key: str) -> str:
        if SCIENTIFIC.fullmatch(key):
            self.refuse("id", "key_rounded", value=shown(key))
        number = WHOLE.fullmatch(key)
        return number.group(1) if number and "." in key else key

    def _not_text(self, value: object, field: str) -> None:
        self.refuse(field, "cell_formula" if _is_formula(value) else "not_text", kind=kind(value))


def whole(value: object) -> str | None:
    """Return the digits of a whole number (1 and 1.0 are 1), None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, Number):
        number = WHOLE.fullmatch(value.digits)
        if number:
            return number.group(1)
        return str(int(float(value.digits))) if _is_power(value.digits) else None
    return None


def _is_power(digits: str) -> bool:
    """Tell whether a sheet wrote a whole number as 1E+5 or 1.2E19."""
    return bool(SCIENTIFIC.fullmatch(digits)) and float(digits).is_integer()


def kind(value: object) -> str:
    """Name what stands where a text is due."""
    if isinstance(value, Odd):
        return value.kind
    return "number" if isinstance(value, Number) else kind_of(value)


def _is_formula(value: object) -> bool:
    return isinstance(value, Odd) and value.kind == "formula"


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return value.digits if isinstance(value, Number) else kind(value)


SHORTEST_TELLING_NAME: Final = 3
"""A system name of one or two characters stands in many ids by chance."""

SPACES: Final = re.compile(r"[\s_\-]+")
PARTS: Final = re.compile(r"[\W_]+")


def folded(key: str) -> str:
    """Return what a person takes two ids for the same by: width, case, spaces around."""
    if key.isascii():
        return key.strip().casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold()).strip()


class Keys:
    """The ids of a file, each with its row; refuses two that only look the same."""

    def __init__(self) -> None:
        """Start without ids."""
        self.rows: dict[str, int] = {}
        self._folded: dict[str, str] = {}
        self._as_number: bool | None = None

    def add(self, key: str, row: int, place: Place) -> bool:
        """Note an id; False when it stands in the file already. A look-alike is refused."""
        if key in self.rows:
            return False
        self.rows[key] = row
        other = self._folded.setdefault(folded(key), key)
        if other != key:
            place.refuse(
                row, "id", "key_like", value=shown(key), other=shown(other), where=self.rows[other]
            )
        return True

    def like(self, key: str) -> str | None:
        """Return the id that an unknown one looks like."""
        return self._folded.get(folded(key))

    def same_kind(self, value: object, row: int, place: Place) -> None:
        """Refuse ids written as numbers in some records of a JSON file, as text in others."""
        if value is None:
            return
        as_number = not isinstance(value, str)
        if self._as_number is None:
            self._as_number = as_number
        elif self._as_number is not as_number:
            place.refuse(row, "id", "key_mixed")
            self._as_number = as_number


def judge_systems(systems: Mapping[str, tuple[Place, int]]) -> None:
    """Refuse names that are two spellings of one, or have an end nobody can see.

    `systems` tells for each name the file and row it was first met in.
    """
    seen: dict[str, str] = {}
    for name, (place, row) in systems.items():
        other = seen.setdefault(SPACES.sub("", folded(name)), name)
        if name != name.strip():
            place.refuse(row, "system", "system_spaces", value=shown(name))
        elif other != name:
            place.refuse(row, "system", "system_like", value=shown(name), other=shown(other))


class Naming:
    """Finds the name of a system in an id.

    Separators may differ ("gpt-4" is found in "q12_gpt4"); letters around may not go on
    ("base" is not found in "database").
    """

    def __init__(self, systems: Iterable[str]) -> None:
        """Prepare a quick and an exact test for each name that is long enough to tell."""
        names = [folded(name) for name in systems if len(name) >= SHORTEST_TELLING_NAME]
        self._names = [(PARTS.sub("", name) or name, re.compile(_pattern(name))) for name in names]

    def named_in(self, key: str) -> bool:
        """Tell whether an id names a system."""
        plain = folded(key)
        squeezed = PARTS.sub("", plain) if self._names else ""
        return any(
            (quick in squeezed or quick in plain) and exact.search(plain)
            for quick, exact in self._names
        )


def _pattern(name: str) -> str:
    parts = [re.escape(part) for part in PARTS.split(name) if part] or [re.escape(name)]
    # Only ASCII words have ends that matter: Chinese is written without spaces.
    before = r"(?<![a-z])" if parts[0][0].isascii() and name[0].isalpha() else ""
    after = r"(?![a-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""
    return before + r"[\W_]{0,3}".join(parts) + after
