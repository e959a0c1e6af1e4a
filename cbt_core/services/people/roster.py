"""People: who they are, may sign in, in which studies and roles, and how one is forgotten.

Whoever has the terminal may do all of it. A lead adds people to the own studies, ends their roles
there, and issues a new secret to those who belong to no other lead's study; names and e-mail
addresses are seen by nobody but the terminal and the person. What happens to a person's access
leaves a trail.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Invalid, Refused, StudyError
from cbt_core.services import guard
from cbt_core.services.access import passphrases
from db import audit, people, sessions
from db.backup import scrub
from db.engine import Connection, Database
from db.people import Account, Identity, Overview

LONGEST_NAME: Final = 200


def identity_of(database: Database, actor: Person, *, code: str, now: datetime) -> Identity:
    """Return a person's name and e-mail address, to the terminal or the person.

    Raises:
        Refused: the actor is neither.
    """
    owner = guard.as_self(database, actor, code=code, act="identity_of", now=now)
    with owner.reading() as (connection, account):
        return people.identity_of(connection, account.id)


def set_identity(
    database: Database, actor: Person, *, code: str, name: str, email: str, now: datetime
) -> None:
    """Write a person's name and e-mail address; the trail notes that it was done, not what.

    Raises:
        Refused: the actor is neither the terminal nor the person. Invalid: too long.
    """
    owner = guard.as_self(database, actor, code=code, act="set_identity", now=now)
    with owner.writing() as (connection, account):
        if max(len(name), len(email)) > LONGEST_NAME:
            raise Invalid("people.name_long", most=LONGEST_NAME)
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


CODE: Final = re.compile(r"[A-Z0-9_-]{1,40}")
RESERVED: Final = frozenset({"TERMINAL", "UNKNOWN"})
"""Names the trail uses for those who are no person."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of `add_person` or `reset`: the secret exists here and nowhere else.

    `secret` is None when the person existed already; `joined` tells whether a role is new.
    """

    code: str
    secret: str | None
    joined: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`scrubbed`: the file was rewritten, so that nothing can be read back from its free pages.

    Backups made earlier still hold name and e-mail address in every case.
    """

    code: str
    scrubbed: bool


def normal_code(code: str) -> str:
    """Return a code in its one form: upper case, 1-40 letters, digits, ``_`` and ``-``.

    Raises:
        Invalid: it holds something else, or is a word the trail needs.
    """
    plain_code = code.strip().upper()
    if not code.isascii() or not CODE.fullmatch(plain_code) or plain_code in RESERVED:
        raise Invalid("people.bad_code")
    return plain_code


def add_person(
    database: Database,
    actor: Person,
    *,
    code: str,
    now: datetime,
    role: Role = Role.RATER,
    study_id: int | None = None,
) -> Issued:
    """Add a person, or give an existing one a role.

    Without a study only the terminal may; a lead without a study may create studies.

    Raises:
        Refused: the actor may not, or the demonstration would be mixed with real people.
        Invalid: the code is not one; StudyError: the person is disabled or there is no such study.
    """
    inviter = guard.as_inviter(database, actor, study_id=study_id, act="add_person", now=now)
    inviter.check()
    name = normal_code(code)
    secret = passphrases.issue()
    secret_hash = passphrases.hash_of(secret, "issued")  # slow: before the transaction
    with inviter.writing() as connection:
        account = people.by_code(connection, name)
        if account is None:
            account = _create(connection, actor, code=name, secret_hash=secret_hash, now=now)
        else:
            secret = ""
            if account.is_disabled:
                raise StudyError("people.is_disabled", person=name)
        joined = _grant(connection, actor, account, role=role, study_id=study_id, now=now)
    return Issued(name, secret or None, joined)


def list_people(
    database: Database, actor: Person, *, now: datetime, study_id: int | None = None
) -> Sequence[Overview]:
    """Return everybody (terminal), or those who ever belonged to a study (its lead), by code.

    Raises:
        Refused: the actor is neither.
    """
    if study_id is None:
        owner = guard.as_terminal(database, actor, act="list_people", now=now)
        with owner.reading() as connection:
            return people.overview(connection, None)
    lead = guard.as_lead(database, actor, study=study_id, act="list_people", now=now)
    with lead.reading() as (connection, study):
        return people.overview(connection, study.id)


def reset(database: Database, actor: Person, *, code: str, now: datetime) -> Issued:
    """Issue a new secret; the old one and every session end. The terminal also re-enables so.

    Raises:
        Refused: a lead asks for somebody who belongs elsewhere too, or leads.
        StudyError: nobody has this code, or the person was forgotten.
    """
    keeper = guard.as_keeper(database, actor, code=code, act="reset", now=now)
    keeper.check()
    secret = passphrases.issue()
    secret_hash = passphrases.hash_of(secret, "issued")  # slow: before the transaction
    with keeper.writing() as (connection, account):
        if account.is_forgotten or account.demonstration:
            raise StudyError("people.no_new_secret", person=account.code)
        people.set_secret(connection, account.id, secret_hash=secret_hash, kind="issued")
        if actor.is_terminal:
            people.enable(connection, account.id)
        sessions.end_all(connection, account.id, now)
        trail(connection, actor, "person.reset", account.code, now)
    return Issued(account.code, secret, joined=False)


def disable(database: Database, actor: Person, *, code: str, now: datetime) -> None:
    """Close a person's access and end every session; roles and work stay.

    Raises:
        Refused: the actor is not the terminal. StudyError: nobody has this code.
    """
    owner = guard.as_terminal(database, actor, act="disable", now=now)
    with owner.writing() as connection:
        account = guard.account_of(connection, code)
        people.disable(connection, account.id, now)
        sessions.end_all(connection, account.id, now)
        trail(connection, actor, "person.disable", account.code, now)


def forget(database: Database, actor: Person, *, code: str, now: datetime) -> Forgotten:
    """Remove who a person is, for good; the pseudonymous work and the trail stay.

    Raises:
        Refused: the actor is not the terminal. StudyError: nobody has this code.
    """
    owner = guard.as_terminal(database, actor, act="forget", now=now)
    with owner.writing() as connection:
        account = guard.account_of(connection, code)
        people.forget(connection, account.id, now)
        trail(connection, actor, "person.forget", account.code, now)
    return Forgotten(account.code, scrub(database))


def leave_study(
    database: Database, actor: Person, *, code: str, role: Role, study_id: int, now: datetime
) -> bool:
    """End a person's role in a study; False when it was not held. Work done there stays.

    Raises:
        Refused: the actor does not lead the study, or it would be left without a lead.
    """
    lead = guard.as_lead(database, actor, study=study_id, act="leave_study", now=now)
    with lead.writing() as (connection, study):
        account = guard.account_of(connection, code)
        ended = people.leave(
            connection, study_id=study.id, person_id=account.id, role=role, now=now
        )
        is_last = role is Role.LEAD and not people.count_active(connection, study.id, role)
        if ended and is_last and not actor.is_terminal:
            raise Refused("people.last_lead")
        if ended:
            audit.append(
                connection, study_id=study.id, actor=actor.code, action="membership.leave",
                payload={"person": account.code, "role": role.value}, now=now,
            )
    return ended


def _create(
    connection: Connection, actor: Person, *, code: str, secret_hash: str, now: datetime
) -> Account:
    people.add(connection, code=code, secret_hash=secret_hash, now=now)
    trail(connection, actor, "person.add", code, now)
    return guard.account_of(connection, code)


def _grant(
    connection: Connection, actor: Person, account: Account, *, role: Role,
    study_id: int | None, now: datetime,
) -> bool:
    if study_id is None:
        if role is not Role.LEAD or account.may_create_studies or account.demonstration:
            return False
        people.allow_creating_studies(connection, account.id)
        trail(connection, actor, "person.may_create_studies", account.code, now)
        return True
    is_demonstration = people.is_demonstration(connection, study_id)
    if is_demonstration is None:
        raise StudyError("people.no_study")
    if account.demonstration and not is_demonstration:
        raise Refused("people.demonstration")
    joined = people.join(
        connection, study_id=study_id, person_id=account.id, role=role, now=now
    )
    if joined:
        audit.append(
            connection, study_id=study_id, actor=actor.code, action="membership.add",
            payload={"person": account.code, "role": role.value}, now=now,
        )
    return joined
