"""Seats: one person's place in one study: what was gone through, and running counts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from cbt_core.domain.submission import Work
from db.clock import stamp
from db.models import seat


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
