"""Studies and people that tests of access begin with."""

from datetime import UTC, datetime

from sqlalchemy import insert

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.access.sessions import SignedIn
from cbt_core.services.people import roster
from db.columns import stamp
from db.engine import Database
from db.tables.studies import study

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def new_study(database: Database, slug: str, *, demonstration: bool = False) -> int:
    """Store an empty study and return its id."""
    with database.writing() as connection:
        row = connection.execute(
            insert(study).returning(study.c.id),
            {"slug": slug, "title": slug, "created_at": stamp(NOW),
             "demonstration": int(demonstration)},
        )
        return int(row.scalar_one())


def new_person(
    database: Database, code: str, *, role: Role = Role.RATER, study_id: int | None = None
) -> str:
    """Add a person by the terminal and return the secret."""
    issued = roster.add_person(
        database, TERMINAL, code=code, role=role, study_id=study_id, now=NOW
    )
    assert issued.secret
    return issued.secret


def enter(
    database: Database, code: str, secret: str, *, now: datetime = NOW, address: str = ""
) -> SignedIn:
    """Sign in."""
    return sessions.sign_in(database, code=code, secret=secret, address=address, now=now)


def lead_of(database: Database, code: str, study_id: int) -> Person:
    """Return a new lead of a study, signed in."""
    secret = new_person(database, code, role=Role.LEAD, study_id=study_id)
    return enter(database, code, secret).person
