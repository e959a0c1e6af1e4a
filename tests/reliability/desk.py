"""A small real study to be written into, and what a writer must know of it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from cbt_core.domain.people import Person
from db import migrate, sessions
from db.engine import Database
from db.tables.desk import task
from tests.making import make_study

SLUG = "trial"
PROTOCOL = "[rater]\nbreak_after_minutes = 0\nbreak_after_risk_items = 0\n"


@dataclass(frozen=True)
class Desk:
    """A database with one study; `tasks` are the opaque names of each rater's tasks."""

    database: Database
    study_id: int
    raters: dict[str, Person]
    tasks: dict[str, list[str]]


def prepared(folder: Path, *, raters: int, items: int = 8) -> Desk:
    """Make a study on a new SQLite file in a folder."""
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    return furnished(database, folder, raters=raters, items=items)


def furnished(database: Database, folder: Path, *, raters: int, items: int = 8) -> Desk:
    """Make a study in an empty database; every rater gets every item."""
    codes = [f"R{number:02d}" for number in range(1, raters + 1)]
    made = make_study(
        database, folder, datetime.now(UTC), raters=codes, items=items, slug=SLUG,
        protocol=f"{PROTOCOL}[design]\noverlap = {raters}\nrepeats = 0.0\n",
    )
    with database.reading() as connection:
        tasks = {
            code: list(connection.execute(
                select(task.c.token).where(task.c.person_id == who.id).order_by(task.c.position)
            ).scalars())
            for code, who in made.raters.items()
        }
    return Desk(database, made.study_id, made.raters, tasks)


def sign_in(database: Database, person_id: int) -> str:
    """Return the token of a new session (no secret is checked: that is tested elsewhere)."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    with database.writing() as connection:
        sessions.start(
            connection, token_hash=sha256(token.encode()).hexdigest(), person_id=person_id,
            idle=timedelta(hours=2), absolute=timedelta(hours=12), now=now,
        )
    return token
