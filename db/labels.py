"""Labels: one press of save in the span marker each, append-only.

Offsets count code points within one field of the item, end exclusive: Python string offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select

from cbt_core.domain.labels import LabelMark, SpanMark
from cbt_core.domain.submission import FINISHED, Work
from db.clock import stamp
from db.labelling_models import label, label_submission, proposal, proposal_answer, span
from db.models import item, task
from db.submissions import Known

_BY_TOKEN: Final = select(
    label_submission.c.task_id, label_submission.c.revision, label_submission.c.digest,
    label_submission.c.at,
).where(label_submission.c.token == bindparam("token"))
_NEWEST: Final = (
    select(
        label_submission.c.id, label_submission.c.round, label_submission.c.revision,
        label_submission.c.outcome, label_submission.c.certainty, label_submission.c.note,
        label_submission.c.at,
    )
    .where(
        label_submission.c.task_id == bindparam("task_id"),
        label_submission.c.round == bindparam("round"),
    )
    .order_by(label_submission.c.revision.desc())
    .limit(1)
)
_LABELS: Final = (
    select(label.c.label, label.c.whole, label.c.origin)
    .where(label.c.submission_id == bindparam("id"))
    .order_by(label.c.label)
)
_SPANS: Final = (
    select(span.c.field, span.c.start, span.c.end, span.c.label, span.c.quote, span.c.origin)
    .where(span.c.submission_id == bindparam("id"))
    .order_by(span.c.field.desc(), span.c.start, span.c.end, span.c.label)
)
_ANSWERS: Final = (
    select(
        proposal_answer.c.proposal_id, proposal_answer.c.answer, proposal_answer.c.label,
        proposal_answer.c.field, proposal_answer.c.start, proposal_answer.c.end,
    )
    .where(proposal_answer.c.submission_id == bindparam("id"))
    .order_by(proposal_answer.c.proposal_id)
)
_PREVIOUS: Final = (
    select(task.c.token)
    .where(
        task.c.study_id == bindparam("study_id"),
        task.c.person_id == bindparam("person_id"),
        task.c.work == Work.LABEL,
        task.c.state.in_(FINISHED),
        task.c.position < bindparam("before"),
    )
    .order_by(task.c.position.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class ProposalAnswer:
    """What was made of a proposal: confirmed, rejected, or changed to a label (and place)."""

    proposal_id: int
    answer: str
    label: str = ""
    field: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLabels:
    """Everything one press of save holds."""

    task_id: int
    study_id: int
    person_id: int
    round: str
    revision: int
    token: str
    digest: str
    outcome: str
    certainty: int | None = None
    note: str = ""
    reason: str = ""
    skip_reason: str = ""
    layout: str = ""
    input: str = ""
    lang: str = ""
    width: int | None = None
    active_seconds: float = 0.0
    labels: Sequence[LabelMark] = ()
    spans: Sequence[SpanMark] = ()
    answers: Sequence[ProposalAnswer] = ()


@dataclass(frozen=True, slots=True)
class StoredLabels:
    """The newest revision of one round, for showing it again."""

    id: int
    round: str
    revision: int
    outcome: str
    certainty: int | None
    note: str
    at: str
    labels: tuple[LabelMark, ...]
    spans: tuple[SpanMark, ...]
    answers: tuple[ProposalAnswer, ...]


def by_token(connection: Connection, token: str) -> Known | None:
    """Return what a token was used for, if it was."""
    row = connection.execute(_BY_TOKEN, {"token": token}).first()
    return Known(*row) if row else None


def add(connection: Connection, new: NewLabels, now: datetime) -> int:
    """Store a submission with its labels, spans and answers; return its id."""
    values = {
        name: getattr(new, name)
        for name in (
            "task_id", "study_id", "person_id", "round", "revision", "token", "digest", "outcome",
            "certainty", "note", "reason", "skip_reason", "layout", "input", "lang", "width",
            "active_seconds",
        )
    }
    key = connection.execute(
        insert(label_submission).returning(label_submission.c.id), {**values, "at": stamp(now)}
    ).scalar_one()
    _add_parts(connection, int(key), new)
    return int(key)


def _add_parts(connection: Connection, key: int, new: NewLabels) -> None:
    if new.labels:
        connection.execute(
            insert(label),
            [{"submission_id": key, "label": one.label, "whole": int(one.whole),
              "origin": one.origin} for one in new.labels],
        )
    if new.spans:
        connection.execute(
            insert(span),
            [{"submission_id": key, "field": one.field, "start": one.start, "end": one.end,
              "label": one.label, "quote": one.quote, "origin": one.origin} for one in new.spans],
        )
    if new.answers:
        connection.execute(
            insert(proposal_answer),
            [{"submission_id": key, "proposal_id": one.proposal_id, "answer": one.answer,
              "label": one.label, "field": one.field, "start": one.start, "end": one.end}
             for one in new.answers],
        )


def newest(connection: Connection, task_id: int, round_name: str) -> StoredLabels | None:
    """Return the newest revision of one round of a task with its parts."""
    row = connection.execute(_NEWEST, {"task_id": task_id, "round": round_name}).first()
    if row is None:
        return None
    key = {"id": row.id}
    return StoredLabels(
        *row,
        tuple(LabelMark(one.label, bool(one.whole), one.origin)
              for one in connection.execute(_LABELS, key)),
        tuple(SpanMark(*one) for one in connection.execute(_SPANS, key)),
        tuple(ProposalAnswer(*one) for one in connection.execute(_ANSWERS, key)),
    )


def previous_token(
    connection: Connection, *, study_id: int, person_id: int, before: int
) -> str | None:
    """Return the finished label task that stands next before a position of the own sequence."""
    found = connection.execute(
        _PREVIOUS, {"study_id": study_id, "person_id": person_id, "before": before}
    ).scalar()
    return str(found) if found is not None else None


def study_has_proposals(connection: Connection, study_id: int) -> bool:
    """Tell whether a machine has proposed anything in a study."""
    found = connection.execute(
        select(proposal.c.id)
        .join(item, item.c.id == proposal.c.item_id)
        .where(item.c.study_id == study_id)
        .limit(1)
    ).first()
    return found is not None
