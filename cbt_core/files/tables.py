"""Any file as records, whatever its form: opened, its header found, its columns known.

Which fields a file may have, and what a column or key of a file stands for, is a `Schema`.
"""

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final

from cbt_core.files import json_records, text_files, xlsx
from cbt_core.files.problems import COLUMNS, FILE_BYTES, RECORDS, WHOLE_FILE, Place, shown
from cbt_core.files.text_files import encoding

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
        record: dict[str, object] = {}
        for name, value in names.items():
            known = self.field(name, row)
            if known is None:
                continue
            if known in record:
                self._place.refuse(row, known, "field_twice", name=shown(name))
            record[known] = value
        return record

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


Cells = tuple[int, list[object]]
EMPTY: Final = ("", None)
HEADER_SEARCH: Final = 10
"""How many rows are looked at for a header that does not stand first."""


class Header:
    """The columns of a sheet, and how its rows become records."""

    def __init__(self, names: list[str], fields: list[str | None], place: Place) -> None:
        """Keep which column holds which field, and which have no name."""
        self.aliased: Set[str] = frozenset()
        self.place = place
        self.width = len(fields)
        self.fields = tuple(name for name in fields if name is not None)
        self._read = [(at, name) for at, name in enumerate(fields) if name is not None]
        self._unnamed = [at for at, name in enumerate(names) if not name.strip()]

    def records(self, rows: Iterator[Cells]) -> Iterator[tuple[int, dict[str, object]]]:
        """Yield (row, record) of each row whose width is right; the others are noted."""
        for row, cells in rows:
            if self._fits(row, cells) and not self._strays(row, cells):
                yield row, {name: cells[at] for at, name in self._read}

    def _fits(self, row: int, cells: list[object]) -> bool:
        if len(cells) == self.width:
            return True
        if len(cells) < self.width:
            self.place.refuse(row, WHOLE_FILE, "row_short", count=len(cells), width=self.width)
            return False
        if any(cell not in EMPTY for cell in cells[self.width :]):
            self.place.refuse(row, WHOLE_FILE, "row_long", count=len(cells), width=self.width)
            return False
        self.place.warn(row, WHOLE_FILE, "row_trailing")
        return True

    def _strays(self, row: int, cells: list[object]) -> bool:
        for at in self._unnamed:
            if cells[at] not in EMPTY:
                self.place.refuse(row, WHOLE_FILE, "column_unnamed", column=at + 1)
                return True
        return False


def header(rows: Iterator[Cells], schema: Schema, place: Place) -> Header:
    """Read the header of a sheet.

    Raises:
        ImportProblems: there is none, or it lacks a field that is needed.
    """
    first = next(rows, None)
    if first is None:
        raise place.stop(1, WHOLE_FILE, "no_records")
    row, cells = first
    if len(cells) > COLUMNS:
        raise place.stop(row, WHOLE_FILE, "too_many_columns", limit=COLUMNS)
    before = place.findings.count
    names = [cell if isinstance(cell, str) else "" for cell in cells]
    columns = Columns(schema, place)
    fields = columns.header([name if name.strip() else "" for name in names], row)
    missing = columns.missing(fields)
    if missing and place.findings.count == before:
        _say_missing(missing, names, (row, islice(rows, HEADER_SEARCH)), place)
    if place.findings.count > before:
        raise place.findings.problems()
    unnamed = sum(not name.strip() for name in names)
    if unnamed:
        place.warn(row, WHOLE_FILE, "columns_empty", count=unnamed)
    heading = Header(names, fields, place)
    heading.aliased = columns.aliased
    return heading


def _say_missing(
    missing: list[str], names: list[str], rest: tuple[int, Iterator[Cells]], place: Place
) -> None:
    row, following = rest
    for other, cells in following:
        if set(missing) <= {cell for cell in cells if isinstance(cell, str)}:
            place.refuse(row, missing[0], "header_elsewhere", where=other)
            return
    shown_names = shown(", ".join(names))
    for name in missing:
        place.refuse(row, name, "column_missing", name=name, header=shown_names)


MAGIC: Final = {
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"PAR1": "Parquet",
    b"SQLite format 3\0": "SQLite",
}
ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Old Excel files and workbooks with a password start so."""

SHEETS: Final = (".csv", ".tsv")
JSON: Final = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person says a file is to be read, where they do: encoding, sheet of a workbook."""

    encoding: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The records of a file, by our field names. `fields` is empty for JSON.

    `aliased` holds the aliases of the schema that were met: of a JSON file, up to the record read.
    """

    sheet: bool
    fields: tuple[str, ...]
    records: Iterator[tuple[int, dict[str, object]]]
    aliased: Set[str] = frozenset()


def open_table(path: Path, place: Place, schema: Schema, choice: Choice) -> Table:
    """Open a JSONL, JSON, CSV or XLSX file.

    Raises:
        ImportProblems: it cannot be read as any of them.
    """
    start = _start(path, place)
    name = place.name.lower()
    if start.startswith(OLE) or name.endswith((".xls", ".xlsm", ".xlsb")):
        raise place.stop(1, WHOLE_FILE, "xlsx_other_kind")
    if start.startswith(ZIP) and not name.endswith((*SHEETS, *JSON)):
        return _sheet(xlsx.rows(path, place, sheet=choice.sheet), place, schema)
    _must_be_text(start, place)
    codec = encoding(path, place, choice.encoding)
    if name.endswith(JSON) or (not name.endswith(SHEETS) and _looks_like_json(path, codec)):
        return _json(path, place, schema, codec)
    return _sheet(text_files.rows(path, place, codec), place, schema)


def _start(path: Path, place: Place) -> bytes:
    try:
        if not path.is_file():
            raise place.stop(1, WHOLE_FILE, "file_missing")
        size = path.stat().st_size
        if size > FILE_BYTES:
            raise place.stop(
                1, WHOLE_FILE, "file_too_large", size=size // 1024**2, limit=FILE_BYTES // 1024**2
            )
        with path.open("rb") as file:
            start = file.read(64)
    except (OSError, ValueError) as error:
        raise place.stop(1, WHOLE_FILE, "file_unreadable") from error
    if not start:
        raise place.stop(1, WHOLE_FILE, "file_empty")
    return start


def _must_be_text(start: bytes, place: Place) -> None:
    if place.name.lower().endswith(".xlsx"):
        raise place.stop(1, WHOLE_FILE, "xlsx_broken")
    if start.startswith(ZIP):
        raise place.stop(1, WHOLE_FILE, "not_a_text_file", kind="ZIP")
    for magic, kind in MAGIC.items():
        if start.startswith(magic):
            raise place.stop(1, WHOLE_FILE, "not_a_text_file", kind=kind)


def _looks_like_json(path: Path, codec: str) -> bool:
    with path.open(encoding=codec, newline="\n") as file:
        return file.read(4096).lstrip().startswith(("{", "["))


def _sheet(rows: Iterator[tuple[int, list[object]]], place: Place, schema: Schema) -> Table:
    top = header(rows, schema, place)
    return Table(True, top.fields, _limited(top.records(rows), place), top.aliased)


def _json(path: Path, place: Place, schema: Schema, codec: str) -> Table:
    columns = Columns(schema, place)
    raw_records = json_records.records(path, place, codec)
    records = ((row, columns.record(row, record)) for row, record in raw_records)
    return Table(False, (), _limited(records, place), columns.aliased)


def _limited(
    records: Iterator[tuple[int, dict[str, object]]], place: Place
) -> Iterator[tuple[int, dict[str, object]]]:
    count = 0
    for row, record in records:
        count += 1
        if count > RECORDS:
            raise place.stop(row, WHOLE_FILE, "too_many_records", limit=RECORDS)
        yield row, record
    if not count and not place.findings.failed():
        raise place.stop(1, WHOLE_FILE, "no_records")
