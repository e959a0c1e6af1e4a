"""The nouns of a study. Words are those of the manual: item, system, answer, task, slot."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SLOTS: Final = ("A", "B", "C", "D")
"""Where an answer may stand; a panel shows at most four answers together."""

BASELINE_NAMES: Final = ("baseline", "base")


class Role(StrEnum):
    """What a person may do in a study; one person can hold several."""

    RATER = "rater"
    ANNOTATOR = "annotator"
    LEAD = "lead"


class Panel(StrEnum):
    """Which answers of an item are shown together."""

    SINGLE = "single"
    PAIRS = "pairs"
    ALL_PAIRS = "all-pairs"
    ALL = "all"


class Kind(StrEnum):
    """Why a task exists; only `main` enters the analysis, `repeat` the test-retest."""

    MAIN = "main"
    REPEAT = "repeat"
    PRACTICE = "practice"
    CALIBRATION = "calibration"
    CHECK = "check"


class Risk(StrEnum):
    """How likely the question speaks of harm to self or others."""

    NONE = "none"
    POSSIBLE = "possible"
    HIGH = "high"


class Stage(StrEnum):
    """How far a study has come. Unblinding is only possible after the lock."""

    DRAFT = "draft"
    OPEN = "open"
    LOCKED = "locked"
    UNBLINDED = "unblinded"

    @property
    def is_closed(self) -> bool:
        """Tell whether the study is locked (unblinded or not): no entry is taken any more."""
        return self in (Stage.LOCKED, Stage.UNBLINDED)


@dataclass(frozen=True, slots=True)
class ImportedAnswer:
    """One system's answer to one item, as read from a file."""

    text: str
    distortions: tuple[str, ...] = ()
    model: str = ""
    adapter: str = ""
    prompt: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class ImportedItem:
    """One question with its description and the answers of every system.

    `row` is the physical line (header = 1), sheet row or list record the item came from;
    `inclusion_probability` (0 < p <= 1) is that of the draw, None where the file tells none.
    """

    key: str
    question: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    risk: Risk | None = None
    answers: dict[str, ImportedAnswer] = dataclasses.field(default_factory=dict)
    references: tuple[str, ...] = ()
    row: int = 0
    inclusion_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where, what, what to do.

    `code` and `values` name a sentence of `cbt_core.words` (section `files`).
    """

    file: str
    row: int
    field: str
    code: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedStudy:
    """What a set of files holds: items in file order, systems in order of first sight."""

    items: tuple[ImportedItem, ...]
    systems: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()
