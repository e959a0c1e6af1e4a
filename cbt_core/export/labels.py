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
from cbt_core.files.output import Table

FIELD: Final = described(
    "field", TEXT, "question 提问、description 描述", "question or description"
)
PLACE: Final = (
    FIELD,
    described(
        "field_start", INTEGER, "在该字段中的起点（码点）", "start within the field (code points)"
    ),
    described("field_end", INTEGER, "在该字段中的终点（不含）", "end within the field, exclusive"),
)
NUMBER_IN_ITEM: Final = described(
    "proposal", INTEGER, "该题的第几条建议", "number of the proposal in its item"
)
MACHINE: Final = described(
    "machine", TEXT, "模型的遮蔽名称（与标注结果页相同）",
    "masked name of the machine (as on the screen of label results)",
)
PROPOSALS: Final = (
    ITEM, MACHINE, NUMBER_IN_ITEM,
    described("label", TEXT, "模型建议的标签", "label the machine proposed"), *PLACE,
)
PROVENANCE: Final = (
    described("source", TEXT, "来源", "what proposed it"), described("run", TEXT, "运行", "run"),
)
MACHINE_RUNS: Final = (
    ITEM, MACHINE,
    described("found", INTEGER, "模型建议的条数（0=运行过而没有发现；无此行=未运行）",
       "labels the machine proposed (0: it ran and found nothing; no row: it was not run)"),
)


UNSURE: Final = "<unsure>"
"""How a file says that the annotator could not decide: missing in agreement, unlike no label."""

ANNOTATOR: Final = described("annotator", TEXT, "标注者代码", "code of the annotator")
ROUND: Final = described(
    "round", TEXT, "blind 独立标注、model 看过模型建议之后",
    "blind: alone; model: with the machine's proposals on the screen",
)


LABELS: Final = (
    ITEM, ANNOTATOR,
    described("labels", TEXT, "标签（| 分隔；空=无；<unsure>=不确定）",
       "labels, separated by |; empty: none; <unsure>: could not decide"),
    ROUND,
    described(
        "whole", TEXT, "未指明片段、标在整题上的标签", "labels given to the item without a span"
    ),
    described("adopted", TEXT, "仅因采纳模型建议而有的标签",
       "labels that stand only by adopting a proposal"),
    described("certainty", INTEGER, "把握程度 1–3", "certainty 1-3"),
    described("note", TEXT, "备注", "note"),
    described("order", INTEGER, "在该标注者序列中的位置（从 1 起）",
       "position in the annotator's sequence"),
    REVISION,
    described("seconds", NUMBER, "专注时长（秒）", "active seconds"),
    described("layout", TEXT, "版式", "layout"),
    described("input", TEXT, "输入方式", "input kind: keyboard, pointer, touch or mixed"),
    LANG,
    described("scheme", TEXT, "标签表的签名", "signature of the label scheme"),
    EXCLUDED,
)
SPANS: Final = (
    ITEM, ANNOTATOR,
    described("start", INTEGER, "在题目全文中的起点（码点）",
       "start in the item's document (code points)"),
    described("end", INTEGER, "终点（不含）", "end, exclusive"),
    described("label", TEXT, "标签", "label"),
    ROUND, *PLACE,
    described("quote", TEXT, "片段原文", "the words of the span"),
    described("origin", TEXT, "own 自己标出、model 采纳自模型建议",
       "own, or model: adopted from a proposal"),
    EXCLUDED,
)
DOCUMENTS: Final = (
    ITEM,
    described(
        "text", TEXT, "题目全文：提问、换行、描述", "document: question, line break, description"
    ),
)
ANSWERS: Final = (
    ITEM, ANNOTATOR, REVISION, NUMBER_IN_ITEM,
    described("proposed", TEXT, "模型建议的标签", "label the machine proposed"),
    described("answer", TEXT, "confirmed 采纳、changed 修改、rejected 不采纳",
       "confirmed, changed or rejected"),
    described("label", TEXT, "修改后的标签", "label it was changed to"), *PLACE,
)
SKIPS: Final = (
    ITEM, ANNOTATOR, ROUND, described("reason", TEXT, "跳过原因", "why it was skipped"),
    described("note", TEXT, "补充说明", "note"),
)
REVISIONS: Final = (
    ITEM, ANNOTATOR, ROUND, REVISION,
    described("at", TEXT, "提交时间（UTC）", "time of the submission (UTC)"),
    described("outcome", TEXT, "labelled 有标签、none 无、unsure 不确定、skipped 跳过",
       "labelled, none, unsure or skipped"),
    described("labels", TEXT, "标签（| 分隔）", "labels, separated by |"),
    described("reason", TEXT, "更正理由", "reason of the correction"),
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
        for one in read.spans.get(line.id, []):
            shift = 0 if one.field == "question" else len(question) + 1
            rows.append((
                line.item, line.annotator, one.start + shift, one.end + shift, one.label,
                line.round, one.field, one.start, one.end, one.quote, one.origin,
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
