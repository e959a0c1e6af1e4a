"""The rows every statistic of a study is computed from, as numbers; and the line that names them.

That line goes with every figure: same signature, same numbers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.errors import StudyError
from cbt_core.version import VERSION

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Numbers = Sequence[float | None] | Floats

POOLED = "ALL"
"""The name under which all systems together are reported; no system may bear it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """One row per (item, system, panel, rater), in the order of the sorted labels.

    `item`, `system`, `panel`, `rater` are indices (n,) into the sorted label tuples `items`,
    `systems`, `panels`, `raters`. `values` holds one array (n,) per scale, nan = no score.
    `order` (1, 2, … in the rater's sequence) and `seconds` are arrays (n,) with nan, or None when
    they are not known. `flow` counts the rows met and left out on the way here.
    """

    items: tuple[str, ...]
    systems: tuple[str, ...]
    panels: tuple[str, ...]
    raters: tuple[str, ...]
    item: Integers
    system: Integers
    panel: Integers
    rater: Integers
    values: Mapping[str, Floats]
    order: Floats | None = None
    seconds: Floats | None = None
    flow: Mapping[str, int] = field(default_factory=dict)
    study: str = ""
    instrument: str = ""

    @property
    def scales(self) -> tuple[str, ...]:
        """Return the scales in the order they were given."""
        return tuple(self.values)

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Rating rows as plain columns of equal length, in any order; nan or None = missing.

    `panel`, `order`, `seconds` may be left out. Scores are numbers on the scale.
    """

    item: Sequence[str]
    system: Sequence[str]
    rater: Sequence[str]
    values: Mapping[str, Numbers]
    panel: Sequence[str] | None = None
    order: Numbers | None = None
    seconds: Numbers | None = None


def gather(
    columns: Columns,
    *,
    flow: Mapping[str, int] | None = None,
    study: str = "",
    instrument: str = "",
) -> Ratings:
    """Return the rows in canonical order, so that the order of a file changes no figure.

    Raises:
        StudyError: a system is called ALL, or two rows have the same item, system, panel and rater.
    """
    items, item = _indexed(columns.item)
    systems, system = _indexed(columns.system)
    raters, rater = _indexed(columns.rater)
    panels, panel = _indexed(columns.panel if columns.panel is not None else [""] * len(item))
    if POOLED in systems:
        raise StudyError("stats.system_called_all")
    keys = (rater, panel, system, item)
    turn = np.lexsort(keys)
    _refuse_repetition(np.stack(keys)[:, turn])
    return Ratings(
        items, systems, panels, raters,
        item[turn], system[turn], panel[turn], rater[turn],
        values={scale: _numbers(column)[turn] for scale, column in columns.values.items()},
        order=None if columns.order is None else _numbers(columns.order)[turn],
        seconds=None if columns.seconds is None else _numbers(columns.seconds)[turn],
        flow=dict(flow or {"rows_analysed": len(item)}),
        study=study, instrument=instrument,
    )  # fmt: skip


def _indexed(labels: Sequence[str]) -> tuple[tuple[str, ...], Integers]:
    """Return the distinct labels, sorted, and the index (n,) of each row's label."""
    distinct = sorted(set(labels))
    place = {label: index for index, label in enumerate(distinct)}
    indices = np.fromiter((place[label] for label in labels), np.int64, len(labels))
    return tuple(distinct), indices


def _numbers(column: Numbers) -> Floats:
    if isinstance(column, np.ndarray):
        return column.astype(np.float64)
    return np.array([np.nan if value is None else value for value in column], dtype=np.float64)


def _refuse_repetition(sorted_keys: Integers) -> None:
    same = (sorted_keys[:, 1:] == sorted_keys[:, :-1]).all(axis=0)
    if same.any():
        raise StudyError("stats.rated_twice", count=int(same.sum()))


SHOWN: Final = 8


def digest(ratings: Ratings, scales: Sequence[str]) -> str:
    """Return the SHA-256 (hexadecimal) of the rows analysed, whatever order a file had them in."""
    checksum = hashlib.sha256()
    for labels in (ratings.items, ratings.systems, ratings.panels, ratings.raters, tuple(scales)):
        checksum.update(f"{len(labels)}\0".encode() + "\0".join(labels).encode() + b"\n")
    for indices in (ratings.item, ratings.system, ratings.panel, ratings.rater):
        checksum.update(indices.astype("<i8").tobytes())
    numbers = [ratings.values[scale] for scale in scales]
    numbers += [column for column in (ratings.order, ratings.seconds) if column is not None]
    for column in numbers:
        plain = np.where(np.isnan(column), np.nan, column + 0.0)  # one nan, one zero
        checksum.update(plain.astype("<f8").tobytes())
    return checksum.hexdigest()


def signature(ratings: Ratings, scales: Sequence[str], settings: Mapping[str, object]) -> str:
    """Return e.g. ``study:demo|data:#1f09c2aa|set:main,last|items:120|raters:6|…|v:0.1.0``."""
    parts: dict[str, object] = {"study": ratings.study} if ratings.study else {}
    parts |= {
        "data": "#" + digest(ratings, scales)[:SHOWN],
        "set": "main,last",
        "items": len(ratings.items),
        "raters": len(ratings.raters),
    }
    if ratings.instrument:
        parts["instrument"] = ratings.instrument
    parts |= {"scales": ",".join(scales), **settings, "v": VERSION}
    return "|".join(f"{name}:{value}" for name, value in parts.items())


def told_values(values: Mapping[str, Sequence[float]], scales: Sequence[str]) -> str:
    """Return the values of the scales as the signature tells them: ``0,1,2`` or per scale."""
    texts = [",".join(f"{value:g}" for value in values[scale]) for scale in scales]
    if len(set(texts)) == 1:
        return texts[0]
    return ";".join(f"{scale}={text}" for scale, text in zip(scales, texts, strict=True))
