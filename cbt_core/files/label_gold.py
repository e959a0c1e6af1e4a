"""Reading a gold file: ``item_id, gold, model``, one row per item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.chances import chance
from cbt_core.files.columns import Schema
from cbt_core.files.label_cells import LabelCells
from cbt_core.files.labels import opened, refuse_repeats, told
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.rating_columns import Grid, labels, marks

RULES: Final = ("rule", "gold_rule")
GOLD: Final = Schema(
    fields=("item_id", "gold", "model", "inclusion_probability", "excluded", *RULES),
    required=("item_id", "gold", "model"),
)


@dataclass(frozen=True, slots=True)
class GoldRow:
    """One item's gold and model labels; `chance` of having been drawn, where the file knows it."""

    item: str
    gold: frozenset[str]
    model: frozenset[str]
    rule: str = ""
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class ReadGold:
    """The rows that can be judged, how many could not, doubts about the file."""

    rows: Sequence[GoldRow]
    flow: Mapping[str, int]
    warnings: tuple[Problem, ...] = ()


def read_gold(
    path: Path, *, gold: Scheme | None = None, model: Scheme | None = None
) -> ReadGold:
    """Return gold and model labels by item; `<unsure>` on either side leaves the item out.

    Raises:
        ImportProblems: the file cannot be taken; up to 100 problems with their rows are kept.
    """
    place = Place(str(path), Findings())
    grid = opened(path, place, GOLD)
    items = labels(grid, "item_id", place, required=True)
    refuse_repeats(grid, items, place, "item_id", "labels.judged_twice")
    in_gold = _sets(grid, "gold", gold, place)
    in_model = _sets(grid, "model", model, place)
    rules, chances = _rules(grid, place), _chances(grid, place)
    excluded = marks(grid, "excluded")
    place.findings.check()
    found = _Judged(len(grid.rows))
    for at, item in enumerate(items):
        if excluded[at]:
            found.flow["excluded"] += 1
        else:
            found.add(item, in_gold[at], in_model[at], rules[at], chances[at])
    if not found.kept:
        raise place.stop(1, WHOLE_FILE, "labels.nothing_decided")
    return ReadGold(found.kept, found.flow, told(place))


class _Judged:
    """The rows on which both sides are decided, and how many were not."""

    def __init__(self, rows: int) -> None:
        self.kept: list[GoldRow] = []
        self.flow = {"rows_read": rows, "excluded": 0, "gold_unsure": 0, "model_unsure": 0}

    def add(
        self, item: str, gold: frozenset[str] | None, model: frozenset[str] | None, rule: str,
        chance: float | None,
    ) -> None:
        if gold is None:
            self.flow["gold_unsure"] += 1
        elif model is None:
            self.flow["model_unsure"] += 1
        else:
            self.kept.append(GoldRow(item, gold, model, rule, chance))


def _sets(
    grid: Grid, field: str, scheme: Scheme | None, place: Place
) -> list[frozenset[str] | None]:
    cells = LabelCells(scheme, place)
    return [cells.read(cell, row, field)
            for row, cell in zip(grid.rows, grid.columns[field], strict=True)]


def _rules(grid: Grid, place: Place) -> Sequence[str]:
    field = next((one for one in RULES if one in grid.columns), RULES[0])
    return labels(grid, field, place, required=False)


def _chances(grid: Grid, place: Place) -> list[float | None]:
    field = "inclusion_probability"
    found: list[float | None] = []
    for row, cell in zip(grid.rows, grid.columns.get(field, [""] * len(grid.rows)), strict=True):
        text = cell.strip()
        value = chance(text)
        if text and value is None:
            place.refuse(row, field, "labels.not_a_chance", value=shown(text))
        found.append(value)
    return found
