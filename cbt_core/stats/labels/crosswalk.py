"""Labels of one scheme in the words of another; what has no counterpart is counted, not guessed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from cbt_core.domain.instrument import Crosswalk

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
        found: set[str] = set()
        beyond = False
        for label in given:
            other = self._counterpart(label)
            if other is not None:
                found.add(other)
                self._mapped[label] += 1
            else:
                beyond = True
                self._count_left(label)
        return frozenset(found), beyond

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
