"""The turns of a study's life: withdraw an item, lock, unlock, unblind; each dated and signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudyRow
from cbt_core.errors import StudyError
from cbt_core.services import guard
from db import audit, items, progress, studies
from db.columns import stamp
from db.engine import Connection, Database

REASON_CHARACTERS: Final = 2_000
SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Coverage:
    """Items by how much of what was assigned is done; withdrawn ones are only in `withdrawn`."""

    complete: int
    partial: int
    untouched: int
    unassigned: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Status:
    """Progress of a study: counts only, so that it may be seen before the lock."""

    study: StudyRow
    raters: tuple[progress.RaterRow, ...]
    coverage: Coverage

    @property
    def total(self) -> int:
        """Return the number of tasks that are asked."""
        return sum(row.total for row in self.raters)

    @property
    def done(self) -> int:
        """Return the number of tasks done (skipped ones not among them)."""
        return sum(row.done for row in self.raters)

    @property
    def hours(self) -> float:
        """Return the active hours of all raters together."""
        return sum(row.seconds for row in self.raters) / SECONDS_PER_HOUR


def lock(database: Database, person: Person, *, slug: str, now: datetime) -> StudyRow:
    """Freeze a study: from now on nothing is saved in it.

    Raises:
        StudyError: nothing was assigned, or it is locked already.
    """
    lead = guard.as_lead(database, person, study=slug, act="lock", now=now)
    with lead.writing() as (connection, study):
        refuse_unless(connection, study, Stage.DRAFT, Stage.OPEN)
        if study.stage == Stage.DRAFT or not progress.tasks(connection, study.id):
            raise StudyError("lifecycle.nothing_assigned", slug=slug)
        studies.set_stage(connection, study.id, Stage.LOCKED, locked_at=stamp(now))
        held = {"submissions": progress.submissions(connection, study.id)}
        return note(connection, study, person, "study.lock", dict(held), now)


def unlock(
    database: Database, person: Person, *, slug: str, reason: str, now: datetime
) -> StudyRow:
    """Open a locked study again, before the unblinding only.

    Raises:
        StudyError: no reason, not locked, or unblinded already.
    """
    lead = guard.as_lead(database, person, study=slug, act="unlock", now=now)
    with lead.writing() as (connection, study):
        given = reason_given(reason)
        refuse_unless(connection, study, Stage.LOCKED)
        studies.set_stage(connection, study.id, Stage.OPEN, locked_at=None)
        return note(connection, study, person, "study.unlock", {"reason": given}, now)


def unblind(
    database: Database, person: Person, *, slug: str, reason: str, now: datetime
) -> StudyRow:
    """Reveal the systems' names: the one act that does, once, after the lock.

    Raises:
        StudyError: no reason, not locked, or unblinded already.
    """
    lead = guard.as_lead(database, person, study=slug, act="unblind", now=now)
    with lead.writing() as (connection, study):
        given = reason_given(reason)
        refuse_unless(connection, study, Stage.LOCKED)
        studies.set_stage(connection, study.id, Stage.UNBLINDED, unblinded_at=stamp(now))
        return note(connection, study, person, "study.unblind", {"reason": given}, now)


def withdraw_item(
    database: Database, person: Person, *, slug: str, key: str, reason: str, now: datetime
) -> int:
    """Stop asking an item; return how many tasks that were not done are taken back.

    What was rated stays, marked and dated. A locked study must be unlocked first.

    Raises:
        StudyError: no reason, no such item, withdrawn already, or the study is locked.
    """
    lead = guard.as_lead(database, person, study=slug, act="withdraw_item", now=now)
    with lead.writing() as (connection, study):
        given = reason_given(reason)
        refuse_unless(connection, study, Stage.DRAFT, Stage.OPEN)
        item = items.by_key(connection, study.id, key)
        if item is None or item.kind != "main":
            raise StudyError("lifecycle.no_item", key=key, slug=slug)
        if item.withdrawn_at:
            raise StudyError("lifecycle.withdrawn_before", key=key, day=item.withdrawn_at[:10])
        items.withdraw(connection, item.id, at=stamp(now), reason=given)
        taken = sum(progress.withdraw_tasks(connection, item.id).values())
        payload: audit.Payload = {"item": key, "reason": given, "tasks": taken}
        note(connection, study, person, "item.withdraw", payload, now)
        return taken


def status(database: Database, person: Person, *, slug: str, now: datetime) -> Status:
    """Return how far a study is: per rater and over the items."""
    lead = guard.as_lead(database, person, study=slug, act="status", now=now)
    with lead.reading() as (connection, study):
        return Status(
            study,
            tuple(progress.by_rater(connection, study.id)),
            _coverage(progress.by_item(connection, study.id)),
        )


def item_progress(
    database: Database, person: Person, *, slug: str, now: datetime
) -> list[progress.ItemProgress]:
    """Return how many of each item's tasks are done, in import order."""
    lead = guard.as_lead(database, person, study=slug, act="item_progress", now=now)
    with lead.reading() as (connection, study):
        return progress.by_item(connection, study.id)


def _coverage(rows: list[progress.ItemProgress]) -> Coverage:
    asked = [row for row in rows if not row.withdrawn]
    complete = sum(row.total > 0 and row.done + row.skipped >= row.total for row in asked)
    unassigned = sum(row.total == 0 for row in asked)
    untouched = sum(row.total > 0 and row.done + row.skipped == 0 for row in asked)
    partial = len(asked) - complete - unassigned - untouched
    return Coverage(complete, partial, untouched, unassigned, len(rows) - len(asked))


def reason_given(reason: str) -> str:
    """Return the reason without outer white space; an act without one is refused."""
    given = reason.strip()
    if not given:
        raise StudyError("lifecycle.no_reason")
    if len(given) > REASON_CHARACTERS:
        raise StudyError("lifecycle.long_reason", most=REASON_CHARACTERS)
    return given


def refuse_unless(connection: Connection, study: StudyRow, *stages: Stage) -> None:
    """Refuse unless the study is in one of these stages now (read inside the transaction)."""
    study_row = studies.by_id(connection, study.id)
    if study_row is None:
        raise StudyError("studies.unknown", slug=study.slug)
    if study_row.stage not in stages:
        raise StudyError(f"lifecycle.is_{study_row.stage}", slug=study.slug)


def note(
    connection: Connection, study: StudyRow, person: Person, action: str,
    payload: audit.Payload, now: datetime,
) -> StudyRow:
    """Add an entry to the study's chain; return the study as it now is."""
    audit.append(
        connection, study_id=study.id, actor=person.code, action=action, payload=payload, now=now
    )
    return studies.by_id(connection, study.id) or study
