"""Where raters differ: items by how far their scores lie apart, and one item's. Reading only.

Rows are the analysis set: main tasks, newest revision, nothing withdrawn or excluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Exists, Select, case, func, or_, select

from db.machine_models import judge_score, metric_score
from db.models import answer, exclusion, guess, item, score, submission, task
from db.overview import NEWEST
from db.trail_models import audit


@dataclass(frozen=True, slots=True)
class SplitItem:
    """An item two raters differ on.

    `gap`: the widest distance between two raters on one answer and scale, `spread`: the mean
    standard distance (root of the mean variance) over its answers and scales; both as shares of
    the scale's range, 0 to 1. `differing` of `units` answers × scales have any difference.
    """

    item_id: int
    key: str
    gap: float
    spread: float
    differing: int
    units: int


@dataclass(frozen=True, slots=True)
class ItemText:
    """An item as raters saw it."""

    item_id: int
    key: str
    question: str
    description: str
    risk: str


@dataclass(frozen=True, slots=True)
class AnswerText:
    """An answer of a system to an item."""

    answer_id: int
    system_id: int
    text: str


@dataclass(frozen=True, slots=True)
class OneScore:
    """One rater's score of one answer on one scale; without a value there is a reason."""

    person_id: int
    answer_id: int
    panel: str
    scale: str
    value: int | None
    missing_reason: str


def state(connection: Connection, study_id: int) -> tuple[int, ...]:
    """Return numbers that grow whenever something that results rest on is entered or decided."""
    newest = [
        select(func.max(table.c.id)).where(table.c.study_id == study_id)
        for table in (submission, guess, exclusion, metric_score, judge_score)
    ]
    decided = select(func.max(audit.c.seq)).where(audit.c.chain == str(study_id))
    return tuple(
        int(connection.execute(one).scalar() or 0) for one in (*newest, decided)
    )


def split_items(
    connection: Connection, study_id: int, *, ranges: Mapping[str, int | None],
    system_id: int | None = None,
) -> list[SplitItem]:
    """Return the items on which two raters of the same answer differ, the widest gap first.

    `ranges`: the scales to look at with highest less lowest value, None for values that are names
    (any difference is then as wide as can be).
    """
    units = _units(study_id, list(ranges), system_id).subquery()
    named = [scale for scale, size in ranges.items() if size is None]
    size = case(
        *((units.c.scale == scale, 1.0 * width) for scale, width in ranges.items() if width),
        else_=1.0,
    )
    apart = case((units.c.highest > units.c.lowest, 1.0), else_=0.0)
    mean = 1.0 * units.c.total / units.c.n
    variance = (1.0 * units.c.squares / units.c.n - mean * mean) / (size * size)
    gap = case((units.c.scale.in_(named), apart),
               else_=1.0 * (units.c.highest - units.c.lowest) / size)
    spread = case((units.c.scale.in_(named), apart), else_=variance)
    rows = connection.execute(
        select(
            item.c.id, item.c.key, func.max(gap).label("gap"), func.avg(spread).label("spread"),
            func.sum(apart), func.count(),
        )
        .select_from(units.join(item, item.c.id == units.c.item_id))
        .group_by(item.c.id, item.c.key, item.c.position)
        .having(func.max(gap) > 0)
        .order_by(func.max(gap).desc(), func.avg(spread).desc(), item.c.position)
    )
    return [
        SplitItem(row[0], row[1], float(row[2]), max(0.0, float(row[3])) ** 0.5, int(row[4]),
                  int(row[5]))
        for row in rows
    ]


def _units(study_id: int, scales: list[str], system_id: int | None) -> Select[*tuple[Any, ...]]:
    """Return answers × scales with at least two scores of the same panel."""
    value = score.c.value
    found = (
        select(
            task.c.item_id, score.c.scale, func.count(value).label("n"),
            func.min(value).label("lowest"), func.max(value).label("highest"),
            func.sum(value).label("total"), func.sum(value * value).label("squares"),
        )
        .select_from(score.join(submission, submission.c.id == score.c.submission_id))
        .join(task, NEWEST)
        .join(answer, answer.c.id == score.c.answer_id)
        .join(item, item.c.id == task.c.item_id)
        .where(
            submission.c.study_id == study_id, task.c.kind == "main", value.is_not(None),
            score.c.scale.in_(scales), answer.c.system_id.is_not(None),
            item.c.withdrawn_at.is_(None), ~_left_out(study_id),
        )
        .group_by(task.c.item_id, score.c.answer_id, task.c.panel, score.c.scale)
        .having(func.count(value) > 1)
    )
    return found if system_id is None else found.where(answer.c.system_id == system_id)


def item_text(connection: Connection, study_id: int, key: str) -> ItemText | None:
    """Return a main item by its key."""
    row = connection.execute(
        select(item.c.id, item.c.key, item.c.question, item.c.description, item.c.risk)
        .where(item.c.study_id == study_id, item.c.key == key, item.c.kind == "main")
    ).first()
    return None if row is None else ItemText(*row)


def answer_texts(connection: Connection, item_id: int) -> list[AnswerText]:
    """Return the answers of systems to an item."""
    rows = connection.execute(
        select(answer.c.id, answer.c.system_id, answer.c.text)
        .where(answer.c.item_id == item_id, answer.c.system_id.is_not(None))
        .order_by(answer.c.id)
    )
    return [AnswerText(*row) for row in rows]


def item_scores(connection: Connection, study_id: int, item_id: int) -> list[OneScore]:
    """Return every rater's scores of an item's answers."""
    rows = connection.execute(
        select(
            task.c.person_id, score.c.answer_id, task.c.panel, score.c.scale, score.c.value,
            score.c.missing_reason,
        )
        .select_from(task.join(submission, NEWEST))
        .join(score, score.c.submission_id == submission.c.id)
        .join(answer, answer.c.id == score.c.answer_id)
        .where(
            task.c.item_id == item_id, task.c.kind == "main", answer.c.system_id.is_not(None),
            ~_left_out(study_id),
        )
        .order_by(task.c.person_id, score.c.answer_id, score.c.scale)
    )
    return [OneScore(*row) for row in rows]


def _left_out(study_id: int) -> Exists:
    return (
        select(exclusion.c.id)
        .where(
            exclusion.c.study_id == study_id,
            or_(exclusion.c.person_id == task.c.person_id, exclusion.c.item_id == task.c.item_id),
        )
        .exists()
    )
