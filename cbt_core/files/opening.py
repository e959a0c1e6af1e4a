"""Opening a file of records, whatever its form."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.files import csv_rows, json_records, xlsx
from cbt_core.files.columns import Columns, Schema
from cbt_core.files.encoding import encoding
from cbt_core.files.limits import FILE_BYTES, RECORDS
from cbt_core.files.problems import WHOLE_FILE, Place
from cbt_core.files.sheet_records import header

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
    return _sheet(csv_rows.rows(path, place, codec), place, schema)


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
    found = json_records.records(path, place, codec)
    records = ((row, columns.record(row, record)) for row, record in found)
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
