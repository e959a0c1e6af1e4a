"""The escalation queue: what raters flagged as serious, and what was done about it, append-only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, insert, select

from db.columns import stamp
from db.tables.desk import escalation, escalation_note, flag, submission, task, task_slot
from db.tables.people import person
from db.tables.studies import answer, item

OPEN: Final = "open"
HANDLED: Final = "handled"
DECISIONS: Final = ("handled", "reopened")
"""Notes that change the state; the newest of them counts."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case. `state` is open or handled; `corrected`: the rater saved a newer revision since."""

    id: int
    study_id: int
    submission_id: int
    task_id: int
    cause: str
    at: str
    item: str
    risk: str
    question: str
    description: str
    rater: str
    comment: str
    corrected: bool
    state: str
    notes: int


@dataclass(frozen=True, slots=True)
class Slot:
    """An answer as its rater saw it: where it stood and what it says, never whose it is."""

    slot: str
    text: str


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of the submission, with the quoted words if there are any."""

    slot: str
    kind: str
    severity: str
    quote: str


@dataclass(frozen=True, slots=True)
class Note:
    """One thing done about a case: noted, handled or reopened."""

    action: str
    note: str
    actor: str
    at: str


def queue(connection: Connection, study_id: int) -> list[CaseRow]:
    """Return a study's cases, newest first."""
    rows = connection.execute(
        _cases().where(escalation.c.study_id == study_id).order_by(escalation.c.id.desc())
    ).all()
    states, counts = _states(connection, study_id), _counts(connection, study_id)
    return [_case(row, states.get(row.id, OPEN), counts.get(row.id, 0)) for row in rows]


def find(connection: Connection, case_id: int) -> CaseRow | None:
    """Return a case by id; None when there is none."""
    row = connection.execute(_cases().where(escalation.c.id == case_id)).first()
    if row is None:
        return None
    state = _states(connection, row.study_id).get(row.id, OPEN)
    return _case(row, state, _counts(connection, row.study_id).get(row.id, 0))


def slots(connection: Connection, task_id: int) -> list[Slot]:
    """Return a task's answers in slot order."""
    rows = connection.execute(
        select(task_slot.c.slot, answer.c.text)
        .join(answer, answer.c.id == task_slot.c.answer_id)
        .where(task_slot.c.task_id == task_id)
        .order_by(task_slot.c.slot)
    )
    return [Slot(*row) for row in rows]


def flags(connection: Connection, submission_id: int) -> list[Flag]:
    """Return a submission's flags in the order they were raised."""
    rows = connection.execute(
        select(flag.c.slot, flag.c.kind, flag.c.severity, flag.c.quote)
        .where(flag.c.submission_id == submission_id)
        .order_by(flag.c.id)
    )
    return [Flag(*row) for row in rows]


def notes(connection: Connection, case_id: int) -> list[Note]:
    """Return what was done about a case, first to last."""
    rows = connection.execute(
        select(escalation_note.c.action, escalation_note.c.note, escalation_note.c.actor,
               escalation_note.c.at)
        .where(escalation_note.c.escalation_id == case_id)
        .order_by(escalation_note.c.id)
    )
    return [Note(*row) for row in rows]


def add_note(
    connection: Connection, case_id: int, *, action: str, note: str, actor: str, now: datetime
) -> None:
    """Add what was done about a case: noted, handled or reopened."""
    connection.execute(
        insert(escalation_note),
        {"escalation_id": case_id, "action": action, "note": note, "actor": actor,
         "at": stamp(now)},
    )


def _cases() -> Select[*tuple[Any, ...]]:
    return (
        select(
            escalation.c.id, escalation.c.study_id, escalation.c.submission_id,
            submission.c.task_id, escalation.c.cause, escalation.c.at, item.c.key, item.c.risk,
            item.c.question, item.c.description, person.c.code, submission.c.comment,
            (task.c.revision > submission.c.revision).label("corrected"),
        )
        .join(submission, submission.c.id == escalation.c.submission_id)
        .join(task, task.c.id == submission.c.task_id)
        .join(item, item.c.id == task.c.item_id)
        .join(person, person.c.id == submission.c.person_id)
    )


def _case(row: Row[*tuple[Any, ...]], state: str, notes: int) -> CaseRow:
    return CaseRow(
        row.id, row.study_id, row.submission_id, row.task_id, row.cause, row.at, row.key, row.risk,
        row.question, row.description, row.code, row.comment, bool(row.corrected), state, notes,
    )


def _states(connection: Connection, study_id: int) -> dict[int, str]:
    """Return the newest decision by case; a case without one is open."""
    rows = connection.execute(
        select(escalation_note.c.escalation_id, escalation_note.c.action)
        .join(escalation, escalation.c.id == escalation_note.c.escalation_id)
        .where(escalation.c.study_id == study_id, escalation_note.c.action.in_(DECISIONS))
        .order_by(escalation_note.c.id)
    )
    return {case: HANDLED if action == HANDLED else OPEN for case, action in rows}


def _counts(connection: Connection, study_id: int) -> dict[int, int]:
    rows = connection.execute(
        select(escalation_note.c.escalation_id, func.count())
        .join(escalation, escalation.c.id == escalation_note.c.escalation_id)
        .where(escalation.c.study_id == study_id)
        .group_by(escalation_note.c.escalation_id)
    )
    return {case: int(count) for case, count in rows}
