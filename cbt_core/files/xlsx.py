"""An XLSX workbook as rows of one sheet; what a person may have overlooked is told.

openpyxl reads; zip and XML have been judged before in `xlsx_check`. Texts stay as they are,
everything else is named for what it is.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

from cbt_core.files.problems import COLUMNS, FILE_BYTES, WHOLE_FILE, ImportProblems, Place, shown
from cbt_core.files.text_files import unguarded
from cbt_core.files.xlsx_check import BROKEN, Look, Package, TooLarge, inspect, open_package

if TYPE_CHECKING:
    from openpyxl import Workbook


warnings.filterwarnings("ignore", module=r"openpyxl\.")  # of styles and extras nobody reads here

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
FORMAT_TEXT: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.')
PADDED: Final = re.compile(r"0{2,}$")

Cells = tuple[int, list[object]]


@dataclass(frozen=True, slots=True)
class Number:
    """A number cell: its digits, and whether it is shown padded with zeros."""

    digits: str
    padded: bool = False


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that holds no plain value: `formula`, `error`, `date` or `truth`."""

    kind: str


def rows(path: Path, place: Place, *, sheet: str | None) -> Iterator[Cells]:
    """Yield (row, cells) of the named sheet, or of the only one that is filled and visible.

    Short rows are filled up to the width of the first.
    """
    with open_package(path, place) as package:
        try:
            looks = inspect(package, path.stat().st_size, place)
            yield from _rows(_opened(path, package), looks, place, sheet)
            _tell_decoration(place, package)
        except ImportProblems:
            raise
        except TooLarge as error:
            raise place.stop(1, WHOLE_FILE, "xlsx_too_much") from error
        except BROKEN as error:
            raise place.stop(1, WHOLE_FILE, "xlsx_broken") from error


def _opened(path: Path, package: Package) -> "Workbook":
    """Return the workbook, with texts as they are stored and without what no reader looks at."""
    from openpyxl.cell.text import Text
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    class Reader(ExcelReader):  # type: ignore[misc]
        def read_strings(self) -> None:
            """Read the shared texts; openpyxl's own way undoes half of their escapes."""
            part = self.package.find(SHARED_STRINGS)
            if part is None:
                return
            with self.archive.open(part.PartName[1:]) as stream:
                for _, element in iterparse(stream):
                    if element.tag == f"{{{SHEET_MAIN_NS}}}si":
                        self.shared_strings.append(Text.from_tree(element).content)
                        element.clear()

        def read_properties(self) -> None:
            """Leave author and dates alone."""

        read_custom = read_theme = read_properties

    reader = Reader(path, read_only=True, keep_links=False)
    reader.archive.close()
    reader.archive = package
    reader.read()
    parts = package.namelist()
    if any(link.target not in parts for _, link in reader.parser.find_sheets()):
        raise BadZipFile("a sheet is not there")
    return reader.wb


def _rows(
    book: "Workbook", looks: dict[str, Look], place: Place, wanted: str | None
) -> Iterator[Cells]:
    chosen = _choose(book, looks, place, wanted)
    look = looks[chosen._worksheet_path]
    if look.wide:
        raise place.stop(look.wide, WHOLE_FILE, "too_many_columns", limit=COLUMNS)
    characters, width = FILE_BYTES, 0
    for row, cells in _cells(chosen, look):
        characters -= sum(len(cell) for cell in cells if isinstance(cell, str))
        if characters < 0:  # one long text may stand in many cells
            raise TooLarge
        width = width or len(cells)
        cells.extend([None] * (width - len(cells)))
        yield row, cells
    rich = look.rich + sum(one.rich for part, one in looks.items() if "worksheets/" not in part)
    if look.merged:
        place.warn(1, WHOLE_FILE, "xlsx_merged", names=", ".join(look.merged))
    if look.hidden:
        place.warn(1, WHOLE_FILE, "xlsx_hidden", names=", ".join(look.hidden))
    if rich:
        place.warn(1, WHOLE_FILE, "xlsx_rich", count=rich)


def _choose(
    book: "Workbook", looks: dict[str, Look], place: Place, wanted: str | None
) -> Any:  # noqa: ANN401 - openpyxl has no types
    if wanted is not None:
        for sheet in book.worksheets:
            if sheet.title == wanted:
                return sheet
        names = ", ".join(shown(sheet.title) for sheet in book.worksheets[:10])
        raise place.stop(1, WHOLE_FILE, "sheet_missing", name=shown(wanted), names=names)
    hidden = [sheet for sheet in book.worksheets if sheet.sheet_state != "visible"]
    filled = [sheet for sheet in book.worksheets if sheet not in hidden
              and next(_cells(sheet, looks[sheet._worksheet_path]), None) is not None]
    if not filled:
        raise place.stop(1, WHOLE_FILE, "no_records")
    if len(filled) > 1:
        names = ", ".join(shown(sheet.title) for sheet in filled[:10])
        raise place.stop(1, WHOLE_FILE, "sheets_several", count=len(filled), names=names)
    if hidden:
        names = ", ".join(shown(sheet.title) for sheet in hidden[:10])
        place.warn(1, WHOLE_FILE, "xlsx_hidden", names=names)
    return filled[0]


def _cells(sheet: Any, look: Look) -> Iterator[Cells]:  # noqa: ANN401 - openpyxl has no types
    """Yield (row, cells) of each row that holds a value, up to its last value.

    What a sheet says of its own size need not be true; what follows its last value (filters, print
    settings) need not be sound.
    """
    sheet.reset_dimensions()
    if not look.columns:
        return
    sheet_rows = sheet.iter_rows(max_col=look.columns)
    for row, cells in zip(range(1, look.rows + 1), sheet_rows, strict=False):
        values = [_value(cell) for cell in cells]
        while values and values[-1] is None:
            values.pop()
        if values:
            yield row, values


def _value(cell: Any) -> object:  # noqa: ANN401 - openpyxl has no types
    value, kind = cell.value, cell.data_type
    if kind == "f":
        return Odd("formula")
    if value is None:
        return None
    if kind == "s":
        return unguarded(ESCAPED.sub(_unescape, value) if "_x" in value else value) or None
    if kind == "n":
        return Number(repr(value), _is_padded(cell.number_format))
    return Odd({"b": "truth", "d": "date"}.get(kind, "error"))


def _unescape(match: re.Match[str]) -> str:
    """Return the character of ``_x000D_``, as a sheet writes a carriage return."""
    return chr(int(match.group(1), 16))


@cache
def _is_padded(number_format: str) -> bool:
    return PADDED.match(FORMAT_TEXT.sub("", number_format[:200])) is not None


def _tell_decoration(place: Place, package: Package) -> None:
    """Warn of pictures and comments, which are read past."""
    names = package.namelist()
    pictures = sum(name.startswith("xl/media/") for name in names)
    notes = sum("omments" in name and name.endswith(".xml") for name in names)
    if pictures or notes:
        place.warn(1, WHOLE_FILE, "xlsx_ignored", pictures=pictures, notes=notes)
