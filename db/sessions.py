"""Sign-ins that last, and the count of those that failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from db.columns import moment, stamp
from db.tables.people import person, session, throttle
from db.tables.studies import membership

ROLES: Final = {role.value: role for role in Role}

_LOOKUP: Final = (  # built once: this runs at every save
    select(
        session.c.seen_at,
        session.c.idle_seconds,
        person.c.id,
        person.c.code,
        person.c.language,
        person.c.may_create_studies,
        person.c.demonstration,
        membership.c.study_id,
        membership.c.role,
    )
    .select_from(
        session.join(person, person.c.id == session.c.person_id).outerjoin(
            membership,
            and_(membership.c.person_id == person.c.id, membership.c.left_at.is_(None)),
        )
    )
    .where(
        session.c.token_hash == bindparam("token_hash"),
        session.c.ended_at.is_(None),
        session.c.expires_at > bindparam("now"),
        person.c.disabled_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Found:
    """The person behind a token, and when the token was last noted as used."""

    person: Person
    seen_at: datetime
    idle: timedelta


@dataclass(frozen=True, slots=True)
class Failures:
    """How often a key failed in a row, and when last."""

    count: int
    last_at: datetime


def start(
    connection: Connection,
    *,
    token_hash: str,
    person_id: int,
    idle: timedelta,
    absolute: timedelta,
    now: datetime,
) -> None:
    """Store a sign-in by the hash of its token; sweep out the ones long over."""
    connection.execute(delete(session).where(session.c.expires_at <= stamp(now)))
    connection.execute(
        insert(session),
        {"token_hash": token_hash, "person_id": person_id, "created_at": stamp(now),
         "seen_at": stamp(now), "expires_at": stamp(now + absolute),
         "idle_seconds": int(idle.total_seconds())},
    )


def find(connection: Connection, token_hash: str, now: datetime) -> Found | None:
    """Return who is behind a token with the roles held now; None when ended, over or disabled."""
    rows = connection.execute(_LOOKUP, {"token_hash": token_hash, "now": stamp(now)}).all()
    if not rows:
        return None
    first = rows[0]
    roles: dict[int, frozenset[Role]] = {}
    for row in rows:
        if row.study_id is not None:
            roles[row.study_id] = roles.get(row.study_id, frozenset()) | {ROLES[row.role]}
    who = Person(
        id=first.id, code=first.code, language=first.language or "zh",
        may_create_studies=bool(first.may_create_studies),
        demonstration=bool(first.demonstration), roles=roles,
    )
    return Found(who, moment(first.seen_at), timedelta(seconds=first.idle_seconds))


def touch(connection: Connection, token_hash: str, now: datetime) -> None:
    """Note that a sign-in is in use."""
    connection.execute(
        update(session).where(session.c.token_hash == token_hash).values(seen_at=stamp(now))
    )


def end(connection: Connection, token_hash: str, now: datetime) -> int | None:
    """End one sign-in; return whose it was, None when there was none."""
    row = connection.execute(
        update(session)
        .where(session.c.token_hash == token_hash, session.c.ended_at.is_(None))
        .values(ended_at=stamp(now))
        .returning(session.c.person_id)
    ).first()
    return int(row.person_id) if row else None


def end_all(connection: Connection, person_id: int, now: datetime, *, but: str = "") -> int:
    """End every sign-in of a person (but the token with this hash); return how many."""
    done = connection.execute(
        update(session)
        .where(
            session.c.person_id == person_id,
            session.c.ended_at.is_(None),
            session.c.token_hash != but,
        )
        .values(ended_at=stamp(now))
    )
    return int(done.rowcount)


def failures(connection: Connection, keys: list[str]) -> Mapping[str, Failures]:
    """Return the failures noted under these keys."""
    rows = connection.execute(select(throttle).where(throttle.c.key.in_(keys)))
    return {row.key: Failures(row.failures, moment(row.last_at)) for row in rows}


def note_failure(
    connection: Connection, keys: list[str], *, forget: timedelta, now: datetime
) -> None:
    """Count a failure under each key; counts older than `forget` start again."""
    old = stamp(now - forget)
    connection.execute(delete(throttle).where(throttle.c.last_at < old))
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for key in keys:
        fresh = make(throttle).values(key=key, failures=1, last_at=stamp(now))
        connection.execute(
            fresh.on_conflict_do_update(
                index_elements=[throttle.c.key],
                set_={"failures": throttle.c.failures + 1, "last_at": stamp(now)},
            )
        )


def clear_failures(connection: Connection, keys: list[str]) -> None:
    """Forget the failures noted under these keys."""
    connection.execute(delete(throttle).where(or_(*(throttle.c.key == key for key in keys))))
