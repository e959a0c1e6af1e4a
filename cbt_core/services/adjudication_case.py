"""What an adjudicator sees of an item: the text and what annotators said alone, without names.

`Case` is all there is. It has no field for the round in which a machine's proposals were on the
screen, nor for the proposals: what was never given cannot leak.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cbt_core.domain.study import Stage
from cbt_core.services.studies import StudySetup
from db import adjudications, label_lines
from db.adjudications import AdjudicationLine
from db.engine import Connection
from db.items import ItemRow
from db.label_lines import BlindLine, SpanLine
from db.labels import SpanMark

OPEN = (Stage.OPEN.value, Stage.LOCKED.value)
"""Stages in which labels may be adjudicated: the lock ends ratings, not decisions."""


@dataclass(frozen=True, slots=True)
class RawSpan:
    """Words an annotator marked: Python string offsets into the field, end exclusive."""

    field: str
    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class RawLabels:
    """What one annotator said alone; `number` is drawn for this item and tells nobody's name."""

    number: int
    outcome: str
    labels: tuple[str, ...]
    whole: tuple[str, ...]
    spans: tuple[RawSpan, ...]
    certainty: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it stands; `labels` without a span are in `whole`."""

    revision: int
    outcome: str
    labels: tuple[str, ...]
    whole: tuple[str, ...]
    spans: tuple[RawSpan, ...]
    reason: str
    adjudicator: str
    at: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything an adjudicator sees of an item, and nothing else exists in it.

    `seen` names the state of the raw labels; a decision gives it back. `changed`: they are not
    those of the last decision any more.
    """

    item: str
    question: str
    description: str
    risk: str
    annotators: tuple[RawLabels, ...]
    decisions: tuple[Decision, ...]
    seen: str
    changed: bool
    read_only: bool


def case_of(connection: Connection, setup: StudySetup, row: ItemRow) -> Case:
    """Return an item as its adjudicator sees it."""
    study_id = setup.study.id
    lines = label_lines.blind_round(connection, study_id, [row.id])
    seen = seen_of(lines)
    decisions = adjudications.of_item(connection, study_id, row.id)
    return Case(
        item=row.key,
        question=row.question,
        description=row.description,
        risk=row.risk,
        annotators=_raw(connection, study_id, _drawn(setup, row, lines)),
        decisions=tuple(_decision(connection, one) for one in decisions),
        seen=seen,
        changed=bool(decisions) and decisions[-1].seen != seen,
        read_only=setup.study.stage not in OPEN or row.withdrawn_at is not None,
    )


def seen_of(lines: Iterable[BlindLine]) -> str:
    """Return the state of an item's raw labels: the ids of their submissions as JSON."""
    return json.dumps(sorted(line.submission_id for line in lines))


def _drawn(setup: StudySetup, row: ItemRow, lines: Iterable[BlindLine]) -> list[BlindLine]:
    """Return the annotators who labelled in an order drawn for this item, by the study's seed."""
    def place(line: BlindLine) -> str:
        seed = f"{setup.protocol.design.seed}/annotators/{row.id}/{line.person_id}"
        return sha256(seed.encode()).hexdigest()

    return sorted((line for line in lines if line.outcome != "skipped"), key=place)


def _raw(
    connection: Connection, study_id: int, lines: Sequence[BlindLine]
) -> tuple[RawLabels, ...]:
    ids = [line.submission_id for line in lines]
    labels = label_lines.labels(connection, study_id, ids)
    spans = label_lines.spans(connection, study_id, ids)
    return tuple(
        RawLabels(
            number=number,
            outcome=line.outcome,
            labels=tuple(name for name, _, _ in labels.get(line.submission_id, ())),
            whole=tuple(name for name, whole, _ in labels.get(line.submission_id, ()) if whole),
            spans=_places(spans.get(line.submission_id, ())),
            certainty=line.certainty,
            note=line.note,
        )
        for number, line in enumerate(lines, start=1)
    )


def _decision(connection: Connection, line: AdjudicationLine) -> Decision:
    labels, spans = adjudications.marks_of(connection, line.id)
    return Decision(
        revision=line.revision,
        outcome=line.outcome,
        labels=tuple(one.label for one in labels),
        whole=tuple(one.label for one in labels if one.whole),
        spans=_places(spans),
        reason=line.reason,
        adjudicator=line.adjudicator,
        at=line.at,
    )


def _places(spans: Iterable[SpanLine | SpanMark]) -> tuple[RawSpan, ...]:
    return tuple(RawSpan(one.field, one.start, one.end, one.label) for one in spans)
