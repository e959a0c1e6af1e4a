"""An XLSX workbook as rows of one sheet; what a person may have overlooked is told.

Texts stay as they are, everything else is named for what it is. Beside its rows a workbook holds
sheets, shared texts and number formats. Zip and XML are judged in `xlsx_check`.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from cbt_core.files.csv_rows import unguarded
from cbt_core.files.limits import CELL_CHARACTERS, COLUMNS
from cbt_core.files.problems import WHOLE_FILE, ImportProblems, Place, shown
from cbt_core.files.xlsx_check import (
    BROKEN,
    Budget,
    Part,
    TooLarge,
    elements,
    local,
    open_package,
    walk,
)

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")

DATE_FORMATS: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Built-in number formats that show a date or time (ECMA-376 18.8.30)."""
FORMAT_TEXT: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.')
DATE_LETTERS: Final = re.compile(r"[ymdhs]", re.IGNORECASE)
PADDED: Final = re.compile(r"0{2,}$")


@dataclass(frozen=True, slots=True)
class Package:
    """An opened workbook and the budget all its parts are read on."""

    zip: ZipFile
    budget: Budget

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """Open a part for reading."""
        with self.zip.open(name) as stream:
            yield Part(stream, self.budget)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its name, part and whether it is hidden."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Formats:
    """For each cell style whether it shows a date, or a number padded with zeros."""

    dates: frozenset[int]
    padded: frozenset[int]


def sheets(package: Package) -> tuple[list[Sheet], str]:
    """Return the worksheets in order, and the folder their parts are named from."""
    targets = _relations(package, "")
    book = next((to for kind, to in targets.values() if kind == "officeDocument"), "")
    relations = _relations(package, book)
    found: list[Sheet] = []

    def take(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            plain = {local(key): value for key, value in attributes.items()}
            kind, part = relations.get(plain.get("id", ""), ("", ""))
            if kind == "worksheet":
                hidden = plain.get("state", "visible") != "visible"
                found.append(Sheet(plain.get("name", ""), part, hidden))

    with package.part(book) as part:
        elements(part, take)
    return found, book


def _relations(package: Package, source: str) -> dict[str, tuple[str, str]]:
    """Return relation id -> (kind, part) of a part ('' for the package)."""
    folder, name = posixpath.split(source)
    found: dict[str, tuple[str, str]] = {}

    def take(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.join("/", folder, attributes.get("Target", ""))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(target).lstrip("/"))

    with package.part(posixpath.join(folder, "_rels", f"{name}.rels")) as part:
        elements(part, take)
    return found


def part_of_kind(package: Package, book: str, kind: str) -> str:
    """Return the part a workbook names for a kind (`styles`, `sharedStrings`), or ''."""
    return next((to for what, to in _relations(package, book).values() if what == kind), "")


def formats(package: Package, name: str) -> Formats:
    """Return which cell styles show dates or padded numbers."""
    reader = _StyleReader()
    if name:
        with package.part(name) as part:
            for _ in walk(part, reader.start, reader.end, lambda _: None):
                pass
    return Formats(frozenset(reader.dates), frozenset(reader.padded))


class _StyleReader:
    def __init__(self) -> None:
        self.dates: list[int] = []
        self.padded: list[int] = []
        self._codes: dict[str, str] = {}
        self._inside = False
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self._style(attributes.get("numFmtId", "0"))
            self._count += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False

    def _style(self, number: str) -> None:
        code = FORMAT_TEXT.sub("", self._codes.get(number, "")[:200])
        built_in = number.isascii() and number.isdigit() and int(number[:6]) in DATE_FORMATS
        if built_in or DATE_LETTERS.search(code):
            self.dates.append(self._count)
        elif PADDED.match(code):
            self.padded.append(self._count)


class Strings:
    """Collects the texts of a workbook; `rich` counts those with formatting inside."""

    def __init__(self) -> None:
        """Start empty."""
        self.texts: list[str] = []
        self.rich = 0
        self._gather = Gather()
        self._rich = False

    def start(self, name: str, _: dict[str, str]) -> None:
        """Meet the start of an element."""
        if name == "si":
            self._gather.clear()
            self._rich = False
        elif name == "r":
            self._rich = True
        self._gather.start(name)

    def end(self, name: str) -> None:
        """Meet the end of an element."""
        self._gather.end(name)
        if name == "si":
            self.rich += self._rich
            self.texts.append(self._gather.text())

    @property
    def take(self) -> Callable[[str], None]:
        """Take the characters of a text."""
        return self._gather.take


class Gather:
    """The characters inside `t` elements, without the reading aid (`rPh`) of East Asian texts."""

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[str] = []
        self._length = 0
        self._open = False
        self._aside = False

    def clear(self) -> None:
        """Forget what was gathered."""
        self._parts, self._length = [], 0

    def start(self, name: str) -> None:
        """Open at `t`, stay shut inside `rPh`."""
        if name == "t":
            self._open = not self._aside
        elif name == "rPh":
            self._aside = True

    def end(self, name: str) -> None:
        """Shut at the end of `t`."""
        if name == "t":
            self._open = False
        elif name == "rPh":
            self._aside = False

    def take(self, text: str) -> None:
        """Keep characters while open; what is past the largest cell is dropped (and refused)."""
        if self._open and self._length <= CELL_CHARACTERS:
            self._parts.append(text)
            self._length += len(text)

    def text(self) -> str:
        """Return what was gathered; ``_x000D_`` is how a sheet writes a carriage return."""
        text = self._parts[0] if len(self._parts) == 1 else "".join(self._parts)
        return ESCAPED.sub(_unescape, text) if "_x" in text else text


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))


def strings(package: Package, name: str) -> Strings:
    """Return the texts that the cells of a workbook refer to by number."""
    found = Strings()
    if name:
        with package.part(name) as part:
            for _ in walk(part, found.start, found.end, found.take):
                pass
    return found


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


def sheet_rows(part: Part, reader: SheetReader) -> Iterator[tuple[int, list[object]]]:
    """Yield (row, cells) of each row that holds a value."""
    for _ in walk(part, reader.start, reader.end, reader.text):
        taken, reader.rows = reader.rows, []
        yield from taken


Cells = tuple[int, list[object]]


def rows(path: Path, place: Place, *, sheet: str | None) -> Iterator[Cells]:
    """Yield (row, cells) of the named sheet, or of the only one that is filled and visible.

    Short rows are filled up to the width of the first.
    """
    with open_package(path, place) as zipped:
        budget = Budget(path.stat().st_size)
        try:
            yield from _rows(Package(zipped, budget), place, sheet)
        except ImportProblems:
            raise
        except TooWide as error:
            raise place.stop(error.row, WHOLE_FILE, "too_many_columns", limit=COLUMNS) from error
        except TooLarge as error:
            raise place.stop(1, WHOLE_FILE, "xlsx_too_much") from error
        except BROKEN as error:
            raise place.stop(1, WHOLE_FILE, "xlsx_broken") from error


def _rows(package: Package, place: Place, wanted: str | None) -> Iterator[Cells]:
    found, book = sheets(package)
    chosen = _choose(package, place, found, wanted)
    texts = strings(package, part_of_kind(package, book, "sharedStrings"))
    styles = formats(package, part_of_kind(package, book, "styles"))
    reader = SheetReader(texts.texts, styles, package.budget)
    width = 0
    with package.part(chosen.part) as part:
        for row, cells in sheet_rows(part, reader):
            width = width or len(cells)
            if len(cells) < width:
                cells.extend([None] * (width - len(cells)))
            yield row, cells
    _tell(place, package, reader, texts.rich)


def _choose(package: Package, place: Place, found: list[Sheet], wanted: str | None) -> Sheet:
    if wanted is not None:
        for sheet in found:
            if sheet.name == wanted:
                return sheet
        names = ", ".join(shown(sheet.name) for sheet in found[:10])
        raise place.stop(1, WHOLE_FILE, "sheet_missing", name=shown(wanted), names=names)
    hidden = [sheet for sheet in found if sheet.hidden]
    filled = [sheet for sheet in found if not sheet.hidden and _is_filled(package, sheet)]
    if not filled:
        raise place.stop(1, WHOLE_FILE, "no_records")
    if len(filled) > 1:
        names = ", ".join(shown(sheet.name) for sheet in filled[:10])
        raise place.stop(1, WHOLE_FILE, "sheets_several", count=len(filled), names=names)
    if hidden:
        names = ", ".join(shown(sheet.name) for sheet in hidden[:10])
        place.warn(1, WHOLE_FILE, "xlsx_hidden", names=names)
    return filled[0]


def _is_filled(package: Package, sheet: Sheet) -> bool:
    """Tell whether a sheet holds a value; stops at the first."""
    reader = SheetReader(_AnyText(), Formats(frozenset(), frozenset()), package.budget)
    with package.part(sheet.part) as part:
        return next(sheet_rows(part, reader), None) is not None


class _AnyText(list[str]):
    """Stands for the texts of a workbook when only their being there matters."""

    def __getitem__(self, _: object) -> str:  # type: ignore[override]
        return "x"


def _tell(place: Place, package: Package, reader: SheetReader, rich: int) -> None:
    """Warn of what was read past: merged cells, hidden rows and columns, decoration."""
    if reader.merged:
        place.warn(1, WHOLE_FILE, "xlsx_merged", names=", ".join(reader.merged))
    if reader.hidden:
        place.warn(1, WHOLE_FILE, "xlsx_hidden", names=", ".join(reader.hidden))
    if rich or reader.rich:
        place.warn(1, WHOLE_FILE, "xlsx_rich", count=rich + reader.rich)
    names = package.zip.namelist()
    pictures = sum(name.startswith("xl/media/") for name in names)
    notes = sum("omments" in name and name.endswith(".xml") for name in names)
    if pictures or notes:
        place.warn(1, WHOLE_FILE, "xlsx_ignored", pictures=pictures, notes=notes)
