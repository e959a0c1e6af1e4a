"""Reading a gold file: ``item_id, gold, model``, one row per item.

The machine's labels may also stand in a file of their own (`label_machine`).
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.chances import chance
from cbt_core.files.columns import Schema
from cbt_core.files.label_cells import LabelCells, tell_empty
from cbt_core.files.label_machine import MachineFile, read_machine
from cbt_core.files.labels import kept, opened, refuse_repeats, settle, told
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.rating_columns import Grid, labels, marks

RULES: Final = ("rule", "gold_rule")
GOLD: Final = Schema(
    fields=("item_id", "gold", "model", "any", "inclusion_probability", "excluded", *RULES),
    required=("item_id", "gold", "model"),
)
ALONE: Final = replace(
    GOLD, fields=tuple(name for name in GOLD.fields if name != "model"),
    required=("item_id", "gold"), quiet=frozenset({"model"}),
)
"""A gold file beside which the machine's labels stand in another."""

ANY: Final = {"": None, "0": False, "0.0": False, "1": True, "1.0": True}


@dataclass(frozen=True, slots=True)
class GoldRow:
    """One item's gold and model labels; `chance` of having been drawn, where the file knows it.

    `any_only`: gold says that there is a distortion, and not which.
    """

    item: str
    gold: frozenset[str]
    model: frozenset[str]
    rule: str = ""
    chance: float | None = None
    any_only: bool = False


@dataclass(frozen=True, slots=True)
class ReadGold:
    """The rows that can be judged, how many could not, doubts about the file."""

    rows: Sequence[GoldRow]
    flow: Mapping[str, int]
    warnings: tuple[Problem, ...] = ()


def read_gold(
    path: Path, *, gold: Scheme | None = None, model: Scheme | None = None,
    machine: MachineFile | None = None, encoding: str | None = None,
) -> ReadGold:
    """Return gold and model labels by item; `<unsure>` on either side leaves the item out.

    Only where gold is `<unsure>` and its column `any` is 1, the item stays, as `any_only`. With
    `machine` its labels come from that file, joined by item; what one side lacks is counted.

    Raises:
        ImportProblems: a file cannot be taken; up to 100 problems with their rows are kept.
    """
    place = Place(str(path), Findings())
    grid = opened(path, place, ALONE if machine else GOLD, encoding)
    items = labels(grid, "item_id", place, required=True)
    refuse_repeats(grid, items, place, "item_id", "labels.judged_twice")
    in_gold = _sets(grid, "gold", gold, place)
    in_file = None if machine else dict(zip(items, _sets(grid, "model", model, place), strict=True))
    rest = list(zip(_rules(grid, place), _chances(grid, place), _any(grid, place), strict=True))
    settle(place)
    excluded = marks(grid, "excluded")
    for field in ("gold", *(("model",) if in_file is not None else ())):
        tell_empty(kept(grid.columns[field], excluded), field, place)
    beside = read_machine(machine, scheme=model, encoding=encoding) if machine else None
    in_model = beside.labels if beside else in_file or {}
    found = _Judged(len(grid.rows), in_model)
    for at, item in enumerate(items):
        found.add(item, in_gold[at], rest[at], excluded=excluded[at])
    if beside:
        _tell_missing(found, in_model.keys() - set(items), place)
    if not found.kept:
        raise place.stop(1, WHOLE_FILE, "labels.nothing_decided")
    return ReadGold(found.kept, found.flow, told(place) + (beside.warnings if beside else ()))


Rest = tuple[str, float | None, bool | None]
"""What else a row says: rule, chance, whether there is any distortion."""


class _Judged:
    """The rows on which both sides are decided, and how many were not."""

    def __init__(self, rows: int, in_model: Mapping[str, frozenset[str] | None]) -> None:
        self.kept: list[GoldRow] = []
        self.flow = {"rows_read": rows, "excluded": 0, "gold_unsure": 0, "gold_any_only": 0,
                     "model_unsure": 0}
        self._in_model = in_model

    def add(
        self, item: str, gold: frozenset[str] | None, rest: Rest, *, excluded: bool
    ) -> None:
        left_out = self._why_not(item, gold, rest, excluded=excluded)
        if left_out:
            self.flow[left_out] = self.flow.get(left_out, 0) + 1
            return
        rule, chance, _ = rest
        model = self._in_model[item] or frozenset()
        self.flow["gold_any_only"] += gold is None
        self.kept.append(GoldRow(item, gold or frozenset(), model, rule, chance, gold is None))

    def _why_not(
        self, item: str, gold: frozenset[str] | None, rest: Rest, *, excluded: bool
    ) -> str:
        """Return under which name an item is left out; '' if it is judged."""
        if excluded:
            return "excluded"
        if gold is None and not rest[2]:
            return "gold_unsure"
        if item not in self._in_model:
            return "gold_without_model"
        return "model_unsure" if self._in_model[item] is None else ""


def _tell_missing(found: _Judged, more: Set[str], place: Place) -> None:
    """Count the items that only one of the two files has.

    Raises:
        ImportProblems: they have none in common.
    """
    missing = found.flow.setdefault("gold_without_model", 0)
    found.flow["model_without_gold"] = len(more)
    if not found.kept and missing:
        raise place.stop(1, "item_id", "labels.nothing_common")
    if missing or more:
        place.warn(1, "item_id", "labels.not_in_both", gold=missing, model=len(more))


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


def _any(grid: Grid, place: Place) -> list[bool | None]:
    column = grid.columns.get("any", [""] * len(grid.rows))
    for row, cell in zip(grid.rows, column, strict=True):
        if cell.strip() not in ANY:
            place.refuse(row, "any", "labels.not_any", value=shown(cell))
    return [ANY.get(cell.strip()) for cell in column]
