"""What was entered in a study, as flat rows for exports and statistics. Reading only.

Items where raters differ are ordered by how far their scores lie apart.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Exists, Select, and_, case, func, or_, select

from cbt_core.domain.labels import LabelLine, LabelMark, ProposalAnswer, ProposalLine, SpanMark
from cbt_core.domain.submission import (
    AnswerLine,
    AnswerSize,
    ExclusionLine,
    Flag,
    GuessLine,
    ItemLine,
    JudgeLine,
    MemberLine,
    MetricLine,
    Preference,
    Score,
    SeatLine,
    SlotLine,
    StepTick,
    TaskLine,
    Work,
)
from db.progress import NEWEST
from db.tables.desk import (
    escalation,
    exclusion,
    flag,
    guess,
    preference,
    score,
    seat,
    step,
    submission,
    task,
    task_slot,
)
from db.tables.labels import label, label_submission, proposal, proposal_answer, span
from db.tables.people import person
from db.tables.runs import judge_score, metric_score
from db.tables.studies import answer, item, membership, system
from db.tables.trail import audit

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
    of_task = submission.c.task_id == task.c.id
    joined = of_task if every_revision else and_(of_task, submission.c.revision == task.c.revision)
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
    by_task: dict[int, list[SlotLine]] = {}
    for row in rows:
        by_task.setdefault(row[0], []).append(SlotLine(*row))
    return by_task


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
    parts: dict[int, list[Line]] = {}
    for key, *rest in rows:
        parts.setdefault(key, []).append(kind(*rest))
    return parts


def _newest(
    wanted: Select[Any], submission_id: ColumnElement[int], study_id: int
) -> Select[Any]:
    return (
        wanted.join(submission, submission.c.id == submission_id)
        .join(task, (task.c.id == submission.c.task_id)
              & (task.c.revision == submission.c.revision))
        .where(submission.c.study_id == study_id)
    )


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
    times = [
        connection.execute(
            select(func.min(table.c.at)).where(table.c.study_id == study_id)
        ).scalar()
        for table in (submission, label_submission)
    ]
    return min((str(at) for at in times if at), default=None)


@dataclass(frozen=True, slots=True)
class SplitItem:
    """An item two raters differ on.

    `gap`: the widest distance between two raters on one answer and scale, `spread`: the mean
    standard distance (root of the mean variance) over its answers and scales; both as shares of
    the scale's range, 0 to 1. `differing` of `units` answers × scales have any difference.
    """

    item_id: int
    key: str
    gap: float
    spread: float
    differing: int
    units: int


@dataclass(frozen=True, slots=True)
class ItemText:
    """An item as raters saw it."""

    item_id: int
    key: str
    question: str
    description: str
    risk: str


@dataclass(frozen=True, slots=True)
class AnswerText:
    """An answer of a system to an item."""

    answer_id: int
    system_id: int
    text: str


@dataclass(frozen=True, slots=True)
class OneScore:
    """One rater's score of one answer on one scale; without a value there is a reason."""

    person_id: int
    answer_id: int
    panel: str
    scale: str
    value: int | None
    missing_reason: str


def entries_state(connection: Connection, study_id: int) -> tuple[int, ...]:
    """Return numbers that grow whenever something that results rest on is entered or decided."""
    newest = [
        select(func.max(table.c.id)).where(table.c.study_id == study_id)
        for table in (submission, guess, exclusion, metric_score, judge_score)
    ]
    decided = select(func.max(audit.c.seq)).where(audit.c.chain == str(study_id))
    return tuple(
        int(connection.execute(one).scalar() or 0) for one in (*newest, decided)
    )


def split_items(
    connection: Connection, study_id: int, *, ranges: Mapping[str, int | None],
    system_id: int | None = None,
) -> list[SplitItem]:
    """Return the items on which two raters of the same answer differ, the widest gap first.

    `ranges`: the scales to look at with highest less lowest value, None for values that are names
    (any difference is then as wide as can be).
    """
    units = _units(study_id, list(ranges), system_id).subquery()
    named = [scale for scale, size in ranges.items() if size is None]
    size = case(
        *((units.c.scale == scale, 1.0 * width) for scale, width in ranges.items() if width),
        else_=1.0,
    )
    apart = case((units.c.highest > units.c.lowest, 1.0), else_=0.0)
    mean = 1.0 * units.c.total / units.c.n
    variance = (1.0 * units.c.squares / units.c.n - mean * mean) / (size * size)
    gap = case((units.c.scale.in_(named), apart),
               else_=1.0 * (units.c.highest - units.c.lowest) / size)
    spread = case((units.c.scale.in_(named), apart), else_=variance)
    rows = connection.execute(
        select(
            item.c.id, item.c.key, func.max(gap).label("gap"), func.avg(spread).label("spread"),
            func.sum(apart), func.count(),
        )
        .select_from(units.join(item, item.c.id == units.c.item_id))
        .group_by(item.c.id, item.c.key, item.c.position)
        .having(func.max(gap) > 0)
        .order_by(func.max(gap).desc(), func.avg(spread).desc(), item.c.position)
    )
    return [
        SplitItem(row[0], row[1], float(row[2]), max(0.0, float(row[3])) ** 0.5, int(row[4]),
                  int(row[5]))
        for row in rows
    ]


def _units(study_id: int, scales: list[str], system_id: int | None) -> Select[*tuple[Any, ...]]:
    """Return answers × scales with at least two scores of the same panel."""
    value = score.c.value
    units = (
        select(
            task.c.item_id, score.c.scale, func.count(value).label("n"),
            func.min(value).label("lowest"), func.max(value).label("highest"),
            func.sum(value).label("total"), func.sum(value * value).label("squares"),
        )
        .select_from(score.join(submission, submission.c.id == score.c.submission_id))
        .join(task, NEWEST)
        .join(answer, answer.c.id == score.c.answer_id)
        .join(item, item.c.id == task.c.item_id)
        .where(
            submission.c.study_id == study_id, task.c.kind == "main", value.is_not(None),
            score.c.scale.in_(scales), answer.c.system_id.is_not(None),
            item.c.withdrawn_at.is_(None), ~_left_out(study_id),
        )
        .group_by(task.c.item_id, score.c.answer_id, task.c.panel, score.c.scale)
        .having(func.count(value) > 1)
    )
    return units if system_id is None else units.where(answer.c.system_id == system_id)


def item_text(connection: Connection, study_id: int, key: str) -> ItemText | None:
    """Return a main item by its key."""
    row = connection.execute(
        select(item.c.id, item.c.key, item.c.question, item.c.description, item.c.risk)
        .where(item.c.study_id == study_id, item.c.key == key, item.c.kind == "main")
    ).first()
    return None if row is None else ItemText(*row)


def answer_texts(connection: Connection, item_id: int) -> list[AnswerText]:
    """Return the answers of systems to an item."""
    rows = connection.execute(
        select(answer.c.id, answer.c.system_id, answer.c.text)
        .where(answer.c.item_id == item_id, answer.c.system_id.is_not(None))
        .order_by(answer.c.id)
    )
    return [AnswerText(*row) for row in rows]


def item_scores(connection: Connection, study_id: int, item_id: int) -> list[OneScore]:
    """Return every rater's scores of an item's answers."""
    rows = connection.execute(
        select(
            task.c.person_id, score.c.answer_id, task.c.panel, score.c.scale, score.c.value,
            score.c.missing_reason,
        )
        .select_from(task.join(submission, NEWEST))
        .join(score, score.c.submission_id == submission.c.id)
        .join(answer, answer.c.id == score.c.answer_id)
        .where(
            task.c.item_id == item_id, task.c.kind == "main", answer.c.system_id.is_not(None),
            ~_left_out(study_id),
        )
        .order_by(task.c.person_id, score.c.answer_id, score.c.scale)
    )
    return [OneScore(*row) for row in rows]


def _left_out(study_id: int) -> Exists:
    return (
        select(exclusion.c.id)
        .where(
            exclusion.c.study_id == study_id,
            or_(exclusion.c.person_id == task.c.person_id, exclusion.c.item_id == task.c.item_id),
        )
        .exists()
    )


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
    marks: dict[int, list[LabelMark]] = defaultdict(list)
    for key, name, whole, origin in rows:
        marks[key].append(LabelMark(name, bool(whole), origin))
    return marks


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
    marks: dict[int, list[SpanMark]] = defaultdict(list)
    for key, *rest in rows:
        marks[key].append(SpanMark(*rest))
    return marks


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


def proposal_answers(connection: Connection, study_id: int) -> dict[int, list[ProposalAnswer]]:
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
    replies: dict[int, list[ProposalAnswer]] = defaultdict(list)
    for key, *rest in rows:
        replies[key].append(ProposalAnswer(*rest))
    return replies


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
