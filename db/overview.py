"""What a lead watches: pace, what is missing, practice."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from cbt_core.domain.submission import Work
from db.labelling_models import label_submission
from db.models import practice, score, seat, submission, task
from db.people_models import person

NEWEST = (task.c.id == submission.c.task_id) & (task.c.revision == submission.c.revision)
"""Joins a task to its newest submission."""


@dataclass(frozen=True, slots=True)
class MissingRow:
    """How many scores of a scale are missing for a reason, in the newest revisions."""

    scale: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class PracticeRow:
    """A rater's newest practice attempt; `passed_at` is set once the person was let in."""

    code: str
    attempt: int
    items: int
    right: int
    asked: int
    passed_at: str | None


def first_submissions(connection: Connection, study_id: int) -> dict[tuple[str, str], str]:
    """Return when each person's first submission was saved, by (code, work)."""
    return {
        (row.code, row.work): row.at
        for saved in (submission, label_submission)
        for row in connection.execute(
            select(person.c.code, task.c.work, func.min(saved.c.at).label("at"))
            .join(task, task.c.id == saved.c.task_id)
            .join(person, person.c.id == task.c.person_id)
            .where(saved.c.study_id == study_id)
            .group_by(person.c.code, task.c.work)
        )
    }


def given_scores(connection: Connection, study_id: int) -> dict[str, int]:
    """Return how many scores each scale has, of the newest revisions."""
    rows = connection.execute(
        _newest_scores(study_id, score.c.scale, func.count(score.c.value)).group_by(score.c.scale)
    )
    return {row[0]: int(row[1]) for row in rows}


def missing_scores(connection: Connection, study_id: int) -> list[MissingRow]:
    """Return missing scores by scale and reason, of the newest revisions."""
    rows = connection.execute(
        _newest_scores(study_id, score.c.scale, score.c.missing_reason, func.count())
        .where(score.c.missing_reason != "")
        .group_by(score.c.scale, score.c.missing_reason)
        .order_by(score.c.scale, score.c.missing_reason)
    )
    return [MissingRow(*row) for row in rows]


def skips(connection: Connection, study_id: int) -> dict[str, int]:
    """Return how many tasks are skipped, by reason."""
    rows = connection.execute(
        select(submission.c.skip_reason, func.count())
        .join(task, NEWEST)
        .where(submission.c.study_id == study_id, submission.c.outcome == "skipped")
        .group_by(submission.c.skip_reason)
        .order_by(submission.c.skip_reason)
    )
    return {row[0]: int(row[1]) for row in rows}


def practice_results(connection: Connection, study_id: int) -> list[PracticeRow]:
    """Return everybody's newest practice attempt, by code."""
    newest = (
        select(practice.c.person_id, func.max(practice.c.attempt).label("attempt"))
        .where(practice.c.study_id == study_id)
        .group_by(practice.c.person_id)
        .subquery()
    )
    mine = and_(seat.c.study_id == study_id, seat.c.person_id == person.c.id,
                seat.c.work == Work.RATE)
    rows = connection.execute(
        select(
            person.c.code, practice.c.attempt, func.count(), func.sum(practice.c.right),
            func.sum(practice.c.asked), seat.c.practice_at,
        )
        .join(newest, and_(newest.c.person_id == practice.c.person_id,
                           newest.c.attempt == practice.c.attempt))
        .join(person, person.c.id == practice.c.person_id)
        .outerjoin(seat, mine)
        .where(practice.c.study_id == study_id)
        .group_by(person.c.code, practice.c.attempt, seat.c.practice_at)
        .order_by(person.c.code)
    )
    return [PracticeRow(r[0], r[1], int(r[2]), int(r[3]), int(r[4]), r[5]) for r in rows]


def _newest_scores(study_id: int, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .select_from(score.join(submission, submission.c.id == score.c.submission_id))
        .join(task, NEWEST)
        .where(submission.c.study_id == study_id)
    )
