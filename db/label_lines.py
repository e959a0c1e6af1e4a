"""What annotators entered in a study, as flat rows for exports and statistics. Reading only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select

from cbt_core.domain.labels import LabelLine, LabelMark, ProposalAnswer, ProposalLine, SpanMark
from cbt_core.domain.submission import Work
from db.labelling_models import label, label_submission, proposal, proposal_answer, span
from db.models import item, task
from db.people_models import person

PER_SUBMISSION: Final = (
    "round", "revision", "outcome", "certainty", "note", "reason", "skip_reason", "layout",
    "input", "lang", "width", "active_seconds", "at",
)


@dataclass(frozen=True, slots=True)
class BlindLine:
    """What an annotator's last revision of the blind round says about an item."""

    submission_id: int
    item_id: int
    item: str
    person_id: int
    annotator: str
    outcome: str
    certainty: int | None
    note: str

    @property
    def is_vote(self) -> bool:
        """Tell whether the annotator decided: neither unsure nor skipped."""
        return self.outcome in {"labelled", "none"}


def submissions(connection: Connection, study_id: int) -> list[LabelLine]:
    """Return every submission of a study by item key, annotator and revision."""
    newest = func.max(label_submission.c.revision).over(
        partition_by=(label_submission.c.task_id, label_submission.c.round)
    )
    columns: list[ColumnElement[Any]] = [
        label_submission.c.id, item.c.key, person.c.code, task.c.position,
        *(label_submission.c[name] for name in PER_SUBMISSION), newest,
    ]
    rows = connection.execute(
        select(*columns)
        .join(task, task.c.id == label_submission.c.task_id)
        .join(item, item.c.id == task.c.item_id)
        .join(person, person.c.id == label_submission.c.person_id)
        .where(label_submission.c.study_id == study_id)
        .order_by(item.c.key, person.c.code, label_submission.c.revision)
    )
    return [LabelLine(*tuple[Any, ...](row)) for row in rows]


def blind_round(
    connection: Connection, study_id: int, item_ids: Sequence[int] | None = None
) -> list[BlindLine]:
    """Return the last revision of every blind round, of the whole study or of some items.

    No row of the round in which a machine's proposals were on the screen is read.
    """
    wanted = [label_submission.c.round == "blind"]  # of a few items: found through their tasks
    wanted.append(
        label_submission.c.study_id == study_id if item_ids is None
        else task.c.item_id.in_(item_ids)
    )
    rows = connection.execute(
        select(label_submission.c.id, task.c.item_id, item.c.key, label_submission.c.person_id,
               person.c.code, label_submission.c.outcome, label_submission.c.certainty,
               label_submission.c.note, label_submission.c.task_id)
        .join(task, task.c.id == label_submission.c.task_id)
        .join(item, item.c.id == task.c.item_id)
        .join(person, person.c.id == label_submission.c.person_id)
        .where(*wanted)
        .order_by(label_submission.c.task_id, label_submission.c.revision)
    )
    newest = {row[-1]: BlindLine(*row[:-1]) for row in rows}  # a later revision takes the place
    return list(newest.values())


def labels(
    connection: Connection, study_id: int, submission_ids: Sequence[int] | None = None
) -> dict[int, list[LabelMark]]:
    """Return the labels by submission id, in the order of the labels' ids."""
    rows = connection.execute(
        select(label.c.submission_id, label.c.label, label.c.whole, label.c.origin)
        .join(label_submission, label_submission.c.id == label.c.submission_id)
        .where(*_of(study_id, submission_ids))
        .order_by(label.c.submission_id, label.c.label)
    )
    found: dict[int, list[LabelMark]] = defaultdict(list)
    for key, name, whole, origin in rows:
        found[key].append(LabelMark(name, bool(whole), origin))
    return found


def spans(
    connection: Connection, study_id: int, submission_ids: Sequence[int] | None = None
) -> dict[int, list[SpanMark]]:
    """Return the spans by submission id, question before description, in reading order."""
    rows = connection.execute(
        select(span.c.submission_id, span.c.field, span.c.start, span.c.end, span.c.label,
               span.c.quote, span.c.origin)
        .join(label_submission, label_submission.c.id == span.c.submission_id)
        .where(*_of(study_id, submission_ids))
        .order_by(span.c.submission_id, span.c.field.desc(), span.c.start, span.c.end,
                  span.c.label)
    )
    found: dict[int, list[SpanMark]] = defaultdict(list)
    for key, *rest in rows:
        found[key].append(SpanMark(*rest))
    return found


def proposals(connection: Connection, study_id: int) -> list[ProposalLine]:
    """Return the proposals of a study by item key, in the order in which they came."""
    number = func.row_number().over(partition_by=proposal.c.item_id, order_by=proposal.c.id)
    rows = connection.execute(
        select(proposal.c.id, item.c.key, number, proposal.c.label, proposal.c.field,
               proposal.c.start, proposal.c.end, proposal.c.source, proposal.c.run)
        .join(item, item.c.id == proposal.c.item_id)
        .where(proposal.c.study_id == study_id)
        .order_by(item.c.key, proposal.c.id)
    )
    return [ProposalLine(*row) for row in rows]


def answers(connection: Connection, study_id: int) -> dict[int, list[ProposalAnswer]]:
    """Return what was made of the proposals, by submission id."""
    rows = connection.execute(
        select(
            proposal_answer.c.submission_id, proposal_answer.c.proposal_id,
            proposal_answer.c.answer, proposal_answer.c.label, proposal_answer.c.field,
            proposal_answer.c.start, proposal_answer.c.end,
        )
        .join(label_submission, label_submission.c.id == proposal_answer.c.submission_id)
        .where(label_submission.c.study_id == study_id)
        .order_by(proposal_answer.c.submission_id, proposal_answer.c.proposal_id)
    )
    found: dict[int, list[ProposalAnswer]] = defaultdict(list)
    for key, *rest in rows:
        found[key].append(ProposalAnswer(*rest))
    return found


def has_work(connection: Connection, study_id: int) -> bool:
    """Tell whether a study has anything to do with labels: tasks, or proposals."""
    by_task = select(task.c.id).where(and_(task.c.study_id == study_id, task.c.work == Work.LABEL))
    by_machine = select(proposal.c.id).where(proposal.c.study_id == study_id)
    return any(connection.execute(one.limit(1)).first() for one in (by_task, by_machine))


def _of(study_id: int, submission_ids: Sequence[int] | None) -> list[ColumnElement[bool]]:
    """Return the condition: the submissions of a study, all of them or these."""
    if submission_ids is not None:
        return [label_submission.c.id.in_(submission_ids)]
    return [label_submission.c.study_id == study_id]
