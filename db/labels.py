"""Labels: one press of save in the span marker each, append-only.

Offsets count code points within one field of the item, end exclusive: Python string offsets.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select

from cbt_core.domain.labels import ItemLabels, LabelMark, LabelSubmission, ProposalAnswer, SpanMark
from cbt_core.domain.submission import FINISHED, Skip, Work
from db.submissions import Known, insert_head, insert_parts, read_head
from db.tables.desk import task
from db.tables.labels import label, label_submission, proposal, proposal_answer, span
from db.tables.studies import item

_BY_TOKEN: Final = select(
    label_submission.c.task_id, label_submission.c.revision, label_submission.c.digest
).where(label_submission.c.token == bindparam("token"))
_NEWEST: Final = (
    select(label_submission)
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


def by_token(connection: Connection, token: str) -> Known | None:
    """Return what a token was used for, if it was."""
    row = connection.execute(_BY_TOKEN, {"token": token}).first()
    return Known(**row._mapping) if row else None


def add(connection: Connection, new: LabelSubmission, now: datetime) -> int:
    """Store a submission with its labels, spans and answers; return its id."""
    values: dict[str, object] = {"round": new.round}
    if isinstance(new.content, Skip):
        return insert_head(connection, label_submission, new, now, values)
    given = new.content
    key = insert_head(connection, label_submission, new, now, {
        **values, "outcome": given.outcome, "certainty": given.certainty, "note": given.note,
        "reason": given.reason,
    })
    if given.labels:
        connection.execute(
            insert(label),
            [{"submission_id": key, "label": mark.label, "whole": int(mark.whole),
              "origin": mark.origin} for mark in given.labels],
        )
    insert_parts(connection, span, key, given.spans)
    insert_parts(connection, proposal_answer, key, given.answers)
    return key


def newest(connection: Connection, task_id: int, round_name: str) -> LabelSubmission | None:
    """Return the newest revision of one round of a task with its parts."""
    row = connection.execute(_NEWEST, {"task_id": task_id, "round": round_name}).first()
    if row is None:
        return None
    key = {"id": row.id}
    return read_head(row, ItemLabels(
        outcome=row.outcome, certainty=row.certainty, note=row.note, reason=row.reason,
        labels=tuple(LabelMark(mark.label, bool(mark.whole), mark.origin)
                     for mark in connection.execute(_LABELS, key)),
        spans=tuple(SpanMark(**mark._mapping) for mark in connection.execute(_SPANS, key)),
        answers=tuple(
            ProposalAnswer(**answer._mapping) for answer in connection.execute(_ANSWERS, key)
        ),
    ), round_name)


def previous_token(
    connection: Connection, *, study_id: int, person_id: int, before: int
) -> str | None:
    """Return the finished label task that stands next before a position of the own sequence."""
    token = connection.execute(
        _PREVIOUS, {"study_id": study_id, "person_id": person_id, "before": before}
    ).scalar()
    return str(token) if token is not None else None


def study_has_proposals(connection: Connection, study_id: int) -> bool:
    """Tell whether a machine has proposed anything in a study."""
    row = connection.execute(
        select(proposal.c.id)
        .join(item, item.c.id == proposal.c.item_id)
        .where(item.c.study_id == study_id)
        .limit(1)
    ).first()
    return row is not None
