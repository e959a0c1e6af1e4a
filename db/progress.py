"""How far a study is: counts of tasks, pace, what is missing; what a withdrawal does to tasks.

Never a score by system.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, select, update

from cbt_core.domain.submission import FINISHED, PENDING, TaskState, Work
from db.tables.desk import draft, practice, score, seat, submission, task
from db.tables.labels import label_submission
from db.tables.people import person
from db.tables.studies import item

ASKED = (*PENDING, *FINISHED)
"""States of tasks that count: released and withdrawn ones are no longer asked."""


@dataclass(frozen=True, slots=True)
class RaterRow:
    """One person's progress in one study; `work` is rate or label, `seconds` are active ones."""

    code: str
    work: str
    total: int
    done: int
    skipped: int
    seconds: float
    last_at: str | None


@dataclass(frozen=True, slots=True)
class ItemProgress:
    """How many of an item's tasks are done."""

    key: str
    risk: str
    total: int
    done: int
    skipped: int
    withdrawn: bool


def tasks(connection: Connection, study_id: int) -> int:
    """Count the tasks of a study that were ever drawn."""
    return int(
        connection.execute(
            select(func.count()).select_from(task).where(task.c.study_id == study_id)
        ).scalar_one()
    )


def submissions(connection: Connection, study_id: int) -> int:
    """Count the submissions of a study, every revision."""
    return int(
        connection.execute(
            select(func.count()).select_from(submission).where(submission.c.study_id == study_id)
        ).scalar_one()
    )


def label_submissions(connection: Connection, study_id: int) -> int:
    """Count the submissions of labels of a study, every revision."""
    return int(
        connection.execute(
            select(func.count())
            .select_from(label_submission)
            .where(label_submission.c.study_id == study_id)
        ).scalar_one()
    )


def by_rater(connection: Connection, study_id: int) -> list[RaterRow]:
    """Return the progress of everybody who ever had a task, by code."""
    rows = connection.execute(
        select(
            person.c.id, person.c.code, task.c.work,
            _in_state(*ASKED).label("total"), _in_state(TaskState.DONE).label("done"),
            _in_state(TaskState.SKIPPED).label("skipped"),
        )
        .join(person, person.c.id == task.c.person_id)
        .where(task.c.study_id == study_id)
        .group_by(person.c.id, person.c.code, task.c.work)
        .order_by(person.c.code, task.c.work)
    ).all()
    seconds = _seconds(connection, study_id)
    last = _last(connection, study_id)
    return [
        RaterRow(
            r.code, r.work, r.total, r.done, r.skipped,
            seconds.get((r.id, r.work), 0.0), last.get((r.id, r.work)),
        )
        for r in rows
    ]


def by_item(connection: Connection, study_id: int) -> list[ItemProgress]:
    """Return the progress of every main item in import order (repeats are not counted)."""
    rows = connection.execute(
        select(
            item.c.key, item.c.risk, item.c.withdrawn_at,
            _in_state(*ASKED).label("total"), _in_state(TaskState.DONE).label("done"),
            _in_state(TaskState.SKIPPED).label("skipped"),
        )
        .outerjoin(task, (task.c.item_id == item.c.id) & (task.c.kind == "main"))
        .where(item.c.study_id == study_id, item.c.kind == "main")
        .group_by(item.c.id, item.c.key, item.c.risk, item.c.withdrawn_at, item.c.position)
        .order_by(item.c.position)
    )
    return [
        ItemProgress(r.key, r.risk, r.total, r.done, r.skipped, r.withdrawn_at is not None)
        for r in rows
    ]


def withdraw_tasks(connection: Connection, item_id: int) -> dict[tuple[int, str], int]:
    """Take back the item's tasks that are not done; return how many per (person id, work).

    Their drafts go, done tasks stay as they are, and the totals of the seats follow.
    """
    pending = (task.c.item_id == item_id) & task.c.state.in_(PENDING)
    ids = select(task.c.id).where(pending)
    rows = connection.execute(
        select(task.c.study_id, task.c.person_id, task.c.work, func.count().label("n"))
        .where(pending)
        .group_by(task.c.study_id, task.c.person_id, task.c.work)
    ).all()
    connection.execute(delete(draft).where(draft.c.task_id.in_(ids)))
    connection.execute(update(task).where(pending).values(state=TaskState.WITHDRAWN))
    for row in rows:
        connection.execute(
            update(seat)
            .where(
                seat.c.study_id == row.study_id,
                seat.c.person_id == row.person_id,
                seat.c.work == row.work,
            )
            .values(total=seat.c.total - row.n)
        )
    return {(row.person_id, row.work): row.n for row in rows}


def _in_state(*states: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((task.c.state.in_(states), 1), else_=0)), 0)


def _seconds(connection: Connection, study_id: int) -> dict[tuple[int, str], float]:
    rows = connection.execute(
        select(seat.c.person_id, seat.c.work, seat.c.seconds).where(seat.c.study_id == study_id)
    )
    return {(row.person_id, row.work): row.seconds for row in rows}


def _last(connection: Connection, study_id: int) -> dict[tuple[int, str], str]:
    """Return when each person last saved, by (person id, work): scores and labels."""
    return {
        (row.person_id, row.work): row.at
        for saved in (submission, label_submission)
        for row in connection.execute(
            select(task.c.person_id, task.c.work, func.max(saved.c.at).label("at"))
            .join(task, task.c.id == saved.c.task_id)
            .where(saved.c.study_id == study_id)
            .group_by(task.c.person_id, task.c.work)
        )
    }


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
    own_seat = and_(seat.c.study_id == study_id, seat.c.person_id == person.c.id,
                seat.c.work == Work.RATE)
    rows = connection.execute(
        select(
            person.c.code, practice.c.attempt, func.count(), func.sum(practice.c.right),
            func.sum(practice.c.asked), seat.c.practice_at,
        )
        .join(newest, and_(newest.c.person_id == practice.c.person_id,
                           newest.c.attempt == practice.c.attempt))
        .join(person, person.c.id == practice.c.person_id)
        .outerjoin(seat, own_seat)
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
