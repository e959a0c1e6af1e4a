"""How far a study is: counts of tasks, never a score; and what a withdrawal does to tasks."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, delete, func, select, update

from cbt_core.domain.submission import FINISHED, PENDING, TaskState
from db.labelling_models import label_submission
from db.models import draft, item, seat, submission, task
from db.people_models import person

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
