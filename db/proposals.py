"""Proposals: a machine's labels of items, append-only, with where they came from.

An item whose machine labels have been on an annotator's screen must not change any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select

from cbt_core.domain.labels import Proposal
from cbt_core.domain.submission import Work
from db.columns import stamp
from db.tables.desk import task
from db.tables.labels import label_submission, proposal, proposal_pass
from db.tables.studies import item

_PROPOSALS: Final = (
    select(
        proposal.c.id, proposal.c.label, proposal.c.field, proposal.c.start, proposal.c.end
    )
    .where(proposal.c.item_id == bindparam("item_id"))
    .order_by(proposal.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProposal:
    """A machine's label of an item to be stored; no field: no evidence in the text."""

    item_id: int
    label: str
    field: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class PassLine:
    """That a machine was run on an item: how many labels it proposed, perhaps none."""

    item: str
    found: int
    source: str
    run: str


def of_item(connection: Connection, item_id: int) -> list[Proposal]:
    """Return an item's proposals, each place and label once: several runs may agree."""
    by_place: dict[tuple[object, ...], Proposal] = {}
    for row in connection.execute(_PROPOSALS, {"item_id": item_id}):
        by_place.setdefault((row.label, row.field, row.start, row.end), Proposal(**row._mapping))
    return list(by_place.values())


def exist(connection: Connection, item_id: int) -> bool:
    """Tell whether a machine proposed anything for an item."""
    return connection.execute(_PROPOSALS.limit(1), {"item_id": item_id}).first() is not None


def add(
    connection: Connection, *, study_id: int, proposals: Sequence[NewProposal], source: str,
    run: str, now: datetime,
) -> None:
    """Store what a machine proposed, with where it came from."""
    if proposals:
        connection.execute(
            insert(proposal),
            [{"study_id": study_id, "item_id": one.item_id, "label": one.label,
              "field": one.field, "start": one.start, "end": one.end, "source": source,
              "run": run, "at": stamp(now)} for one in proposals],
        )


def add_passes(
    connection: Connection, *, study_id: int, found: Mapping[int, int], source: str, run: str,
    now: datetime,
) -> None:
    """Note that a machine was run on these items; `found` counts its labels by item id."""
    if found:
        connection.execute(
            insert(proposal_pass),
            [{"study_id": study_id, "item_id": key, "source": source, "run": run, "found": count,
              "at": stamp(now)} for key, count in found.items()],
        )


def passes(connection: Connection, study_id: int) -> list[PassLine]:
    """Return on which items a machine was run, by item key and order of the runs.

    An item without a line was not run; one with `found` 0 was run, and nothing was found.
    """
    rows = connection.execute(
        select(item.c.key, proposal_pass.c.found, proposal_pass.c.source, proposal_pass.c.run)
        .join(item, item.c.id == proposal_pass.c.item_id)
        .where(proposal_pass.c.study_id == study_id)
        .order_by(item.c.key, proposal_pass.c.id)
    )
    return [PassLine(*row) for row in rows]


def shown_items(connection: Connection, study_id: int, *, mode: str) -> set[int]:
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
    seen = set(connection.execute(
        saved.where(label_submission.c.round == "model").distinct()
    ).scalars())
    if mode == "correct":
        opened = select(task.c.item_id).where(
            task.c.study_id == study_id, task.c.work == Work.LABEL, task.c.opened_at.is_not(None)
        )
        return seen | set(connection.execute(opened.distinct()).scalars())
    if mode == "blind-then-model":
        proposed = select(proposal.c.item_id).where(proposal.c.study_id == study_id)
        labelled = saved.where(
            label_submission.c.round == "blind", label_submission.c.outcome != "skipped",
            task.c.item_id.in_(proposed),
        )
        return seen | set(connection.execute(labelled.distinct()).scalars())
    return seen
