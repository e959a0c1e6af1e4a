"""Label sets as numbers: who gave which labels to which item."""

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cbt_core.stats.labels.similarity import Membership
from cbt_core.stats.ratings import Integers
from cbt_core.stats.signature import SHOWN, VERSION

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
        found = hashlib.sha256()
        for names in (self.items, self.annotators, self.labels):
            found.update(f"{len(names)}\0".encode() + "\0".join(names).encode() + b"\n")
        found.update(self.item.astype("<i8").tobytes() + self.annotator.astype("<i8").tobytes())
        found.update(np.packbits(self.given).tobytes())
        return found.hexdigest()


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
    found = np.zeros((len(sets), len(labels)), dtype=np.bool_)
    for row, given in enumerate(sets):
        for label in given:
            if label in place:
                found[row, place[label]] = True
    return found


def signature(digest: str, settings: Mapping[str, object]) -> str:
    """Return the line that goes with every figure: same line, same numbers."""
    study = {"study": settings.get("study", "")}
    parts = {**study, "data": "#" + digest[:SHOWN], **settings, "v": VERSION}
    return "|".join(f"{name}:{value}" for name, value in parts.items() if value != "")


def _indexed(names: Sequence[str]) -> tuple[tuple[str, ...], Integers]:
    distinct = sorted(set(names))
    place = {name: index for index, name in enumerate(distinct)}
    return tuple(distinct), np.fromiter((place[name] for name in names), np.int64, len(names))
