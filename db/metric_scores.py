"""Automatic scores of single answers: append-only, apart from people's scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from db.clock import stamp
from db.machine_models import metric_score
from db.models import answer, item, system


@dataclass(frozen=True, slots=True)
class AnswerText:
    """An answer of a study's item by a named system."""

    answer_id: int
    item: str
    system: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScore:
    """One metric of one answer to be stored; None is an undefined score, with its reason."""

    answer_id: int
    metric: str
    signature: str
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoredScore:
    """One stored score; `system` is the masked name."""

    item: str
    system: str
    metric: str
    value: float | None
    answer_id: int
    signature: str


def answers(connection: Connection, study_id: int) -> list[AnswerText]:
    """Return every answer of a study that a system gave, by its real name."""
    rows = connection.execute(
        select(answer.c.id, item.c.key, system.c.name, answer.c.text)
        .join(item, item.c.id == answer.c.item_id)
        .join(system, system.c.id == answer.c.system_id)
        .where(item.c.study_id == study_id, answer.c.part == "")
    )
    return [AnswerText(*row) for row in rows]


def known(connection: Connection, study_id: int) -> dict[tuple[int, str, str], float | None]:
    """Return the stored values by (answer, metric, signature)."""
    rows = connection.execute(
        select(metric_score.c.answer_id, metric_score.c.metric, metric_score.c.signature,
               metric_score.c.value)
        .where(metric_score.c.study_id == study_id)
    )
    return {(row.answer_id, row.metric, row.signature): row.value for row in rows}


def add(
    connection: Connection, *, study_id: int, scores: Sequence[NewScore], now: datetime
) -> None:
    """Store scores."""
    if scores:
        connection.execute(
            insert(metric_score),
            [{"study_id": study_id, "answer_id": one.answer_id, "metric": one.metric,
              "signature": one.signature, "value": one.value, "reason": one.reason,
              "at": stamp(now)} for one in scores],
        )


def stored(connection: Connection, study_id: int) -> list[StoredScore]:
    """Return the scores of a study by item, masked system and metric.

    Of a metric stored under several signatures (another model, another tokenizer) the newest
    signature counts, for all answers alike: scores of two kinds are never mixed.
    """
    rows = connection.execute(
        select(item.c.key, system.c.masked, metric_score.c.metric, metric_score.c.value,
               metric_score.c.answer_id, metric_score.c.signature)
        .join(answer, answer.c.id == metric_score.c.answer_id)
        .join(item, item.c.id == answer.c.item_id)
        .join(system, system.c.id == answer.c.system_id)
        .where(metric_score.c.study_id == study_id)
        .order_by(metric_score.c.id)
    )
    found = [StoredScore(*row) for row in rows]
    newest = {one.metric: one.signature for one in found}
    kept = [one for one in found if one.signature == newest[one.metric]]
    return sorted(kept, key=lambda one: (one.item, one.system, one.metric))
