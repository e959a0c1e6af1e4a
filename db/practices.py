"""Practice attempts: what a rater answered before the study, kept apart from scores."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from db.clock import stamp
from db.models import practice
from db.people_models import person

ATTEMPTS: Final = 2
"""How often the whole practice may be gone through before the lead decides."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The attempt under way: its number from 1, the items done in it, right of asked so far."""

    number: int
    items: frozenset[str]
    right: int
    asked: int


def current_attempt(connection: Connection, study_id: int, person_id: int) -> Attempt:
    """Return the newest attempt; a new, empty one when none was begun."""
    rows = connection.execute(
        select(practice.c.attempt, practice.c.item, practice.c.right, practice.c.asked).where(
            practice.c.study_id == study_id, practice.c.person_id == person_id
        )
    ).all()
    number = max((row.attempt for row in rows), default=1)
    mine = [row for row in rows if row.attempt == number]
    return Attempt(
        number,
        frozenset(row.item for row in mine),
        sum(row.right for row in mine),
        sum(row.asked for row in mine),
    )


def add(
    connection: Connection,
    *,
    study_id: int,
    person_id: int,
    attempt: int,
    item: str,
    entries: str,
    right: int,
    asked: int,
    now: datetime,
) -> None:
    """Store the answers to one practice item (entries: JSON text)."""
    connection.execute(
        insert(practice),
        {"study_id": study_id, "person_id": person_id, "attempt": attempt, "item": item,
         "entries": entries, "right": right, "asked": asked, "at": stamp(now)},
    )


def person_id(connection: Connection, code: str) -> int | None:
    """Return the id of a person by code."""
    return connection.execute(select(person.c.id).where(person.c.code == code)).scalar()


def attempts_of_study(connection: Connection, study_id: int) -> dict[int, int]:
    """Return the number of attempts begun, by person."""
    rows = connection.execute(
        select(practice.c.person_id, func.max(practice.c.attempt))
        .where(practice.c.study_id == study_id)
        .group_by(practice.c.person_id)
    )
    return {row[0]: row[1] for row in rows}
