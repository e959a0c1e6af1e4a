"""Records of a sheet (CSV or XLSX): a header, then one row per record."""

from collections.abc import Iterator, Set
from itertools import islice
from typing import Final

from cbt_core.files.columns import Columns, Schema
from cbt_core.files.limits import COLUMNS
from cbt_core.files.problems import WHOLE_FILE, Place, shown

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
    found = Header(names, fields, place)
    found.aliased = columns.aliased
    return found


def _say_missing(
    missing: list[str], names: list[str], rest: tuple[int, Iterator[Cells]], place: Place
) -> None:
    row, following = rest
    for other, cells in following:
        if set(missing) <= {cell for cell in cells if isinstance(cell, str)}:
            place.refuse(row, missing[0], "header_elsewhere", where=other)
            return
    found = shown(", ".join(names))
    for name in missing:
        place.refuse(row, name, "column_missing", name=name, header=found)
