"""The label tables of an export. `labels` and `spans` go into `labels agreement` as they are.

They hold the first round of each task, in which nobody had seen a machine's label; the second one
stands in `labels_second` and `spans_second`. Offsets of `spans` count in the item's document:
question, a line break, description (table `documents`); `field_start` and `field_end` count in the
field alone. A machine's provenance stands in an unblinded export only: it may name a system under
study. `machine` is the masked name under which the results show it.
"""

from dataclasses import dataclass
from typing import Final

from cbt_core.analysis.labels import document
from cbt_core.analysis.rows import (
    EXCLUDED,
    INTEGER,
    ITEM,
    LANG,
    NUMBER,
    REVISION,
    TEXT,
    Material,
    Rows,
    described,
)
from cbt_core.domain.labels import LabelLine, LabelMark, SpanMark
from cbt_core.files.writer import Table

FIELD: Final = described("field", TEXT)
PLACE: Final = (
    FIELD,
    described("field_start", INTEGER),
    described("field_end", INTEGER),
)
NUMBER_IN_ITEM: Final = described("proposal", INTEGER)
MACHINE: Final = described("machine", TEXT)
PROPOSALS: Final = (
    ITEM, MACHINE, NUMBER_IN_ITEM,
    described("label", TEXT), *PLACE,
)
PROVENANCE: Final = (
    described("source", TEXT, "source_of_provenance"), described("run", TEXT),
)
MACHINE_RUNS: Final = (
    ITEM, MACHINE,
    described("found", INTEGER),
)


UNSURE: Final = "<unsure>"
"""How a file says that the annotator could not decide: missing in agreement, unlike no label."""

ANNOTATOR: Final = described("annotator", TEXT)
ROUND: Final = described("round", TEXT)


LABELS: Final = (
    ITEM, ANNOTATOR,
    described("labels", TEXT),
    ROUND,
    described("whole", TEXT),
    described("adopted", TEXT),
    described("certainty", INTEGER),
    described("note", TEXT),
    described("order", INTEGER, "order_of_labels"),
    REVISION,
    described("seconds", NUMBER, "seconds_of_labels"),
    described("layout", TEXT, "layout_of_tasks"),
    described("input", TEXT),
    LANG,
    described("scheme", TEXT),
    EXCLUDED,
)
SPANS: Final = (
    ITEM, ANNOTATOR,
    described("start", INTEGER, "start_of_spans"),
    described("end", INTEGER, "end_of_spans"),
    described("label", TEXT, "label_of_spans"),
    ROUND, *PLACE,
    described("quote", TEXT, "quote_of_spans"),
    described("origin", TEXT),
    EXCLUDED,
)
DOCUMENTS: Final = (
    ITEM,
    described("text", TEXT, "text_of_documents"),
)
ANSWERS: Final = (
    ITEM, ANNOTATOR, REVISION, NUMBER_IN_ITEM,
    described("proposed", TEXT),
    described("answer", TEXT, "answer_of_answers"),
    described("label", TEXT, "label_of_answers"), *PLACE,
)
SKIPS: Final = (
    ITEM, ANNOTATOR, ROUND, described("reason", TEXT, "reason_of_label_skips"),
    described("note", TEXT, "note_of_label_skips"),
)
REVISIONS: Final = (
    ITEM, ANNOTATOR, ROUND, REVISION,
    described("at", TEXT),
    described("outcome", TEXT),
    described("labels", TEXT, "labels_of_label_revisions"),
    described("reason", TEXT),
)


@dataclass(frozen=True, slots=True)
class LabelMaterial:
    """Everything read once for the label tables."""

    found: Material
    lines: list[LabelLine]
    labels: dict[int, list[LabelMark]]
    spans: dict[int, list[SpanMark]]
    texts: dict[str, tuple[str, str]]

    def excluded(self, line: LabelLine) -> str | None:
        """Return why a line is left out of the analysis; None when it is not."""
        return (
            self.found.excluded_items.get(line.item)
            or self.found.excluded_raters.get(line.annotator)
        )

    def of_round(self, *, second: bool) -> list[LabelLine]:
        """Return the newest labels of the first round of each task, or of the second."""
        alone = {(line.item, line.annotator) for line in self.lines if line.round == "blind"}
        return [
            line
            for line in self.lines
            if line.is_newest and line.outcome != "skipped"
            and second == (line.round == "model" and (line.item, line.annotator) in alone)
        ]


def label_table(read: LabelMaterial, *, second: bool) -> Table:
    """Return the label sets of a round, one row an item and annotator."""
    rows: Rows = []
    for line in read.of_round(second=second):
        given = read.labels.get(line.id, [])
        rows.append((
            line.item, line.annotator,
            UNSURE if line.outcome == "unsure" else "|".join(mark.label for mark in given),
            line.round,
            "|".join(mark.label for mark in given if mark.whole) or None,
            "|".join(mark.label for mark in given if mark.origin == "model") or None,
            line.certainty, line.note or None, line.order, line.revision, line.seconds,
            line.layout, line.input, line.lang, read.found.setup.scheme.signature,
            read.excluded(line),
        ))
    return Table("labels_second" if second else "labels", LABELS, rows)


def span_table(read: LabelMaterial, *, second: bool) -> Table:
    """Return the spans of a round, one row each."""
    rows: Rows = []
    for line in read.of_round(second=second):
        question, _ = read.texts[line.item]
        for span in read.spans.get(line.id, []):
            shift = 0 if span.field == "question" else len(question) + 1
            rows.append((
                line.item, line.annotator, span.start + shift, span.end + shift, span.label,
                line.round, span.field, span.start, span.end, span.quote, span.origin,
                read.excluded(line),
            ))
    return Table("spans_second" if second else "spans", SPANS, rows)


def document_table(read: LabelMaterial) -> Table:
    """Return the texts that offsets of the span tables count in."""
    rows: Rows = [(key, document(*texts)) for key, texts in read.texts.items()]
    return Table("documents", DOCUMENTS, rows)


def skip_table(read: LabelMaterial) -> Table:
    """Return the items annotators skipped, with reason and note."""
    rows: Rows = [
        (line.item, line.annotator, line.round, line.skip_reason, line.note or None)
        for line in read.lines
        if line.is_newest and line.outcome == "skipped"
    ]
    return Table("label_skips", SKIPS, rows)


def label_revision_table(read: LabelMaterial) -> Table:
    """Return every revision of every label task, the newest marked."""
    rows: Rows = [
        (line.item, line.annotator, line.round, line.revision, line.at, line.outcome,
         "|".join(mark.label for mark in read.labels.get(line.id, [])), line.reason or None)
        for line in read.lines
    ]
    return Table("label_revisions", REVISIONS, rows)
