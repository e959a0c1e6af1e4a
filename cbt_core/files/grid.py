"""Columns of a ratings file: ids, scores, numbers, marks; judged once per distinct text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.files.fields import is_blank, is_sound
from cbt_core.files.limits import NAME_CHARACTERS
from cbt_core.files.problems import Place, shown
from cbt_core.files.xlsx import Number
from cbt_core.stats.ratings import Floats

ALL_SCALES: Final = ""
"""The key of values that hold for every scale."""

NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
UNMARKED: Final = frozenset({"", "0", "0.0", "false", "no", "否"})


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
            place.refuse(row, field, "ratings_file.label_empty")
        elif len(text) > NAME_CHARACTERS:
            place.refuse(row, field, "name_too_long", limit=NAME_CHARACTERS)
        else:
            is_sound(text, place, row, field)
    return column


def scores(grid: Grid, scale: str, allowed: Sequence[float], place: Place) -> Floats:
    """Return the scores of a scale (n,), nan = missing; `allowed` empty = any number."""
    column = grid.columns[scale]
    known = {text: _number(text) for text in set(column)}
    off = {t for t, v in known.items() if v is not None and allowed and v not in allowed}
    told = ", ".join(f"{value:g}" for value in allowed)
    _refuse(grid, scale, {t for t, v in known.items() if t and v is None}, place, "not_a_number")
    _refuse(grid, scale, off, place, "not_on_scale", values=told)
    return _column(known, column)


def numbers(grid: Grid, field: str, place: Place) -> Floats | None:
    """Return a column of numbers of at least 0 (n,), nan = missing; None without the column."""
    column = grid.columns.get(field)
    if column is None:
        return None
    known = {text: _number(text) for text in set(column)}
    wrong = {text for text, v in known.items() if text and (v is None or v < 0)}
    _refuse(grid, field, wrong, place, "not_a_number")
    return _column(known, column)


def marks(grid: Grid, field: str) -> list[bool]:
    """Return whether a row is marked (n,): yes, 1 or a reason; absent, empty, 0, no is not."""
    column = grid.columns.get(field)
    if column is None:
        return [False] * len(grid.rows)
    return [text.strip().casefold() not in UNMARKED for text in column]


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
            raise StudyError("ratings_file.values_option", value=shown(text))
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


def _refuse(
    grid: Grid, field: str, wrong: Set[str], place: Place, code: str, **values: object
) -> None:
    """Refuse every cell of a column that holds one of the wrong texts."""
    if not wrong:
        return
    for row, text in zip(grid.rows, grid.columns[field], strict=True):
        if text in wrong:
            place.refuse(row, field, f"ratings_file.{code}", value=shown(text), **values)


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _column(known: Mapping[str, float | None], column: Sequence[str]) -> Floats:
    plain = {text: np.nan if value is None else value for text, value in known.items()}
    return np.fromiter((plain[text] for text in column), np.float64, len(column))
