"""Scores of judge models and automatic metrics: append-only, never among people's scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from db.columns import stamp
from db.tables.runs import judge_score, metric_score
from db.tables.studies import answer, item, system


@dataclass(frozen=True, slots=True)
class AnswerToJudge:
    """An answer as a judge sees it, with its question: no system, and nothing that tells one.

    `source` is that of the question, for what may leave this machine.
    """

    answer_id: int
    question: str
    description: str
    text: str
    source: str
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeScore:
    """One score of a judge on one scale; None: it could not rate it. `reason` is its words.

    `prompt` and `instrument` are digests of what it was asked with.
    """

    answer_id: int
    judge: str
    scale: str
    value: int | None
    reason: str
    prompt: str
    instrument: str
    run: str


@dataclass(frozen=True, slots=True)
class JudgeLine:
    """A stored score with its item's key and its system's id, for an export."""

    item: str
    system_id: int
    judge: str
    scale: str
    value: int | None
    reason: str
    prompt: str
    instrument: str
    run: str


def to_judge(connection: Connection, study_id: int) -> list[AnswerToJudge]:
    """Return the answers of systems to main items, those of withdrawn items marked, by id."""
    rows = connection.execute(
        select(answer.c.id, item.c.question, item.c.description, answer.c.text, item.c.source,
               item.c.withdrawn_at.is_not(None))
        .join(item, item.c.id == answer.c.item_id)
        .where(
            item.c.study_id == study_id, item.c.kind == "main",
            answer.c.system_id.is_not(None), answer.c.part == "",
        )
        .order_by(answer.c.id)
    )
    return [
        AnswerToJudge(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows
    ]


def of_judge(connection: Connection, study_id: int, judge: str) -> list[JudgeScore]:
    """Return what is stored under a judge's name."""
    columns = judge_score.c
    rows = connection.execute(
        select(
            columns.answer_id, columns.judge, columns.scale, columns.value, columns.reason,
            columns.prompt, columns.instrument, columns.run,
        )
        .where(columns.study_id == study_id, columns.judge == judge)
        .order_by(columns.id)
    )
    return [JudgeScore(**row) for row in rows.mappings()]


def add_judge_scores(
    connection: Connection, *, study_id: int, scores: Sequence[JudgeScore], now: datetime
) -> None:
    """Store scores."""
    if scores:
        connection.execute(
            insert(judge_score),
            [{"study_id": study_id, "answer_id": one.answer_id, "judge": one.judge,
              "scale": one.scale, "value": one.value, "reason": one.reason,
              "prompt": one.prompt, "instrument": one.instrument, "run": one.run,
              "at": stamp(now)} for one in scores],
        )


def judge_lines(connection: Connection, study_id: int) -> list[JudgeLine]:
    """Return every stored score of a study."""
    columns = judge_score.c
    rows = connection.execute(
        select(
            item.c.key, answer.c.system_id, columns.judge, columns.scale, columns.value,
            columns.reason, columns.prompt, columns.instrument, columns.run,
        )
        .join(answer, answer.c.id == columns.answer_id)
        .join(item, item.c.id == answer.c.item_id)
        .where(columns.study_id == study_id)
        .order_by(item.c.key, columns.id)
    )
    return [JudgeLine(*row) for row in rows]


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


def answers_to_score(connection: Connection, study_id: int) -> list[AnswerText]:
    """Return every answer of a study that a system gave, by its real name."""
    rows = connection.execute(
        select(answer.c.id, item.c.key, system.c.name, answer.c.text)
        .join(item, item.c.id == answer.c.item_id)
        .join(system, system.c.id == answer.c.system_id)
        .where(item.c.study_id == study_id, answer.c.part == "")
    )
    return [AnswerText(*row) for row in rows]


def known_metric_scores(
    connection: Connection, study_id: int
) -> dict[tuple[int, str, str], float | None]:
    """Return the stored values by (answer, metric, signature)."""
    rows = connection.execute(
        select(metric_score.c.answer_id, metric_score.c.metric, metric_score.c.signature,
               metric_score.c.value)
        .where(metric_score.c.study_id == study_id)
    )
    return {(row.answer_id, row.metric, row.signature): row.value for row in rows}


def add_metric_scores(
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


def stored_metric_scores(connection: Connection, study_id: int) -> list[StoredScore]:
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
    stored = [StoredScore(*row) for row in rows]
    newest = {one.metric: one.signature for one in stored}
    kept = [one for one in stored if one.signature == newest[one.metric]]
    return sorted(kept, key=lambda one: (one.item, one.system, one.metric))
