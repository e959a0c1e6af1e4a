"""Adjudication: a lead settles the labels of an item on which annotators are apart.

What an adjudicator gets holds the text and what the annotators said alone, under numbers drawn for
each item. It has no field for the round in which a machine's proposals were on the screen, for the
proposals, or for a name. The raw labels are never touched: the decision is a record of its own.

Who may: a lead of the study who has no label task on the item (somebody who labelled it, or is to
label it, is a party to it; another lead decides). When: from the opening of the study until its
unblinding, after the lock too, since a decision changes no rating and no raw label.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from cbt_core.domain.people import Person
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.services import disagreeing
from cbt_core.services.adjudication_case import OPEN, Case, case_of, seen_of
from cbt_core.services.adjudication_entries import check
from cbt_core.services.entries import digest
from cbt_core.services.label_entries import CheckedLabels
from cbt_core.services.studies import StudySetup, current, led_by
from db import adjudications, audit, items, label_lines, label_standings, own_tasks
from db.adjudications import NewAdjudication
from db.engine import Connection, Database
from db.items import ItemRow
from db.label_standings import Asked, QueueLine

Show = Literal["waiting", "decided", "all"]

FEWEST_VOTERS: Final = 2
PER_PAGE: Final = 25
SHOWN_CHARACTERS: Final = 80
"""How much of a question stands in the queue."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One item of the queue. `changed`: labels came or changed after the decision."""

    item: str
    question: str
    annotators: int
    disagreement: float
    outcome: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue; `total` of the kind shown, `waiting` and `decided` of the whole study.

    `has_blind_round` is false in a study of corrections: gold then comes from decisions alone.
    """

    rows: tuple[Waiting, ...]
    start: int
    total: int
    waiting: int
    decided: int
    has_blind_round: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did; `repeated`: this very press was stored before."""

    item: str
    revision: int
    repeated: bool


def queue(
    database: Database, person: Person, *, slug: str, show: Show = "waiting", search: str = "",
    start: int = 0, count: int = PER_PAGE, now: datetime,
) -> Queue:
    """Return a page of the queue, the greatest disagreement first.

    `waiting` holds items with two blind submissions and more and no decision; `all` also those
    with fewer, to be decided where it is asked for. Items the person labels are left out.
    """
    study = led_by(database, person, slug, act="adjudication_queue", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
    disagreeing.refresh(database, study.id, setup.protocol.design.seed)
    with database.reading() as connection:
        mine = _labels_here(connection, person, study.id)
        asked = {
            "waiting": Asked(fewest_voters=FEWEST_VOTERS, decided=False, without_person=mine),
            "decided": Asked(fewest_voters=0, decided=True, without_person=mine),
        }
        chosen = Asked(
            fewest_voters=FEWEST_VOTERS if show == "waiting" else 0,
            decided={"waiting": False, "decided": True, "all": None}[show],
            search=search.strip(), without_person=mine,
        )
        counts = {
            name: label_standings.count(connection, study.id, one) for name, one in asked.items()
        }
        is_plain = show in counts and not chosen.search
        total = counts[show] if is_plain else label_standings.count(connection, study.id, chosen)
        lines = label_standings.page(connection, study.id, chosen, start=start, count=count)
    return Queue(
        tuple(_waiting(line) for line in lines), start, total, counts["waiting"],
        counts["decided"], setup.protocol.label_mode != "correct",
    )


def open_case(
    database: Database, person: Person, *, slug: str, item: str, now: datetime
) -> Case:
    """Return an item with all raw labels of the blind round, side by side and without names.

    Raises:
        Refused: there is no such item, or the person labels it.
    """
    study = led_by(database, person, slug, act="open_case", now=now)
    with database.reading() as connection:
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
    study = led_by(database, person, slug, act="decide", now=now)
    _refuse_terminal(database, person, study.id, now)
    item, token, seen = (_text(body, name) for name in ("item", "token", "seen"))
    sent = digest(item, body.get("entries"))
    with database.writing(study.id) as connection:
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
            person, row, check(body.get("entries"), setup, row),
            study_id=study.id, revision=len(before) + 1, token=token, digest=sent, seen=seen,
        )
        adjudications.add(connection, new, now)
        audit.append(
            connection, study_id=study.id, actor=person.code, action="adjudicate",
            payload=_trail(new), now=now,
        )
    return Decided(item, new.revision, repeated=False)


def _refuse_terminal(database: Database, person: Person, study_id: int, now: datetime) -> None:
    """Refuse, and note it, what comes from the terminal: it enters no labels."""
    if not person.is_terminal:
        return
    with database.writing() as connection:
        audit.log_access(
            connection, actor=person.code, action="denied:decide", now=now, detail=str(study_id)
        )
    raise Refused("adjudicating.terminal")


def _labels_here(connection: Connection, person: Person, study_id: int) -> int | None:
    """Return the person's id where it matters: somebody who labels nothing costs no look-up."""
    if person.is_terminal:
        return None
    labels = own_tasks.labels(connection, study_id=study_id, person_id=person.id)
    return person.id if labels else None


def _waiting(line: QueueLine) -> Waiting:
    last = max(json.loads(line.seen), default=0) if line.seen else 0
    return Waiting(
        line.key, line.question[:SHOWN_CHARACTERS], line.voters, line.disagreement, line.outcome,
        changed=line.outcome is not None and line.newest > last,
    )


def _item(connection: Connection, person: Person, study_id: int, key: str) -> ItemRow:
    row = items.by_key(connection, study_id, key)
    if row is None or row.kind != "main":
        raise Refused("adjudicating.unknown_item")
    if own_tasks.labels(connection, study_id=study_id, person_id=person.id, item_id=row.id):
        raise Refused("adjudicating.own_item")
    return row


def _refuse_closed(setup: StudySetup, row: ItemRow) -> None:
    if setup.study.stage not in OPEN:
        code = "not_open" if setup.study.stage == "draft" else "unblinded"
        raise Refused(f"adjudicating.{code}")
    if row.withdrawn_at:
        raise Refused("adjudicating.withdrawn")


def _refuse_stale(
    connection: Connection, setup: StudySetup, row: ItemRow, seen: str, revision: int, base: object
) -> None:
    if type(base) is not int or base != revision:
        raise Conflict("adjudicating.decided_elsewhere")
    if seen != seen_of(label_lines.blind_round(connection, setup.study.id, [row.id])):
        raise Conflict("adjudicating.labels_changed")


def _new(
    person: Person, row: ItemRow, checked: CheckedLabels, *, study_id: int, revision: int,
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
