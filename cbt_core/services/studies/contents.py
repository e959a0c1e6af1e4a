"""Studies as others ask for them: whose they are and what each holds."""

from dataclasses import dataclass
from datetime import datetime

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.domain.study_setup import StudyRow, StudySetup
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import items, studies
from db.engine import Database
from db.studies import SystemRow, VersionRow


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One study in a list; `roles` are those of the person who asked."""

    study: StudyRow
    counts: items.Counts
    systems: int
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class ItemWithAnswers:
    """One item and its answers under masked names, for a lead."""

    item: items.ItemRow
    answers: tuple[items.AnswerRow, ...]


def setup_for(database: Database, person: Person, *, slug: str, now: datetime) -> StudySetup:
    """Return what is in force in a study which the person leads."""
    lead = guard.as_lead(database, person, study=slug, act="setup_for", now=now)
    with lead.reading() as (connection, study):
        return current(connection, study.id)


def listing(database: Database, person: Person, *, now: datetime) -> list[StudyLine]:
    """Return the person's studies, oldest first; the terminal sees every one."""
    with guard.as_anyone(database, person, act="listing", now=now).reading() as connection:
        rows = (
            studies.every(connection)
            if person.is_terminal
            else studies.of_person(connection, person.id)
        )
        return [
            StudyLine(
                study,
                items.counts(connection, study.id),
                len(studies.systems(connection, study.id)),
                tuple(role for role in Role if person.has(role, study.id)),
            )
            for study in rows
        ]


def items_page(
    database: Database, person: Person, *, slug: str, now: datetime,
    offset: int = 0, limit: int = 25, search: str = "",
) -> list[ItemWithAnswers]:
    """Return some items with their answers under masked names, for the study's lead."""
    lead = guard.as_lead(database, person, study=slug, act="items_page", now=now)
    with lead.reading() as (connection, study):
        rows = items.page(connection, study.id, offset=offset, limit=limit, search=search)
        answers = items.answers(connection, [row.id for row in rows])
    by_item: dict[int, list[items.AnswerRow]] = {}
    for answer in answers:
        by_item.setdefault(answer.item_id, []).append(answer)
    return [ItemWithAnswers(row, tuple(by_item.get(row.id, ()))) for row in rows]


def item_counts(
    database: Database, person: Person, *, slug: str, now: datetime
) -> items.Counts:
    """Count what a study holds, for its lead."""
    lead = guard.as_lead(database, person, study=slug, act="item_counts", now=now)
    with lead.reading() as (connection, study):
        return items.counts(connection, study.id)


def systems_of(
    database: Database, person: Person, *, slug: str, now: datetime
) -> list[SystemRow]:
    """Return the study's systems for its lead, true names only after the unblinding.

    Before it, `name` equals `masked`, the order is that of the masked names and none is marked
    as the baseline.
    """
    lead = guard.as_lead(database, person, study=slug, act="systems_of", now=now)
    with lead.reading() as (connection, study):
        rows = studies.systems(connection, study.id)
    if study.unblinded_at:
        return rows
    hidden = [SystemRow(row.id, row.masked, row.masked, 0, baseline=False) for row in rows]
    return sorted(hidden, key=lambda row: int(row.masked.removeprefix("S")))


def versions(
    database: Database, person: Person, *, slug: str, now: datetime
) -> list[VersionRow]:
    """Return every protocol version with date, actor and reason, for the study's lead."""
    lead = guard.as_lead(database, person, study=slug, act="versions", now=now)
    with lead.reading() as (connection, study):
        return studies.protocols(connection, study.id)
