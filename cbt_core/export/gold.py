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
from cbt_core.files.writer import Table

GOLD_RULE: Final = (
    "gold:adjudicated,last|blind-majority>1/2,else-none>1/2,else-undecided|excluded-left-out"
)
"""How gold came about, for the signature of an export that holds gold."""

RULE: Final = described("rule", TEXT)
GOLD: Final = (
    ITEM,
    described("gold", TEXT),
    RULE,
    described("annotators", INTEGER),
    described("tied", TEXT),
    described("any", INTEGER),
    described("revision", INTEGER, "revision_of_gold"),
    CHANCE,
)
GOLD_SPANS: Final = (
    ITEM,
    described("start", INTEGER, "start_of_spans"),
    described("end", INTEGER, "end_of_spans"),
    described("label", TEXT, "label_of_spans"),
    RULE,
    described("field", TEXT),
    described("field_start", INTEGER),
    described("field_end", INTEGER),
    described("quote", TEXT, "quote_of_spans"),
)
ADJUDICATIONS: Final = (
    ITEM, REVISION,
    described("at", TEXT, "at_of_adjudications"),
    described("adjudicator", TEXT),
    described("outcome", TEXT, "outcome_of_adjudications"),
    described("labels", TEXT, "labels_of_label_revisions"),
    described("whole", TEXT),
    described("reason", TEXT, "reason_of_adjudications"),
    described("last", INTEGER),
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
    for key, decision in gold.items():
        question, description = texts[key]
        for field, start, end, label in places.get(key, ()):
            is_question = field == "question"
            shift = 0 if is_question else len(question) + 1
            quote = (question if is_question else description)[start:end]
            rows.append((key, start + shift, end + shift, label, decision.rule, field, start, end,
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
