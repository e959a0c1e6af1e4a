"""Submissions: one press of save each, append-only; scores, flags, preference, steps with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Insert, Row, Table, bindparam, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from cbt_core.domain.submission import (
    Circumstances,
    Flag,
    Preference,
    Rating,
    Score,
    Skip,
    StepTick,
    Submission,
)
from db.columns import stamp
from db.tables.desk import escalation, flag, preference, score, step, submission

_BY_TOKEN: Final = select(
    submission.c.task_id, submission.c.revision, submission.c.digest
).where(submission.c.token == bindparam("token"))
_NEWEST: Final = (
    select(submission)
    .where(submission.c.task_id == bindparam("task_id"))
    .order_by(submission.c.revision.desc())
    .limit(1)
)
_SCORES: Final = select(
    score.c.slot, score.c.answer_id, score.c.scale, score.c.value, score.c.missing_reason
).where(score.c.submission_id == bindparam("id"))
_FLAGS: Final = (
    select(flag.c.slot, flag.c.answer_id, flag.c.kind, flag.c.severity, flag.c.quote,
           flag.c.start, flag.c.end)
    .where(flag.c.submission_id == bindparam("id"))
    .order_by(flag.c.id)
)
_STEPS: Final = select(step.c.slot, step.c.answer_id, step.c.step, step.c.value).where(
    step.c.submission_id == bindparam("id")
)
_PREFERENCE: Final = select(preference.c.choice, preference.c.answer_id).where(
    preference.c.submission_id == bindparam("id")
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a token was used for before."""

    task_id: int
    revision: int
    digest: str


def by_token(connection: Connection, token: str) -> Known | None:
    """Return what a token was used for, if it was."""
    row = connection.execute(_BY_TOKEN, {"token": token}).first()
    return Known(**row._mapping) if row else None


def add(connection: Connection, new: Submission[Rating], now: datetime) -> int:
    """Store a submission with its parts; return its id."""
    if isinstance(new.content, Skip):
        return insert_head(connection, submission, new, now, {})
    rating = new.content
    key = insert_head(connection, submission, new, now, {
        "outcome": "scored", "reason": rating.reason, "comment": rating.comment,
        "confidence": rating.confidence,
    })
    insert_parts(connection, score, key, rating.scores)
    insert_parts(connection, flag, key, rating.flags)
    insert_parts(connection, step, key, rating.steps)
    insert_parts(connection, preference, key, [rating.preference] if rating.preference else [])
    return key


def insert_head(
    connection: Connection, table: Table, new: Submission[Any], now: datetime,
    values: dict[str, object],
) -> int:
    """Store the row of a submission, of either kind of work; return its id."""
    how = new.circumstances
    row: dict[str, object] = {
        "task_id": new.task_id, "study_id": new.study_id, "person_id": new.person_id,
        "revision": new.revision, "token": new.token, "digest": new.digest,
        "layout": how.layout, "input": how.input, "lang": how.lang, "width": how.width,
        "active_seconds": how.active_seconds, "at": stamp(now), **values,
    }
    if isinstance(new.content, Skip):
        row |= {"outcome": "skipped", "skip_reason": new.content.reason, "note": new.content.note}
    return int(connection.execute(_insert_head(table), row).scalar_one())


def insert_parts(
    connection: Connection, table: Table, submission_id: int, parts: Sequence[Any]
) -> None:
    """Store parts of a submission in a table whose columns are named as their fields."""
    if not parts:
        return
    names = parts[0].__slots__
    rows = [{name: getattr(part, name) for name in names} for part in parts]
    connection.execute(_insert(table), [{"submission_id": submission_id, **row} for row in rows])


@cache  # as every statement of a save: built once
def _insert_head(table: Table) -> ReturningInsert[int]:
    return insert(table).returning(table.c.id)


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


def read_head(row: Row[Any], content: Any, round_name: str = "") -> Submission[Any]:  # noqa: ANN401 - either kind of work
    """Return a stored row as a submission; its content, unless it was skipped, is given."""
    if row.outcome == "skipped":
        content = Skip(reason=row.skip_reason, note=row.note)
    return Submission(
        task_id=row.task_id, study_id=row.study_id, person_id=row.person_id,
        revision=row.revision, token=row.token, digest=row.digest,
        circumstances=Circumstances(
            layout=row.layout, input=row.input, lang=row.lang, width=row.width,
            active_seconds=row.active_seconds,
        ),
        content=content, round=round_name, at=row.at,
    )


def escalate(
    connection: Connection, *, study_id: int, submission_id: int, causes: Sequence[str],
    now: datetime,
) -> None:
    """Put a submission into the study's escalation queue, once per cause."""
    if causes:
        connection.execute(
            insert(escalation),
            [{"study_id": study_id, "submission_id": submission_id, "cause": cause,
              "at": stamp(now)} for cause in causes],
        )


def newest(connection: Connection, task_id: int) -> Submission[Rating] | None:
    """Return the newest revision of a task with its parts."""
    row = connection.execute(_NEWEST, {"task_id": task_id}).first()
    if row is None:
        return None
    key = {"id": row.id}
    chosen = connection.execute(_PREFERENCE, key).first()
    return read_head(row, Rating(
        scores=tuple(Score(**one._mapping) for one in connection.execute(_SCORES, key)),
        flags=tuple(Flag(**one._mapping) for one in connection.execute(_FLAGS, key)),
        steps=tuple(StepTick(**one._mapping) for one in connection.execute(_STEPS, key)),
        preference=Preference(**chosen._mapping) if chosen else None,
        comment=row.comment, confidence=row.confidence, reason=row.reason,
    ))
