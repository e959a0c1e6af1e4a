"""The files of a report, and putting them into a folder: all of them or none.

Tables as CSV hold figures at full precision, limits and reasons in columns beside.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.files.writer import EPOCH, Column, Table, csv_bytes
from cbt_core.files.writer import Cell as Plain
from cbt_core.report import html, latex
from cbt_core.report.blocks import Cell, Drawing, Figure, Grid, Report
from cbt_core.report.sheet import Json

NUMBER: Final = "number"
TEXT: Final = "text"
DIGITS: Final = 10
"""Digits kept: more than anybody reads, fewer than where machines differ."""


def csv(grid: Grid) -> bytes:
    """Return a table as CSV with a BOM; a figure is value, low, high and reason.

    Empty names of groups are filled in, so that every row stands on its own.
    """
    kinds = [_has(grid, place) for place in range(len(grid.heads))]
    columns = tuple(
        column for head, kind in zip(grid.heads, kinds, strict=True)
        for column in _columns(head.key, kind)
    )
    rows = [
        [one for cell, kind in zip(row, kinds, strict=True) for one in _cells(cell, kind)]
        for row in _filled((*grid.rows, *grid.rest))
    ]
    return csv_bytes(Table(grid.name, columns, rows))


def _has(grid: Grid, place: int) -> str:
    """Return what a column holds: `limits`, `figure` or `plain`."""
    rows = (*grid.rows, *grid.rest)
    figures = [row[place] for row in rows if isinstance(row[place], Figure)]
    if any(isinstance(one, Figure) and one.low is not None for one in figures):
        return "limits"
    return "figure" if figures else "plain"


def _columns(key: str, kind: str) -> Iterator[Column]:
    yield Column(key, TEXT if kind == "plain" else NUMBER)
    if kind == "limits":
        yield Column(f"{key}_low", NUMBER)
        yield Column(f"{key}_high", NUMBER)
    if kind != "plain":
        yield Column(f"{key}_reason", TEXT)


def _cells(cell: Cell, kind: str) -> Sequence[Plain]:
    if kind == "plain":
        return [cell if isinstance(cell, str | int) else None]
    if isinstance(cell, Figure):
        limits = [_exact(cell.low), _exact(cell.high)] if kind == "limits" else []
        return [_exact(cell.value), *limits, cell.reason]
    empty: list[Plain] = [None, None] if kind == "limits" else []
    if isinstance(cell, int):
        return [cell, *empty, None]
    return [None, *empty, cell]


def _exact(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _filled(rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows with the first column's empty names taken from the row above."""
    name: Cell = ""
    for row in rows:
        if row and row[0] == "":
            yield (name, *row[1:])
        else:
            name = row[0] if row else ""
            yield row


PNG_SCALE: Final = 2.0
OWN: Final = "report.json"
"""The file by which a folder is known to hold a report, which may then be replaced."""

Files = Mapping[str, bytes]


def files(report: Report, analysis: Json, checklists: Mapping[str, Json]) -> dict[str, bytes]:
    """Return every file of a report by its path in the folder."""
    found = {"report.html": html.page(report).encode(), OWN: _json(analysis)}
    found |= {f"{name}.json": _json(one) for name, one in checklists.items()}
    for grid in report.grids():
        found[f"tables/{grid.name}.csv"] = csv(grid)
        found[f"tables/{grid.name}.tex"] = latex.fragment(grid, report.language).encode()
    found["tables/all.tex"] = latex.whole(report.grids(), report.title, report.language).encode()
    for drawing in report.drawings():
        found[f"figures/{drawing.name}.svg"] = drawing.svg.encode()
        found[f"figures/{drawing.name}.png"] = _png(drawing)
    return dict(sorted(found.items()))


def write(found: Files, folder: Path) -> None:
    """Put the files into a folder; an earlier report there is replaced, anything else is not.

    Raises:
        StudyError: the folder holds other files, or cannot be written.
    """
    refuse_taken(folder)
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        for name, content in found.items():
            file = part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if folder.exists():
            old = folder.with_name(f".{folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
            part.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StudyError("export.cannot_write", file=folder) from error


def archive(found: Files, slug: str) -> bytes:
    """Return the files as one zip without any time in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in found.items():
            entry = zipfile.ZipInfo(f"{slug}-report/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            made.writestr(entry, content)
    return out.getvalue()


def refuse_taken(folder: Path) -> None:
    """Refuse a place that holds something other than an earlier report.

    Raises:
        StudyError: a file, a folder with other files, or a place that cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError("export.folder_taken", folder=folder)
    try:
        taken = folder.is_dir() and any(folder.iterdir()) and not (folder / OWN).is_file()
    except OSError as error:
        raise StudyError("export.cannot_write", file=folder) from error
    if taken or not folder.name:
        raise StudyError("report.folder_holds_others", folder=folder)


def _json(content: Json) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _png(drawing: Drawing) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(drawing.svg, scale=PNG_SCALE))
