"""What a lead watches while a study runs: who is where, what is missing, who needs a word.

Counts only: no score by system can be read from anything here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study_setup import StudyRow
from cbt_core.domain.submission import ROLE_OF
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import assignment, audit, progress, seats
from db.columns import moment
from db.engine import Connection, Database
from db.progress import ItemProgress, MissingRow, RaterRow

IDLE: Final = timedelta(days=5)
"""Without a save for so long while tasks wait, a person may need a word."""

SLOW_SHARE: Final = 0.5
"""Less than this part of the others' usual share is slow…"""

SLOW_FROM: Final = 0.2
"""… once the others have done this much."""

PACE_FROM: Final = 3
"""Tasks after which a pace, and so an end, can be told."""


@dataclass(frozen=True, slots=True)
class Pace:
    """One person's work in a study.

    `hours` are active ones; `per_day` counts tasks by calendar time since the first save; `finish`
    is expected if this goes on. `behind` is empty, not_begun, idle or slow.
    """

    code: str
    work: str
    active: bool
    total: int
    done: int
    skipped: int
    hours: float
    last_at: datetime | None
    per_day: float | None
    finish: datetime | None
    behind: str

    @property
    def left(self) -> int:
        """Return how many tasks wait."""
        return max(0, self.total - self.done - self.skipped)


@dataclass(frozen=True, slots=True)
class Practised:
    """A rater's newest practice attempt; `state` is under_way, passed, again or held."""

    code: str
    attempt: int
    right: int
    asked: int
    state: str


@dataclass(frozen=True, slots=True)
class Watch:
    """A study as its lead watches it. `given` counts scores by scale, `skips` tasks by reason."""

    study: StudyRow
    people: tuple[Pace, ...]
    items: tuple[ItemProgress, ...]
    given: Mapping[str, int]
    missing: tuple[MissingRow, ...]
    skips: Mapping[str, int]
    practice: tuple[Practised, ...]

    @property
    def total(self) -> int:
        """Return the number of tasks that are asked."""
        return sum(one.total for one in self.people)

    @property
    def done(self) -> int:
        """Return the number of tasks done, skipped ones not among them."""
        return sum(one.done for one in self.people)

    @property
    def skipped(self) -> int:
        """Return the number of tasks skipped."""
        return sum(one.skipped for one in self.people)


def watch(database: Database, person: Person, *, slug: str, now: datetime) -> Watch:
    """Return how a study goes, for its lead.

    Raises:
        Refused: the person does not lead it.
    """
    lead = guard.as_lead(database, person, study=slug, act="watch", now=now)
    with lead.reading() as (connection, study):
        return Watch(
            study=study,
            people=_people(connection, study.id, now),
            items=tuple(progress.by_item(connection, study.id)),
            given=progress.given_scores(connection, study.id),
            missing=tuple(progress.missing_scores(connection, study.id)),
            skips=progress.skips(connection, study.id),
            practice=_practice(connection, study.id),
        )


def chain_head(database: Database, person: Person, *, slug: str, now: datetime) -> str:
    """Return the newest hash of a study's audit chain, for its lead to keep elsewhere."""
    lead = guard.as_lead(database, person, study=slug, act="chain_head", now=now)
    with lead.reading() as (connection, study):
        return audit.head(connection, study.id)


def _people(connection: Connection, study_id: int, now: datetime) -> tuple[Pace, ...]:
    rows = progress.by_rater(connection, study_id)
    first = progress.first_submissions(connection, study_id)
    active = {
        (row.code, work)
        for work, role in ROLE_OF.items()
        for row in assignment.raters(connection, study_id, role.value)
        if row.active
    }
    at_work = [row for row in rows if (row.code, row.work) in active]
    return tuple(
        _pace(row, first.get((row.code, row.work)), _usual(at_work, row.work), now,
              active=(row.code, row.work) in active)
        for row in rows
    )


def _pace(
    row: RaterRow, first: str | None, usual: float, now: datetime, *, active: bool
) -> Pace:
    left = max(0, row.total - row.done - row.skipped)
    last = moment(row.last_at) if row.last_at else None
    per_day = _per_day(row, moment(first), now) if first else None
    finish = now + timedelta(days=left / per_day) if per_day and left and active else None
    behind = _behind(row, last, usual, now) if active and left else ""
    return Pace(
        row.code, row.work, active, row.total, row.done, row.skipped, row.seconds / 3600, last,
        per_day, finish, behind,
    )


def _per_day(row: RaterRow, first: datetime, now: datetime) -> float | None:
    finished = row.done + row.skipped
    if finished < PACE_FROM:
        return None
    return finished / max(1.0, (now - first) / timedelta(days=1))


def _behind(row: RaterRow, last: datetime | None, usual: float, now: datetime) -> str:
    if last is None:
        return "not_begun" if usual > 0 else ""
    if now - last >= IDLE:
        return "idle"
    is_slow = usual >= SLOW_FROM and _share(row) < SLOW_SHARE * usual
    return "slow" if is_slow else ""


def _usual(rows: Sequence[RaterRow], work: str) -> float:
    """Return the middle share of finished tasks among those who do the same work."""
    shares = [_share(row) for row in rows if row.work == work and row.total]
    return median(shares) if shares else 0.0


def _share(row: RaterRow) -> float:
    return (row.done + row.skipped) / row.total if row.total else 1.0


def _practice(connection: Connection, study_id: int) -> tuple[Practised, ...]:
    asked = len(current(connection, study_id).protocol.raters.practice)
    return tuple(
        Practised(
            row.code, row.attempt, row.right, row.asked,
            _practice_state(passed=row.passed_at is not None, whole=row.items >= asked,
                            attempt=row.attempt),
        )
        for row in progress.practice_results(connection, study_id)
    )


def _practice_state(*, passed: bool, whole: bool, attempt: int) -> str:
    if passed:
        return "passed"
    if not whole:
        return "under_way"
    return "held" if attempt >= seats.ATTEMPTS else "again"
