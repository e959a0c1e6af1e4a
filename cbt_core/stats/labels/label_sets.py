"""Label sets as numbers: who gave which labels to which item, and how alike two sets are.

Similarity: Jaccard, and MASI with its weights 1, 2/3, 1/3, 0. Sources: P. Jaccard 1912; R.
Passonneau, Measuring agreement on set-valued items (LREC 2006). Two empty sets agree in full: no
distortion, said twice, is agreement. Tables for heat maps: which labels come together, and which
one reader sees for another's. A crosswalk puts labels of one scheme in the words of another; what
has no counterpart is counted, not guessed.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.domain.instrument import Crosswalk
from cbt_core.stats import values
from cbt_core.stats.ratings import SHOWN, Floats, Integers
from cbt_core.stats.values import Value
from cbt_core.version import VERSION
from cbt_core.words import say

Membership = NDArray[np.bool_]
"""Label sets as rows (n, L): which labels a set holds."""

SUBSET, OVERLAP = 2 / 3, 1 / 3
"""MASI's weight where one set holds the other, and where they only meet."""


def jaccard(common: Floats, first: Floats, second: Floats) -> Floats:
    """Return |common| / |union| of sets of these sizes (any shape), 1 where both are empty."""
    union = first + second - common
    return np.divide(common, union, out=np.ones(np.shape(union)), where=union > 0)


def masi(common: Floats, first: Floats, second: Floats) -> Floats:
    """Return Jaccard times 1 (equal), 2/3 (one holds the other), 1/3 (they meet) or 0."""
    smaller = np.minimum(first, second)
    weight = np.where(common == smaller, SUBSET, OVERLAP)
    weight = np.where((common == first) & (common == second), 1.0, weight)
    return np.asarray(weight * jaccard(common, first, second))  # apart: jaccard is 0


def paired(first: Membership, second: Membership) -> tuple[Floats, Floats, Floats]:
    """Return sizes (n,) of what two sets share and of each, row by row."""
    common = (first & second).sum(axis=1).astype(np.float64)
    return common, first.sum(axis=1).astype(np.float64), second.sum(axis=1).astype(np.float64)


def crossed(first: Membership, second: Membership) -> tuple[Floats, Floats, Floats]:
    """Return the same sizes of every set with every other: (n, m), (n, 1), (1, m)."""
    left, right = first.astype(np.float64), second.astype(np.float64)
    return left @ right.T, left.sum(axis=1)[:, np.newaxis], right.sum(axis=1)[np.newaxis, :]


ANY: Final = "<any>"
"""Stands for "at least one label"; no label starts with this bracket."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One annotator's labels of one item; None: could not decide, missing in agreement."""

    item: str
    annotator: str
    labels: Set[str] | None


@dataclass(frozen=True, slots=True, eq=False)
class LabelSets:
    """Decided label sets, sorted by item and annotator, whatever order a file had them in.

    `item`, `annotator` (n,) are indices into the sorted `items`, `annotators`; `given` (n, L) says
    which of `labels` each set holds; `flow` counts the rows met and left out.
    """

    items: tuple[str, ...]
    annotators: tuple[str, ...]
    labels: tuple[str, ...]
    item: Integers
    annotator: Integers
    given: Membership
    flow: Mapping[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the SHA-256 (hexadecimal) of the sets."""
        checksum = hashlib.sha256()
        for names in (self.items, self.annotators, self.labels):
            checksum.update(f"{len(names)}\0".encode() + "\0".join(names).encode() + b"\n")
        checksum.update(self.item.astype("<i8").tobytes() + self.annotator.astype("<i8").tobytes())
        checksum.update(np.packbits(self.given).tobytes())
        return checksum.hexdigest()


def gather(
    rows: Sequence[LabelRow], labels: Sequence[str] | None = None, **flow: int
) -> LabelSets:
    """Return rows as sets; `labels`: those of the scheme, else the sorted union of those seen.

    Each item and annotator stands at most once. `flow` holds what was left out before.
    """
    decided = [(row, row.labels) for row in rows if row.labels is not None]
    decided.sort(key=lambda one: (one[0].item, one[0].annotator))
    seen = sorted({label for _, given in decided for label in given})
    known = tuple(labels) if labels is not None else tuple(seen)
    items, item = _indexed([row.item for row, _ in decided])
    annotators, annotator = _indexed([row.annotator for row, _ in decided])
    counts = {"rows_read": len(rows), **flow, "unsure": len(rows) - len(decided)}
    given = membership([given for _, given in decided], known)
    counts["rows_analysed"] = len(decided)
    return LabelSets(items, annotators, known, item, annotator, given, counts)


def membership(sets: Sequence[Set[str]], labels: Sequence[str]) -> Membership:
    """Return which of the labels each set holds (n, L); other labels are not looked at."""
    place = {label: index for index, label in enumerate(labels)}
    members = np.zeros((len(sets), len(labels)), dtype=np.bool_)
    for row, given in enumerate(sets):
        for label in given:
            if label in place:
                members[row, place[label]] = True
    return members


def signature(digest: str, settings: Mapping[str, object]) -> str:
    """Return the line that goes with every figure: same line, same numbers."""
    study = {"study": settings.get("study", "")}
    parts = {**study, "data": "#" + digest[:SHOWN], **settings, "v": VERSION}
    return "|".join(f"{name}:{value}" for name, value in parts.items() if value != "")


def _indexed(names: Sequence[str]) -> tuple[tuple[str, ...], Integers]:
    distinct = sorted(set(names))
    place = {name: index for index, name in enumerate(distinct)}
    return tuple(distinct), np.fromiter((place[name] for name in names), np.int64, len(names))


def cooccurrence(sets: Iterable[Set[str]], labels: Sequence[str]) -> Integers:
    """Return how many sets hold both labels (L, L); the diagonal counts each label alone."""
    place = {label: at for at, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for given in sets:
        held = [place[label] for label in given if label in place]
        counts[np.ix_(held, held)] += 1
    return counts


def confusion(pairs: Iterable[tuple[Set[str], Set[str]]], labels: Sequence[str]) -> Integers:
    """Return how often the second reader has column j where the first has row i (L + 1, L + 1).

    Several labels may fit one text, so a label both have counts on the diagonal; of the rest, each
    label of the first meets each of the second. A label that meets nothing counts against "none",
    the last row and column; two empty sets count there on the diagonal.
    """
    place = {label: at for at, label in enumerate(labels)}
    none = len(labels)
    counts = np.zeros((none + 1, none + 1), dtype=np.int64)
    for first, second in pairs:
        for label in first & second:
            counts[place[label], place[label]] += 1
        left = [place[label] for label in first - second] or [none]
        right = [place[label] for label in second - first] or [none]
        if left != [none] or right != [none] or not first:
            counts[np.ix_(left, right)] += 1
    return counts


Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class MappedSide:
    """What of one scheme's labels was put over, by label of the source, and what could not be.

    `unreachable`: labels of the target that no label of the source stands for.
    """

    scheme: str
    mapped: Mapping[str, int]
    only_partly: Mapping[str, int]
    not_mapped: Mapping[str, int]
    unreachable: tuple[str, ...]

    @property
    def left(self) -> dict[str, int]:
        """Return every label that has no counterpart, with how often it was given."""
        return {**self.not_mapped, **self.only_partly}

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "scheme": self.scheme, "mapped": dict(self.mapped),
            "only_partly": dict(self.only_partly), "not_mapped": dict(self.not_mapped),
            "unreachable": list(self.unreachable),
        }


@dataclass(frozen=True, slots=True)
class Crosswalked:
    """Gold and a model's labels, both put into the labels of `target`."""

    target: str
    version: int
    gold: MappedSide
    model: MappedSide

    def json(self) -> Json:
        """Return the `crosswalk` object of the JSON."""
        return {
            "target": self.target, "version": self.version, "gold": self.gold.json(),
            "model": self.model.json(),
        }


class Mapped:
    """Label sets of scheme `source` in the labels of scheme `target`.

    Only labels that mean the same are put over; one that merely overlaps ("partly") is left out
    and counted, as only a person can tell.
    """

    def __init__(self, crosswalk: Crosswalk, *, source: str, target: str) -> None:
        """Begin with nothing counted."""
        self._crosswalk = crosswalk
        self.source = source
        self.target = target
        self._known: dict[str, str | None] = {}
        self._mapped: Counter[str] = Counter()
        self._partly: Counter[str] = Counter()
        self._unmapped: Counter[str] = Counter()

    def labels(self, given: Set[str]) -> tuple[frozenset[str], bool]:
        """Return the labels put over, and whether one of them had no counterpart."""
        counterparts: set[str] = set()
        beyond = False
        for label in given:
            other = self._counterpart(label)
            if other is not None:
                counterparts.add(other)
                self._mapped[label] += 1
            else:
                beyond = True
                self._count_left(label)
        return frozenset(counterparts), beyond

    def side(self, labels: Iterable[str], source_labels: Sequence[str]) -> MappedSide:
        """Return what was put over; `labels` are those of the target."""
        reached = {self._counterpart(label) for label in source_labels}
        return MappedSide(
            scheme=self.source,
            mapped=dict(sorted(self._mapped.items())),
            only_partly=dict(sorted(self._partly.items())),
            not_mapped=dict(sorted(self._unmapped.items())),
            unreachable=tuple(label for label in labels if label not in reached),
        )

    def _counterpart(self, label: str) -> str | None:
        if self.source == self.target:
            return label
        if label not in self._known:
            matches = self._crosswalk.matches(label, source=self.source, target=self.target)
            exact = [match.label for match in matches if match.exact]
            self._known[label] = exact[0] if exact else None
        return self._known[label]

    def _count_left(self, label: str) -> None:
        overlaps = self._crosswalk.matches(label, source=self.source, target=self.target)
        (self._partly if overlaps else self._unmapped)[label] += 1


class Reason(StrEnum):
    """Why a figure about labels, or only its interval, is missing."""

    NO_SETS = "no_sets"
    NO_PAIRS = "no_pairs"
    ALL_EQUAL = "all_equal"
    NO_COMMON = "no_common"
    ONE_COMMON = "one_common"
    CONSTANT_ANNOTATOR = "constant_annotator"
    NO_SPANS_FILE = "no_spans_file"
    NO_CHARACTERS = "no_characters"
    NOTHING_MARKED = "nothing_marked"
    ALL_MARKED = "all_marked"
    NO_ITEMS = "no_items"
    NEVER_PREDICTED = "never_predicted"
    NEVER_IN_GOLD = "never_in_gold"
    ALWAYS_IN_GOLD = "always_in_gold"
    IN_NEITHER = "in_neither"
    ONE_ANSWER = "one_answer"
    NOT_PUBLISHED = "not_published"
    NO_SECOND_ROUND = "no_second_round"
    NO_BLIND_LABELS = "no_blind_labels"
    NOTHING_TO_ADOPT = "nothing_to_adopt"

    @property
    def text(self) -> str:
        """Return the reason as it stands in the JSON (English)."""
        return say(f"labels.why_{self.value}", "en")


def undefined(reason: Reason) -> Value:
    """Return a value that is not defined, with the reason."""
    return Value(None, reason=reason.text)


def translated(text: str, language: str) -> str:
    """Return a reason of the JSON in a language; an unknown one comes back as it is."""
    for reason in Reason:
        if reason.text == text:
            return say(f"labels.why_{reason.value}", language)
    if text == values.Reason.UNSTABLE.text:
        return say("labels.why_unstable", language)
    return values.translated(text, language)
