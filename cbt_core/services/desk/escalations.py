"""Escalations: what raters flagged as serious, read and answered by the study's lead.

Nothing is overwritten: a note, a decision and its undoing are rows of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study_setup import StudyRow
from cbt_core.errors import StudyError
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import audit, escalations
from db.columns import moment, stamp
from db.engine import Connection, Database
from db.escalations import CaseRow, Flag, Note, Slot

NOTE_CHARACTERS: Final = 4_000

__all__ = ["Case", "CaseRow", "Queue", "handle", "note", "queue", "read", "reopen"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A study's cases, newest first; `reachable` tells whether the askers could be reached.

    Where they could (live texts), `owner` answers each case within `within_hours` of its flag:
    `due` is the stored UTC time by which an open case (by id) has to be handled, `overdue` are the
    ones past it. Those stand first, the one that has waited longest at the top. A case that was
    opened again keeps its first time.
    """

    cases: tuple[CaseRow, ...]
    reachable: bool
    owner: str = ""
    within_hours: int = 0
    due: Mapping[int, str] = field(default_factory=dict)
    overdue: frozenset[int] = frozenset()

    @property
    def waiting(self) -> int:
        """Return how many cases are open."""
        return sum(case.state == escalations.OPEN for case in self.cases)


@dataclass(frozen=True, slots=True)
class Case:
    """One case with everything its rater saw and did; no system, no score."""

    row: CaseRow
    slots: tuple[Slot, ...]
    flags: tuple[Flag, ...]
    notes: tuple[Note, ...]


def queue(database: Database, person: Person, *, slug: str, now: datetime) -> Queue:
    """Return the escalations of a study which the person leads."""
    lead = guard.as_lead(database, person, study=slug, act="escalation_queue", now=now)
    with lead.reading() as (connection, study):
        cases = escalations.queue(connection, study.id)
        protocol = current(connection, study.id).protocol
    if not protocol.is_live:
        return Queue(tuple(cases), reachable=False)
    plan = protocol.escalation
    due = _due(cases, plan.within_hours)
    late = frozenset(case for case, at in due.items() if at < stamp(now))
    first = [case for case in reversed(cases) if case.id in late]
    rest = [case for case in cases if case.id not in late]
    return Queue((*first, *rest), True, plan.owner, plan.within_hours, due, late)


def _due(cases: Sequence[CaseRow], hours: int) -> dict[int, str]:
    """Return by when each open case has to be handled (stored UTC time), by id."""
    limit = timedelta(hours=hours)
    return {
        case.id: stamp(moment(case.at) + limit)
        for case in cases if case.state == escalations.OPEN
    }


def read(
    database: Database, person: Person, *, slug: str, case_id: int, now: datetime
) -> Case:
    """Return one case with its texts; that it was read stands in the access log.

    Raises:
        StudyError: the study has no such case.
    """
    lead = guard.as_lead(database, person, study=slug, act="read_escalation", now=now)
    with lead.writing() as (connection, study):
        row = _of_study(connection, case_id, study.id)
        audit.log_access(
            connection, actor=person.code, action="read:escalation", now=now, study_id=study.id,
            detail=str(case_id),
        )
        return Case(
            row,
            tuple(escalations.slots(connection, row.task_id)),
            tuple(escalations.flags(connection, row.submission_id)),
            tuple(escalations.notes(connection, row.id)),
        )


def note(
    database: Database, person: Person, *, slug: str, case_id: int, text: str, now: datetime
) -> None:
    """Add a note to a case; its state stays.

    Raises:
        StudyError: no words, too many, or no such case.
    """
    lead = guard.as_lead(database, person, study=slug, act="note_escalation", now=now)
    with lead.writing() as (connection, study):
        _add(connection, person, study, case_id, "noted", text, now)


def handle(
    database: Database, person: Person, *, slug: str, case_id: int, text: str, now: datetime
) -> None:
    """Mark a case as handled, saying what was done.

    Raises:
        StudyError: no words, too many, no such case, or handled already.
    """
    lead = guard.as_lead(database, person, study=slug, act="handle_escalation", now=now)
    with lead.writing() as (connection, study):
        _add(connection, person, study, case_id, "handled", text, now)


def reopen(
    database: Database, person: Person, *, slug: str, case_id: int, text: str, now: datetime
) -> None:
    """Open a handled case again, saying why.

    Raises:
        StudyError: no words, too many, no such case, or open already.
    """
    lead = guard.as_lead(database, person, study=slug, act="reopen_escalation", now=now)
    with lead.writing() as (connection, study):
        _add(connection, person, study, case_id, "reopened", text, now)


def _add(
    connection: Connection, person: Person, study: StudyRow, case_id: int, action: str, text: str,
    now: datetime,
) -> None:
    words = _words(text)
    _refuse_idle(_of_study(connection, case_id, study.id), action)
    escalations.add_note(
        connection, case_id, action=action, note=words, actor=person.code, now=now
    )
    audit.append(  # the words stay in their own table: the chain is exported
        connection, study_id=study.id, actor=person.code, action=f"escalation.{action}",
        payload={"case": case_id}, now=now,
    )


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise StudyError("escalations.no_words")
    if len(words) > NOTE_CHARACTERS:
        raise StudyError("escalations.too_long", most=NOTE_CHARACTERS)
    return words


def _of_study(connection: Connection, case_id: int, study_id: int) -> CaseRow:
    row = escalations.find(connection, case_id)
    if row is None or row.study_id != study_id:
        raise StudyError("escalations.unknown")
    return row


def _refuse_idle(row: CaseRow, action: str) -> None:
    """Refuse a decision that stands already: two leads may look at the same case."""
    if action == "handled" and row.state == escalations.HANDLED:
        raise StudyError("escalations.already_handled")
    if action == "reopened" and row.state == escalations.OPEN:
        raise StudyError("escalations.already_open")
