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
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from time import time_ns
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from cbt_core.canonical import digest_of
from cbt_core.domain.labels import AdjudicationLine, ItemLabels, SpanMark
from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.services import guard
from cbt_core.services.desk import span_marker
from cbt_core.services.desk.frame import study_view
from cbt_core.services.desk.requests import Request, read
from cbt_core.services.desk.span_marker import FIELDS, LabelRules, scheme_view
from cbt_core.services.labels import adjudication_queue
from cbt_core.services.labels.adjudication_queue import PER_PAGE, Queue, Show
from cbt_core.services.studies.contents import setup_for
from cbt_core.services.studies.study_setup import current
from db import adjudications, audit, items, results, tasks
from db.adjudications import NewAdjudication
from db.engine import Connection, Database
from db.items import ItemRow
from db.results import BlindLine

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
    lines = results.blind_round(connection, study_id, [row.id])
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
    labels = results.labels(connection, study_id, ids)
    spans = results.spans(connection, study_id, ids)
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
    if tasks.labels_items(connection, study_id=study_id, person_id=person.id, item_id=row.id):
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
    if seen != seen_of(results.blind_round(connection, setup.study.id, [row.id])):
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


MOST_SEARCHED: Final = 100

View = dict[str, object]


class CaseRequest(Request):
    """Show a case of a study, or (none named) the first of the page."""

    study: str
    task: str | None = None


class PlaceRequest(Request):
    """Where in the queue the browser is."""

    show: Show = "waiting"
    search: Annotated[str, StringConstraints(max_length=MOST_SEARCHED)] = ""
    start: Annotated[int, Field(ge=0, lt=2**31)] = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the queue the person is."""

    show: Show = "waiting"
    search: str = ""
    start: int = 0

    @classmethod
    def of(cls, body: Mapping[str, object]) -> "Place":
        """Return the place a browser sent.

        Raises:
            Invalid: something in it has the wrong form.
        """
        sent = read(PlaceRequest, body, lambda _: Invalid("rating.malformed"))
        return cls(sent.show, sent.search, sent.start)


def open_view(
    database: Database, person: Person, *, slug: str, item: str | None, place: Place,
    now: datetime, after: str | None = None,
) -> View:
    """Return a page of the queue and the named case, or the first of the page.

    `after` names a case just decided: the one behind it on the page comes next.
    """
    with guard.as_lead(database, person, study=slug, act="open_view", now=now).steps():
        setup = setup_for(database, person, slug=slug, now=now)
        queue = _queue(database, person, slug, place, now)
        chosen = item or _next([row.item for row in queue.rows], after)
        case = None
        if chosen is not None:
            case = open_case(database, person, slug=slug, item=chosen, now=now)
    return {
        "sequence": time_ns() // 1000,
        "state": "done" if case is None else "task",
        "study": study_view(setup, person),
        "progress": {"done": queue.decided, "total": queue.decided + queue.waiting},
        "queue": {**asdict(queue), "show": place.show, "search": place.search,
                  "per_page": PER_PAGE},
        "scheme": scheme_view(setup.scheme, setup.protocol.language),
        "task": None if case is None else _task(setup, case, place),
    }


def decide_view(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> View:
    """Store a decision; return its receipt and the next case."""
    slug, item = task_of(body)
    place = Place.of(body)
    with guard.as_lead(database, person, study=slug, act="decide_view", now=now).steps():
        done = decide(
            database, person, slug=slug, body={**body, "item": item}, now=now
        )
        view = open_view(
            database, person, slug=slug, item=None, place=place, now=now, after=done.item
        )
    return {
        "saved": {"task": body.get("task"), "revision": done.revision, "at": now.isoformat(),
                  "repeated": done.repeated},
        "view": view,
    }


def task_of(body: Mapping[str, object]) -> tuple[str, str]:
    """Return study and item of a case's name: short name, slash, item id.

    Raises:
        Invalid: it is no such name.
    """
    name = body.get("task")
    slug, slash, item = name.partition("/") if isinstance(name, str) else ("", "", "")
    if not slash or not item:
        raise Invalid("rating.malformed")
    return slug, item


def _queue(
    database: Database, person: Person, slug: str, place: Place, now: datetime
) -> Queue:
    def page(start: int) -> Queue:
        return adjudication_queue.queue(
            database, person, slug=slug, show=place.show, search=place.search, start=start,
            now=now,
        )

    queue = page(place.start)
    if queue.rows or not queue.total:
        return queue
    return page((queue.total - 1) // PER_PAGE * PER_PAGE)  # the last of the page was decided


def _next(items: Sequence[str], after: str | None) -> str | None:
    if after in items:  # decided items stay where all or the decided ones are listed
        behind = items[items.index(after) + 1 :]
        return behind[0] if behind else after
    return items[0] if items else None


def _task(setup: StudySetup, case: Case, place: Place) -> View:
    name = f"{setup.study.slug}/{case.item}"
    return {
        **asdict(case),
        "task": name,
        "revision": len(case.decisions),
        "corrects": True,  # every decision needs its reason
        "entries": _entries(case),
        "draft_sequence": 0,
        "echo": {"seen": case.seen, **asdict(place)},
    }


def _entries(case: Case) -> View | None:
    """Return what to begin with: the decision as it stands, else nothing."""
    if not case.decisions:
        return None
    last = case.decisions[-1]
    return {
        "labels": list(last.whole),
        "spans": [asdict(one) for one in last.spans],
        "verdict": None if last.outcome == "labelled" else last.outcome,
        "reason": "",
    }
