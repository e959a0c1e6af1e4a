"""Reading marked spans (``item_id, annotator, start, end, label``) and the texts they lie in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.columns import Schema
from cbt_core.files.label_cells import LabelCells
from cbt_core.files.labels import opened, refuse_repeats, settle, told
from cbt_core.files.problems import Findings, Place, shown
from cbt_core.files.rating_columns import labels, marks
from cbt_core.stats.labels.sets import LabelRow
from cbt_core.stats.labels.spans import Documents, SpanRow

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
    found = _Spans(lengths, frozenset((row.item, row.annotator) for row in rows), place)
    grid = opened(spans, place, SPANS, encoding)
    items = labels(grid, "item_id", place, required=True)
    annotators = labels(grid, "annotator", place, required=True)
    cells = LabelCells(scheme, place)
    excluded = marks(grid, "excluded")
    for at, row in enumerate(grid.rows):
        label = cells.one(grid.columns["label"][at], row, "label")
        ends = (grid.columns["start"][at], grid.columns["end"][at])
        offsets = None if excluded[at] else found.offsets(row, ends)
        if offsets:
            found.add(row, SpanRow(items[at], annotators[at], *offsets, label))
    settle(place)
    return ReadSpans(Documents(found.kept, lengths), told(place))


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
        found = []
        for field, cell in zip(("start", "end"), cells, strict=True):
            if not OFFSET.fullmatch(cell.strip()):
                self._place.refuse(row, field, "labels.not_an_offset", value=shown(cell) or "''")
                return None
            found.append(int(float(cell)))
        return found[0], found[1]

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
