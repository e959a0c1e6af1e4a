"""What an analysis needs beside the export's rows: sizes, machine scores, who came and left."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from cbt_core.domain.submission import AnswerSize, ItemLine, JudgeLine, MemberLine, MetricLine
from db.labelling_models import label_submission
from db.machine_models import judge_score, metric_score
from db.models import answer, item, membership, submission
from db.people_models import person


def answer_sizes(connection: Connection, study_id: int) -> Iterator[AnswerSize]:
    """Yield the answers of systems to main items, by item key and system."""
    rows = connection.execute(
        select(answer.c.id, item.c.key, answer.c.system_id, func.length(answer.c.text))
        .join(item, item.c.id == answer.c.item_id)
        .where(
            item.c.study_id == study_id, item.c.kind == "main", answer.c.system_id.is_not(None)
        )
        .order_by(item.c.key, answer.c.system_id)
    )
    for row in rows:
        yield AnswerSize(row[0], row[1], row[2], int(row[3]))


def metric_scores(connection: Connection, study_id: int) -> list[MetricLine]:
    """Return the automatic metrics of a study's answers, oldest first."""
    rows = connection.execute(
        select(
            metric_score.c.answer_id, metric_score.c.metric, metric_score.c.signature,
            metric_score.c.value,
        )
        .where(metric_score.c.study_id == study_id)
        .order_by(metric_score.c.id)
    )
    return [MetricLine(*row) for row in rows]


def judge_scores(connection: Connection, study_id: int) -> list[JudgeLine]:
    """Return the judge models' scores of a study's answers, oldest first."""
    rows = connection.execute(
        select(
            judge_score.c.answer_id, judge_score.c.judge, judge_score.c.scale, judge_score.c.value
        )
        .where(judge_score.c.study_id == study_id)
        .order_by(judge_score.c.id)
    )
    return [JudgeLine(*row) for row in rows]


def items(connection: Connection, study_id: int) -> list[ItemLine]:
    """Return every item of a study, by key."""
    rows = connection.execute(
        select(
            item.c.key, item.c.kind, item.c.risk, item.c.withdrawn_at, item.c.withdrawn_reason,
            item.c.inclusion_probability,
        )
        .where(item.c.study_id == study_id)
        .order_by(item.c.key)
    )
    return [ItemLine(*row) for row in rows]


def members(connection: Connection, study_id: int) -> list[MemberLine]:
    """Return who holds or held a role in a study, by code."""
    rows = connection.execute(
        select(person.c.code, membership.c.role, membership.c.joined_at, membership.c.left_at)
        .join(person, person.c.id == membership.c.person_id)
        .where(membership.c.study_id == study_id)
        .order_by(person.c.code, membership.c.role)
    )
    return [MemberLine(*row) for row in rows]


def first_entry_at(connection: Connection, study_id: int) -> str | None:
    """Return when the first score or label of a study was saved; None before it."""
    found = [
        connection.execute(
            select(func.min(table.c.at)).where(table.c.study_id == study_id)
        ).scalar()
        for table in (submission, label_submission)
    ]
    return min((str(at) for at in found if at), default=None)
