"""Adjudications: how far annotators of an item are apart, and a lead's decisions, append-only.

The distance is reckoned from the blind round and kept for the queue; decisions follow one another
revision by revision.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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

from cbt_core.domain.labels import AdjudicationLine, LabelMark, SpanMark
from db import tasks
from db.columns import stamp
from db.tables.desk import task
from db.tables.labels import (
    adjudication,
    adjudication_label,
    adjudication_span,
    label_standing,
    label_submission,
)
from db.tables.people import person
from db.tables.studies import item

_LINE: Final = (
    adjudication.c.id, adjudication.c.item_id, item.c.key.label("item"), adjudication.c.revision,
    person.c.code.label("adjudicator"), adjudication.c.outcome, adjudication.c.reason,
    adjudication.c.seen, adjudication.c.at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdjudication:
    """One decision to be stored; `seen` is JSON: the ids of the blind submissions shown."""

    study_id: int
    item_id: int
    person_id: int
    revision: int
    token: str
    digest: str
    outcome: str
    reason: str
    seen: str
    labels: Sequence[LabelMark] = ()
    spans: Sequence[SpanMark] = ()


@dataclass(frozen=True, slots=True)
class KnownDecision:
    """What a token was used for."""

    item_id: int
    revision: int
    digest: str


def by_token(connection: Connection, token: str) -> KnownDecision | None:
    """Return what a token was used for, if it was."""
    row = connection.execute(
        select(adjudication.c.item_id, adjudication.c.revision, adjudication.c.digest)
        .where(adjudication.c.token == token)
    ).first()
    return KnownDecision(*row) if row else None


def add(connection: Connection, new: NewAdjudication, now: datetime) -> int:
    """Store a decision with its labels and spans; return its id."""
    values = {
        name: getattr(new, name)
        for name in ("study_id", "item_id", "person_id", "revision", "token", "digest", "outcome",
                     "reason", "seen")
    }
    key = int(connection.execute(
        insert(adjudication).returning(adjudication.c.id), {**values, "at": stamp(now)}
    ).scalar_one())
    if new.labels:
        connection.execute(insert(adjudication_label), [
            {"adjudication_id": key, "label": one.label, "whole": int(one.whole)}
            for one in new.labels
        ])
    if new.spans:
        connection.execute(insert(adjudication_span), [
            {"adjudication_id": key, "field": one.field, "start": one.start, "end": one.end,
             "label": one.label, "quote": one.quote}
            for one in new.spans
        ])
    return key


def of_item(connection: Connection, study_id: int, item_id: int) -> list[AdjudicationLine]:
    """Return the revisions of one item's decision, first to last."""
    rows = connection.execute(
        _lines()
        .where(adjudication.c.study_id == study_id, adjudication.c.item_id == item_id)
        .order_by(adjudication.c.revision)
    )
    return [AdjudicationLine(*row) for row in rows]


def every(connection: Connection, study_id: int) -> list[AdjudicationLine]:
    """Return every revision of every decision of a study, by item key."""
    rows = connection.execute(
        _lines()
        .where(adjudication.c.study_id == study_id)
        .order_by(item.c.key, adjudication.c.revision)
    )
    return [AdjudicationLine(*row) for row in rows]


def labels(connection: Connection, study_id: int) -> dict[int, tuple[LabelMark, ...]]:
    """Return the labels by decision, in the order of the labels' ids."""
    rows = connection.execute(
        select(adjudication_label.c.adjudication_id, adjudication_label.c.label,
               adjudication_label.c.whole)
        .join(adjudication, adjudication.c.id == adjudication_label.c.adjudication_id)
        .where(adjudication.c.study_id == study_id)
        .order_by(adjudication_label.c.adjudication_id, adjudication_label.c.label)
    )
    marks_by_id: dict[int, list[LabelMark]] = defaultdict(list)
    for key, name, whole in rows:
        marks_by_id[key].append(LabelMark(name, bool(whole)))
    return {key: tuple(marks) for key, marks in marks_by_id.items()}


def spans(connection: Connection, study_id: int) -> dict[int, tuple[SpanMark, ...]]:
    """Return the spans by decision, question before description, in reading order."""
    rows = connection.execute(
        select(adjudication_span)
        .join(adjudication, adjudication.c.id == adjudication_span.c.adjudication_id)
        .where(adjudication.c.study_id == study_id)
        .order_by(adjudication_span.c.adjudication_id, adjudication_span.c.field.desc(),
                  adjudication_span.c.start, adjudication_span.c.end, adjudication_span.c.label)
    )
    marks_by_id: dict[int, list[SpanMark]] = defaultdict(list)
    for row in rows:
        marks_by_id[row.adjudication_id].append(
            SpanMark(row.field, row.start, row.end, row.label, row.quote)
        )
    return {key: tuple(marks) for key, marks in marks_by_id.items()}


def marks_of(
    connection: Connection, adjudication_id: int
) -> tuple[tuple[LabelMark, ...], tuple[SpanMark, ...]]:
    """Return the labels and the spans of one decision."""
    given = connection.execute(
        select(adjudication_label.c.label, adjudication_label.c.whole)
        .where(adjudication_label.c.adjudication_id == adjudication_id)
        .order_by(adjudication_label.c.label)
    )
    places = connection.execute(
        select(adjudication_span.c.field, adjudication_span.c.start, adjudication_span.c.end,
               adjudication_span.c.label, adjudication_span.c.quote)
        .where(adjudication_span.c.adjudication_id == adjudication_id)
        .order_by(adjudication_span.c.field.desc(), adjudication_span.c.start,
                  adjudication_span.c.end, adjudication_span.c.label)
    )
    return (
        tuple(LabelMark(name, bool(whole)) for name, whole in given),
        tuple(SpanMark(*row) for row in places),
    )


def count_items(connection: Connection, study_id: int) -> int:
    """Count the items with a decision."""
    return int(connection.execute(
        select(func.count(adjudication.c.item_id.distinct()))
        .where(adjudication.c.study_id == study_id)
    ).scalar_one())


def _lines() -> Select[Any]:
    return (
        select(*_LINE)
        .join(item, item.c.id == adjudication.c.item_id)
        .join(person, person.c.id == adjudication.c.person_id)
    )


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
class QueueAsked:
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


def add_standings(connection: Connection, study_id: int, shuffle: Mapping[int, str | None]) -> None:
    """Add items without labels; `shuffle` is their place among items alike, by id.

    None: the item is none that is studied (a quality check); it never stands in a queue.
    """
    if shuffle:
        connection.execute(insert(label_standing), [
            {"item_id": key, "study_id": study_id, "shuffle": place or "",
             "voters": NEVER if place is None else 0}
            for key, place in shuffle.items()
        ])


def put_standings(connection: Connection, rows: Iterable[Standing]) -> None:
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


def queue_page(
    connection: Connection, study_id: int, asked: QueueAsked, *, start: int, count: int
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


def count_queue(connection: Connection, study_id: int, asked: QueueAsked) -> int:
    """Count the items of a queue.

    What waits is what is ready less what is decided: few decisions are quicker to look up than
    all items.
    """
    if asked.decided is False:
        ready, decided = replace(asked, decided=None), replace(asked, decided=True)
        return count_queue(connection, study_id, ready) - count_queue(connection, study_id, decided)
    chosen = _chosen(select(func.count()).select_from(label_standing), study_id, asked)
    return int(connection.execute(chosen).scalar_one())


def _chosen(statement: Select[Any], study_id: int, asked: QueueAsked) -> Select[Any]:
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
        own_items = tasks.labelled_items(study_id, asked.without_person)
        where.append(label_standing.c.item_id.not_in(own_items))
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
