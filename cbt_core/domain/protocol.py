"""The protocol: everything decided before data. Defaults are those of the manual."""

from dataclasses import dataclass, field
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.domain.study import Panel

SAMPLE: Final = "sample:"
"""How `steps` begins when only a share of the tasks gets the checklist."""

ARCHIVED: Final = "archived"
LIVE: Final = "live"
"""Where the texts come from: nobody behind them can be reached, or somebody may be waiting."""


@dataclass(frozen=True, slots=True)
class Ethics:
    """The ethics record; without committee or exemption `study assign` warns."""

    committee: str = ""
    number: str = ""
    valid_until: str = ""
    exempt: bool = False
    reason: str = ""
    consent_version: str = "1"
    contact: str = ""

    @property
    def recorded(self) -> bool:
        """Tell whether a committee's decision or an exemption with reason is on record."""
        return bool(self.committee and self.number) or (self.exempt and bool(self.reason))


@dataclass(frozen=True, slots=True)
class Design:
    """Who meets what: panel form, ratings per panel, share of repeats, seed."""

    panel: Panel = Panel.PAIRS
    overlap: int = 3
    repeats: float = 0.0
    repeat_gap_tasks: int = 20
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the rating sheet asks beside the scores. `preference`: off, optional or required."""

    preference: str = "optional"
    confidence: bool = False
    flags: bool = True
    comment: bool = True


@dataclass(frozen=True, slots=True)
class ProfileField:
    """One question about the rater; every one may be declined. No choices: a short text."""

    id: str
    name: Text
    choices: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice item: two or more answers with a key and a reason per scored value.

    `answers` maps slot to text; `key` maps slot to scale to the expected value, `reasons` likewise.
    """

    id: str
    question: str
    description: str
    answers: dict[str, str]
    key: dict[str, dict[str, int]]
    reasons: dict[str, dict[str, str]]
    author: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """A quality check: the answer `worse` must score below `better` on `scale`."""

    id: str
    question: str
    description: str
    better: str
    worse: str
    scale: str


@dataclass(frozen=True, slots=True)
class Raters:
    """What a rater goes through and is offered."""

    consent: Text | None = None
    profile: tuple[ProfileField, ...] = ()
    practice: tuple[Practice, ...] = ()
    pass_mark: float = 0.7
    attention: tuple[Attention, ...] = ()
    recalibrate_every: int = 0
    break_after_minutes: int = 45
    break_after_risk_items: int = 20
    arm_guess: bool = True
    devices: tuple[str, ...] = ("desktop", "tablet")


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who answers what raters flag as serious, within how many hours; empty for archived texts."""

    owner: str = ""
    within_hours: int = 0


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis plan, hashed with the protocol before the first rating."""

    baseline: str = ""
    primary_scale: str = ""
    primary_system: str = ""
    margin: float | None = None
    alpha: str = "ordinal"
    bootstrap: int = 1000
    exclude: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything decided before data; its digest stands in `cbt_core.files.protocol`.

    `scales` and `labels` are ids of shipped instruments or the digest of an own file, whose
    content is stored with the study. `steps`: none, after, before or ``sample:0.3``.
    `support_text` None means the lead has not set one: the neutral text is shown instead.
    `source_kind`: archived or live; a live study names who answers escalations.
    """

    title: str = ""
    language: str = "zh"
    support_text: Text | None = None
    scales: str = "cbt-3"
    labels: str = "burns-12"
    steps: str = "none"
    label_mode: str = "blind-then-model"
    ethics: Ethics = field(default_factory=Ethics)
    design: Design = field(default_factory=Design)
    sheet: Sheet = field(default_factory=Sheet)
    raters: Raters = field(default_factory=Raters)
    analysis: Analysis = field(default_factory=Analysis)
    source_kind: str = ARCHIVED
    escalation: Escalation = field(default_factory=Escalation)

    @property
    def is_live(self) -> bool:
        """Tell whether the people who wrote the texts may be waiting for help."""
        return self.source_kind == LIVE

    @property
    def steps_when(self) -> str:
        """Return when the checklist is asked: none, after or before (a sample: after)."""
        return "after" if self.steps.startswith(SAMPLE) else self.steps

    @property
    def steps_share(self) -> float:
        """Return the share of tasks that get the checklist, 0 to 1."""
        if self.steps.startswith(SAMPLE):
            return float(self.steps.removeprefix(SAMPLE))
        return 0.0 if self.steps == "none" else 1.0
