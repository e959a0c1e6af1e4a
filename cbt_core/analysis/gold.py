"""Gold by votes: the labels and spans of an item where nobody adjudicated.

Gold that judges a machine must not lean on it: votes come from the blind round alone, in which no
annotator had seen a proposal, and an adjudicator sees nothing else. A study in the mode `correct`
has no blind round: its gold comes from adjudication only. Gold spans without a decision: runs of
characters to which more than half of the annotators gave the label.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cbt_core.domain.labels import SpanMark

Rule = Literal["adjudicated", "majority", "undecided"]


@dataclass(frozen=True, slots=True)
class GoldLabels:
    """The gold labels of one item (none: no distortion), by which rule, from how many annotators.

    `annotators` counts the blind votes; with `majority` and 1 it is one person's word. `tied` are
    labels on which the votes were split evenly: not a majority, so not in `labels`. With
    `undecided` neither a label nor "none" has a majority: empty `labels` then say nothing, and
    `some` tells whether more than half saw a distortion all the same.
    """

    labels: frozenset[str]
    rule: Rule
    annotators: int
    tied: frozenset[str] = frozenset()
    some: bool = False

    @property
    def is_decided(self) -> bool:
        """Tell whether the item has gold labels (or gold "none")."""
        return self.rule != "undecided"

    @property
    def has_any(self) -> bool | None:
        """Tell whether the item has any distortion; None: the votes do not decide even that."""
        if self.is_decided:
            return bool(self.labels)
        return True if self.some else None

    @property
    def is_single(self) -> bool:
        """Tell whether this is one annotator's word: to be counted apart from a majority."""
        return self.rule == "majority" and self.annotators == 1


def majority(votes: Sequence[frozenset[str]]) -> GoldLabels:
    """Return the labels that more than half of the sets hold, else "none" if more than half do.

    An even split is not a majority. Where neither a label nor "none" has one, nothing is decided:
    annotators who saw different distortions did not see none.
    """
    counts = Counter(label for one in votes for label in one)
    labels = frozenset(label for label, count in counts.items() if 2 * count > len(votes))
    some = sum(bool(one) for one in votes)
    is_decided = bool(labels) or 2 * (len(votes) - some) > len(votes)
    return GoldLabels(
        labels=labels,
        rule="majority" if is_decided else "undecided",
        annotators=len(votes),
        tied=frozenset(label for label, count in counts.items() if 2 * count == len(votes)),
        some=not is_decided and 2 * some > len(votes),
    )


Place = tuple[str, int, int, str]
"""A labelled run of characters: field, start, end (exclusive), label."""


def majority_spans(votes: Sequence[Iterable[SpanMark]]) -> list[Place]:
    """Return the runs of characters to which more than half of the annotators gave a label."""
    counts = Counter(letter for spans in votes for letter in _letters(spans))
    agreed: dict[tuple[str, str], list[int]] = defaultdict(list)
    for (field, label, at), count in counts.items():
        if 2 * count > len(votes):
            agreed[field, label].append(at)
    places = [
        (field, start, end, label)
        for (field, label), letters in agreed.items()
        for start, end in _runs(sorted(letters))
    ]
    return sorted(places, key=lambda one: (one[0] != "question", *one[1:]))


def _letters(spans: Iterable[SpanMark]) -> set[tuple[str, str, int]]:
    """Return the characters one annotator marked, each once: field, label, place."""
    return {(s.field, s.label, at) for s in spans for at in range(s.start, s.end)}


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of what follows without a gap."""
    start = previous = None
    for at in places:
        if previous is None or at != previous + 1:
            if start is not None and previous is not None:
                yield start, previous + 1
            start = at
        previous = at
    if start is not None and previous is not None:
        yield start, previous + 1
