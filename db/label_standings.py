"""How far the annotators of an item are apart: reckoned from the blind round, kept for the queue.

The rows follow from the labels and may be thrown away; nothing a person entered stands in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)

from db.models import adjudication, item, label_standing, label_submission, task

NOT_ASKED: Final = ("released", "withdrawn")
_SAME_ITEM: Final = adjudication.c.item_id == label_standing.c.item_id
_OTHER: Final = adjudication.alias()
_NEWEST: Final = (
    select(func.max(_OTHER.c.revision))
    .where(_OTHER.c.study_id == label_standing.c.study_id,
           _OTHER.c.item_id == label_standing.c.item_id)
    .correlate(label_standing)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is reckoned for one item; `newest` is the id of the last submission reckoned in."""

    item_id: int
    voters: int
    disagreement: float
    span_disagreement: float
    newest: int


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One item of the queue; `outcome` is that of its last decision, None without one.

    `newest` is the id of the last blind submission, `seen` the JSON of those the decision saw.
    """

    item_id: int
    key: str
    question: str
    voters: int
    disagreement: float
    newest: int
    revision: int | None
    outcome: str | None
    seen: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which items a queue holds: from so many voters on, decided or not, holding these words.

    `without_person` leaves out the items a person has a label task on.
    """

    fewest_voters: int = 2
    decided: bool | None = None
    search: str = ""
    without_person: int | None = None


def new_items(connection: Connection, study_id: int) -> list[int]:
    """Return the ids of the main items that have no row yet."""
    rows = connection.execute(
        select(item.c.id)
        .outerjoin(label_standing, label_standing.c.item_id == item.c.id)
        .where(item.c.study_id == study_id, item.c.kind == "main",
               label_standing.c.item_id.is_(None))
    )
    return [row.id for row in rows]


def is_whole(connection: Connection, study_id: int) -> bool:
    """Tell whether every main item has a row and every blind submission is reckoned in."""
    counted = select(func.count()).select_from(label_standing)
    have = connection.execute(counted.where(label_standing.c.study_id == study_id)).scalar_one()
    main = select(func.count()).select_from(item)
    want = connection.execute(
        main.where(item.c.study_id == study_id, item.c.kind == "main")
    ).scalar_one()
    return bool(have == want) and not _behind(connection, study_id, 1)


def behind(connection: Connection, study_id: int) -> list[tuple[int, int]]:
    """Return (item id, id of its newest blind submission) of what is not reckoned in yet."""
    return list(_behind(connection, study_id, None).items())


def _behind(connection: Connection, study_id: int, limit: int | None) -> dict[int, int]:
    reckoned = connection.execute(
        select(func.coalesce(func.max(label_standing.c.newest), 0))
        .where(label_standing.c.study_id == study_id)
    ).scalar_one()
    rows = connection.execute(
        select(task.c.item_id, label_submission.c.id)
        .join(task, task.c.id == label_submission.c.task_id)
        .where(label_submission.c.study_id == study_id, label_submission.c.round == "blind",
               label_submission.c.id > reckoned)
        .order_by(label_submission.c.id)
        .limit(limit)
    )
    return {row.item_id: row.id for row in rows}  # the later submission takes the place


def add(connection: Connection, study_id: int, shuffle: Mapping[int, str]) -> None:
    """Add items without labels; `shuffle` is their place among items alike, by id."""
    if shuffle:
        connection.execute(insert(label_standing), [
            {"item_id": key, "study_id": study_id, "shuffle": place}
            for key, place in shuffle.items()
        ])


def put(connection: Connection, rows: Iterable[Standing]) -> None:
    """Store what was reckoned."""
    values = [
        {"key": one.item_id, "v": one.voters, "d": one.disagreement, "s": one.span_disagreement,
         "n": one.newest}
        for one in rows
    ]
    if values:
        connection.execute(
            update(label_standing)
            .where(label_standing.c.item_id == bindparam("key"))
            .values(voters=bindparam("v"), disagreement=bindparam("d"),
                    span_disagreement=bindparam("s"), newest=bindparam("n")),
            values,
        )


def page(
    connection: Connection, study_id: int, asked: Asked, *, start: int, count: int
) -> list[QueueLine]:
    """Return a page of the queue, the greatest disagreement first."""
    last = adjudication.c.revision == _NEWEST
    rows = connection.execute(
        _chosen(
            select(
                label_standing.c.item_id, item.c.key, item.c.question, label_standing.c.voters,
                label_standing.c.disagreement, label_standing.c.newest,
                adjudication.c.revision, adjudication.c.outcome, adjudication.c.seen,
            ).select_from(
                label_standing.join(item, item.c.id == label_standing.c.item_id).outerjoin(
                    adjudication,
                    (adjudication.c.study_id == label_standing.c.study_id) & _SAME_ITEM & last,
                )
            ),
            study_id, asked,
        )
        .order_by(label_standing.c.disagreement.desc(), label_standing.c.span_disagreement.desc(),
                  label_standing.c.shuffle.desc())
        .offset(start)
        .limit(count)
    )
    return [QueueLine(*row) for row in rows]


def count(connection: Connection, study_id: int, asked: Asked) -> int:
    """Count the items of a queue."""
    joined = label_standing.join(item, item.c.id == label_standing.c.item_id)
    chosen = _chosen(select(func.count()).select_from(joined), study_id, asked)
    return int(connection.execute(chosen).scalar_one())


def has_task(connection: Connection, *, item_id: int, person_id: int) -> bool:
    """Tell whether a person labels an item: labelled, opened, or still to do."""
    mine = select(task.c.id).where(_mine(person_id), task.c.item_id == item_id)
    return connection.execute(mine.limit(1)).first() is not None


def labels_here(connection: Connection, *, study_id: int, person_id: int) -> bool:
    """Tell whether a person labels anything in a study."""
    mine = select(task.c.id).where(_mine(person_id), task.c.study_id == study_id)
    return connection.execute(mine.limit(1)).first() is not None


def _chosen(statement: Select[Any], study_id: int, asked: Asked) -> Select[Any]:
    where: list[ColumnElement[bool]] = [
        label_standing.c.study_id == study_id, item.c.withdrawn_at.is_(None),
        label_standing.c.voters >= asked.fewest_voters,
    ]
    if asked.decided is not None:
        decided = exists().where(
            adjudication.c.study_id == label_standing.c.study_id, _SAME_ITEM
        ).correlate(label_standing)
        where.append(decided if asked.decided else ~decided)
    if asked.search:
        where.append(item.c.key.contains(asked.search, autoescape=True)
                     | item.c.question.contains(asked.search, autoescape=True))
    if asked.without_person is not None:
        mine = exists().where(_mine(asked.without_person), task.c.item_id == item.c.id)
        where.append(~mine.correlate(item))
    return statement.where(*where)


def _mine(person_id: int) -> ColumnElement[bool]:
    return (
        (task.c.person_id == person_id) & (task.c.work == "label")
        & task.c.state.not_in(NOT_ASKED)
    )
