"""What was entered in a study, as flat rows for exports and statistics. Reading only."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from cbt_core.domain.submission import (
    AnswerLine,
    ExclusionLine,
    Flag,
    GuessLine,
    Preference,
    Score,
    SeatLine,
    SlotLine,
    StepTick,
    TaskLine,
    Work,
)
from db.models import (
    answer,
    escalation,
    exclusion,
    flag,
    guess,
    item,
    preference,
    score,
    seat,
    step,
    submission,
    system,
    task,
    task_slot,
)
from db.people_models import person

Line = TypeVar("Line")


_TASKS: Final = (
    task.c.id, task.c.item_id, item.c.key, person.c.code, task.c.panel, task.c.kind,
    task.c.position, task.c.state, task.c.opened_at, task.c.repeat_of, submission.c.id,
    submission.c.revision, submission.c.outcome, submission.c.skip_reason, submission.c.note,
    submission.c.reason, submission.c.comment, submission.c.confidence, submission.c.layout,
    submission.c.input, submission.c.lang, submission.c.width, submission.c.active_seconds,
    submission.c.at,
)


def tasks(
    connection: Connection, study_id: int, *, every_revision: bool = False, work: Work = Work.RATE
) -> list[TaskLine]:
    """Return the tasks of a study with their newest submission, or one line per revision.

    Ordered by item key, rater and position: nothing follows from the order.
    """
    mine = submission.c.task_id == task.c.id
    joined = mine if every_revision else and_(mine, submission.c.revision == task.c.revision)
    rows = connection.execute(
        select(*_TASKS)
        .select_from(
            task.join(item, item.c.id == task.c.item_id)
            .join(person, person.c.id == task.c.person_id)
            .outerjoin(submission, joined)
        )
        .where(task.c.study_id == study_id, task.c.work == work)
        .order_by(item.c.key, person.c.code, task.c.position, submission.c.revision)
    )
    return list(_lines(TaskLine, rows))


def slots(connection: Connection, study_id: int) -> dict[int, list[SlotLine]]:
    """Return the slots of every task, by task id."""
    rows = connection.execute(
        select(task_slot.c.task_id, task_slot.c.slot, answer.c.id, answer.c.system_id,
               answer.c.part)
        .join(task, task.c.id == task_slot.c.task_id)
        .join(answer, answer.c.id == task_slot.c.answer_id)
        .where(task.c.study_id == study_id)
        .order_by(task_slot.c.task_id, task_slot.c.slot)
    )
    found: dict[int, list[SlotLine]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(SlotLine(*row))
    return found


def scores(
    connection: Connection, study_id: int, *, every_revision: bool = False
) -> dict[int, list[Score]]:
    """Return the scores by submission id: of the newest revisions, or of all."""
    wanted = (
        select(score.c.submission_id, score.c.slot, score.c.answer_id, score.c.scale,
               score.c.value, score.c.missing_reason)
        .join(submission, submission.c.id == score.c.submission_id)
        .where(submission.c.study_id == study_id)
    )
    if not every_revision:
        wanted = wanted.join(
            task,
            (task.c.id == submission.c.task_id) & (task.c.revision == submission.c.revision),
        )
    return _by_submission(Score, connection.execute(wanted))


def system_names(
    connection: Connection, study_id: int, *, unblinded: bool
) -> dict[int, str]:
    """Return system id to its masked name, or to its true one."""
    column = system.c.name if unblinded else system.c.masked
    rows = connection.execute(
        select(system.c.id, column).where(system.c.study_id == study_id)
    )
    return {row[0]: row[1] for row in rows}


def preferences(connection: Connection, study_id: int) -> dict[int, list[Preference]]:
    """Return the overall preferences of the newest revisions, by submission id."""
    wanted = select(
        preference.c.submission_id, preference.c.choice, preference.c.answer_id
    )
    rows = connection.execute(_newest(wanted, preference.c.submission_id, study_id))
    return _by_submission(Preference, rows)


def steps(connection: Connection, study_id: int) -> dict[int, list[StepTick]]:
    """Return the checklists of the newest revisions, by submission id."""
    wanted = select(
        step.c.submission_id, step.c.slot, step.c.answer_id, step.c.step, step.c.value
    )
    rows = connection.execute(
        _newest(wanted, step.c.submission_id, study_id).order_by(
            step.c.submission_id, step.c.slot, step.c.step
        )
    )
    return _by_submission(StepTick, rows)


def flags(connection: Connection, study_id: int) -> dict[int, list[Flag]]:
    """Return the safety flags of the newest revisions, by submission id."""
    wanted = select(
        flag.c.submission_id, flag.c.slot, flag.c.answer_id, flag.c.kind, flag.c.severity,
        flag.c.quote, flag.c.start, flag.c.end,
    )
    rows = connection.execute(
        _newest(wanted, flag.c.submission_id, study_id).order_by(
            flag.c.submission_id, flag.c.id
        )
    )
    return _by_submission(Flag, rows)


def guesses(connection: Connection, study_id: int) -> Iterator[GuessLine]:
    """Yield the answers to the closing question."""
    rows = connection.execute(
        select(guess.c.task_id, guess.c.choice, guess.c.reason, guess.c.at).where(
            guess.c.study_id == study_id
        )
    )
    yield from _lines(GuessLine, rows)


def excluded(connection: Connection, study_id: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the analysis leaves out: reason by rater code, and by item key."""
    rows = connection.execute(
        select(person.c.code, item.c.key, exclusion.c.reason)
        .select_from(
            exclusion.outerjoin(person, person.c.id == exclusion.c.person_id).outerjoin(
                item, item.c.id == exclusion.c.item_id
            )
        )
        .where(exclusion.c.study_id == study_id)
    )
    raters: dict[str, str] = {}
    items: dict[str, str] = {}
    for code, key, reason in rows:
        if code is not None:
            raters[code] = reason
        if key is not None:
            items[key] = reason
    withdrawn = connection.execute(
        select(item.c.key, item.c.withdrawn_reason).where(
            item.c.study_id == study_id, item.c.withdrawn_at.is_not(None)
        )
    )
    for key, reason in withdrawn:
        items[key] = f"withdrawn: {reason}"
    return raters, items


def exclusions(connection: Connection, study_id: int) -> Iterator[ExclusionLine]:
    """Yield every exclusion in the order they were made."""
    rows = connection.execute(
        select(person.c.code, item.c.key, exclusion.c.reason, exclusion.c.actor, exclusion.c.at)
        .select_from(
            exclusion.outerjoin(person, person.c.id == exclusion.c.person_id).outerjoin(
                item, item.c.id == exclusion.c.item_id
            )
        )
        .where(exclusion.c.study_id == study_id)
        .order_by(exclusion.c.id)
    )
    yield from _lines(ExclusionLine, rows)


def seats(connection: Connection, study_id: int) -> list[SeatLine]:
    """Return everybody's place in a study, by code."""
    rows = connection.execute(
        select(person.c.code, seat.c.work, seat.c.total, seat.c.done, seat.c.seconds,
               seat.c.consent_version, seat.c.consent_at, seat.c.profile, seat.c.practice_at,
               seat.c.final_at)
        .join(person, person.c.id == seat.c.person_id)
        .where(seat.c.study_id == study_id)
        .order_by(person.c.code, seat.c.work)
    )
    return list(_lines(SeatLine, rows))


def answers(connection: Connection, study_id: int) -> Iterator[AnswerLine]:
    """Yield every answer with its item's key, by item key."""
    rows = connection.execute(
        select(item.c.key, answer.c.system_id, answer.c.part, answer.c.text, answer.c.model,
               answer.c.adapter, answer.c.prompt, answer.c.run, answer.c.distortions)
        .join(item, item.c.id == answer.c.item_id)
        .where(item.c.study_id == study_id)
        .order_by(item.c.key)
    )
    yield from _lines(AnswerLine, rows)


def escalations(connection: Connection, study_id: int) -> int:
    """Return how many submissions stand in the escalation queue."""
    return int(
        connection.execute(
            select(func.count()).select_from(escalation).where(escalation.c.study_id == study_id)
        ).scalar_one()
    )


def _lines(kind: Callable[..., Line], rows: Iterable[Any]) -> Iterator[Line]:
    """Turn rows into dataclasses whose fields stand in the same order."""
    for row in rows:
        yield kind(*row)


def _by_submission(kind: Callable[..., Line], rows: Iterable[Any]) -> dict[int, list[Line]]:
    """Turn rows that begin with a submission's id into its parts; the other fields in order."""
    found: dict[int, list[Line]] = {}
    for key, *rest in rows:
        found.setdefault(key, []).append(kind(*rest))
    return found


def _newest(
    wanted: Select[Any], submission_id: ColumnElement[int], study_id: int
) -> Select[Any]:
    return (
        wanted.join(submission, submission.c.id == submission_id)
        .join(task, (task.c.id == submission.c.task_id)
              & (task.c.revision == submission.c.revision))
        .where(submission.c.study_id == study_id)
    )
