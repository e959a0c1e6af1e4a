"""Rows of a worksheet: texts as they are, everything else named for what it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cbt_core.files.csv_rows import unguarded
from cbt_core.files.limits import COLUMNS
from cbt_core.files.xlsx_workbook import Formats, Gather
from cbt_core.files.xlsx_xml import Budget, Part, walk

LISTED: Final = 5
"""How many merged ranges, hidden rows and columns are listed by name."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number cell: its digits as stored, and whether it is shown padded with zeros."""

    digits: str
    padded: bool = False


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that holds no plain value: `formula`, `error`, `date` or `truth`."""

    kind: str


class TooWide(Exception):  # noqa: N818 - told to the person as a limit
    """A value stands beyond the last column that is read; `row` says where."""

    def __init__(self, row: int) -> None:
        """Keep the row."""
        super().__init__(row)
        self.row = row


class SheetReader:
    """Takes the elements of a worksheet; rows gather in `rows` until taken."""

    def __init__(self, strings: list[str], formats: Formats, budget: Budget) -> None:
        """Keep what the cells refer to."""
        self.rows: list[tuple[int, list[object]]] = []
        self.merged: list[str] = []
        self.hidden: list[str] = []
        self.rich = 0
        self._strings = strings
        self._formats = formats
        self._budget = budget
        self._row = 0
        self._cells: list[object] = []
        self._column = -1
        self._kind = "n"
        self._style = ""
        self._value: list[str] = []
        self._open = False
        self._formula = False
        self._inline = Gather()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element."""
        if name == "c":
            self._start_cell(attributes)
        elif name == "v":
            self._open = True
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._start_row(attributes)
        elif name in ("t", "rPh"):
            self._inline.start(name)
        else:
            self._start_other(name, attributes)

    def end(self, name: str) -> None:
        """Meet the end of an element."""
        if name == "v":
            self._open = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            if self._cells:
                self.rows.append((self._row, self._cells))
            self._cells = []
        elif name in ("t", "rPh"):
            self._inline.end(name)

    def text(self, text: str) -> None:
        """Take characters of a value or of a text inside the cell."""
        if self._open:
            self._value.append(text)
        else:
            self._inline.take(text)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
        self._column = -1
        self._cells = []
        if attributes.get("hidden") in ("1", "true"):
            self._note(self.hidden, f"{self._row}:{self._row}")

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        self._column = _column(place) if place else self._column + 1
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._value = []
        self._formula = False
        self._inline.clear()

    def _end_cell(self) -> None:
        value = self._cell()
        if value is None:
            return
        if self._column >= COLUMNS:
            raise TooWide(self._row)
        cells = self._cells
        if self._column >= len(cells):
            cells.extend([None] * (self._column - len(cells)))
            cells.append(value)
        else:
            cells[self._column] = value

    def _cell(self) -> object:
        if self._formula:
            return Odd("formula")
        kind = self._kind
        if kind == "inlineStr":
            return unguarded(self._inline.text()) or None
        value = "".join(self._value)
        if not value:
            return None
        if kind == "s":
            text = self._strings[int(value)]
            self._budget.text(len(text))
            return unguarded(text) or None
        if kind == "n":
            return self._number(value)
        if kind == "str":
            return unguarded(value)
        return Odd({"b": "truth", "d": "date"}.get(kind, "error"))

    def _number(self, digits: str) -> object:
        style = int(self._style or 0)
        if style in self._formats.dates:
            return Odd("date")
        return Number(digits, style in self._formats.padded)

    def _start_other(self, name: str, attributes: dict[str, str]) -> None:
        if name == "r":
            self.rich += 1
        elif name == "mergeCell":
            self._note(self.merged, attributes.get("ref", "")[:20])
        elif name == "col" and attributes.get("hidden") in ("1", "true"):
            column = _letters(int(attributes.get("min", "1")[:5]))
            self._note(self.hidden, f"{column}:{column}")

    def _note(self, names: list[str], name: str) -> None:
        if len(names) < LISTED:
            names.append(name)
        elif names[-1] != "…":
            names.append("…")


def _column(place: str) -> int:
    """Return the column of ``AB12``, counted from 0."""
    column = 0
    for letter in place[:4]:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
    return column - 1


def _letters(column: int) -> str:
    """Return the letters of a column counted from 1."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def rows(part: Part, reader: SheetReader) -> Iterator[tuple[int, list[object]]]:
    """Yield (row, cells) of each row that holds a value."""
    for _ in walk(part, reader.start, reader.end, reader.text):
        taken, reader.rows = reader.rows, []
        yield from taken
