"""An XLSX workbook as rows of one sheet; what a person may have overlooked is told."""

from collections.abc import Iterator
from pathlib import Path

from cbt_core.files.limits import COLUMNS
from cbt_core.files.problems import WHOLE_FILE, ImportProblems, Place, shown
from cbt_core.files.xlsx_package import BROKEN, open_package
from cbt_core.files.xlsx_rows import SheetReader, TooWide
from cbt_core.files.xlsx_rows import rows as sheet_rows
from cbt_core.files.xlsx_workbook import (
    Formats,
    Package,
    Sheet,
    formats,
    part_of_kind,
    sheets,
    strings,
)
from cbt_core.files.xlsx_xml import Budget, TooLarge

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
