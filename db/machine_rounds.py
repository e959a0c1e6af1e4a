"""Which items' machine labels have been on an annotator's screen: they must not change any more."""

from sqlalchemy import Connection, select

from cbt_core.domain.submission import Work
from db.labelling_models import label_submission, proposal
from db.models import task


def shown(connection: Connection, study_id: int, *, mode: str) -> set[int]:
    """Return the items (ids) whose machine round somebody has seen.

    A round with the machine's labels was saved; or (mode `blind-then-model`) the blind round of an
    item that has proposals was saved, after which they are shown at once; or (mode `correct`) the
    item was opened: its first screen is the machine's round, whether it holds proposals or not.
    """
    saved = (
        select(task.c.item_id)
        .join(label_submission, label_submission.c.task_id == task.c.id)
        .where(task.c.study_id == study_id)
    )
    found = set(connection.execute(
        saved.where(label_submission.c.round == "model").distinct()
    ).scalars())
    if mode == "correct":
        opened = select(task.c.item_id).where(
            task.c.study_id == study_id, task.c.work == Work.LABEL, task.c.opened_at.is_not(None)
        )
        return found | set(connection.execute(opened.distinct()).scalars())
    if mode == "blind-then-model":
        proposed = select(proposal.c.item_id).where(proposal.c.study_id == study_id)
        labelled = saved.where(
            label_submission.c.round == "blind", label_submission.c.outcome != "skipped",
            task.c.item_id.in_(proposed),
        )
        return found | set(connection.execute(labelled.distinct()).scalars())
    return found
