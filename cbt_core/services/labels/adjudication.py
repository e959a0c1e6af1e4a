"""Adjudication: a lead settles the labels of an item on which annotators are apart.

A `Case` is all an adjudicator gets: the text and what the annotators said alone, under numbers
drawn for each item. It has no field for the round in which a machine's proposals were on the
screen, for the proposals, or for a name: what was never given cannot leak. The raw labels are
never touched: the decision, checked as labels are, is a record of its own.

Who may: a lead of the study who has no label task on the item (somebody who labelled it, or is to
label it, is a party to it; another lead decides). When: from the opening of the study until its
unblinding, after the lock too, since a decision changes no rating and no raw label.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cbt_core.canonical import digest_of
from cbt_core.domain.labels import AdjudicationLine, ItemLabels, SpanMark
from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.services import guard
from cbt_core.services.desk import span_marker
from cbt_core.services.desk.span_marker import FIELDS, LabelRules
from cbt_core.services.studies.study_setup import current
from db import adjudications, audit, items, label_lines, own_tasks
from db.adjudications import NewAdjudication
from db.engine import Connection, Database
from db.items import ItemRow
from db.label_lines import BlindLine

OPEN = (Stage.OPEN, Stage.LOCKED)
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
            labels=tuple(mark.label for mark in labels.get(line.submission_id, ())),
            whole=tuple(mark.label for mark in labels.get(line.submission_id, ()) if mark.whole),
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


def _places(spans: Iterable[SpanMark]) -> tuple[RawSpan, ...]:
    return tuple(RawSpan(one.field, one.start, one.end, one.label) for one in spans)


def check_decision(entries: object, setup: StudySetup, row: ItemRow) -> ItemLabels:
    """Return a decision as it may be stored.

    Raises:
        Invalid: no reason, no label and no verdict, or something unknown or out of range.
    """
    sent = span_marker.read_entries(entries)
    if not (sent.reason or "").strip():
        raise Invalid("adjudication.reason_missing", missing=((None, "reason"),))
    if not (sent.labels or sent.spans or sent.verdict):
        raise Invalid("adjudication.labels_missing", missing=((None, "labels"),))
    return span_marker.check_labels(sent, LabelRules(
        labels=frozenset(one.id for one in setup.scheme.labels),
        texts=dict(zip(FIELDS, (row.question, row.description), strict=True)),
        is_correction=True,
    ))


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did; `repeated`: this very press was stored before."""

    item: str
    revision: int
    repeated: bool


def open_case(
    database: Database, person: Person, *, slug: str, item: str, now: datetime
) -> Case:
    """Return an item with all raw labels of the blind round, side by side and without names.

    Raises:
        Refused: there is no such item, or the person labels it.
    """
    lead = guard.as_lead(database, person, study=slug, act="open_case", now=now)
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
        row = _item(connection, person, study.id, item)
        return case_of(connection, setup, row)


def decide(
    database: Database, person: Person, *, slug: str, body: Mapping[str, object], now: datetime
) -> Decided:
    """Store a decision, or a changed one as a new revision; the raw labels stay as they are.

    `body` holds item, token (one per press; a repeat is harmless), seen (from the case),
    base_revision (0: the first decision) and entries: labels, spans, verdict and the reason.

    Raises:
        Invalid: no reason, no label and no verdict, or something unknown or out of range.
        Conflict: the raw labels changed, or somebody else decided meanwhile.
        Refused: not a lead, a party to the item, or not the time.
    """
    lead = guard.as_lead(database, person, study=slug, act="decide", now=now)
    with lead.steps():
        if person.is_terminal:  # it enters no labels
            raise Refused("adjudication.terminal")
    item, token, seen = (_text(body, name) for name in ("item", "token", "seen"))
    sent = digest_of(item, body.get("entries"))
    with lead.writing() as (connection, study):
        setup = current(connection, study.id)
        row = _item(connection, person, study.id, item)
        known = adjudications.by_token(connection, token)
        if known is not None:
            if known.item_id != row.id or known.digest != sent:
                raise Conflict("rating.token_reused")
            return Decided(item, known.revision, repeated=True)
        _refuse_closed(setup, row)
        before = adjudications.of_item(connection, study.id, row.id)
        _refuse_stale(connection, setup, row, seen, len(before), body.get("base_revision"))
        new = _new(
            person, row, check_decision(body.get("entries"), setup, row),
            study_id=study.id, revision=len(before) + 1, token=token, digest=sent, seen=seen,
        )
        adjudications.add(connection, new, now)
        audit.append(
            connection, study_id=study.id, actor=person.code, action="adjudicate",
            payload=_trail(new), now=now,
        )
    return Decided(item, new.revision, repeated=False)


def _item(connection: Connection, person: Person, study_id: int, key: str) -> ItemRow:
    row = items.by_key(connection, study_id, key)
    if row is None or row.kind != "main":
        raise Refused("adjudication.unknown_item")
    if own_tasks.labels(connection, study_id=study_id, person_id=person.id, item_id=row.id):
        raise Refused("adjudication.own_item")
    return row


def _refuse_closed(setup: StudySetup, row: ItemRow) -> None:
    if setup.study.stage not in OPEN:
        code = "not_open" if setup.study.stage == Stage.DRAFT else "unblinded"
        raise Refused(f"adjudication.{code}")
    if row.withdrawn_at:
        raise Refused("adjudication.withdrawn")


def _refuse_stale(
    connection: Connection, setup: StudySetup, row: ItemRow, seen: str, revision: int, base: object
) -> None:
    if type(base) is not int or base != revision:
        raise Conflict("adjudication.decided_elsewhere")
    if seen != seen_of(label_lines.blind_round(connection, setup.study.id, [row.id])):
        raise Conflict("adjudication.labels_changed")


def _new(
    person: Person, row: ItemRow, checked: ItemLabels, *, study_id: int, revision: int,
    token: str, digest: str, seen: str,
) -> NewAdjudication:
    return NewAdjudication(
        study_id=study_id, item_id=row.id, person_id=person.id, revision=revision, token=token,
        digest=digest, outcome=checked.outcome, reason=checked.reason.strip(), seen=seen,
        labels=checked.labels, spans=checked.spans,
    )


def _trail(new: NewAdjudication) -> audit.Payload:
    """Return what the chain keeps: enough to rebuild the decision, but no word of a person."""
    return {
        "item": new.item_id, "revision": new.revision, "outcome": new.outcome,
        "digest": new.digest, "seen": json.loads(new.seen),
        "labels": [[one.label, one.whole] for one in new.labels],
        "spans": [[s.field, s.start, s.end, s.label] for s in new.spans],
    }


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid("rating.malformed")
    return value
