"""Ids and system names: which are the same, which only look it, which give a system away."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from cbt_core.files.problems import Place, shown

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
