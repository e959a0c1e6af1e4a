"""Who holds which role in which study, and since when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from cbt_core.domain.study import Role
from db.clock import stamp
from db.models import membership, study
from db.people_models import person


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
    mine = (
        membership.c.study_id == study_id,
        membership.c.person_id == person_id,
        membership.c.role == role.value,
    )
    found = connection.execute(select(membership.c.id, membership.c.left_at).where(*mine)).first()
    if found is None:
        values = {"study_id": study_id, "person_id": person_id, "role": role.value,
                  "joined_at": stamp(now)}
        connection.execute(insert(membership), values)
        return True
    if found.left_at is None:
        return False
    connection.execute(
        update(membership)
        .where(membership.c.id == found.id)
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
    found = connection.execute(
        select(func.count())
        .select_from(membership.join(person, person.c.id == membership.c.person_id))
        .where(
            membership.c.study_id == study_id,
            membership.c.role == role.value,
            membership.c.left_at.is_(None),
            person.c.disabled_at.is_(None),
        )
    )
    return int(found.scalar_one())


def of(connection: Connection, person_ids: list[int]) -> dict[int, tuple[Member, ...]]:
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
    found: dict[int, list[Member]] = {}
    for row in rows:
        member = Member(row.study_id, row.slug, Role(row.role), row.joined_at, row.left_at)
        found.setdefault(row.person_id, []).append(member)
    return {person_id: tuple(members) for person_id, members in found.items()}


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
    found: int | None = connection.execute(theirs).scalar_one()
    return found


def is_demonstration(connection: Connection, study_id: int) -> bool | None:
    """Tell whether a study is the demonstration; None when there is no such study."""
    found = connection.execute(select(study.c.demonstration).where(study.c.id == study_id)).first()
    return None if found is None else bool(found.demonstration)
