"""Which queue a write waits in: one per study on a server, one for all on SQLite."""

from cbt_core.errors import Refused
from db import studies, tasks
from db.engine import Database


def scope(database: Database, slug: str) -> int:
    """Return the lock's scope for a study; SQLite has one queue for all."""
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
        return study.id if study else 0


def scope_of_task(database: Database, token: str) -> int:
    """Return the lock's scope for the study of a task.

    Raises:
        Refused: there is no such task.
    """
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        row = tasks.find(connection, token)
    if row is None:
        raise Refused("rating.unknown_task")
    return row.study_id
