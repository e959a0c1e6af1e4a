"""Which fields a file may have, and what a column or key of a file stands for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from cbt_core.files.limits import COLUMNS
from cbt_core.files.problems import WHOLE_FILE, Place, shown

SYSTEM_PREFIX: Final = "answer:"
"""A sheet holds the answers of a system in the column ``answer:<system>``."""

INVISIBLE: Final = re.compile(
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    "\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields a kind of file has; `quiet` ones are known, and not read without a word."""

    fields: tuple[str, ...]
    required: tuple[str, ...]
    systems: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()


ITEMS: Final = Schema(
    fields=(
        "id",
        "question",
        "description",
        "keywords",
        "source",
        "licence",
        "risk",
        "answers",
        "inclusion_probability",
    ),
    required=("id", "question"),
    systems=True,
    aliases={"questionID": "id"},
)
GENERATED: Final = frozenset({
    "prompt_hash", "steps", "evidence", "unknown_distortions", "risk", "finish", "attempt", "seed",
    "generated_at", "prompt_tokens", "reply_tokens", "seconds", "cost",
})
"""What `generate` writes beside an answer; its manifest is the place to read it from."""

ANSWERS: Final = Schema(
    fields=("id", "system", "answer", "distortions", "model", "adapter", "prompt", "run"),
    required=("id", "system", "answer"),
    quiet=GENERATED,
)
REFERENCES: Final = Schema(fields=ANSWERS.fields, required=("id", "answer"), quiet=GENERATED)


class Columns:
    """Turns the names a file uses into ours; each name is judged once.

    `aliased` grows while a file is read: the aliases it was seen to use, as the schema spells them.
    """

    def __init__(self, schema: Schema, place: Place) -> None:
        """Start with the exact names; the others are met while reading."""
        self._schema = schema
        self._place = place
        self._known: dict[str, str | None] = {name: name for name in schema.fields}
        self._known.update(schema.aliases)
        self._known.update(dict.fromkeys(schema.quiet))
        self._aliases = {name: name for name in schema.aliases}
        self.aliased: set[str] = set()

    def field(self, name: str, row: int) -> str | None:
        """Return our field for a name, or None when it is not read."""
        if name not in self._known:
            if len(self._known) > COLUMNS + len(self._schema.fields):
                raise self._place.stop(row, WHOLE_FILE, "too_many_columns", limit=COLUMNS)
            self._known[name] = self._judge(name, row)
        if name in self._aliases:
            self.aliased.add(self._aliases[name])
        return self._known[name]

    def record(self, row: int, names: dict[str, object]) -> dict[str, object]:
        """Return a record under our field names."""
        found: dict[str, object] = {}
        for name, value in names.items():
            known = self.field(name, row)
            if known is None:
                continue
            if known in found:
                self._place.refuse(row, known, "field_twice", name=shown(name))
            found[known] = value
        return found

    def header(self, names: Iterable[str], row: int) -> list[str | None]:
        """Return our fields for a header line; a column that is not read is None."""
        fields = [self.field(name, row) if name else None for name in names]
        seen: set[str] = set()
        for known in fields:
            if known is not None and known in seen:
                self._place.refuse(row, shown(known), "column_twice", name=shown(known))
            seen.add(known or "")
        return fields

    def missing(self, fields: Iterable[str | None]) -> list[str]:
        """Return the required fields a header lacks."""
        have = set(fields)
        return [name for name in self._schema.required if name not in have]

    def _judge(self, name: str, row: int) -> str | None:
        odd = INVISIBLE.search(name)
        if odd:
            code = f"U+{ord(odd.group()):04X}"
            self._place.refuse(row, shown(name), "column_invisible", character=code)
            return None
        plain = name.strip().casefold()
        if self._schema.systems and plain.startswith(SYSTEM_PREFIX):
            if not name.startswith(SYSTEM_PREFIX):
                self._place.warn(row, shown(name), "column_spelling", name=SYSTEM_PREFIX)
            return SYSTEM_PREFIX + name.lstrip()[len(SYSTEM_PREFIX) :]
        for known in (*self._schema.fields, *self._schema.aliases):
            if plain == known.casefold():
                self._place.warn(row, shown(name), "column_spelling", name=known)
                if known in self._schema.aliases:
                    self._aliases[name] = known
                return self._schema.aliases.get(known, known)
        self._unknown(name, plain, row)
        return None

    def _unknown(self, name: str, plain: str, row: int) -> None:
        close = get_close_matches(plain[:40], self._schema.fields, n=1, cutoff=0.7)
        if close:
            self._place.warn(row, shown(name), "column_unknown_close", name=close[0])
        else:
            self._place.warn(row, shown(name), "column_unknown")
