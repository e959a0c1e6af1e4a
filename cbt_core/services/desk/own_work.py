"""A rater's own work: what was done and when, and the closing questions after the last task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import WORK_OF, Work
from cbt_core.errors import Invalid, Refused
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import audit, seats, tasks
from db.engine import Connection, Database

GUESSES: Final = 10
"""How many of the own tasks the closing question shows again (the manual's number)."""

DONT_KNOW: Final = "dont_know"


@dataclass(frozen=True, slots=True)
class DoneTask:
    """One finished task in the list of own work. `openable` is false while a repeat is to come."""

    task: str
    number: int
    question: str
    state: str
    revision: int
    saved_at: str
    seconds: float
    openable: bool


@dataclass(frozen=True, slots=True)
class ShownAgain:
    """One task of the closing question: the item and its answers as they stood."""

    task: str
    question: str
    description: str
    slots: tuple[tuple[str, str], ...]


def done_tasks(
    database: Database, person: Person, *, slug: str, now: datetime, start: int = 0,
    count: int = 50, role: Role = Role.RATER,
) -> tuple[list[DoneTask], int]:
    """Return a page of the own finished tasks, newest first, and how many there are.

    `role` says which: what was rated, or what was labelled.
    """
    worker = guard.as_worker(database, person, study=slug, role=role, act="done_tasks", now=now)
    with worker.reading() as (connection, study):
        rows = tasks.done_tasks(
            connection, study_id=study.id, person_id=person.id, start=start, count=count,
            work=WORK_OF[role],
        )
        total = tasks.count_done(
            connection, study_id=study.id, person_id=person.id, work=WORK_OF[role]
        )
        page = [
            DoneTask(
                row.token, row.position, row.question, row.state, row.revision, row.at,
                row.active_seconds, not tasks.has_pending_repeat(connection, row.id),
            )
            for row in rows
        ]
    return page, total


def hours(database: Database, person: Person, *, slug: str, now: datetime) -> float:
    """Return the hours of attention on own tasks (idle time is not counted)."""
    rater = guard.as_rater(database, person, study=slug, act="hours", now=now)
    with rater.reading() as (connection, study):
        seat = seats.find(connection, study_id=study.id, person_id=person.id)
    return round(seat.seconds / 3600, 2) if seat else 0.0


def confirm_final(database: Database, person: Person, *, slug: str, now: datetime) -> None:
    """Make the own scores final: from now on they can be read, not changed.

    Raises:
        Refused: tasks are still to do.
    """
    rater = guard.as_rater(database, person, study=slug, act="confirm_final", now=now)
    with rater.writing() as (connection, study):
        study_id = study.id
        seat = seats.find(connection, study_id=study_id, person_id=person.id)
        if seat is None or seat.done < seat.total or seat.total == 0:
            raise Refused("admission.not_finished")
        if seat.final_at is not None:
            return
        seats.mark(
            connection, study_id=study_id, person_id=person.id, work=Work.RATE,
            milestone="final_at", now=now,
        )
        audit.append(
            connection, study_id=study_id, actor=person.code, action="final", payload={}, now=now
        )


def shown_again(
    database: Database, person: Person, *, slug: str, now: datetime
) -> list[ShownAgain]:
    """Return up to ten own tasks with two or more answers that still lack a guess.

    The draw is seeded by study and person, so that a reload shows the same tasks.
    """
    rater = guard.as_rater(database, person, study=slug, act="shown_again", now=now)
    with rater.reading() as (connection, study):
        study_id = study.id
        seat = seats.find(connection, study_id=study_id, person_id=person.id)
        if seat is None or seat.final_at is None:
            return []
        seed = current(connection, study_id).protocol.design.seed
        eligible = tasks.tasks_to_guess(connection, study_id=study_id, person_id=person.id)
        Random(f"{seed}/{study_id}/{person.id}").shuffle(eligible)
        given = seats.guesses_of(connection, study_id=study_id, person_id=person.id)
        chosen = [task_id for task_id in eligible[:GUESSES] if task_id not in given]
        return [_again(connection, task_id) for task_id in chosen]


def guess(
    database: Database,
    person: Person,
    *,
    slug: str,
    answers: Mapping[str, tuple[str, str]],
    now: datetime,
) -> None:
    """Store the guesses, once each: task token to (slot or ``dont_know``, reason)."""
    rater = guard.as_rater(database, person, study=slug, act="guess", now=now)
    with rater.writing() as (connection, study):
        study_id = study.id
        seat = seats.find(connection, study_id=study_id, person_id=person.id)
        if seat is None or seat.final_at is None:
            raise Refused("admission.not_finished")
        given = seats.guesses_of(connection, study_id=study_id, person_id=person.id)
        stored = 0
        for token, (choice, reason) in answers.items():
            row = guard.own_task(connection, person, token, Work.RATE)
            if row.study_id != study_id:
                raise Refused(guard.UNKNOWN_TASK)
            if row.id in given:
                continue
            places = {slot.slot: slot.answer_id for slot in tasks.slots(connection, row.id)}
            if choice != DONT_KNOW and choice not in places:
                raise Invalid("rating.out_of_range")
            seats.add_guess(
                connection, study_id=study_id, person_id=person.id, task_id=row.id,
                choice=choice, answer_id=places.get(choice), reason=reason[:1000], now=now,
            )
            stored += 1
        audit.append(
            connection, study_id=study_id, actor=person.code, action="guess",
            payload={"tasks": stored}, now=now,
        )


def _again(connection: Connection, task_id: int) -> ShownAgain:
    row = tasks.shown_item(connection, task_id)
    slots = tuple((slot.slot, slot.text) for slot in tasks.slots(connection, task_id))
    return ShownAgain(row.token, row.question, row.description, slots)
