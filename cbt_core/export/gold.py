"""The gold tables of an export, with the rule by which each label came to be gold.

`gold` and `gold_spans` follow `gold.gold_of`; `adjudications` holds every decision, revision by
revision, with its reason. Gold spans of an item without a decision: runs of characters to which
more than half of its annotators gave the label. An undecided item stands in `gold` as `<unsure>`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.analysis.gold import GoldLabels, Place, majority_spans
from cbt_core.analysis.rows import INTEGER, ITEM, REVISION, TEXT, Rows, described
from cbt_core.domain import labels
from cbt_core.domain.labels import AdjudicationLine, LabelMark, SpanMark
from cbt_core.export.columns import CHANCE
from cbt_core.export.labels import UNSURE
from cbt_core.files.output import Table
from cbt_core.wording import say

GOLD_RULE: Final = (
    "gold:adjudicated,last|blind-majority>1/2,else-none>1/2,else-undecided|excluded-left-out"
)
"""How gold came about, for the signature of an export that holds gold."""

RULE: Final = described(
    "rule", TEXT,
    f"adjudicated 裁定、majority 多数、undecided 未定。{say('adjudicating.rule', 'zh')}",
    f"adjudicated, majority or undecided. {say('adjudicating.rule', 'en')}",
)
GOLD: Final = (
    ITEM,
    described("gold", TEXT, "金标准标签（| 分隔；空=无；<unsure>=未定）",
       "gold labels, separated by |; empty: none; <unsure>: undecided"),
    RULE,
    described("annotators", INTEGER, "独立标注轮中作出判断的标注者人数",
       "annotators who decided in the blind round"),
    described("tied", TEXT, "票数相等、因而不计入的标签",
       "labels left out because the votes were split evenly"),
    described("any", INTEGER, "有无任何歪曲：1 有、0 无、空=票数未定",
       "any distortion: 1 yes, 0 no, empty: the votes do not decide"),
    described("revision", INTEGER, "所依据的裁定修订号（多数则为空）",
       "revision of the decision (empty: majority)"),
    CHANCE,
)
GOLD_SPANS: Final = (
    ITEM,
    described("start", INTEGER, "在题目全文中的起点（码点）",
       "start in the item's document (code points)"),
    described("end", INTEGER, "终点（不含）", "end, exclusive"),
    described("label", TEXT, "标签", "label"),
    RULE,
    described("field", TEXT, "question 提问、description 描述", "question or description"),
    described(
        "field_start", INTEGER, "在该字段中的起点（码点）", "start within the field (code points)"
    ),
    described("field_end", INTEGER, "在该字段中的终点（不含）", "end within the field, exclusive"),
    described("quote", TEXT, "片段原文", "the words of the span"),
)
ADJUDICATIONS: Final = (
    ITEM, REVISION,
    described("at", TEXT, "裁定时间（UTC）", "time of the decision (UTC)"),
    described("adjudicator", TEXT, "裁定人代码", "code of the adjudicator"),
    described(
        "outcome", TEXT, "labelled 有标签、none 无、unsure 不确定", "labelled, none or unsure"
    ),
    described("labels", TEXT, "标签（| 分隔）", "labels, separated by |"),
    described(
        "whole", TEXT, "未指明片段、标在整题上的标签", "labels given to the item without a span"
    ),
    described("reason", TEXT, "裁定理由", "reason of the decision"),
    described("last", INTEGER, "1 最新修订、0 已被后来的修订取代",
       "1: the last revision; 0: a later one took its place"),
)


@dataclass(frozen=True, slots=True)
class Decided:
    """Every decision of a study with its labels and spans by its id."""

    lines: list[AdjudicationLine]
    labels: Mapping[int, tuple[LabelMark, ...]]
    spans: Mapping[int, tuple[SpanMark, ...]]

    @property
    def newest(self) -> dict[str, AdjudicationLine]:
        """Return the newest decision on each item."""
        return labels.newest_decisions(self.lines)


def gold_table(
    gold: Mapping[str, GoldLabels], decided: Decided, chances: Mapping[str, float]
) -> Table:
    """Return the gold labels, one row an item, with the rule that gave them."""
    newest = decided.newest
    rows: Rows = [
        (key, "|".join(sorted(one.labels)) if one.is_decided else UNSURE, one.rule,
         one.annotators, "|".join(sorted(one.tied)) or None,
         None if one.has_any is None else int(one.has_any),
         newest[key].revision if one.rule == "adjudicated" else None, chances.get(key))
        for key, one in gold.items()
    ]
    return Table("gold", GOLD, rows)


def gold_span_table(
    gold: Mapping[str, GoldLabels],
    places: Mapping[str, Sequence[Place]],
    texts: Mapping[str, tuple[str, str]],
) -> Table:
    """Return the gold spans, one row each, offsets within the field and the document."""
    rows: Rows = []
    for key, one in gold.items():
        question, description = texts[key]
        for field, start, end, label in places.get(key, ()):
            is_question = field == "question"
            shift = 0 if is_question else len(question) + 1
            quote = (question if is_question else description)[start:end]
            rows.append((key, start + shift, end + shift, label, one.rule, field, start, end,
                         quote))
    return Table("gold_spans", GOLD_SPANS, rows)


def adjudication_table(decided: Decided) -> Table:
    """Return every decision of an adjudicator, the newest marked."""
    newest = {line.id for line in decided.newest.values()}
    rows: Rows = []
    for line in decided.lines:
        given = decided.labels.get(line.id, ())
        rows.append((
            line.item, line.revision, line.at, line.adjudicator, line.outcome,
            "|".join(one.label for one in given),
            "|".join(one.label for one in given if one.whole) or None,
            line.reason, int(line.id in newest),
        ))
    return Table("adjudications", ADJUDICATIONS, rows)


def gold_places(
    gold: Mapping[str, GoldLabels],
    decided: Decided,
    votes: Mapping[str, Sequence[Sequence[SpanMark]]],
) -> dict[str, list[Place]]:
    """Return the gold spans of each item: the decision's, else those a majority marked."""
    newest = decided.newest
    return {
        key: [(s.field, s.start, s.end, s.label) for s in decided.spans.get(newest[key].id, ())]
        if one.rule == "adjudicated" else majority_spans(votes[key])
        for key, one in gold.items()
    }
