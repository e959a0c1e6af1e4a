"""Adjudications: a lead's decisions about the labels of items, append-only, revision by revision.

Offsets count code points within one field of the item, end exclusive: Python string offsets.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, func, insert, select

from cbt_core.domain.labels import AdjudicationLine, LabelMark, SpanMark
from db.adjudication_models import adjudication, adjudication_label, adjudication_span
from db.clock import stamp
from db.models import item
from db.people_models import person

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
    found: dict[int, list[LabelMark]] = defaultdict(list)
    for key, name, whole in rows:
        found[key].append(LabelMark(name, bool(whole)))
    return {key: tuple(marks) for key, marks in found.items()}


def spans(connection: Connection, study_id: int) -> dict[int, tuple[SpanMark, ...]]:
    """Return the spans by decision, question before description, in reading order."""
    rows = connection.execute(
        select(adjudication_span)
        .join(adjudication, adjudication.c.id == adjudication_span.c.adjudication_id)
        .where(adjudication.c.study_id == study_id)
        .order_by(adjudication_span.c.adjudication_id, adjudication_span.c.field.desc(),
                  adjudication_span.c.start, adjudication_span.c.end, adjudication_span.c.label)
    )
    found: dict[int, list[SpanMark]] = defaultdict(list)
    for row in rows:
        found[row.adjudication_id].append(
            SpanMark(row.field, row.start, row.end, row.label, row.quote)
        )
    return {key: tuple(marks) for key, marks in found.items()}


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
