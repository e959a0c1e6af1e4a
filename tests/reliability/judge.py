"""Was anything acknowledged lost, doubled or made up? Judged by what the writers were told."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from db import check
from db.engine import Database
from db.tables.desk import score, seat, submission, task
from tests.reliability.journal import History


@dataclass(frozen=True)
class Verdict:
    """What is wrong; all empty after a good run. `acknowledged` counts distinct tokens."""

    acknowledged: int
    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    phantom: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return not (self.lost or self.duplicated or self.phantom or self.faults)


@dataclass(frozen=True)
class _Row:
    token: str
    mark: str
    revision: int
    task: str
    values: frozenset[int]
    scores: int


def judge(database: Database, history: History) -> Verdict:
    """Compare a database with what its writers tried and were told.

    Lost: acknowledged, but not stored at that revision with those scores. Duplicated: one press
    stored twice, or acknowledged as two revisions. Phantom: stored, but never tried or refused.
    """
    with database.reading() as connection:
        rows = _rows(connection)
        faults = [f"{one.kind}:{one.detail}" for one in check.faults(connection)]
        faults += _counts_that_disagree(connection)
    stored = {row.token: row for row in rows}
    marks = Counter(row.mark for row in rows)
    return Verdict(
        acknowledged=len(history.told),
        lost=tuple(t for t, told in history.told.items() if not _holds(history, stored, t, told)),
        duplicated=(
            *(mark for mark, count in marks.items() if count > 1),
            *(token for token, told in history.told.items() if len(set(told)) > 1),
        ),
        phantom=tuple(
            token for token in stored if token not in history.tries or token in history.refused
        ),
        faults=tuple(faults),
    )


def _holds(history: History, stored: dict[str, _Row], token: str, told: list[int]) -> bool:
    row, sent = stored.get(token), history.tries[token]
    return row is not None and (
        row.revision in told and row.mark == sent.mark and row.task == sent.task
        and row.values == {sent.value}
        and row.scores == sum(len(given) for given in sent.body["entries"]["scores"].values())
    )


def _rows(connection: Connection) -> list[_Row]:
    values: dict[int, list[int]] = {}
    for key, value in connection.execute(select(score.c.submission_id, score.c.value)):
        values.setdefault(key, []).append(value)
    query = select(
        submission.c.id, submission.c.token, submission.c.comment, submission.c.revision,
        task.c.token,
    ).join(task, task.c.id == submission.c.task_id)
    return [
        _Row(token, mark, revision, of_task, frozenset(values.get(key, ())),
             len(values.get(key, ())))
        for key, token, mark, revision, of_task in connection.execute(query)
    ]


def _counts_that_disagree(connection: Connection) -> list[str]:
    """Return tasks whose revision, and seats whose count, differ from their submissions."""
    newest = (
        select(submission.c.task_id, func.max(submission.c.revision).label("top"),
               func.count().label("rows"))
        .group_by(submission.c.task_id).subquery()
    )
    wrong = [
        f"task {key}: revision {revision}, {rows} stored, newest {top}"
        for key, revision, top, rows in connection.execute(
            select(task.c.id, task.c.revision, newest.c.top, newest.c.rows)
            .outerjoin(newest, newest.c.task_id == task.c.id))
        if not revision == (top or 0) == (rows or 0)
    ]
    saved = select(task.c.person_id, func.count()).where(task.c.revision > 0)
    done = {row[0]: row[1] for row in connection.execute(saved.group_by(task.c.person_id))}
    wrong += [
        f"seat of {who}: {count} done, {done.get(who, 0)} tasks saved"
        for who, count in connection.execute(select(seat.c.person_id, seat.c.done))
        if count != done.get(who, 0)
    ]
    return wrong
