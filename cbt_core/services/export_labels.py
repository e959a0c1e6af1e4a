"""The label tables of an export. `labels` and `spans` go into `labels agreement` as they are.

They hold the first round of each task, in which nobody had seen a machine's label; the second one
stands in `labels_second` and `spans_second`. Offsets of `spans` count in the item's document:
question, a line break, description (table `documents`); `field_start` and `field_end` count in the
field alone.
"""

from dataclasses import dataclass
from typing import Final

from cbt_core.files.tables import Cell, Column, Table
from cbt_core.services import export_gold, export_machine
from cbt_core.services.export_columns import INTEGER, ITEM, LANG, NUMBER, REVISION, TEXT
from cbt_core.services.export_machine import NUMBER_IN_ITEM, PLACE
from cbt_core.services.export_rows import Material
from db import items, label_lines
from db.engine import Connection
from db.label_lines import LabelLine, SpanLine

UNSURE: Final = "<unsure>"
"""How a file says that the annotator could not decide: missing in agreement, unlike no label."""

Rows = list[tuple[Cell, ...]]


def _c(name: str, kind: str, zh: str, en: str) -> Column:
    return Column(name, kind, zh, en)


ANNOTATOR: Final = _c("annotator", TEXT, "标注者代码", "code of the annotator")
ROUND: Final = _c(
    "round", TEXT, "blind 独立标注、model 看过模型建议之后",
    "blind: alone; model: with the machine's proposals on the screen",
)
EXCLUDED: Final = _c(
    "excluded", TEXT, "不纳入分析的原因（空=纳入）",
    "why it is left out of the analysis (empty: in)",
)
LABELS: Final = (
    ITEM, ANNOTATOR,
    _c("labels", TEXT, "标签（| 分隔；空=无；<unsure>=不确定）",
       "labels, separated by |; empty: none; <unsure>: could not decide"),
    ROUND,
    _c("whole", TEXT, "未指明片段、标在整题上的标签", "labels given to the item without a span"),
    _c("adopted", TEXT, "仅因采纳模型建议而有的标签",
       "labels that stand only by adopting a proposal"),
    _c("certainty", INTEGER, "把握程度 1–3", "certainty 1-3"),
    _c("note", TEXT, "备注", "note"),
    _c("order", INTEGER, "在该标注者序列中的位置（从 1 起）",
       "position in the annotator's sequence"),
    REVISION,
    _c("seconds", NUMBER, "专注时长（秒）", "active seconds"),
    _c("layout", TEXT, "版式", "layout"),
    _c("input", TEXT, "输入方式", "input kind: keyboard, pointer, touch or mixed"),
    LANG,
    _c("scheme", TEXT, "标签表的签名", "signature of the label scheme"),
    EXCLUDED,
)
SPANS: Final = (
    ITEM, ANNOTATOR,
    _c("start", INTEGER, "在题目全文中的起点（码点）",
       "start in the item's document (code points)"),
    _c("end", INTEGER, "终点（不含）", "end, exclusive"),
    _c("label", TEXT, "标签", "label"),
    ROUND, *PLACE,
    _c("quote", TEXT, "片段原文", "the words of the span"),
    _c("origin", TEXT, "own 自己标出、model 采纳自模型建议",
       "own, or model: adopted from a proposal"),
    EXCLUDED,
)
DOCUMENTS: Final = (
    ITEM,
    _c("text", TEXT, "题目全文：提问、换行、描述", "document: question, line break, description"),
)
ANSWERS: Final = (
    ITEM, ANNOTATOR, REVISION, NUMBER_IN_ITEM,
    _c("proposed", TEXT, "模型建议的标签", "label the machine proposed"),
    _c("answer", TEXT, "confirmed 采纳、changed 修改、rejected 不采纳",
       "confirmed, changed or rejected"),
    _c("label", TEXT, "修改后的标签", "label it was changed to"), *PLACE,
)
SKIPS: Final = (
    ITEM, ANNOTATOR, ROUND, _c("reason", TEXT, "跳过原因", "why it was skipped"),
    _c("note", TEXT, "补充说明", "note"),
)
REVISIONS: Final = (
    ITEM, ANNOTATOR, ROUND, REVISION,
    _c("at", TEXT, "提交时间（UTC）", "time of the submission (UTC)"),
    _c("outcome", TEXT, "labelled 有标签、none 无、unsure 不确定、skipped 跳过",
       "labelled, none, unsure or skipped"),
    _c("labels", TEXT, "标签（| 分隔）", "labels, separated by |"),
    _c("reason", TEXT, "更正理由", "reason of the correction"),
)


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything read once for the label tables."""

    found: Material
    lines: list[LabelLine]
    labels: dict[int, list[tuple[str, bool, str]]]
    spans: dict[int, list[SpanLine]]
    texts: dict[str, tuple[str, str]]

    def excluded(self, line: LabelLine) -> str | None:
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


def tables(connection: Connection, found: Material) -> list[Table]:
    """Return `labels` and `spans`; with them, where a study labels at all, what belongs to them."""
    study_id = found.setup.study.id
    read = _Read(
        found=found,
        lines=label_lines.submissions(connection, study_id),
        labels=label_lines.labels(connection, study_id),
        spans=label_lines.spans(connection, study_id),
        texts={one.key: (one.question, one.description)
               for one in items.stream(connection, study_id)},
    )
    first = [_labels(read, second=False), _spans(read, second=False)]
    if not label_lines.has_work(connection, study_id):
        return first
    return [
        *first, _labels(read, second=True), _spans(read, second=True), _documents(read),
        *export_machine.tables(connection, found), _answers(connection, read),
        _skips(read), _revisions(read),
        *export_gold.tables(connection, found, texts=read.texts, spans=read.spans),
    ]


def document(question: str, description: str) -> str:
    """Return the one text in which exported spans are counted."""
    return f"{question}\n{description}" if description else question


def _labels(read: _Read, *, second: bool) -> Table:
    rows: Rows = []
    for line in read.of_round(second=second):
        given = read.labels.get(line.id, [])
        rows.append((
            line.item, line.annotator,
            UNSURE if line.outcome == "unsure" else "|".join(name for name, _, _ in given),
            line.round,
            "|".join(name for name, whole, _ in given if whole) or None,
            "|".join(name for name, _, origin in given if origin == "model") or None,
            line.certainty, line.note or None, line.order, line.revision, line.seconds,
            line.layout, line.input, line.lang, read.found.setup.scheme.signature,
            read.excluded(line),
        ))
    return Table("labels_second" if second else "labels", LABELS, rows)


def _spans(read: _Read, *, second: bool) -> Table:
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


def _documents(read: _Read) -> Table:
    rows: Rows = [(key, document(*texts)) for key, texts in read.texts.items()]
    return Table("documents", DOCUMENTS, rows)


def _answers(connection: Connection, read: _Read) -> Table:
    study_id = read.found.setup.study.id
    known = {one.id: one for one in label_lines.proposals(connection, study_id)}
    lines = {line.id: line for line in read.lines}
    found = [
        (lines[one.submission_id], known[one.proposal_id], one)
        for one in label_lines.answers(connection, study_id)
    ]
    found.sort(key=lambda row: (row[0].item, row[0].annotator, row[0].revision, row[1].number))
    rows: Rows = [
        (line.item, line.annotator, line.revision, about.number, about.label, one.answer,
         one.label or None, one.field or None, one.start, one.end)
        for line, about, one in found
    ]
    return Table("proposal_answers", ANSWERS, rows)


def _skips(read: _Read) -> Table:
    rows: Rows = [
        (line.item, line.annotator, line.round, line.skip_reason, line.note or None)
        for line in read.lines
        if line.is_newest and line.outcome == "skipped"
    ]
    return Table("label_skips", SKIPS, rows)


def _revisions(read: _Read) -> Table:
    rows: Rows = [
        (line.item, line.annotator, line.round, line.revision, line.at, line.outcome,
         "|".join(name for name, _, _ in read.labels.get(line.id, [])), line.reason or None)
        for line in read.lines
    ]
    return Table("label_revisions", REVISIONS, rows)
