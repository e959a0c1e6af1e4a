"""A person's own tasks as lists: what is done, and what the closing question may show."""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, select

from cbt_core.domain.submission import FINISHED, UNASKED, TaskState, Work
from db.labelling_models import label_submission
from db.models import item, submission, task, task_slot


@dataclass(frozen=True, slots=True)
class DoneRow:
    """One finished task with its newest submission."""

    id: int
    token: str
    position: int
    question: str
    state: str
    revision: int
    at: str
    active_seconds: float


@dataclass(frozen=True, slots=True)
class ShownRow:
    """The item of one task."""

    token: str
    question: str
    description: str


def done(
    connection: Connection, *, study_id: int, person_id: int, start: int, count: int,
    work: Work = Work.RATE,
) -> list[DoneRow]:
    """Return finished tasks, newest position first."""
    saved = label_submission if work == Work.LABEL else submission
    page = (  # from the index alone; only what is shown is then joined
        select(task.c.id, task.c.position)
        .where(task.c.study_id == study_id, task.c.person_id == person_id,
               task.c.work == work, task.c.state.in_(FINISHED))
        .order_by(task.c.position.desc())
        .offset(start)
        .limit(count)
        .subquery()
    )
    rows = connection.execute(
        select(
            task.c.id, task.c.token, task.c.position, item.c.question, task.c.state,
            task.c.revision, saved.c.at, saved.c.active_seconds,
        )
        .select_from(
            page.join(task, task.c.id == page.c.id)
            .join(item, item.c.id == task.c.item_id)
            .join(saved, (saved.c.task_id == task.c.id) & (saved.c.revision == task.c.revision))
        )
        .order_by(page.c.position.desc())
    )
    return [DoneRow(*row) for row in rows]


def count_done(
    connection: Connection, *, study_id: int, person_id: int, work: Work = Work.RATE
) -> int:
    """Return how many tasks a person has finished."""
    return int(
        connection.execute(
            select(func.count()).select_from(task).where(
                task.c.study_id == study_id, task.c.person_id == person_id,
                task.c.work == work, task.c.state.in_(FINISHED),
            )
        ).scalar_one()
    )


def for_guessing(connection: Connection, *, study_id: int, person_id: int) -> list[int]:
    """Return the ids of scored main tasks with two or more answers, by position."""
    rows = connection.execute(
        select(task.c.id)
        .join(task_slot, task_slot.c.task_id == task.c.id)
        .where(task.c.study_id == study_id, task.c.person_id == person_id,
               task.c.work == Work.RATE, task.c.kind == "main", task.c.state == TaskState.DONE)
        .group_by(task.c.id, task.c.position)
        .having(func.count() > 1)
        .order_by(task.c.position)
    )
    return [row[0] for row in rows]


def shown(connection: Connection, task_id: int) -> ShownRow:
    """Return the item a task showed."""
    row = connection.execute(
        select(task.c.token, item.c.question, item.c.description)
        .join(item, item.c.id == task.c.item_id)
        .where(task.c.id == task_id)
    ).one()
    return ShownRow(*row)


def labelled_items(study_id: int, person_id: int) -> Select[tuple[int]]:
    """Return the query for the items a person labels in a study: done, or still to do."""
    return select(task.c.item_id).where(
        task.c.study_id == study_id, task.c.person_id == person_id, task.c.work == Work.LABEL,
        task.c.state.not_in(UNASKED),
    )


def labels(
    connection: Connection, *, study_id: int, person_id: int, item_id: int | None = None
) -> bool:
    """Tell whether a person labels an item of a study, or any."""
    wanted = labelled_items(study_id, person_id)
    if item_id is not None:
        wanted = wanted.where(task.c.item_id == item_id)
    return connection.execute(wanted.limit(1)).first() is not None
