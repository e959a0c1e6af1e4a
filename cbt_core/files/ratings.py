"""Ratings read from a file: whole columns, judged once per distinct text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cbt_core.domain.study import Kind, Problem
from cbt_core.errors import StudyError
from cbt_core.files.fields import is_blank, is_sound
from cbt_core.files.problems import (
    NAME_CHARACTERS,
    WHOLE_FILE,
    Findings,
    Place,
    refuse_warnings,
    shown,
)
from cbt_core.files.tables import Choice, Schema, open_table
from cbt_core.files.xlsx import Number
from cbt_core.stats.ratings import POOLED, Columns, Floats, Ratings, gather

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
    values = ", ".join(f"{value:g}" for value in allowed)
    _refuse(grid, scale, {t for t, v in known.items() if t and v is None}, place, "not_a_number")
    _refuse(grid, scale, off, place, "not_on_scale", values=values)
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
    options: dict[str, tuple[float, ...]] = {}
    for part in text.split(";"):
        scale, named, listed = part.rpartition("=")
        values = [_number(value.strip()) for value in listed.split(",")]
        if None in values or (named and not scale.strip()) or scale.strip() in options:
            raise StudyError("ratings_file.values_option", value=shown(text))
        options[scale.strip()] = tuple(sorted({value for value in values if value is not None}))
    return options


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


STANDARD: Final = ("relevance", "structure", "helpfulness")
"""The scales that are read when none are named."""

STANDARD_VALUES: Final = (0.0, 1.0, 2.0)

KEYS: Final = ("item_id", "system", "rater")
OPTIONAL: Final = (
    "panel", "kind", "order", "seconds", "excluded", "revision", "instrument",
)  # fmt: skip
UNREAD: Final = frozenset(
    {"occasion", "slot", "layout", "lang", "missing_reason", "study", "task", "at"}
)
QUIET_WARNINGS: Final = frozenset({"column_unknown", "column_unknown_close", "columns_empty"})
"""Columns of their own are people's good right in a ratings file."""


@dataclass(frozen=True, slots=True)
class ReadRatings:
    """The analysis set of a file, the values of each scale, and doubts about the file."""

    ratings: Ratings
    values: Mapping[str, tuple[float, ...]]
    warnings: tuple[Problem, ...] = ()


def read_ratings(
    path: Path,
    *,
    scales: Sequence[str] | None = None,
    values: str | None = None,
    encoding: str | None = None,
    name: str | None = None,
    strict: bool = False,
) -> ReadRatings:
    """Return the main, not excluded ratings of a file, in their last revision.

    `scales`: columns to read, else those of relevance, structure, helpfulness that are there.
    `values`: the values of the scales as ``0,1,2`` or ``relevance=0,1,2;empathy=1,2,3,4,5``; left
    out, the three have 0, 1, 2 and others what the file holds. `name`: the file as typed.

    Raises:
        ImportProblems: the file cannot be taken; up to 100 problems with their rows are kept.
        StudyError: `values` cannot be understood.
    """
    findings = Findings()
    place = Place(name or str(path), findings)
    asked = tuple(dict.fromkeys(scales)) if scales is not None else ()
    given = option_values(values)
    table = open_table(path, place, _schema(asked), Choice(encoding))
    present = asked or tuple(scale for scale in STANDARD if scale in table.fields)
    if not present:
        raise place.stop(1, WHOLE_FILE, "ratings_file.no_scale", names=", ".join(STANDARD))
    grid = gathered(table.records, table.fields)
    allowed = {scale: _allowed(scale, given) for scale in present}
    ratings = _analysed(grid, allowed, place)
    findings.check()
    warnings = tuple(each for each in findings.warnings() if each.code not in QUIET_WARNINGS)
    if strict:
        refuse_warnings(warnings)
    return ReadRatings(ratings, _values(ratings, allowed), warnings)


def _schema(asked: tuple[str, ...]) -> Schema:
    return Schema(
        fields=tuple(dict.fromkeys((*KEYS, *OPTIONAL, *(asked or STANDARD)))),
        required=(*KEYS, *asked),
        quiet=UNREAD - set(asked),
    )


def _allowed(scale: str, given: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    """Return the values a scale may have; none = whatever the file holds."""
    standard = STANDARD_VALUES if scale in STANDARD else ()
    return given.get(scale, given.get(ALL_SCALES, standard))


def _values(
    ratings: Ratings, allowed: Mapping[str, tuple[float, ...]]
) -> dict[str, tuple[float, ...]]:
    scale_values = {}
    for scale, values in allowed.items():
        seen = ratings.values[scale]
        scale_values[scale] = values or tuple(np.unique(seen[~np.isnan(seen)]).tolist())
    return scale_values


def _analysed(grid: Grid, allowed: Mapping[str, tuple[float, ...]], place: Place) -> Ratings:
    keys = {field: labels(grid, field, place, required=True) for field in KEYS}
    panel = labels(grid, "panel", place, required=False)
    if POOLED in keys["system"]:
        row = grid.rows[keys["system"].index(POOLED)]
        place.refuse(row, "system", "ratings_file.system_called_all", name=POOLED)
    columns = {scale: scores(grid, scale, values, place) for scale, values in allowed.items()}
    order = numbers(grid, "order", place)
    seconds = numbers(grid, "seconds", place)
    unit = list(zip(keys["item_id"], keys["system"], panel, keys["rater"], strict=True))
    kept, flow = _kept(grid, unit, place)
    place.findings.check()
    chosen = np.array(kept, dtype=np.int64)
    return gather(
        Columns(
            item=[keys["item_id"][at] for at in kept],
            system=[keys["system"][at] for at in kept],
            rater=[keys["rater"][at] for at in kept],
            panel=[panel[at] for at in kept],
            values={scale: column[chosen] for scale, column in columns.items()},
            order=None if order is None else order[chosen],
            seconds=None if seconds is None else seconds[chosen],
        ),
        flow=flow,
        instrument=_instrument(grid, kept),
    )


def _kept(
    grid: Grid, unit: Sequence[tuple[str, str, str, str]], place: Place
) -> tuple[list[int], dict[str, int]]:
    """Return which rows are analysed, and how many were left out and why.

    Two rows left for one unit and rater are refused, both named.
    """
    kinds = labels(grid, "kind", place, required="kind" in grid.columns)
    _refuse_kinds(grid, kinds, place)
    excluded = marks(grid, "excluded")
    revision = numbers(grid, "revision", place)
    revision = np.zeros(len(grid.rows)) if revision is None else np.nan_to_num(revision)
    flow = {"rows_read": len(grid.rows)}
    latest: dict[tuple[str, str, str, str], int] = {}
    for at, key in enumerate(unit):
        if kinds[at] not in ("", Kind.MAIN):
            _count(flow, f"dropped_{kinds[at]}")
            continue
        earlier = latest.get(key)
        if earlier is not None and revision[at] == revision[earlier]:
            place.refuse(
                grid.rows[at], "rater", "ratings_file.rated_twice", where=grid.rows[earlier]
            )
            continue
        if earlier is not None:
            _count(flow, "dropped_earlier_revision")
        if earlier is None or revision[at] > revision[earlier]:
            latest[key] = at
    kept = [at for at in latest.values() if not excluded[at]]
    if len(kept) < len(latest):
        flow["dropped_excluded"] = len(latest) - len(kept)
    return kept, flow | {"rows_analysed": len(kept)}


def _count(flow: dict[str, int], reason: str) -> None:
    flow[reason] = flow.get(reason, 0) + 1


def _refuse_kinds(grid: Grid, kinds: Sequence[str], place: Place) -> None:
    known = {kind.value for kind in Kind} | {""}
    if not set(kinds) <= known:
        for row, kind in zip(grid.rows, kinds, strict=True):
            if kind not in known:
                place.refuse(row, "kind", "ratings_file.kind_unknown", kinds=", ".join(Kind))


def _instrument(grid: Grid, kept: Sequence[int]) -> str:
    """Return the instrument the rows name, when it is one and the same."""
    column = grid.columns.get("instrument")
    named = {column[at] for at in kept} if column is not None else set()
    return named.pop() if len(named) == 1 else ""
