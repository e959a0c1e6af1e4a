"""May this person do this here? Asked inside every service, never only on a screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused
from db import audit
from db.engine import Database

FOREIGN: Final = frozenset({"rating.unknown_study", "rating.unknown_task"})
"""What a person is told of a study or task of others: no more than if it did not exist."""


def require(
    database: Database, person: Person, role: Role, study_id: int, *, act: str, now: datetime
) -> None:
    """Refuse, and note the refusal in the access log, unless the person holds the role.

    `act` is the name of the service function: it tells a reader of the log what was tried.

    Raises:
        Refused: the person does not hold the role in this study.
    """
    if person.has(role, study_id):
        return
    with database.writing() as connection:
        audit.log_access(
            connection, actor=person.code, action=f"denied:{act}", now=now, detail=str(study_id)
        )
    raise Refused("access.not_allowed")


@contextmanager
def noting(database: Database, person: Person, *, act: str, now: datetime) -> Iterator[None]:
    """Note in the access log that something of others was asked for, and refused.

    It stands around the transaction that refuses: what is noted inside would be undone with it.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.code in FOREIGN:
            with database.writing() as connection:
                audit.log_access(connection, actor=person.code, action=f"denied:{act}", now=now)
        raise
