"""How far the annotators of an item are apart: reckoned from the blind round, kept for the queue.

The rows follow from the labels and may be thrown away; nothing a person entered stands in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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

from db import own_tasks
from db.adjudication_models import adjudication, label_standing
from db.labelling_models import label_submission
from db.models import item, task

NEVER: Final = -1
"""Voters of an item that is none of those studied."""

_SAME_ITEM: Final = adjudication.c.item_id == label_standing.c.item_id
_OTHER: Final = adjudication.alias()
_NEWEST: Final = (
    select(func.max(_OTHER.c.revision))
    .where(_OTHER.c.study_id == label_standing.c.study_id,
           _OTHER.c.item_id == label_standing.c.item_id)
    .correlate(label_standing)
    .scalar_subquery()
)


_ORDER: Final = (
    label_standing.c.disagreement.desc(), label_standing.c.span_disagreement.desc(),
    label_standing.c.shuffle.desc(),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is reckoned for one item, up to the submission `newest` (an id)."""

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


def new_items(connection: Connection, study_id: int) -> dict[int, bool]:
    """Return the items that have no row yet: id, and whether it is a main item."""
    rows = connection.execute(
        select(item.c.id, item.c.kind)
        .outerjoin(label_standing, label_standing.c.item_id == item.c.id)
        .where(item.c.study_id == study_id, label_standing.c.item_id.is_(None))
    )
    return {row.id: row.kind == "main" for row in rows}


def is_whole(connection: Connection, study_id: int) -> bool:
    """Tell whether every item has a row and every blind submission is reckoned in.

    Both counts read an index alone.
    """
    have, want = (
        connection.execute(
            select(func.count()).select_from(table).where(table.c.study_id == study_id)
        ).scalar_one()
        for table in (label_standing, item)
    )
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


def add(connection: Connection, study_id: int, shuffle: Mapping[int, str | None]) -> None:
    """Add items without labels; `shuffle` is their place among items alike, by id.

    None: the item is none that is studied (a quality check); it never stands in a queue.
    """
    if shuffle:
        connection.execute(insert(label_standing), [
            {"item_id": key, "study_id": study_id, "shuffle": place or "",
             "voters": NEVER if place is None else 0}
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
    chosen = (  # from the index in its order; only what is shown is then joined
        _chosen(select(label_standing.c.item_id), study_id, asked)
        .order_by(*_ORDER)
        .offset(start)
        .limit(count)
    )
    rows = connection.execute(
        select(
            label_standing.c.item_id, item.c.key, item.c.question, label_standing.c.voters,
            label_standing.c.disagreement, label_standing.c.newest,
            adjudication.c.revision, adjudication.c.outcome, adjudication.c.seen,
        )
        .select_from(
            label_standing.join(item, item.c.id == label_standing.c.item_id).outerjoin(
                adjudication,
                (adjudication.c.study_id == label_standing.c.study_id) & _SAME_ITEM
                & (adjudication.c.revision == _NEWEST),
            )
        )
        .where(label_standing.c.item_id.in_(chosen))
        .order_by(*_ORDER)
    )
    return [QueueLine(*row) for row in rows]


def count(connection: Connection, study_id: int, asked: Asked) -> int:
    """Count the items of a queue.

    What waits is what is ready less what is decided: few decisions are quicker to look up than
    all items.
    """
    if asked.decided is False:
        ready, decided = replace(asked, decided=None), replace(asked, decided=True)
        return count(connection, study_id, ready) - count(connection, study_id, decided)
    chosen = _chosen(select(func.count()).select_from(label_standing), study_id, asked)
    return int(connection.execute(chosen).scalar_one())


def _chosen(statement: Select[Any], study_id: int, asked: Asked) -> Select[Any]:
    withdrawn = select(item.c.id).where(
        item.c.study_id == study_id, item.c.withdrawn_at.is_not(None)
    )
    where: list[ColumnElement[bool]] = [
        label_standing.c.study_id == study_id, label_standing.c.voters >= asked.fewest_voters,
        label_standing.c.item_id.not_in(withdrawn),
    ]
    if asked.decided is not None:
        where.append(_is_decided(study_id, decided=asked.decided))
    if asked.search:
        where.append(label_standing.c.item_id.in_(_found(study_id, asked.search)))
    if asked.without_person is not None:
        mine = own_tasks.labelled_items(study_id, asked.without_person)
        where.append(label_standing.c.item_id.not_in(mine))
    return statement.where(*where)


def _is_decided(study_id: int, *, decided: bool) -> ColumnElement[bool]:
    if decided:
        done = select(adjudication.c.item_id).where(adjudication.c.study_id == study_id)
        return label_standing.c.item_id.in_(done)
    none = exists().where(adjudication.c.study_id == study_id, _SAME_ITEM)
    return ~none.correlate(label_standing)


def _found(study_id: int, words: str) -> Select[tuple[int]]:
    return select(item.c.id).where(
        item.c.study_id == study_id,
        item.c.key.contains(words, autoescape=True)
        | item.c.question.contains(words, autoescape=True),
    )
