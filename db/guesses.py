"""Closing guesses: which answer came from the system under study; once per task."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from db.clock import stamp
from db.models import guess


def add(
    connection: Connection,
    *,
    study_id: int,
    person_id: int,
    task_id: int,
    choice: str,
    answer_id: int | None,
    reason: str,
    now: datetime,
) -> None:
    """Store one guess: a slot, or `dont_know` with no answer."""
    connection.execute(
        insert(guess),
        {"study_id": study_id, "person_id": person_id, "task_id": task_id, "choice": choice,
         "answer_id": answer_id, "reason": reason, "at": stamp(now)},
    )


def of_person(connection: Connection, *, study_id: int, person_id: int) -> frozenset[int]:
    """Return the ids of the tasks a person has guessed on."""
    rows = connection.execute(
        select(guess.c.task_id).where(
            guess.c.study_id == study_id, guess.c.person_id == person_id
        )
    )
    return frozenset(row[0] for row in rows)
