"""Submissions: one press of save each, append-only; scores, flags, preference, steps with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select

from db.clock import stamp
from db.models import escalation, flag, preference, score, step, submission

_BY_TOKEN: Final = select(
    submission.c.task_id, submission.c.revision, submission.c.digest, submission.c.at
).where(submission.c.token == bindparam("token"))
_NEWEST: Final = (
    select(submission)
    .where(submission.c.task_id == bindparam("task_id"))
    .order_by(submission.c.revision.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a token was used for before."""

    task_id: int
    revision: int
    digest: str
    at: str


@dataclass(frozen=True, slots=True)
class SlotScore:
    """One score: `slot` is empty for a scale of the whole task; value or reason, never both."""

    slot: str
    answer_id: int | None
    scale: str
    value: int | None
    missing_reason: str = ""


@dataclass(frozen=True, slots=True)
class SlotFlag:
    """One safety flag on an answer, with an optional quoted span (code points, end exclusive)."""

    slot: str
    answer_id: int
    kind: str
    severity: str
    quote: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class SlotStep:
    """One tick of the five-step checklist: 0 absent, 1 partial, 2 present."""

    slot: str
    answer_id: int
    step: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubmission:
    """Everything one press of save holds."""

    task_id: int
    study_id: int
    person_id: int
    revision: int
    token: str
    digest: str
    outcome: str = "scored"
    skip_reason: str = ""
    note: str = ""
    reason: str = ""
    comment: str = ""
    confidence: int | None = None
    layout: str = ""
    input: str = ""
    lang: str = ""
    width: int | None = None
    active_seconds: float = 0.0
    scores: Sequence[SlotScore] = ()
    flags: Sequence[SlotFlag] = ()
    steps: Sequence[SlotStep] = ()
    preference: tuple[str, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored submission with its parts, for re-opening a task."""

    id: int
    revision: int
    outcome: str
    comment: str
    confidence: int | None
    at: str
    scores: tuple[SlotScore, ...]
    flags: tuple[SlotFlag, ...]
    steps: tuple[SlotStep, ...]
    preference: str | None


def by_token(connection: Connection, token: str) -> Known | None:
    """Return what a token was used for, if it was."""
    row = connection.execute(_BY_TOKEN, {"token": token}).first()
    return Known(*row) if row else None


def add(connection: Connection, new: NewSubmission, now: datetime) -> int:
    """Store a submission with its parts; return its id."""
    values = {
        name: getattr(new, name)
        for name in (
            "task_id", "study_id", "person_id", "revision", "token", "digest", "outcome",
            "skip_reason", "note", "reason", "comment", "confidence", "layout", "input", "lang",
            "width", "active_seconds",
        )
    }
    key = connection.execute(
        insert(submission).returning(submission.c.id), {**values, "at": stamp(now)}
    ).scalar_one()
    _add_parts(connection, key, new)
    return int(key)


def _add_parts(connection: Connection, key: int, new: NewSubmission) -> None:
    if new.scores:
        connection.execute(
            insert(score),
            [{"submission_id": key, "slot": s.slot, "scale": s.scale, "answer_id": s.answer_id,
              "value": s.value, "missing_reason": s.missing_reason} for s in new.scores],
        )
    if new.flags:
        connection.execute(
            insert(flag),
            [{"submission_id": key, "slot": f.slot, "answer_id": f.answer_id, "kind": f.kind,
              "severity": f.severity, "quote": f.quote, "start": f.start, "end": f.end}
             for f in new.flags],
        )
    if new.steps:
        connection.execute(
            insert(step),
            [{"submission_id": key, "slot": s.slot, "step": s.step, "answer_id": s.answer_id,
              "value": s.value} for s in new.steps],
        )
    if new.preference is not None:
        choice, answer_id = new.preference
        connection.execute(
            insert(preference),
            {"submission_id": key, "choice": choice, "answer_id": answer_id},
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


def newest(connection: Connection, task_id: int) -> Stored | None:
    """Return the newest revision of a task with its parts."""
    row = connection.execute(_NEWEST, {"task_id": task_id}).first()
    if row is None:
        return None
    key = {"id": row.id}
    scores = connection.execute(
        select(score.c.slot, score.c.answer_id, score.c.scale, score.c.value,
               score.c.missing_reason).where(score.c.submission_id == bindparam("id")), key)
    flags = connection.execute(
        select(flag.c.slot, flag.c.answer_id, flag.c.kind, flag.c.severity, flag.c.quote,
               flag.c.start, flag.c.end).where(flag.c.submission_id == bindparam("id"))
        .order_by(flag.c.id), key)
    steps = connection.execute(
        select(step.c.slot, step.c.answer_id, step.c.step, step.c.value)
        .where(step.c.submission_id == bindparam("id")), key)
    chosen = connection.execute(
        select(preference.c.choice).where(preference.c.submission_id == bindparam("id")), key
    ).scalar()
    return Stored(
        row.id, row.revision, row.outcome, row.comment, row.confidence, row.at,
        tuple(SlotScore(*s) for s in scores), tuple(SlotFlag(*f) for f in flags),
        tuple(SlotStep(*s) for s in steps), chosen,
    )
