"""Cells that hold labels: joined by ``|``, empty for none, ``<unsure>`` for undecided."""

from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.files.limits import NAME_CHARACTERS
from cbt_core.files.problems import Place, shown
from cbt_core.files.texts import is_sound

BAR: Final = "|"
UNSURE: Final = "<unsure>"


class LabelCells:
    """Reads the label cells of a file; each distinct cell is judged once, told at every row."""

    def __init__(self, scheme: Scheme | None, place: Place) -> None:
        """Read labels as ids of `scheme`, or, without one, as they are written."""
        self._scheme = scheme
        self._place = place
        self._known: dict[str, frozenset[str] | None] = {}
        self._labels: dict[str, str] = {}

    def read(self, cell: str, row: int, field: str) -> frozenset[str] | None:
        """Return the labels of a cell; None: undecided. What is wrong is refused."""
        if cell not in self._known:
            before = self._place.findings.count
            found = self._judged(cell, row, field)
            if self._place.findings.count > before:
                return frozenset()  # told at this row, and again at the next that holds it
            self._known[cell] = found
        return self._known[cell]

    def one(self, cell: str, row: int, field: str) -> str:
        """Return the one label of a cell; '' where it is refused."""
        name = cell.strip()
        return self._label(name, row, field) or ""

    def _judged(self, cell: str, row: int, field: str) -> frozenset[str] | None:
        parts = [part.strip() for part in cell.split(BAR)]
        names = [part for part in parts if part]
        if UNSURE in names:
            if len(names) == 1:
                return None
            self._place.refuse(row, field, "labels.unsure_not_alone")
            return None
        labels = [self._label(name, row, field) for name in names]
        return frozenset(label for label in labels if label is not None)

    def _label(self, name: str, row: int, field: str) -> str | None:
        if name not in self._labels:
            found = self._found(name, row, field)
            if found is None:
                return None
            self._labels[name] = found
        return self._labels[name]

    def _found(self, name: str, row: int, field: str) -> str | None:
        if len(name) > NAME_CHARACTERS or not is_sound(name, self._place, row, field):
            return None
        if self._scheme is None:
            return self._as_written(name, row, field)
        label = self._scheme.find(name)
        if label is None:
            self._place.refuse(
                row, field, "labels.label_unknown", value=shown(name), scheme=self._scheme.id
            )
            return None
        return label.id

    def _as_written(self, name: str, row: int, field: str) -> str | None:
        if name.startswith("<") or not name:
            self._place.refuse(row, field, "labels.label_odd", value=shown(name) or "''")
            return None
        return name
