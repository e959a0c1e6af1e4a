"""Columns of a ratings file: ids, scores, numbers, marks; judged once per distinct text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.files.limits import NAME_CHARACTERS
from cbt_core.files.problems import Place, shown
from cbt_core.files.texts import is_blank, is_sound
from cbt_core.files.xlsx_rows import Number
from cbt_core.stats.ratings import Floats

ALL_SCALES: Final = ""
"""The key of values that hold for every scale."""

NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
TRUE: Final = frozenset({"1", "true", "yes"})
FALSE: Final = frozenset({"", "0", "false", "no"})


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a file by column, as texts; `rows` (n,) are the lines they stand on."""

    rows: Sequence[int]
    columns: Mapping[str, Sequence[str]]


def gathered(records: Iterable[tuple[int, dict[str, object]]], fields: Sequence[str]) -> Grid:
    """Return the records of a file as columns of texts; an empty or absent cell is ''."""
    rows: list[int] = []
    columns: dict[str, list[str]] = {field: [] for field in fields}
    for row, record in records:
        rows.append(row)
        for field, cells in columns.items():
            value = record.get(field)
            cells.append(value if isinstance(value, str) else _text(value))
    return Grid(rows, columns)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.digits if isinstance(value, Number) else str(value)


def labels(grid: Grid, field: str, place: Place, *, required: bool) -> Sequence[str]:
    """Return a column of ids (n,); '' everywhere when it is absent. Unfit ones are refused."""
    column = grid.columns.get(field)
    if column is None:
        return [""] * len(grid.rows)
    for row, text in _first_rows(grid, column):
        if required and is_blank(text):
            place.refuse(row, field, "ratings.label_empty")
        elif len(text) > NAME_CHARACTERS:
            place.refuse(row, field, "name_too_long", limit=NAME_CHARACTERS)
        else:
            is_sound(text, place, row, field)
    return column


def scores(grid: Grid, scale: str, allowed: Sequence[float], place: Place) -> Floats:
    """Return the scores of a scale (n,), nan = missing; `allowed` empty = any number."""
    column = grid.columns[scale]
    known = {text: _number(text) for text in set(column)}
    told = ", ".join(f"{value:g}" for value in allowed)
    for text, value in known.items():
        if value is None and text:
            _everywhere(grid, scale, text, place, "ratings.not_a_number")
        elif value is not None and allowed and value not in allowed:
            _everywhere(grid, scale, text, place, "ratings.not_on_scale", values=told)
    return _column(known, column)


def numbers(grid: Grid, field: str, place: Place) -> Floats | None:
    """Return a column of numbers of at least 0 (n,), nan = missing; None without the column."""
    column = grid.columns.get(field)
    if column is None:
        return None
    known = {text: _number(text) for text in set(column)}
    for text, value in known.items():
        if (value is None and text) or (value is not None and value < 0):
            _everywhere(grid, field, text, place, "ratings.not_a_number")
    return _column(known, column)


def marks(grid: Grid, field: str, place: Place) -> list[bool]:
    """Return a column of yes and no (n,); absent or empty is no."""
    column = grid.columns.get(field)
    if column is None:
        return [False] * len(grid.rows)
    for text in set(column):
        if text.casefold() not in TRUE | FALSE:
            _everywhere(grid, field, text, place, "ratings.not_yes_or_no")
    return [text.casefold() in TRUE for text in column]


def option_values(text: str | None) -> dict[str, tuple[float, ...]]:
    """Return the values that ``--values`` names, per scale or (key '') for all scales.

    Raises:
        StudyError: it cannot be understood.
    """
    if text is None:
        return {}
    found: dict[str, tuple[float, ...]] = {}
    for part in text.split(";"):
        scale, named, listed = part.rpartition("=")
        values = [_number(value.strip()) for value in listed.split(",")]
        if None in values or (named and not scale.strip()) or scale.strip() in found:
            raise StudyError("ratings.values_option", value=shown(text))
        found[scale.strip()] = tuple(sorted({value for value in values if value is not None}))
    return found


def _first_rows(grid: Grid, column: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield each distinct text with the first line it stands on; every line of a blank one."""
    seen: set[str] = set()
    for row, text in zip(grid.rows, column, strict=True):
        if text not in seen:
            if text:
                seen.add(text)
            yield row, text


def _everywhere(
    grid: Grid, field: str, text: str, place: Place, code: str, **values: object
) -> None:
    for row, cell in zip(grid.rows, grid.columns[field], strict=True):
        if cell == text:
            place.refuse(row, field, code, value=shown(text), **values)


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _column(known: Mapping[str, float | None], column: Sequence[str]) -> Floats:
    plain = {text: np.nan if value is None else value for text, value in known.items()}
    return np.fromiter((plain[text] for text in column), np.float64, len(column))
