"""Where a write at the desk waits: with every other write of its study, drafts and saves alike.

On a server each study has a queue of its own; on SQLite there is one for all.
"""

from cbt_core.errors import Refused
from db import studies, tasks
from db.engine import Database


def study_scope(database: Database, slug: str) -> int:
    """Return the lock's scope for a study; that of the system for an unknown one."""
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
    return study.id if study else 0


def task_scope(database: Database, token: str) -> int:
    """Return the lock's scope for the study of a task.

    Raises:
        Refused: there is no such task.
    """
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        study_id = tasks.study_of(connection, token)
    if study_id is None:
        raise Refused("rating.unknown_task")
    return study_id
