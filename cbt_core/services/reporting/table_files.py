"""Tables of a report as CSV: figures at full precision, limits and reasons in columns beside."""

from collections.abc import Iterator, Sequence
from typing import Final

from cbt_core.files.tables import Cell as Plain
from cbt_core.files.tables import Column, Table, csv_bytes
from cbt_core.services.reporting.blocks import Cell, Figure, Grid

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
    yield Column(key, TEXT if kind == "plain" else NUMBER, "", "")
    if kind == "limits":
        yield Column(f"{key}_low", NUMBER, "", "")
        yield Column(f"{key}_high", NUMBER, "", "")
    if kind != "plain":
        yield Column(f"{key}_reason", TEXT, "", "")


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
