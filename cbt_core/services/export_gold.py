"""The gold tables of an export, with the rule by which each label came to be gold.

`gold` and `gold_spans` follow `gold.gold_of`; `adjudications` holds every decision, revision by
revision, with its reason. Gold spans of an item without a decision: runs of characters to which
more than half of its annotators gave the label. An undecided item stands in `gold` as `<unsure>`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.files.tables import Cell, Column, Table
from cbt_core.services.export_columns import CHANCE, INTEGER, ITEM, REVISION, TEXT
from cbt_core.services.export_rows import Material
from cbt_core.services.gold import GoldLabels, with_undecided
from cbt_core.wording import say
from db import adjudications, items, label_lines, results
from db.adjudications import AdjudicationLine
from db.engine import Connection
from db.label_lines import SpanLine
from db.labels import LabelMark, SpanMark

GOLD_RULE: Final = (
    "gold:adjudicated,last|blind-majority>1/2,else-none>1/2,else-undecided|excluded-left-out"
)
"""How gold came about, for the signature of an export that holds gold."""

UNSURE: Final = "<unsure>"
"""The gold of an undecided item: `labels evaluate` leaves it out label by label, and counts it."""

Rows = list[tuple[Cell, ...]]
Place = tuple[str, int, int, str]
"""A labelled run of characters: field, start, end (exclusive), label."""


def _c(name: str, kind: str, zh: str, en: str) -> Column:
    return Column(name, kind, zh, en)


RULE: Final = _c(
    "rule", TEXT,
    f"adjudicated 裁定、majority 多数、undecided 未定。{say('adjudicating.rule', 'zh')}",
    f"adjudicated, majority or undecided. {say('adjudicating.rule', 'en')}",
)
GOLD: Final = (
    ITEM,
    _c("gold", TEXT, "金标准标签（| 分隔；空=无；<unsure>=未定）",
       "gold labels, separated by |; empty: none; <unsure>: undecided"),
    RULE,
    _c("annotators", INTEGER, "独立标注轮中作出判断的标注者人数",
       "annotators who decided in the blind round"),
    _c("tied", TEXT, "票数相等、因而不计入的标签",
       "labels left out because the votes were split evenly"),
    _c("any", INTEGER, "有无任何歪曲：1 有、0 无、空=票数未定",
       "any distortion: 1 yes, 0 no, empty: the votes do not decide"),
    _c("revision", INTEGER, "所依据的裁定修订号（多数则为空）",
       "revision of the decision (empty: majority)"),
    CHANCE,
)
GOLD_SPANS: Final = (
    ITEM,
    _c("start", INTEGER, "在题目全文中的起点（码点）",
       "start in the item's document (code points)"),
    _c("end", INTEGER, "终点（不含）", "end, exclusive"),
    _c("label", TEXT, "标签", "label"),
    RULE,
    _c("field", TEXT, "question 提问、description 描述", "question or description"),
    _c("field_start", INTEGER, "在该字段中的起点（码点）", "start within the field (code points)"),
    _c("field_end", INTEGER, "在该字段中的终点（不含）", "end within the field, exclusive"),
    _c("quote", TEXT, "片段原文", "the words of the span"),
)
ADJUDICATIONS: Final = (
    ITEM, REVISION,
    _c("at", TEXT, "裁定时间（UTC）", "time of the decision (UTC)"),
    _c("adjudicator", TEXT, "裁定人代码", "code of the adjudicator"),
    _c("outcome", TEXT, "labelled 有标签、none 无、unsure 不确定", "labelled, none or unsure"),
    _c("labels", TEXT, "标签（| 分隔）", "labels, separated by |"),
    _c("whole", TEXT, "未指明片段、标在整题上的标签", "labels given to the item without a span"),
    _c("reason", TEXT, "裁定理由", "reason of the decision"),
    _c("last", INTEGER, "1 最新修订、0 已被后来的修订取代",
       "1: the last revision; 0: a later one took its place"),
)


@dataclass(frozen=True, slots=True)
class _Decided:
    """Every decision of a study with its labels and spans by its id."""

    lines: list[AdjudicationLine]
    labels: Mapping[int, tuple[LabelMark, ...]]
    spans: Mapping[int, tuple[SpanMark, ...]]

    @property
    def newest(self) -> dict[str, AdjudicationLine]:
        return adjudications.newest(self.lines)


def tables(
    connection: Connection,
    found: Material,
    *,
    texts: Mapping[str, tuple[str, str]],
    spans: Mapping[int, Sequence[SpanLine]],
) -> list[Table]:
    """Return `gold`, `gold_spans` and `adjudications`.

    `texts` are question and description by item key, `spans` the raw ones by submission id.
    """
    study_id = found.setup.study.id
    decided = _Decided(
        adjudications.every(connection, study_id),
        adjudications.labels(connection, study_id),
        adjudications.spans(connection, study_id),
    )
    gold = with_undecided(connection, study_id)
    votes = _span_votes(connection, study_id, spans)
    places = _gold_places(gold, decided, votes)
    chances = items.chances(connection, study_id)
    return [
        _gold(gold, decided, chances), _gold_spans(gold, places, texts), _adjudications(decided)
    ]


def _gold(
    gold: Mapping[str, GoldLabels], decided: _Decided, chances: Mapping[str, float]
) -> Table:
    newest = decided.newest
    rows: Rows = [
        (key, "|".join(sorted(one.labels)) if one.is_decided else UNSURE, one.rule,
         one.annotators, "|".join(sorted(one.tied)) or None,
         None if one.has_any is None else int(one.has_any),
         newest[key].revision if one.rule == "adjudicated" else None, chances.get(key))
        for key, one in gold.items()
    ]
    return Table("gold", GOLD, rows)


def _gold_spans(
    gold: Mapping[str, GoldLabels],
    places: Mapping[str, Sequence[Place]],
    texts: Mapping[str, tuple[str, str]],
) -> Table:
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


def _adjudications(decided: _Decided) -> Table:
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


def _span_votes(
    connection: Connection, study_id: int, spans: Mapping[int, Sequence[SpanLine]]
) -> dict[str, list[Sequence[SpanLine]]]:
    """Return the spans of the blind round by item key, one list for each who decided."""
    silent, _ = results.excluded(connection, study_id)
    votes: dict[str, list[Sequence[SpanLine]]] = defaultdict(list)
    for line in label_lines.blind_round(connection, study_id):
        if line.is_vote and line.annotator not in silent:
            votes[line.item].append(spans.get(line.submission_id, ()))
    return votes


def _gold_places(
    gold: Mapping[str, GoldLabels],
    decided: _Decided,
    votes: Mapping[str, Sequence[Sequence[SpanLine]]],
) -> dict[str, list[Place]]:
    newest = decided.newest
    return {
        key: [(s.field, s.start, s.end, s.label) for s in decided.spans.get(newest[key].id, ())]
        if one.rule == "adjudicated" else majority_spans(votes[key])
        for key, one in gold.items()
    }


def majority_spans(votes: Sequence[Iterable[SpanLine]]) -> list[Place]:
    """Return the runs of characters to which more than half of the annotators gave a label."""
    counts = Counter(letter for spans in votes for letter in _letters(spans))
    agreed: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (field, label, at), count in counts.items():
        if 2 * count > len(votes):
            agreed[field, label].append(at)
    found = [
        (field, start, end, label)
        for (field, label), letters in agreed.items()
        for start, end in _runs(sorted(letters))
    ]
    return sorted(found, key=lambda one: (one[0] != "question", *one[1:]))


def _letters(spans: Iterable[SpanLine]) -> set[tuple[str, str, int]]:
    """Return the characters one annotator marked, each once: field, label, place."""
    return {(s.field, s.label, at) for s in spans for at in range(s.start, s.end)}


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of what follows without a gap."""
    start = previous = None
    for at in places:
        if previous is None or at != previous + 1:
            if start is not None and previous is not None:
                yield start, previous + 1
            start = at
        previous = at
    if start is not None and previous is not None:
        yield start, previous + 1
