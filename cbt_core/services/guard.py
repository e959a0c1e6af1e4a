"""May this person do this here? Asked inside every service, never only on a screen.

The terminal may always change whose access; a lead within narrow bounds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.domain.study_setup import StudyRow
from cbt_core.errors import Refused, StudyError
from db import audit, memberships, studies
from db.engine import Database
from db.people import Account

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


def led_by(
    database: Database, person: Person, slug: str, *, act: str, now: datetime
) -> StudyRow:
    """Return a study which the person leads; every act of a lead starts here.

    Raises:
        StudyError: no study has this name.
        Refused: the person does not lead it (noted in the access log).
    """
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
    if study is None:
        raise StudyError("studies.unknown", slug=slug)
    require(database, person, Role.LEAD, study.id, act=act, now=now)
    return study


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
