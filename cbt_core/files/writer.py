"""Files written: whole or not at all, and tables as CSV, XLSX, JSONL, Parquet.

Everything this program leaves under a name of its own goes through `put_whole`: bytes beside the
target, on disk, then renamed over it. Who looks there sees the old file or the new one, never half.

Tables are byte-identical for the same rows. CSV and XLSX guard text that a spreadsheet would read
as a formula with a leading apostrophe (OWASP ASVS 1.2.10); numbers are left alone. Our own readers
take the guard off again.
"""

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.errors import StudyError
from cbt_core.words import say

Cell = str | int | float | None
FORMS: Final = ("csv", "xlsx", "jsonl", "parquet")
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")
LONGEST_XLSX_CELL: Final = 32_767
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a zip: an export holds no time of its own."""


def put_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that is on disk whole, or not at all; what stood there stays until it is.

    Nothing half written is left behind but by a kill, and that under a hidden name of its own: two
    processes or threads do not write into one another's.

    Raises:
        OSError: the folder is missing or closed to us, or the disk is full.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}-{get_ident()}.part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps no such promise
        return
    handle = os.open(folder.resolve(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file into a folder that is there; see `put_whole`.

    Raises:
        StudyError: it cannot be written.
    """
    try:
        put_whole(target, pieces)
    except OSError as error:
        raise StudyError("export.cannot_write", file=target) from error


def write_bytes(content: bytes, out: Path) -> None:
    """Write bytes whole or not at all, the folder with them.

    Raises:
        StudyError: the place cannot be written.
    """
    make_folder(out.parent, asked=out)
    write_whole(out, [content])


def write_text(text: str, out: Path) -> None:
    """Write a text whole or not at all, the folder with it.

    Raises:
        StudyError: the place cannot be written.
    """
    write_bytes(text.encode(), out)


def write_json(content: Mapping[str, object], out: Path) -> None:
    """Write JSON whole or not at all, the folder with it.

    Raises:
        StudyError: the place cannot be written.
    """
    write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", out)


def write_lines(rows: Iterable[Mapping[str, object]], out: Path) -> None:
    """Write rows as JSON lines, whole or not at all, the folder with them.

    Raises:
        StudyError: the place cannot be written.
    """
    encode = json.JSONEncoder(ensure_ascii=False).encode
    make_folder(out.parent, asked=out)
    # Half of a surrogate pair (a reply cut inside an emoji) becomes "?": UTF-8 has no form for it.
    write_whole(out, (f"{encode(row)}\n".encode("utf-8", "replace") for row in rows))


def make_folder(folder: Path, *, asked: Path | None = None) -> None:
    """Make a folder where there is none; a refusal names what was `asked` for.

    Raises:
        StudyError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError("export.cannot_write", file=asked or folder) from error


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind is `text`, `integer` or `number`; the meaning goes to the codebook.

    `meaning` is a code of the words, or the words themselves where a study brings its own; '' for
    a table without a codebook.
    """

    name: str
    kind: str
    meaning: str | Text = ""

    def said(self, language: str) -> str:
        """Return the meaning in a language."""
        if isinstance(self.meaning, Text):
            return self.meaning(language)
        return say(self.meaning, language) if self.meaning else ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an export."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]


def guarded(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell.startswith(DANGEROUS):
        return f"'{cell}"
    return cell


def csv_bytes(table: Table) -> bytes:
    """Return a table as CSV with a BOM, so that Excel shows Chinese."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([guarded(cell) for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8-sig", "surrogatepass")


def jsonl_bytes(table: Table) -> bytes:
    """Return a table as JSON lines, every text exactly as it was entered."""
    names = [column.name for column in table.columns]
    encode = json.JSONEncoder(ensure_ascii=False).encode  # one for all rows: a third quicker
    lines = (encode(dict(zip(names, row, strict=True))) for row in table.rows)
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def parquet_bytes(table: Table) -> bytes:
    """Return a table as Parquet with explicit types (an empty column keeps its type)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    arrays = [
        pa.array([row[place] for row in table.rows], type=types[column.kind])
        for place, column in enumerate(table.columns)
    ]
    out = io.BytesIO()
    pq.write_table(pa.table(arrays, names=[column.name for column in table.columns]), out)
    return out.getvalue()


def xlsx_bytes(tables: Sequence[Table]) -> bytes:
    """Return one workbook with a sheet per table.

    Raises:
        StudyError: a cell is longer than a sheet can hold (it would be cut silently).
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    for table in tables:  # before a workbook is begun: a half-written one cannot be given up
        _refuse_long(table)
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.name)
        sheet.append([column.name for column in table.columns])
        for row in table.rows:
            cells: list[object] = []
            for cell in row:
                if not isinstance(cell, str):
                    cells.append(cell)
                    continue
                made = WriteOnlyCell(sheet, value=None)
                made.value = guarded(_printable(cell))
                made.data_type = "s"
                cells.append(made)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return _timeless(out.getvalue())


def _refuse_long(table: Table) -> None:
    for number, row in enumerate(table.rows, start=2):
        for column, cell in zip(table.columns, row, strict=True):
            if isinstance(cell, str) and len(cell) >= LONGEST_XLSX_CELL:
                raise StudyError(
                    "export.cell_too_long", table=table.name, row=number, field=column.name
                )


def write_tables(tables: Sequence[Table], folder: Path, form: str) -> list[Path]:
    """Write tables into a folder, one file each (XLSX: one workbook); return the files.

    Raises:
        StudyError: the folder cannot be written, or a cell is longer than a sheet can hold.
    """
    if form == "xlsx":
        return [_put(folder / "study.xlsx", xlsx_bytes(tables))]
    make = {"csv": csv_bytes, "jsonl": jsonl_bytes, "parquet": parquet_bytes}[form]
    return [_put(folder / f"{table.name}.{form}", make(table)) for table in tables]


def zipped(files: Sequence[Path], folder: str) -> bytes:
    """Return files as one zip without any time in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(_entry(f"{folder}/{file.name}"), file.read_bytes())
    return out.getvalue()


def _put(file: Path, content: bytes) -> Path:
    write_bytes(content, file)
    return file


def _printable(text: str) -> str:
    """Return text without the control characters that a workbook cannot hold."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t\r")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _timeless(book: bytes) -> bytes:
    """Return a workbook without its time stamps: openpyxl writes the present into it."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = (
                    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/'
                    b'metadata/core-properties"/>'
                )
            target.writestr(_entry(name), content)
    return out.getvalue()
