"""Cells that hold labels: joined by ``|``, empty or ``none`` for none, ``<unsure>`` for undecided.

`none` and `unsure` are never labels, whatever the scheme: no label of a scheme may have their id.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.files.limits import NAME_CHARACTERS, SHOWN_CHARACTERS
from cbt_core.files.problems import Place, shown
from cbt_core.files.texts import is_sound

BAR: Final = "|"
UNSURE: Final = "<unsure>"
NONE: Final = "none"
RESERVED: Final = frozenset({NONE, "unsure"})
SEPARATORS: Final = ";；、，"
"""What people join labels by, and what no label of a file without a scheme may hold."""

CLOSE: Final = 0.75
"""How alike a misspelt label is to the one that is suggested (ratio of `difflib`)."""


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
        if name.casefold() in {*RESERVED, UNSURE}:
            self._place.refuse(row, field, "labels.reserved", value=shown(name))
            return ""
        return self._label(name, row, field) or ""

    def _judged(self, cell: str, row: int, field: str) -> frozenset[str] | None:
        names = _names(cell)
        if UNSURE in names:
            if len(names) > 1:
                self._place.refuse(row, field, "labels.unsure_not_alone")
            return None
        folded = {name.casefold() for name in names}
        if "unsure" in folded:
            self._place.refuse(row, field, "labels.unsure_spelling")
            return None
        if NONE in folded:
            if len(folded) > 1:
                self._place.refuse(row, field, "labels.none_not_alone")
            return frozenset()
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
        label = self._scheme.find(name) if self._scheme else None
        if label is not None:
            return label.id
        separator = next((one for one in SEPARATORS if one in name), None)
        if separator is not None:
            self._place.refuse(
                row, field, "labels.separator", value=shown(name), separator=separator
            )
            return None
        if self._scheme is None:
            return self._as_written(name, row, field)
        self._unknown(self._scheme, name, (row, field))
        return None

    def _unknown(self, scheme: Scheme, name: str, where: tuple[int, str]) -> None:
        near = _nearest(scheme, name)
        code = "labels.label_unknown_close" if near else "labels.label_unknown"
        self._place.refuse(*where, code, value=shown(name), scheme=scheme.id, near=near)

    def _as_written(self, name: str, row: int, field: str) -> str | None:
        if name.startswith("<") or not name:
            self._place.refuse(row, field, "labels.label_odd", value=shown(name) or "''")
            return None
        return name


def tell_empty(cells: Iterable[str], field: str, place: Place) -> None:
    """Say once how many cells of a column hold nothing and so are read as "none"."""
    count = sum(not _names(cell) for cell in cells)
    if count:
        code = "labels.empty_is_none" if count > 1 else "labels.one_empty_is_none"
        place.warn(1, field, code, count=count, column=field)


def _names(cell: str) -> list[str]:
    return [part for part in (part.strip() for part in cell.split(BAR)) if part]


def _nearest(scheme: Scheme, name: str) -> str:
    """Return the label written most like this one, as it would be written; '' if none is close."""
    written = {
        one.casefold(): one
        for label in scheme.labels for one in (label.id, label.name.zh, label.name.en)
    }
    close = get_close_matches(name[:SHOWN_CHARACTERS].casefold(), written, n=1, cutoff=CLOSE)
    return written[close[0]] if close else ""
