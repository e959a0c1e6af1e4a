"""Labels as they are given, proposed and decided: marks, spans, decisions, line by line.

Offsets count code points within one field of the item, end exclusive: Python string offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cbt_core.domain.submission import Submission


@dataclass(frozen=True, slots=True)
class AdjudicationLine:
    """One revision of a decision, without its labels and spans."""

    id: int
    item_id: int
    item: str
    revision: int
    adjudicator: str
    outcome: str
    reason: str
    seen: str
    at: str


def newest_decisions(lines: Sequence[AdjudicationLine]) -> dict[str, AdjudicationLine]:
    """Return the last revision by item key."""
    return {line.item: line for line in lines}


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One submission of one annotator on one item; `newest` is its round's newest revision."""

    id: int
    item: str
    annotator: str
    order: int
    round: str
    revision: int
    outcome: str
    certainty: int | None
    note: str
    reason: str
    skip_reason: str
    layout: str
    input: str
    lang: str
    width: int | None
    seconds: float
    at: str
    newest: int

    @property
    def is_newest(self) -> bool:
        """Tell whether nothing newer was saved in this round of the task."""
        return self.revision == self.newest


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """What a machine proposed for an item; `number` counts within the item from 1."""

    id: int
    item: str
    number: int
    label: str
    field: str
    start: int | None
    end: int | None
    source: str
    run: str


@dataclass(frozen=True, slots=True)
class LabelMark:
    """One label of the item. `whole`: given without a span; `origin`: own, or model (adopted)."""

    label: str
    whole: bool
    origin: str = "own"


@dataclass(frozen=True, slots=True)
class SpanMark:
    """One marked span of a field with the words the server cut out of it."""

    field: str
    start: int
    end: int
    label: str
    quote: str
    origin: str = "own"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A machine's label of an item without its provenance: this may reach an annotator."""

    id: int
    label: str
    field: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class ProposalAnswer:
    """What was made of a proposal: confirmed, rejected, or changed to a label (and place)."""

    proposal_id: int
    answer: str
    label: str = ""
    field: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLabels:
    """What is said of an item. `outcome` is labelled, none or unsure; `reason`: of a correction."""

    outcome: str
    labels: tuple[LabelMark, ...] = ()
    spans: tuple[SpanMark, ...] = ()
    answers: tuple[ProposalAnswer, ...] = ()
    certainty: int | None = None
    note: str = ""
    reason: str = ""


LabelSubmission = Submission[ItemLabels]
"""One press of save or skip in the span marker."""
