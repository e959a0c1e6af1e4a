"""Reading a ratings file: one row per item, system and rater, all of it or a refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cbt_core.domain.study import Kind, Problem
from cbt_core.files.grid import (
    ALL_SCALES,
    Grid,
    gathered,
    labels,
    marks,
    numbers,
    option_values,
    scores,
)
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, refuse_warnings
from cbt_core.files.tables import Choice, Schema, open_table
from cbt_core.stats.ratings import POOLED, Columns, Ratings, gather

STANDARD: Final = ("relevance", "structure", "helpfulness")
"""The scales that are read when none are named."""

STANDARD_VALUES: Final = (0.0, 1.0, 2.0)

KEYS: Final = ("item_id", "system", "rater")
OPTIONAL: Final = (
    "panel", "kind", "order", "seconds", "excluded", "revision", "instrument",
)  # fmt: skip
UNREAD: Final = frozenset(
    {"occasion", "slot", "layout", "lang", "missing_reason", "study", "task", "at"}
)
QUIET_WARNINGS: Final = frozenset({"column_unknown", "column_unknown_close", "columns_empty"})
"""Columns of their own are people's good right in a ratings file."""


@dataclass(frozen=True, slots=True)
class ReadRatings:
    """The analysis set of a file, the values of each scale, and doubts about the file."""

    ratings: Ratings
    values: Mapping[str, tuple[float, ...]]
    warnings: tuple[Problem, ...] = ()


def read_ratings(
    path: Path,
    *,
    scales: Sequence[str] | None = None,
    values: str | None = None,
    encoding: str | None = None,
    name: str | None = None,
    strict: bool = False,
) -> ReadRatings:
    """Return the main, not excluded ratings of a file, in their last revision.

    `scales`: columns to read, else those of relevance, structure, helpfulness that are there.
    `values`: the values of the scales as ``0,1,2`` or ``relevance=0,1,2;empathy=1,2,3,4,5``; left
    out, the three have 0, 1, 2 and others what the file holds. `name`: the file as typed.

    Raises:
        ImportProblems: the file cannot be taken; up to 100 problems with their rows are kept.
        StudyError: `values` cannot be understood.
    """
    findings = Findings()
    place = Place(name or str(path), findings)
    asked = tuple(dict.fromkeys(scales)) if scales is not None else ()
    given = option_values(values)
    table = open_table(path, place, _schema(asked), Choice(encoding))
    present = asked or tuple(scale for scale in STANDARD if scale in table.fields)
    if not present:
        raise place.stop(1, WHOLE_FILE, "ratings_file.no_scale", names=", ".join(STANDARD))
    grid = gathered(table.records, table.fields)
    allowed = {scale: _allowed(scale, given) for scale in present}
    found = _analysed(grid, allowed, place)
    findings.check()
    told = tuple(each for each in findings.warnings() if each.code not in QUIET_WARNINGS)
    if strict:
        refuse_warnings(told)
    return ReadRatings(found, _values(found, allowed), told)


def _schema(asked: tuple[str, ...]) -> Schema:
    return Schema(
        fields=tuple(dict.fromkeys((*KEYS, *OPTIONAL, *(asked or STANDARD)))),
        required=(*KEYS, *asked),
        quiet=UNREAD - set(asked),
    )


def _allowed(scale: str, given: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    """Return the values a scale may have; none = whatever the file holds."""
    standard = STANDARD_VALUES if scale in STANDARD else ()
    return given.get(scale, given.get(ALL_SCALES, standard))


def _values(
    ratings: Ratings, allowed: Mapping[str, tuple[float, ...]]
) -> dict[str, tuple[float, ...]]:
    found = {}
    for scale, values in allowed.items():
        seen = ratings.values[scale]
        found[scale] = values or tuple(np.unique(seen[~np.isnan(seen)]).tolist())
    return found


def _analysed(grid: Grid, allowed: Mapping[str, tuple[float, ...]], place: Place) -> Ratings:
    keys = {field: labels(grid, field, place, required=True) for field in KEYS}
    panel = labels(grid, "panel", place, required=False)
    if POOLED in keys["system"]:
        row = grid.rows[keys["system"].index(POOLED)]
        place.refuse(row, "system", "ratings_file.system_called_all", name=POOLED)
    columns = {scale: scores(grid, scale, values, place) for scale, values in allowed.items()}
    order = numbers(grid, "order", place)
    seconds = numbers(grid, "seconds", place)
    unit = list(zip(keys["item_id"], keys["system"], panel, keys["rater"], strict=True))
    kept, flow = _kept(grid, unit, place)
    place.findings.check()
    chosen = np.array(kept, dtype=np.int64)
    return gather(
        Columns(
            item=[keys["item_id"][at] for at in kept],
            system=[keys["system"][at] for at in kept],
            rater=[keys["rater"][at] for at in kept],
            panel=[panel[at] for at in kept],
            values={scale: column[chosen] for scale, column in columns.items()},
            order=None if order is None else order[chosen],
            seconds=None if seconds is None else seconds[chosen],
        ),
        flow=flow,
        instrument=_instrument(grid, kept),
    )


def _kept(
    grid: Grid, unit: Sequence[tuple[str, str, str, str]], place: Place
) -> tuple[list[int], dict[str, int]]:
    """Return which rows are analysed, and how many were left out and why.

    Two rows left for one unit and rater are refused, both named.
    """
    kinds = labels(grid, "kind", place, required="kind" in grid.columns)
    _refuse_kinds(grid, kinds, place)
    excluded = marks(grid, "excluded")
    revision = numbers(grid, "revision", place)
    revision = np.zeros(len(grid.rows)) if revision is None else np.nan_to_num(revision)
    flow = {"rows_read": len(grid.rows)}
    latest: dict[tuple[str, str, str, str], int] = {}
    for at, key in enumerate(unit):
        if kinds[at] not in ("", Kind.MAIN):
            _count(flow, f"dropped_{kinds[at]}")
            continue
        earlier = latest.get(key)
        if earlier is not None and revision[at] == revision[earlier]:
            place.refuse(
                grid.rows[at], "rater", "ratings_file.rated_twice", where=grid.rows[earlier]
            )
            continue
        if earlier is not None:
            _count(flow, "dropped_earlier_revision")
        if earlier is None or revision[at] > revision[earlier]:
            latest[key] = at
    kept = [at for at in latest.values() if not excluded[at]]
    if len(kept) < len(latest):
        flow["dropped_excluded"] = len(latest) - len(kept)
    return kept, flow | {"rows_analysed": len(kept)}


def _count(flow: dict[str, int], reason: str) -> None:
    flow[reason] = flow.get(reason, 0) + 1


def _refuse_kinds(grid: Grid, kinds: Sequence[str], place: Place) -> None:
    known = {kind.value for kind in Kind} | {""}
    if not set(kinds) <= known:
        for row, kind in zip(grid.rows, kinds, strict=True):
            if kind not in known:
                place.refuse(row, "kind", "ratings_file.kind_unknown", kinds=", ".join(Kind))


def _instrument(grid: Grid, kept: Sequence[int]) -> str:
    """Return the instrument the rows name, when it is one and the same."""
    column = grid.columns.get("instrument")
    named = {column[at] for at in kept} if column is not None else set()
    return named.pop() if len(named) == 1 else ""
