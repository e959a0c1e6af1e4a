"""Who may change whose access: the terminal always, a lead within narrow bounds."""

from datetime import datetime

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused
from cbt_core.services.authorisation import require
from db import audit, memberships
from db.engine import Database
from db.people import Account


def require_terminal(database: Database, actor: Person, *, act: str, now: datetime) -> None:
    """Refuse, and note the refusal in the access log, unless the act comes from the terminal.

    Raises:
        Refused: it comes from a browser.
    """
    if actor.is_terminal:
        return
    with database.writing() as connection:
        audit.log_access(connection, actor=actor.code, action=f"denied:{act}", now=now)
    raise Refused("access.not_allowed")


def require_inviter(
    database: Database, actor: Person, study_id: int | None, *, now: datetime
) -> None:
    """Let the terminal pass, and the lead of the study.

    Raises:
        Refused: anybody else, and the demonstration's lead: an account reaches beyond it.
    """
    if study_id is None or actor.demonstration:
        require_terminal(database, actor, act="add_person", now=now)
    else:
        require(database, actor, Role.LEAD, study_id, act="add_person", now=now)


def require_keeper(database: Database, actor: Person, account: Account, *, now: datetime) -> None:
    """Let the terminal pass, and a lead for somebody who was never in anybody else's study.

    Whoever gives a new secret could use it: so nobody gives one to a lead, to a person who may
    create studies or whose access was closed, or to one with work in a study of others.

    Raises:
        Refused: none of these holds.
    """
    if actor.is_terminal:
        return
    with database.reading() as connection:
        held = memberships.of(connection, [account.id]).get(account.id, ())
    is_kept = bool(held) and all(
        actor.has(Role.LEAD, member.study_id) and member.role is not Role.LEAD for member in held
    )
    if not is_kept or account.may_create_studies or account.is_disabled or actor.demonstration:
        require_terminal(database, actor, act="reset", now=now)
