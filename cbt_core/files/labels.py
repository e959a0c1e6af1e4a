"""Reading label files: ``item_id, annotator, labels``, with spans and documents beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.columns import Schema
from cbt_core.files.label_cells import LabelCells, tell_empty
from cbt_core.files.opening import Choice, open_table
from cbt_core.files.problems import WHOLE_FILE, Findings, ImportProblems, Place
from cbt_core.files.rating_columns import Grid, gathered, labels, marks
from cbt_core.stats.labels.sets import LabelRow

LABELS: Final = Schema(
    fields=("item_id", "annotator", "labels", "excluded"),
    required=("item_id", "annotator", "labels"),
)
QUIET_WARNINGS: Final = frozenset({"column_unknown", "column_unknown_close", "columns_empty"})
"""Columns of their own are people's good right in a labels file."""


@dataclass(frozen=True, slots=True)
class ReadLabels:
    """The rows of a labels file that are analysed, how many were not, doubts about the file."""

    rows: Sequence[LabelRow]
    flow: Mapping[str, int]
    warnings: tuple[Problem, ...] = ()


def read_labels(
    path: Path, *, scheme: Scheme | None = None, encoding: str | None = None
) -> ReadLabels:
    """Return the labels of a file, one row per item and annotator.

    With a scheme, labels are written as its ids or its names in either language, and become ids.

    Raises:
        ImportProblems: the file cannot be taken; up to 100 problems with their rows are kept.
    """
    place = Place(str(path), Findings())
    grid = opened(path, place, LABELS, encoding)
    items = labels(grid, "item_id", place, required=True)
    annotators = labels(grid, "annotator", place, required=True)
    refuse_repeats(grid, list(zip(items, annotators, strict=True)), place, "annotator",
                   "labels.labelled_twice")
    cells = LabelCells(scheme, place)
    given = [cells.read(cell, row, "labels")
             for row, cell in zip(grid.rows, grid.columns["labels"], strict=True)]
    excluded = marks(grid, "excluded")
    settle(place)
    tell_empty(kept(grid.columns["labels"], excluded), "labels", place)
    rows = [
        LabelRow(item, annotator, labelled)
        for item, annotator, labelled, out in zip(items, annotators, given, excluded, strict=True)
        if not out
    ]
    if all(row.labels is None for row in rows):
        raise place.stop(1, WHOLE_FILE, "labels.nothing_decided")
    return ReadLabels(rows, {"excluded": sum(excluded)}, told(place))


def opened(path: Path, place: Place, schema: Schema, encoding: str | None = None) -> Grid:
    """Return the cells of a file by column.

    Raises:
        ImportProblems: it cannot be read, or a needed column is not there.
    """
    try:
        table = open_table(path, place, schema, Choice(encoding))
        records = list(table.records)
    except ImportProblems as refused:
        raise _naming_columns(refused, schema) from refused
    fields = table.fields or _keys(records, place, schema)
    return gathered(records, fields)


def _keys(
    records: Sequence[tuple[int, dict[str, object]]], place: Place, schema: Schema
) -> tuple[str, ...]:
    """Return the fields of a JSON file, which says only row by row what it holds.

    Raises:
        ImportProblems: no record has a field that is needed: it would read as empty.
    """
    held = {name for _, record in records for name in record}
    for name in schema.required:
        if name not in held:
            raise place.stop(1, name, "labels.column_missing", name=name,
                             header=", ".join(sorted(held)), needed=", ".join(schema.required))
    return tuple(name for name in schema.fields if name in held)


def _naming_columns(refused: ImportProblems, schema: Schema) -> ImportProblems:
    """Let a refusal for want of a column name all that the file needs."""
    needed: dict[str, object] = {"needed": ", ".join(schema.required)}
    return ImportProblems(tuple(
        replace(one, code="labels.column_missing", values={**one.values, **needed})
        if one.code == "column_missing" else one
        for one in refused.problems
    ), count=refused.count)


def settle(place: Place) -> None:
    """Refuse a file in which something is wrong, its problems by row.

    Raises:
        ImportProblems: something was found.
    """
    if place.findings.failed():
        found = place.findings.problems()
        raise ImportProblems(
            tuple(sorted(found.problems, key=lambda one: one.row)), count=found.count
        )


def kept(cells: Sequence[str], excluded: Sequence[bool]) -> list[str]:
    """Return the cells of the rows that are analysed."""
    return [cell for cell, out in zip(cells, excluded, strict=True) if not out]


def told(place: Place) -> tuple[Problem, ...]:
    """Return the doubts about a file that are worth telling."""
    return tuple(one for one in place.findings.warnings() if one.code not in QUIET_WARNINGS)


def refuse_repeats(
    grid: Grid, keys: Sequence[object], place: Place, field: str, code: str
) -> None:
    """Refuse a row whose key stood before, naming the row where it did."""
    first: dict[object, int] = {}
    for row, key in zip(grid.rows, keys, strict=True):
        if key in first:
            place.refuse(row, field, code, where=first[key])
        else:
            first[key] = row
