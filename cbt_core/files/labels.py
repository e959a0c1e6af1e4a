"""Reading label files: ``item_id, annotator, labels``, with spans and documents beside them.

Cells hold labels joined by ``|``, empty or ``none`` for none, ``<unsure>`` for undecided. `none`
and `unsure` are never labels, whatever the scheme: no label of a scheme may have their id. Marked
spans are ``item_id, annotator, start, end, label``, with the texts they lie in.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.fields import is_sound
from cbt_core.files.problems import (
    NAME_CHARACTERS,
    SHOWN_CHARACTERS,
    WHOLE_FILE,
    Findings,
    ImportProblems,
    Place,
    shown,
)
from cbt_core.files.ratings import Grid, gathered, labels, marks
from cbt_core.files.tables import Choice, Schema, open_table
from cbt_core.stats.labels.label_sets import LabelRow
from cbt_core.stats.labels.spans import Documents, SpanRow

BAR: Final = "|"
UNSURE: Final = "<unsure>"
NONE: Final = "none"
RESERVED: Final = frozenset({NONE, "unsure"})
SEPARATORS: Final = ";；、，"
"""What people join labels by, and what no label of a file without a scheme may hold."""

CLOSE: Final = 0.75
"""How alike a misspelt label is to the one that is suggested (ratio of `difflib`)."""


class LabelCells:
    """Reads the label cells of a file; each distinct cell is judged once, told at every row."""

    def __init__(self, scheme: Scheme | None, place: Place) -> None:
        """Read labels as ids of `scheme`, or, without one, as they are written."""
        self._scheme = scheme
        self._place = place
        self._known: dict[str, frozenset[str] | None] = {}
        self._labels: dict[str, str] = {}

    def read(self, cell: str, row: int, field: str) -> frozenset[str] | None:
        """Return the labels of a cell; None: undecided. What is wrong is refused."""
        if cell not in self._known:
            before = self._place.findings.count
            label_set = self._judged(cell, row, field)
            if self._place.findings.count > before:
                return frozenset()  # told at this row, and again at the next that holds it
            self._known[cell] = label_set
        return self._known[cell]

    def one(self, cell: str, row: int, field: str) -> str:
        """Return the one label of a cell; '' where it is refused."""
        name = cell.strip()
        if name.casefold() in {*RESERVED, UNSURE}:
            self._place.refuse(row, field, "labels.reserved", value=shown(name))
            return ""
        return self._label(name, row, field) or ""

    def _judged(self, cell: str, row: int, field: str) -> frozenset[str] | None:
        names = _names(cell)
        if UNSURE in names:
            if len(names) > 1:
                self._place.refuse(row, field, "labels.unsure_not_alone")
            return None
        folded = {name.casefold() for name in names}
        if "unsure" in folded:
            self._place.refuse(row, field, "labels.unsure_spelling")
            return None
        if NONE in folded:
            if len(folded) > 1:
                self._place.refuse(row, field, "labels.none_not_alone")
            return frozenset()
        labels = [self._label(name, row, field) for name in names]
        return frozenset(label for label in labels if label is not None)

    def _label(self, name: str, row: int, field: str) -> str | None:
        if name not in self._labels:
            label = self._found(name, row, field)
            if label is None:
                return None
            self._labels[name] = label
        return self._labels[name]

    def _found(self, name: str, row: int, field: str) -> str | None:
        if len(name) > NAME_CHARACTERS or not is_sound(name, self._place, row, field):
            return None
        label = self._scheme.find(name) if self._scheme else None
        if label is not None:
            return label.id
        separator = next((one for one in SEPARATORS if one in name), None)
        if separator is not None:
            self._place.refuse(
                row, field, "labels.separator", value=shown(name), separator=separator
            )
            return None
        if self._scheme is None:
            return self._as_written(name, row, field)
        self._unknown(self._scheme, name, (row, field))
        return None

    def _unknown(self, scheme: Scheme, name: str, where: tuple[int, str]) -> None:
        near = _nearest(scheme, name)
        code = "labels.label_unknown_close" if near else "labels.label_unknown"
        self._place.refuse(*where, code, value=shown(name), scheme=scheme.id, near=near)

    def _as_written(self, name: str, row: int, field: str) -> str | None:
        if name.startswith("<") or not name:
            self._place.refuse(row, field, "labels.label_odd", value=shown(name) or "''")
            return None
        return name


def tell_empty(cells: Iterable[str], field: str, place: Place) -> None:
    """Say once how many cells of a column hold nothing and so are read as "none"."""
    count = sum(not _names(cell) for cell in cells)
    if count:
        code = "labels.empty_is_none" if count > 1 else "labels.one_empty_is_none"
        place.warn(1, field, code, count=count, column=field)


def _names(cell: str) -> list[str]:
    return [part for part in (part.strip() for part in cell.split(BAR)) if part]


def _nearest(scheme: Scheme, name: str) -> str:
    """Return the label written most like this one, as it would be written; '' if none is close."""
    written = {
        one.casefold(): one
        for label in scheme.labels for one in (label.id, label.name.zh, label.name.en)
    }
    close = get_close_matches(name[:SHOWN_CHARACTERS].casefold(), written, n=1, cutoff=CLOSE)
    return written[close[0]] if close else ""


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
        failure = place.findings.problems()
        raise ImportProblems(
            tuple(sorted(failure.problems, key=lambda one: one.row)), count=failure.count
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


SPANS: Final = Schema(
    fields=("item_id", "annotator", "start", "end", "label", "excluded"),
    required=("item_id", "annotator", "start", "end", "label"),
)
DOCUMENTS: Final = Schema(fields=("item_id", "text"), required=("item_id", "text"))
OFFSET: Final = re.compile(r"[0-9]{1,9}(?:\.0+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReadSpans:
    """Spans in their documents, and doubts about the files."""

    documents: Documents
    warnings: tuple[Problem, ...] = ()


def read_spans(
    spans: Path, documents: Path, *, rows: Sequence[LabelRow], scheme: Scheme | None = None,
    encoding: str | None = None,
) -> ReadSpans:
    """Return the spans of a file, each inside its document.

    `rows`: the labels file; a span of an item and annotator that it does not hold is told of and
    does not count.

    Raises:
        ImportProblems: one of the files cannot be taken, or a span lies outside its text.
    """
    lengths = _lengths(documents, encoding)
    place = Place(str(spans), Findings())
    span_set = _Spans(lengths, frozenset((row.item, row.annotator) for row in rows), place)
    grid = opened(spans, place, SPANS, encoding)
    items = labels(grid, "item_id", place, required=True)
    annotators = labels(grid, "annotator", place, required=True)
    cells = LabelCells(scheme, place)
    excluded = marks(grid, "excluded")
    for at, row in enumerate(grid.rows):
        label = cells.one(grid.columns["label"][at], row, "label")
        ends = (grid.columns["start"][at], grid.columns["end"][at])
        offsets = None if excluded[at] else span_set.offsets(row, ends)
        if offsets:
            span_set.add(row, SpanRow(items[at], annotators[at], *offsets, label))
    settle(place)
    return ReadSpans(Documents(span_set.kept, lengths), told(place))


class _Spans:
    """The spans of a file, judged one by one."""

    def __init__(
        self, lengths: Mapping[str, int], labelled: frozenset[tuple[str, str]], place: Place
    ) -> None:
        self.kept: list[SpanRow] = []
        self._lengths = lengths
        self._labelled = labelled
        self._place = place
        self._first: dict[SpanRow, int] = {}

    def offsets(self, row: int, cells: tuple[str, str]) -> tuple[int, int] | None:
        """Return start and end; what is no offset is refused (None)."""
        ends = []
        for field, cell in zip(("start", "end"), cells, strict=True):
            if not OFFSET.fullmatch(cell.strip()):
                self._place.refuse(row, field, "labels.not_an_offset", value=shown(cell) or "''")
                return None
            ends.append(int(float(cell)))
        return ends[0], ends[1]

    def add(self, row: int, span: SpanRow) -> None:
        """Keep a span that lies in the text of an item its annotator labelled."""
        length = self._lengths.get(span.item)
        before = self._first.setdefault(span, row)
        if before != row and span.label:
            self._place.refuse(row, "start", "labels.span_twice", where=before)
        elif length is None:
            self._place.refuse(row, "item_id", "labels.no_document")
        elif span.end <= span.start:
            self._place.refuse(row, "end", "labels.span_empty")
        elif span.end > length:
            self._place.refuse(row, "end", "labels.span_outside", end=span.end, length=length)
        elif (span.item, span.annotator) not in self._labelled:
            self._place.warn(row, "annotator", "labels.span_of_nobody")
        else:
            self.kept.append(span)


def _lengths(path: Path, encoding: str | None) -> dict[str, int]:
    """Return the number of characters (code points) of each text."""
    place = Place(str(path), Findings())
    grid = opened(path, place, DOCUMENTS, encoding)
    items = labels(grid, "item_id", place, required=True)
    refuse_repeats(grid, items, place, "item_id", "labels.text_twice")
    texts = grid.columns["text"]
    for row, text in zip(grid.rows, texts, strict=True):
        if not text:
            place.refuse(row, "text", "labels.text_empty")
    settle(place)
    return {item: len(text) for item, text in zip(items, texts, strict=True)}
