"""Persons, apart from them who they are, and who holds which role in which study."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from cbt_core.domain.study import Role
from db.columns import stamp
from db.tables.people import identity, person, session
from db.tables.studies import membership, study


@dataclass(frozen=True, slots=True)
class Member:
    """One membership; `left_at` is None while it lasts."""

    study_id: int
    slug: str
    role: Role
    joined_at: str
    left_at: str | None


def join(
    connection: Connection, *, study_id: int, person_id: int, role: Role, now: datetime
) -> bool:
    """Give a role in a study; False when the person holds it already."""
    own_role = (
        membership.c.study_id == study_id,
        membership.c.person_id == person_id,
        membership.c.role == role.value,
    )
    row = connection.execute(select(membership.c.id, membership.c.left_at).where(*own_role)).first()
    if row is None:
        values = {"study_id": study_id, "person_id": person_id, "role": role.value,
                  "joined_at": stamp(now)}
        connection.execute(insert(membership), values)
        return True
    if row.left_at is None:
        return False
    connection.execute(
        update(membership)
        .where(membership.c.id == row.id)
        .values(left_at=None, joined_at=stamp(now))
    )
    return True


def leave(
    connection: Connection, *, study_id: int, person_id: int, role: Role, now: datetime
) -> bool:
    """End a role in a study; False when the person does not hold it."""
    done = connection.execute(
        update(membership)
        .where(
            membership.c.study_id == study_id,
            membership.c.person_id == person_id,
            membership.c.role == role.value,
            membership.c.left_at.is_(None),
        )
        .values(left_at=stamp(now))
    )
    return done.rowcount == 1


def count_active(connection: Connection, study_id: int, role: Role) -> int:
    """Count the persons who hold a role in a study and can sign in."""
    counted = connection.execute(
        select(func.count())
        .select_from(membership.join(person, person.c.id == membership.c.person_id))
        .where(
            membership.c.study_id == study_id,
            membership.c.role == role.value,
            membership.c.left_at.is_(None),
            person.c.disabled_at.is_(None),
        )
    )
    return int(counted.scalar_one())


def memberships_of(connection: Connection, person_ids: list[int]) -> dict[int, tuple[Member, ...]]:
    """Return the memberships, ended ones too, of some persons by person id."""
    rows = connection.execute(
        select(
            membership.c.person_id, membership.c.study_id, study.c.slug, membership.c.role,
            membership.c.joined_at, membership.c.left_at,
        )
        .join(study, study.c.id == membership.c.study_id)
        .where(membership.c.person_id.in_(person_ids))
        .order_by(membership.c.study_id, membership.c.role)
    )
    by_person: dict[int, list[Member]] = {}
    for row in rows:
        member = Member(row.study_id, row.slug, Role(row.role), row.joined_at, row.left_at)
        by_person.setdefault(row.person_id, []).append(member)
    return {person_id: tuple(members) for person_id, members in by_person.items()}


def demonstration_study(connection: Connection) -> int | None:
    """Return the first study the demonstration's persons belong to, while no study is a real one.

    Somebody's own trial, marked as a demonstration, has real persons and opens no door.
    """
    real = connection.execute(select(study.c.id).where(study.c.demonstration == 0)).first()
    if real is not None:
        return None
    theirs = (
        select(func.min(membership.c.study_id))
        .join(person, person.c.id == membership.c.person_id)
        .where(person.c.demonstration == 1)
    )
    first_study: int | None = connection.execute(theirs).scalar_one()
    return first_study


def is_demonstration(connection: Connection, study_id: int) -> bool | None:
    """Tell whether a study is the demonstration; None when there is no such study."""
    row = connection.execute(select(study.c.demonstration).where(study.c.id == study_id)).first()
    return None if row is None else bool(row.demonstration)


@dataclass(frozen=True, slots=True)
class Account:
    """A person as stored, without who they are.

    `secret_hash` is an argon2id hash or None (demonstration, forgotten).
    """

    id: int
    code: str
    secret_hash: str | None
    secret_kind: str
    language: str
    is_disabled: bool
    may_create_studies: bool
    demonstration: bool

    @property
    def is_forgotten(self) -> bool:
        """Tell whether the identity was removed for good: no secret will be issued again."""
        return self.is_disabled and self.secret_hash is None


@dataclass(frozen=True, slots=True)
class Overview:
    """A person in a list: never with name or e-mail."""

    id: int
    code: str
    created_at: str
    disabled_at: str | None
    may_create_studies: bool
    demonstration: bool
    has_own_passphrase: bool
    last_seen_at: str | None
    memberships: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is; kept apart from everything they did."""

    name: str
    email: str


_ACCOUNT: Final = (
    person.c.id,
    person.c.code,
    person.c.secret_hash,
    person.c.secret_kind,
    person.c.language,
    person.c.disabled_at,
    person.c.may_create_studies,
    person.c.demonstration,
)


def by_code(connection: Connection, code: str) -> Account | None:
    """Return the person of a normalised code."""
    return _account(connection.execute(select(*_ACCOUNT).where(person.c.code == code)).first())


def by_id(connection: Connection, person_id: int) -> Account | None:
    """Return the person of an id."""
    return _account(connection.execute(select(*_ACCOUNT).where(person.c.id == person_id)).first())


def add(
    connection: Connection,
    *,
    code: str,
    secret_hash: str | None,
    now: datetime,
    may_create_studies: bool = False,
    demonstration: bool = False,
) -> int:
    """Store a new person and return the id; without a hash nobody can sign in by secret."""
    values = {
        "code": code,
        "secret_hash": secret_hash,
        "created_at": stamp(now),
        "may_create_studies": int(may_create_studies),
        "demonstration": int(demonstration),
    }
    inserted = connection.execute(insert(person).returning(person.c.id), values)
    return int(inserted.scalar_one())


def allow_creating_studies(connection: Connection, person_id: int) -> None:
    """Let a person create studies."""
    connection.execute(
        update(person).where(person.c.id == person_id).values(may_create_studies=1)
    )


def set_secret(
    connection: Connection, person_id: int, *, secret_hash: str, kind: str
) -> None:
    """Replace a secret's hash; `kind` is `issued` or `own`."""
    connection.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(secret_hash=secret_hash, secret_kind=kind)
    )


def set_language(connection: Connection, person_id: int, language: str) -> None:
    """Keep the interface language a person chose (`zh` or `en`)."""
    connection.execute(update(person).where(person.c.id == person_id).values(language=language))


def disable(connection: Connection, person_id: int, now: datetime) -> None:
    """Close a person's access; the first date stays."""
    connection.execute(
        update(person)
        .where(person.c.id == person_id, person.c.disabled_at.is_(None))
        .values(disabled_at=stamp(now))
    )


def enable(connection: Connection, person_id: int) -> None:
    """Open a person's access again."""
    connection.execute(update(person).where(person.c.id == person_id).values(disabled_at=None))


def forget(connection: Connection, person_id: int, now: datetime) -> None:
    """Remove who a person is and how they signed in; code and work stay."""
    connection.execute(delete(identity).where(identity.c.person_id == person_id))
    connection.execute(delete(session).where(session.c.person_id == person_id))
    disable(connection, person_id, now)
    connection.execute(update(person).where(person.c.id == person_id).values(secret_hash=None))


def identity_of(connection: Connection, person_id: int) -> Identity:
    """Return who a person is; empty when nothing was entered."""
    row = connection.execute(
        select(identity.c.name, identity.c.email).where(identity.c.person_id == person_id)
    ).first()
    return Identity(row.name, row.email) if row else Identity("", "")


def by_email(connection: Connection, email: str) -> list[Account]:
    """Return the persons with an e-mail address, whatever its case."""
    rows = connection.execute(
        select(*_ACCOUNT)
        .join(identity, identity.c.person_id == person.c.id)
        .where(func.lower(identity.c.email) == email.strip().lower(), identity.c.email != "")
    )
    return [account for row in rows if (account := _account(row)) is not None]


def set_identity(connection: Connection, person_id: int, *, name: str, email: str) -> None:
    """Write who a person is, in the table that can be emptied without touching any work."""
    connection.execute(delete(identity).where(identity.c.person_id == person_id))
    if name or email:
        connection.execute(
            insert(identity), {"person_id": person_id, "name": name, "email": email}
        )


def overview(connection: Connection, study_id: int | None) -> list[Overview]:
    """Return everybody, or everybody who ever belonged to a study, by code."""
    seen = (
        select(session.c.person_id, func.max(session.c.seen_at).label("at"))
        .group_by(session.c.person_id)
        .subquery()
    )
    wanted = select(person, seen.c.at).outerjoin(seen, seen.c.person_id == person.c.id)
    if study_id is not None:
        wanted = wanted.where(
            person.c.id.in_(
                select(membership.c.person_id).where(membership.c.study_id == study_id)
            )
        )
    rows = connection.execute(wanted.order_by(person.c.code)).all()
    joined = memberships_of(connection, [row.id for row in rows])
    return [
        Overview(
            id=row.id, code=row.code, created_at=row.created_at, disabled_at=row.disabled_at,
            may_create_studies=bool(row.may_create_studies),
            demonstration=bool(row.demonstration),
            has_own_passphrase=row.secret_kind == "own",
            last_seen_at=row.at, memberships=joined.get(row.id, ()),
        )
        for row in rows
    ]


def demonstration_person(connection: Connection, study_id: int, role: Role) -> Account | None:
    """Return the demonstration's own person of a role."""
    row = connection.execute(
        select(*_ACCOUNT)
        .join(membership, membership.c.person_id == person.c.id)
        .where(
            membership.c.study_id == study_id,
            membership.c.role == role.value,
            membership.c.left_at.is_(None),
            person.c.demonstration == 1,
            person.c.disabled_at.is_(None),
        )
        .order_by(person.c.id)
    ).first()
    return _account(row)


def _account(row: Row[*tuple[Any, ...]] | None) -> Account | None:
    if row is None:
        return None
    return Account(
        id=row.id, code=row.code, secret_hash=row.secret_hash, secret_kind=row.secret_kind,
        language=row.language, is_disabled=row.disabled_at is not None,
        may_create_studies=bool(row.may_create_studies), demonstration=bool(row.demonstration),
    )
