"""A study's tasks as the planner knows them, and the answers that stand behind a panel."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, select

from cbt_core.domain.assignment.tasks import CHECK_PANEL, PlannedTask
from cbt_core.domain.study import Kind
from cbt_core.domain.submission import UNASKED, TaskState, Work
from db.tables.desk import draft, task, task_slot
from db.tables.people import person
from db.tables.studies import answer, item, membership

PART_NUMBER: Final = {"better": 0, "worse": 1}


@dataclass(frozen=True, slots=True)
class Given:
    """The standing tasks of a study: for the planner, and their opaque panel names."""

    tasks: tuple[PlannedTask, ...]
    panels: dict[tuple[int, tuple[int, ...]], str]


@dataclass(frozen=True, slots=True)
class RaterRow:
    """A person who works in a study; `active` is false once they left."""

    id: int
    code: str
    active: bool


def given(connection: Connection, study_id: int, work: Work = Work.RATE) -> Given:
    """Return every task that was not taken back, with the systems in its slots."""
    slots = _slots(connection, study_id, work)
    positions: dict[int, int] = {}
    tasks: list[PlannedTask] = []
    panels: dict[tuple[int, tuple[int, ...]], str] = {}
    rows = connection.execute(
        select(
            task.c.id, task.c.person_id, task.c.item_id, task.c.kind, task.c.position,
            task.c.repeat_of, task.c.state, task.c.panel,
        )
        .where(task.c.study_id == study_id, task.c.work == work,
               task.c.state.not_in(UNASKED))
        .order_by(task.c.position, task.c.id)
    )
    for row in rows:
        positions[row.id] = row.position
        kind = Kind(row.kind)
        places = () if kind is Kind.CALIBRATION else slots.get(row.id, ())
        panel = CHECK_PANEL if kind is Kind.CHECK else tuple(sorted(places))
        if row.panel:
            panels[(row.item_id, panel)] = row.panel
        tasks.append(
            PlannedTask(
                row.person_id, row.item_id, panel, places, row.position, kind,
                positions.get(row.repeat_of) if row.repeat_of else None,
                row.state != TaskState.WAITING,
            )
        )
    return Given(tuple(tasks), panels)


def answer_ids(connection: Connection, study_id: int) -> dict[tuple[int, int], int]:
    """Return answer ids by (item, system); a check's better answer is 0 and its worse one 1."""
    rows = connection.execute(
        select(answer.c.id, answer.c.item_id, answer.c.system_id, answer.c.part)
        .join(item, item.c.id == answer.c.item_id)
        .where(item.c.study_id == study_id, item.c.kind != "calibration")
    )
    return {
        (row.item_id, PART_NUMBER.get(row.part, row.system_id)): row.id for row in rows
    }


def calibration_answers(connection: Connection, study_id: int) -> dict[int, list[int]]:
    """Return the answers of calibration items in the order of their slots."""
    rows = connection.execute(
        select(answer.c.item_id, answer.c.id)
        .join(item, item.c.id == answer.c.item_id)
        .where(item.c.study_id == study_id, item.c.kind == "calibration")
        .order_by(answer.c.id)
    )
    answers: dict[int, list[int]] = defaultdict(list)
    for item_id, answer_id in rows:
        answers[item_id].append(answer_id)
    return answers


def item_systems(
    connection: Connection, study_id: int, kind: str = "main"
) -> dict[int, tuple[int, ...]]:
    """Return the systems that answered each item still in use, in import order."""
    rows = connection.execute(
        select(item.c.id, answer.c.system_id)
        .outerjoin(answer, answer.c.item_id == item.c.id)
        .where(item.c.study_id == study_id, item.c.kind == kind, item.c.withdrawn_at.is_(None))
        .order_by(item.c.position, answer.c.system_id)
    )
    by_item: dict[int, list[int]] = defaultdict(list)
    for item_id, system_id in rows:
        by_item[item_id] += [system_id] if system_id is not None else []
    return {key: tuple(systems) for key, systems in by_item.items()}


def task_ids(connection: Connection, study_id: int, work: Work) -> dict[tuple[int, int], int]:
    """Return task ids by (person, position)."""
    rows = connection.execute(
        select(task.c.id, task.c.person_id, task.c.position).where(
            task.c.study_id == study_id, task.c.work == work
        )
    )
    return {(row.person_id, row.position): row.id for row in rows}


def set_repeats(connection: Connection, pairs: list[tuple[int, int]]) -> None:
    """Point repeats at their originals: (repeat's id, original's id)."""
    for repeat, original in pairs:
        connection.execute(
            task.update().where(task.c.id == repeat).values(repeat_of=original)
        )


def drop_waiting(
    connection: Connection, study_id: int, *, work: Work, person_ids: list[int] | None = None
) -> dict[int, int]:
    """Take back tasks nobody has opened; return how many, by person."""
    here = [task.c.study_id == study_id, task.c.work == work, task.c.state == TaskState.WAITING]
    if person_ids is not None:
        here.append(task.c.person_id.in_(person_ids))
    counts = {
        row[0]: row[1]
        for row in connection.execute(
            select(task.c.person_id, func.count()).where(*here).group_by(task.c.person_id)
        )
    }
    waiting = select(task.c.id).where(*here)
    connection.execute(delete(task_slot).where(task_slot.c.task_id.in_(waiting)))
    connection.execute(delete(draft).where(draft.c.task_id.in_(waiting)))
    connection.execute(delete(task).where(*here, task.c.repeat_of.is_not(None)))
    connection.execute(delete(task).where(*here))
    return counts


def raters(connection: Connection, study_id: int, role: str) -> list[RaterRow]:
    """Return everybody who holds or held a role in a study, by code."""
    rows = connection.execute(
        select(person.c.id, person.c.code, membership.c.left_at, person.c.disabled_at)
        .join(membership, membership.c.person_id == person.c.id)
        .where(membership.c.study_id == study_id, membership.c.role == role)
        .order_by(person.c.code)
    )
    return [
        RaterRow(row.id, row.code, row.left_at is None and row.disabled_at is None)
        for row in rows
    ]


def with_tasks(connection: Connection, study_id: int, work: Work) -> set[int]:
    """Return the ids of everybody who has tasks in a study."""
    return {
        row[0]
        for row in connection.execute(
            select(task.c.person_id).where(
                task.c.study_id == study_id, task.c.work == work,
                task.c.state.not_in(UNASKED),
            ).distinct()
        )
    }


def _slots(connection: Connection, study_id: int, work: Work) -> dict[int, tuple[int, ...]]:
    rows = connection.execute(
        select(task_slot.c.task_id, answer.c.system_id, answer.c.part)
        .join(task, task.c.id == task_slot.c.task_id)
        .join(answer, answer.c.id == task_slot.c.answer_id)
        .where(task.c.study_id == study_id, task.c.work == work)
        .order_by(task_slot.c.task_id, task_slot.c.slot)
    )
    by_task: dict[int, list[int]] = defaultdict(list)
    for task_id, system_id, part in rows:
        by_task[task_id].append(PART_NUMBER.get(part, system_id or 0))
    return {key: tuple(systems) for key, systems in by_task.items()}
