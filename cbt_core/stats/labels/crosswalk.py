"""Labels of one scheme in the words of another; what has no counterpart is counted, not guessed."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set

from cbt_core.domain.instrument import Crosswalk

Json = dict[str, object]


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

    def unreachable(self, labels: Iterable[str], source_labels: Sequence[str]) -> list[str]:
        """Return the labels of the target that no label of the source stands for."""
        reached = {self._counterpart(label) for label in source_labels}
        return [label for label in labels if label not in reached]

    def json(self) -> Json:
        """Return what was put over and what could not be, by label of the source."""
        return {
            "scheme": self.source,
            "mapped": dict(sorted(self._mapped.items())),
            "only_partly": dict(sorted(self._partly.items())),
            "not_mapped": dict(sorted(self._unmapped.items())),
        }

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
