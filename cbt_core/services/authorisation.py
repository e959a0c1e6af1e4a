"""May this person do this here? Asked inside every service, never only on a screen."""

from datetime import datetime

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused
from db import audit
from db.engine import Database


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
