"""Tasks: one item shown to one rater, its answers in stored slots; drafts; a person's own.

Statements of the save are built once: the sheet runs them at every press.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from cbt_core.domain.study import Stage
from cbt_core.domain.submission import FINISHED, PENDING, UNASKED, TaskState, Work
from db.columns import stamp
from db.tables.desk import draft, seat, submission, task, task_slot
from db.tables.labels import label_submission
from db.tables.studies import answer, item, study


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task with what its study, item and rater's seat say about it."""

    id: int
    token: str
    study_id: int
    person_id: int
    item_id: int
    work: Work
    kind: str
    state: TaskState
    revision: int
    position: int
    opened_at: str | None
    repeat_of: int | None
    slug: str
    title: str
    stage: Stage
    item_key: str
    question: str
    description: str
    risk: str
    total: int
    done: int
    seconds: float
    seconds_at_break: float
    risk_items: int
    consent_at: str | None
    final_at: str | None

    @property
    def is_read_only(self) -> bool:
        """Tell whether the task can be read, but not changed: not open, or final."""
        return self.stage != Stage.OPEN or self.final_at is not None


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One answer of a task where it stands."""

    slot: str
    answer_id: int
    text: str


@dataclass(frozen=True, slots=True)
class DraftRow:
    """The newest unsaved entries of a task as JSON text."""

    sequence: int
    entries: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be stored; `slots` maps slot to answer id."""

    token: str
    study_id: int
    person_id: int
    item_id: int
    position: int
    slots: Mapping[str, int]
    work: Work = Work.RATE
    kind: str = "main"
    panel: str = ""
    repeat_of: int | None = None


_FIND = (
    select(
        task.c.id, task.c.token, task.c.study_id, task.c.person_id, task.c.item_id, task.c.work,
        task.c.kind, task.c.state, task.c.revision, task.c.position, task.c.opened_at,
        task.c.repeat_of, study.c.slug, study.c.title, study.c.stage,
        item.c.key.label("item_key"), item.c.question,
        item.c.description, item.c.risk, seat.c.total, seat.c.done, seat.c.seconds,
        seat.c.seconds_at_break, seat.c.risk_items, seat.c.consent_at, seat.c.final_at,
    )
    .select_from(
        task.join(study, study.c.id == task.c.study_id)
        .join(item, item.c.id == task.c.item_id)
        .join(
            seat,
            (seat.c.study_id == task.c.study_id)
            & (seat.c.person_id == task.c.person_id)
            & (seat.c.work == task.c.work),
        )
    )
    .where(task.c.token == bindparam("token"))
)
_STUDY = select(task.c.study_id).where(task.c.token == bindparam("token"))
_SLOTS = (
    select(task_slot.c.slot, task_slot.c.answer_id, answer.c.text)
    .join(answer, answer.c.id == task_slot.c.answer_id)
    .where(task_slot.c.task_id == bindparam("task_id"))
    .order_by(task_slot.c.slot)
)
_NEXT = (
    select(task.c.token)
    .where(
        task.c.study_id == bindparam("study_id"),
        task.c.person_id == bindparam("person_id"),
        task.c.work == bindparam("work"),
        task.c.state == bindparam("state"),
    )
    .order_by(task.c.position)
    .limit(1)
)
_DRAFT = select(draft.c.sequence, draft.c.entries).where(draft.c.task_id == bindparam("task_id"))
_ADD_DRAFT = insert(draft)
_CHANGE_DRAFT = (
    update(draft)
    .where(draft.c.task_id == bindparam("key"))
    .values({name: bindparam(name) for name in ("sequence", "entries", "at")})
)
_DROP = delete(draft).where(draft.c.task_id == bindparam("task_id"))
_SET_STATE = (
    update(task)
    .where(task.c.id == bindparam("task_id"))
    .values(state=bindparam("new_state"), revision=bindparam("new_revision"))
)
_OPEN = (
    update(task)
    .where(task.c.id == bindparam("task_id"), task.c.state == TaskState.WAITING)
    .values(state=TaskState.OPENED, opened_at=bindparam("at"))
)
_PENDING_REPEAT = (
    select(task.c.id)
    .where(task.c.repeat_of == bindparam("task_id"), task.c.state.in_(PENDING))
    .limit(1)
)


def find(connection: Connection, token: str) -> TaskRow | None:
    """Return a task by its opaque token."""
    row = connection.execute(_FIND, {"token": token}).first()
    if row is None:
        return None
    return TaskRow(**{
        **row._mapping, "work": Work(row.work), "state": TaskState(row.state),
        "stage": Stage(row.stage),
    })


def study_of(connection: Connection, token: str) -> int | None:
    """Return the study of a task; None when there is no such task."""
    return connection.execute(_STUDY, {"token": token}).scalar()


def slots(connection: Connection, task_id: int) -> list[SlotRow]:
    """Return a task's answers in slot order."""
    return [SlotRow(*row) for row in connection.execute(_SLOTS, {"task_id": task_id})]


def next_token(
    connection: Connection, *, study_id: int, person_id: int, work: Work = Work.RATE
) -> str | None:
    """Return the task to do next: one already opened, else the first that waits."""
    for state in PENDING:  # two index look-ups; one query over both states would sort them all
        token = connection.execute(
            _NEXT, {"study_id": study_id, "person_id": person_id, "work": work, "state": state}
        ).scalar()
        if token is not None:
            return str(token)
    return None


def has_pending_repeat(connection: Connection, task_id: int) -> bool:
    """Tell whether a repeat of this task is still to come."""
    return connection.execute(_PENDING_REPEAT, {"task_id": task_id}).first() is not None


def mark_opened(connection: Connection, task_id: int, now: datetime) -> None:
    """Note that the rater has seen the task: from now on it is never moved."""
    connection.execute(_OPEN, {"task_id": task_id, "at": stamp(now)})


def set_state(connection: Connection, task_id: int, *, state: TaskState, revision: int) -> None:
    """Set a task's state and the number of its newest revision."""
    connection.execute(
        _SET_STATE, {"task_id": task_id, "new_state": state, "new_revision": revision}
    )


def draft_of(connection: Connection, task_id: int) -> DraftRow | None:
    """Return the task's draft, if there is one."""
    row = connection.execute(_DRAFT, {"task_id": task_id}).first()
    return DraftRow(*row) if row else None


def keep_draft(
    connection: Connection, task_id: int, *, sequence: int, entries: str, now: datetime
) -> int:
    """Store a draft unless a later one is there already; return the sequence that stands."""
    standing = draft_of(connection, task_id)
    values = {"sequence": sequence, "entries": entries, "at": stamp(now)}
    if standing is None:
        connection.execute(_ADD_DRAFT, {"task_id": task_id, **values})
    elif standing.sequence >= sequence:
        return standing.sequence
    else:
        connection.execute(_CHANGE_DRAFT, {"key": task_id, **values})
    return sequence


def drop_draft(connection: Connection, task_id: int) -> None:
    """Delete a draft: its entries are saved, or given up with a skip."""
    connection.execute(_DROP, {"task_id": task_id})


def insert_many(connection: Connection, tasks: Sequence[NewTask]) -> list[int]:
    """Store tasks with their slots; return the ids in the same order."""
    if not tasks:
        return []
    connection.execute(
        insert(task),
        [
            {"token": new.token, "study_id": new.study_id, "person_id": new.person_id,
             "item_id": new.item_id, "work": new.work, "kind": new.kind, "panel": new.panel,
             "position": new.position, "repeat_of": new.repeat_of}
            for new in tasks
        ],
    )
    ids = _ids(connection, [new.token for new in tasks])
    rows = [
        {"task_id": ids[new.token], "slot": slot, "answer_id": answer_id}
        for new in tasks
        for slot, answer_id in new.slots.items()
    ]
    if rows:
        connection.execute(insert(task_slot), rows)
    return [ids[new.token] for new in tasks]


def _ids(connection: Connection, tokens: Sequence[str], chunk: int = 5000) -> dict[str, int]:
    by_token: dict[str, int] = {}
    for start in range(0, len(tokens), chunk):
        part = tokens[start : start + chunk]
        by_token.update(
            (token, key)
            for key, token in connection.execute(
                select(task.c.id, task.c.token).where(task.c.token.in_(part))
            )
        )
    return by_token


def token_of(connection: Connection, task_id: int) -> str:
    """Return the opaque token of a task."""
    return str(
        connection.execute(select(task.c.token).where(task.c.id == task_id)).scalar_one()
    )


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


def done_tasks(
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


def tasks_to_guess(connection: Connection, *, study_id: int, person_id: int) -> list[int]:
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


def shown_item(connection: Connection, task_id: int) -> ShownRow:
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


def labels_items(
    connection: Connection, *, study_id: int, person_id: int, item_id: int | None = None
) -> bool:
    """Tell whether a person labels an item of a study, or any."""
    wanted = labelled_items(study_id, person_id)
    if item_id is not None:
        wanted = wanted.where(task.c.item_id == item_id)
    return connection.execute(wanted.limit(1)).first() is not None
