"""What is entered in a study: the work, how far a task has come, and every line of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cbt_core.domain.study import Role


class Work(StrEnum):
    """What a task asks for: scores of answers, or labels of a text."""

    RATE = "rate"
    LABEL = "label"

    @property
    def role(self) -> Role:
        """Return the role in which the work is done."""
        return ROLE_OF[self]


class TaskState(StrEnum):
    """How far a task has come."""

    WAITING = "waiting"
    OPENED = "opened"
    DONE = "done"
    SKIPPED = "skipped"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


ROLE_OF: Final = {Work.RATE: Role.RATER, Work.LABEL: Role.ANNOTATOR}
WORK_OF: Final = {role: work for work, role in ROLE_OF.items()}

PENDING: Final = (TaskState.OPENED, TaskState.WAITING)
"""Still to do; one that was opened comes first."""

FINISHED: Final = (TaskState.DONE, TaskState.SKIPPED)
UNASKED: Final = (TaskState.RELEASED, TaskState.WITHDRAWN)
"""Taken back before it was done: nobody is asked any more."""


@dataclass(frozen=True, slots=True)
class AnswerSize:
    """An answer of a main item: whose it is and how many characters it has."""

    answer_id: int
    item: str
    system_id: int
    characters: int


@dataclass(frozen=True, slots=True)
class MetricLine:
    """An automatic metric's value of one answer; None: it could not be computed."""

    answer_id: int
    metric: str
    signature: str
    value: float | None


@dataclass(frozen=True, slots=True)
class JudgeLine:
    """A judge model's score of one answer on one scale; None: it gave none."""

    answer_id: int
    judge: str
    scale: str
    value: int | None


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item as the flow counts it."""

    key: str
    kind: str
    risk: str
    withdrawn_at: str | None
    withdrawn_reason: str
    inclusion_probability: float | None


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A person's role in a study, and when it ended."""

    code: str
    role: str
    joined_at: str
    left_at: str | None


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One rated or skipped task with its newest (or any) submission."""

    task_id: int
    item_id: int
    item: str
    rater: str
    panel: str
    kind: str
    order: int
    state: str
    opened_at: str | None
    repeat_of: int | None
    submission_id: int | None
    revision: int | None
    outcome: str | None
    skip_reason: str | None
    note: str | None
    reason: str | None
    comment: str | None
    confidence: int | None
    layout: str | None
    input: str | None
    lang: str | None
    width: int | None
    seconds: float | None
    at: str | None


@dataclass(frozen=True, slots=True)
class SlotLine:
    """Which system's answer stood in a slot of a task; a check has a part instead of a system."""

    task_id: int
    slot: str
    answer_id: int
    system_id: int | None
    part: str


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One score of one submission."""

    submission_id: int
    slot: str
    scale: str
    value: int | None
    missing_reason: str


@dataclass(frozen=True, slots=True)
class PreferenceLine:
    """Which slot a submission prefers, or `tie`."""

    submission_id: int
    choice: str


@dataclass(frozen=True, slots=True)
class StepLine:
    """One tick of the five-step checklist."""

    submission_id: int
    slot: str
    step: str
    value: int


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One safety flag; start and end count code points."""

    submission_id: int
    slot: str
    kind: str
    severity: str
    quote: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class GuessLine:
    """One answer to the closing question."""

    task_id: int
    choice: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer with its item's key and where it came from."""

    item: str
    system_id: int | None
    part: str
    text: str
    model: str
    adapter: str
    prompt: str
    run: str
    distortions: str


@dataclass(frozen=True, slots=True)
class SeatLine:
    """One person's place in a study; `profile` is JSON text."""

    code: str
    work: str
    total: int
    done: int
    seconds: float
    consent_version: str
    consent_at: str | None
    profile: str | None
    practice_at: str | None
    final_at: str | None


@dataclass(frozen=True, slots=True)
class ExclusionLine:
    """What the analysis leaves out: a rater, an item, or a rater on an item."""

    rater: str | None
    item: str | None
    reason: str
    actor: str
    at: str
