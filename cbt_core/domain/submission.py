"""What is entered in a study: the work, how far a task has come, and every line of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

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
class Score:
    """One score: `slot` is empty for a scale of the whole task; value or reason, never both."""

    slot: str
    answer_id: int | None
    scale: str
    value: int | None
    missing_reason: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """One safety flag on an answer, with an optional quoted span (code points, end exclusive)."""

    slot: str
    answer_id: int
    kind: str
    severity: str
    quote: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class StepTick:
    """One tick of the five-step checklist: 0 absent, 1 partial, 2 present."""

    slot: str
    answer_id: int
    step: str
    value: int


@dataclass(frozen=True, slots=True)
class Preference:
    """Which slot is preferred, and whose answer stood there; a `tie` has none."""

    choice: str
    answer_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What a filled-in rating sheet holds; `reason` is why it was corrected."""

    scores: tuple[Score, ...] = ()
    flags: tuple[Flag, ...] = ()
    steps: tuple[StepTick, ...] = ()
    preference: Preference | None = None
    comment: str = ""
    confidence: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Why a task was left without an entry, and what the person wrote to it."""

    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How something was entered: layout, input kind, seconds of attention, language, width."""

    layout: str = ""
    input: str = ""
    lang: str = ""
    active_seconds: float = 0.0
    width: int | None = None


Content = TypeVar("Content", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Generic[Content]):
    """One press of save or skip, as it is stored: a revision of a task.

    `token` is the press's own, `digest` that of what was sent; `round` is that of a label task.
    """

    task_id: int
    study_id: int
    person_id: int
    revision: int
    token: str
    digest: str
    circumstances: Circumstances
    content: Content | Skip
    round: str = ""
    at: str = ""

    @property
    def is_skip(self) -> bool:
        """Tell whether the task was skipped."""
        return isinstance(self.content, Skip)


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
