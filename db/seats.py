"""Seats: one person's place in one study: gone through, practised, counted and guessed.

Practice attempts are kept apart from scores; a guess, which answer came from the system under
study, is made once per task.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select, update

from cbt_core.domain.submission import Work
from db.columns import stamp
from db.tables.desk import guess, practice, seat
from db.tables.people import person


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A seat as stored. Times are stored text; `profile` is JSON text or None."""

    study_id: int
    person_id: int
    work: Work
    total: int
    done: int
    seconds: float
    seconds_at_break: float
    risk_items: int
    consent_version: str
    consent_at: str | None
    profile: str | None
    guide_at: str | None
    practice_at: str | None
    final_at: str | None


def _mine(study_id: int, person_id: int, work: Work) -> dict[str, object]:
    return {"s": study_id, "p": person_id, "w": work}


_HERE = (
    (seat.c.study_id == bindparam("s"))
    & (seat.c.person_id == bindparam("p"))
    & (seat.c.work == bindparam("w"))
)
_COUNT = (
    update(seat)
    .where(_HERE)
    .values(
        done=seat.c.done + bindparam("by_done"),
        seconds=seat.c.seconds + bindparam("by_seconds"),
        risk_items=seat.c.risk_items + bindparam("by_risk"),
    )
)


def find(
    connection: Connection, *, study_id: int, person_id: int, work: Work = Work.RATE
) -> SeatRow | None:
    """Return a person's seat in a study."""
    row = connection.execute(select(seat).where(_HERE), _mine(study_id, person_id, work)).first()
    return SeatRow(**row._mapping) if row else None


def of_study(connection: Connection, study_id: int, work: Work = Work.RATE) -> list[SeatRow]:
    """Return every seat of a study."""
    rows = connection.execute(
        select(seat).where(seat.c.study_id == study_id, seat.c.work == work)
    )
    return [SeatRow(**row._mapping) for row in rows]


def add_total(
    connection: Connection, *, study_id: int, person_id: int, work: Work, by: int
) -> None:
    """Raise (or lower) the number of tasks a seat holds; make the seat when there is none."""
    keys = {"study_id": study_id, "person_id": person_id, "work": work}
    if find(connection, study_id=study_id, person_id=person_id, work=work) is None:
        connection.execute(insert(seat), {**keys, "total": by})
        return
    connection.execute(
        update(seat).where(_HERE).values(total=seat.c.total + by), _mine(study_id, person_id, work)
    )


def count(
    connection: Connection,
    *,
    study_id: int,
    person_id: int,
    work: Work,
    done: int,
    seconds: float,
    risk_items: int,
) -> None:
    """Add to the running counts of a seat."""
    connection.execute(
        _COUNT,
        {**_mine(study_id, person_id, work), "by_done": done, "by_seconds": seconds,
         "by_risk": risk_items},
    )


def rest(connection: Connection, *, study_id: int, person_id: int, work: Work) -> None:
    """Note a break: the minutes and risk items until the next one count from here."""
    connection.execute(
        update(seat).where(_HERE).values(seconds_at_break=seat.c.seconds, risk_items=0),
        _mine(study_id, person_id, work),
    )


def consent(
    connection: Connection,
    *,
    study_id: int,
    person_id: int,
    work: Work,
    version: str,
    now: datetime,
) -> None:
    """Note that the person agreed to this version of the consent."""
    connection.execute(
        update(seat).where(_HERE).values(consent_version=version, consent_at=stamp(now)),
        _mine(study_id, person_id, work),
    )


def set_profile(
    connection: Connection, *, study_id: int, person_id: int, work: Work, profile: str
) -> None:
    """Store the profile as JSON text (declined fields are null)."""
    connection.execute(
        update(seat).where(_HERE).values(profile=profile), _mine(study_id, person_id, work)
    )


def mark(
    connection: Connection,
    *,
    study_id: int,
    person_id: int,
    work: Work,
    milestone: str,
    now: datetime,
) -> None:
    """Note when a milestone was reached: `guide_at`, `practice_at` or `final_at`."""
    connection.execute(
        update(seat).where(_HERE).values({seat.c[milestone]: stamp(now)}),
        _mine(study_id, person_id, work),
    )


def add_guess(
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


def guesses_of(connection: Connection, *, study_id: int, person_id: int) -> frozenset[int]:
    """Return the ids of the tasks a person has guessed on."""
    rows = connection.execute(
        select(guess.c.task_id).where(
            guess.c.study_id == study_id, guess.c.person_id == person_id
        )
    )
    return frozenset(row[0] for row in rows)


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
    own_rows = [row for row in rows if row.attempt == number]
    return Attempt(
        number,
        frozenset(row.item for row in own_rows),
        sum(row.right for row in own_rows),
        sum(row.asked for row in own_rows),
    )


def add_attempt(
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


def person_id_of(connection: Connection, code: str) -> int | None:
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
