"""Finding a person by code, who they are, and the trail of what happens to their access."""

from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import Invalid, StudyError
from cbt_core.services import guards
from db import audit, people
from db.engine import Connection, Database
from db.people import Account, Identity

LONGEST_NAME: Final = 200


def named(database: Database, code: str) -> Account:
    """Return the account of a typed code.

    Raises:
        StudyError: nobody has this code.
    """
    with database.reading() as connection:
        return found(people.by_code(connection, code.strip().upper()), code)


def found(account: Account | None, code: str) -> Account:
    """Return an account that was looked up.

    Raises:
        StudyError: there was none.
    """
    if account is None:
        raise StudyError("people.unknown", person=code.strip().upper()[:40])
    return account


def identity_of(database: Database, actor: Person, *, code: str, now: datetime) -> Identity:
    """Return a person's name and e-mail address, to the terminal or the person.

    Raises:
        Refused: the actor is neither.
    """
    account = named(database, code)
    if actor.id != account.id:
        guards.require_terminal(database, actor, act="identity_of", now=now)
    with database.reading() as connection:
        return people.identity_of(connection, account.id)


def set_identity(
    database: Database, actor: Person, *, code: str, name: str, email: str, now: datetime
) -> None:
    """Write a person's name and e-mail address; the trail notes that it was done, not what.

    Raises:
        Refused: the actor is neither the terminal nor the person. Invalid: too long.
    """
    account = named(database, code)
    if actor.id != account.id:
        guards.require_terminal(database, actor, act="set_identity", now=now)
    if max(len(name), len(email)) > LONGEST_NAME:
        raise Invalid("people.name_long", most=LONGEST_NAME)
    with database.writing() as connection:
        people.set_identity(connection, account.id, name=name.strip(), email=email.strip())
        trail(connection, actor, "person.identity", account.code, now)


def trail(
    connection: Connection, actor: Person, action: str, code: str, now: datetime
) -> None:
    """Note in the system's chain what happened to a person's access: the code, nothing else."""
    audit.append(
        connection, study_id=None, actor=actor.code, action=action,
        payload={"person": code}, now=now,
    )
