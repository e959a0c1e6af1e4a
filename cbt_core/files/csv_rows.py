"""Rows of a CSV file, with the physical line each starts on."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from cbt_core.files.limits import BLANK_ROWS, CELL_CHARACTERS, LINE_CHARACTERS
from cbt_core.files.problems import WHOLE_FILE, Place

SEPARATORS: Final = {";": "semicolon", "\t": "tab", "|": "bar"}
QUOTED: Final = re.compile(r'"[^"]*"')
DECLARED: Final = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
GUARDED: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")
"""How a guarded cell of an export starts; the apostrophe is not part of the text."""


def rows(path: Path, place: Place, codec: str) -> Iterator[tuple[int, list[object]]]:
    """Yield (line, cells) of each row that is not blank."""
    with path.open(encoding=codec, newline="") as file:
        separator, skipped = _separator(file, place)
        lines = _lines(file, place, skipped)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        row, blank = skipped + 1, 0
        try:
            for cells in reader:
                if any(cells):
                    yield row, [unguarded(cell) for cell in cells]
                else:
                    blank += 1
                    if blank > BLANK_ROWS:
                        raise place.stop(row, WHOLE_FILE, "too_many_blank", limit=BLANK_ROWS)
                row = skipped + reader.line_num + 1
        except csv.Error as error:
            raise place.stop(row, WHOLE_FILE, _reason(error), limit=CELL_CHARACTERS) from error


def unguarded(cell: str) -> str:
    """Return a text without the apostrophe our exports put before a formula sign."""
    return cell[1:] if cell.startswith(GUARDED) else cell


def _reason(error: csv.Error) -> str:
    message = str(error)
    if "field larger" in message:
        return "csv_cell_endless"
    return "csv_quote_open" if "unexpected end" in message else "csv_quote_inside"


def _lines(file: TextIO, place: Place, skipped: int) -> Iterator[str]:
    row = skipped
    while line := file.readline(LINE_CHARACTERS):
        row += 1
        if len(line) == LINE_CHARACTERS:
            raise place.stop(row, WHOLE_FILE, "record_too_long", limit=LINE_CHARACTERS)
        yield line


def _separator(file: TextIO, place: Place) -> tuple[str, int]:
    """Return the separator and how many lines to skip; leaves the file behind those."""
    first = file.readline(4096)
    declared = DECLARED.match(first)
    if declared:
        return declared.group(1), 1
    while first and not first.strip():
        first = file.readline(4096)
    file.seek(0)
    bare = QUOTED.sub("", first)
    if "," in bare:
        return ",", 0
    best = max(SEPARATORS, key=bare.count)
    if best not in bare:
        return ",", 0
    if not place.name.endswith(".tsv"):
        place.warn(1, WHOLE_FILE, "csv_separator", kind=SEPARATORS[best])
    return best, 0
