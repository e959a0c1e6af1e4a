"""Reading a gold file: ``item_id, gold, model``, one row per item, and the machine's labels.

The machine's labels may also stand in a file of their own, joined with gold by ``item_id``: either
one row per item (``item_id, model`` or ``item_id, labels``), or the tables `proposals` and
`machine_runs` of an export side by side: the second tells where a machine found nothing.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.fields import chance
from cbt_core.files.labels import LabelCells, kept, opened, refuse_repeats, settle, tell_empty, told
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.ratings import Grid, labels, marks
from cbt_core.files.tables import Schema

CELLS: Final = ("model", "labels")
MACHINES: Final = ("machine", "source")
MACHINE: Final = Schema(
    fields=("item_id", *CELLS, "label", "found", *MACHINES, "excluded"), required=("item_id",)
)
PROPOSALS: Final = Schema(fields=("item_id", "label", *MACHINES), required=("item_id", "label"))
RUNS: Final = Schema(fields=("item_id", "found", *MACHINES), required=("item_id", "found"))

Sets = dict[str, frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class MachineFile:
    """A file of a machine's labels, and which machine (``M1`` or its source) if it has several."""

    path: Path
    machine: str | None = None


@dataclass(frozen=True, slots=True)
class ReadMachine:
    """A machine's labels by item (None: it gave no usable reply), and doubts about the file."""

    labels: Mapping[str, frozenset[str] | None]
    warnings: tuple[Problem, ...] = ()


def read_machine(
    file: MachineFile, *, scheme: Scheme | None = None, encoding: str | None = None
) -> ReadMachine:
    """Return the labels of one machine.

    Raises:
        ImportProblems: the file cannot be taken, or it holds several machines and none is named.
    """
    place = Place(str(file.path), Findings())
    grid = opened(file.path, place, MACHINE, encoding)
    cells = next((name for name in CELLS if name in grid.columns), None)
    if cells:
        sets = _by_item(grid, cells, LabelCells(scheme, place), (place, file.machine))
    elif "label" in grid.columns or "found" in grid.columns:
        sets = _of_export(file, grid, (place, scheme), encoding)
    else:
        raise place.stop(1, WHOLE_FILE, "labels.machine_columns")
    settle(place)
    return ReadMachine(sets, told(place))


def _by_item(
    grid: Grid, field: str, cells: LabelCells, asked: tuple[Place, str | None]
) -> Sets:
    place = asked[0]
    own_rows = _only(grid, _chosen(grid, *asked))
    own_rows = _only(own_rows, [not out for out in marks(own_rows, "excluded")])
    items = labels(own_rows, "item_id", place, required=True)
    refuse_repeats(own_rows, items, place, "item_id", "labels.judged_twice")
    column = own_rows.columns[field]
    sets = {item: cells.read(cell, row, field)
             for item, row, cell in zip(items, own_rows.rows, column, strict=True)}
    tell_empty(kept(column, [False] * len(column)), field, place)
    return sets


def _of_export(
    file: MachineFile, grid: Grid, judging: tuple[Place, Scheme | None], encoding: str | None
) -> Sets:
    """Return labels from `proposals` and `machine_runs`, whichever of the two was named."""
    place, scheme = judging
    is_proposals = "label" in grid.columns
    name = "machine_runs" if is_proposals else "proposals"
    path = file.path.with_name(name + file.path.suffix)
    if not path.is_file():
        raise place.stop(1, WHOLE_FILE, "labels.machine_beside", name=shown(path.name))
    beside = Place(str(path), Findings())
    other = opened(path, beside, RUNS if is_proposals else PROPOSALS, encoding)
    runs, proposals = (other, grid) if is_proposals else (grid, other)
    run_place, proposed_place = (beside, place) if is_proposals else (place, beside)
    runs = _only(runs, _chosen(runs, run_place, file.machine))
    sets: Sets = _nothing_found(runs, run_place)
    known = file.machine or next(iter(_names(runs)), None)
    proposals = _only(proposals, _marked(proposals, known))
    items = labels(proposals, "item_id", proposed_place, required=True)
    cells = LabelCells(scheme, proposed_place)
    for item, row, cell in zip(
        items, proposals.rows, proposals.columns["label"], strict=True
    ):
        sets[item] = (sets.get(item) or frozenset()) | {cells.one(cell, row, "label")}
    settle(beside)
    return sets


def _nothing_found(runs: Grid, place: Place) -> Sets:
    items = labels(runs, "item_id", place, required=True)
    refuse_repeats(runs, items, place, "item_id", "labels.judged_twice")
    return dict.fromkeys(items, frozenset[str]())


def _names(grid: Grid) -> list[str]:
    """Return the machines a file tells apart, masked names rather than true ones."""
    field = next((one for one in MACHINES if one in grid.columns), None)
    return sorted(set(grid.columns[field])) if field else []


def _chosen(grid: Grid, place: Place, machine: str | None) -> list[bool]:
    """Return which rows are of the machine asked for (n,).

    Raises:
        ImportProblems: there are several and none is named, or it is not there.
    """
    names = _names(grid)
    if machine is None:
        if len(names) > 1:
            raise place.stop(1, WHOLE_FILE, "labels.machines_several", count=len(names),
                             names=shown(", ".join(names)))
        return [True] * len(grid.rows)
    own_marks = _marked(grid, machine)
    if not any(own_marks) or not names:
        raise place.stop(1, WHOLE_FILE, "labels.machine_unknown", machine=shown(machine),
                         names=shown(", ".join(names)) or "-")
    return own_marks


def _marked(grid: Grid, machine: str | None) -> list[bool]:
    columns = [grid.columns[one] for one in MACHINES if one in grid.columns]
    if machine is None or not columns:
        return [True] * len(grid.rows)
    return [machine in names for names in zip(*columns, strict=True)]


def _only(grid: Grid, wanted: Sequence[bool]) -> Grid:
    return Grid(
        [row for row, is_in in zip(grid.rows, wanted, strict=True) if is_in],
        {name: [cell for cell, is_in in zip(cells, wanted, strict=True) if is_in]
         for name, cells in grid.columns.items()},
    )


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
    tally = _Judged(len(grid.rows), in_model)
    for at, item in enumerate(items):
        tally.add(item, in_gold[at], rest[at], excluded=excluded[at])
    if beside:
        _tell_missing(tally, in_model.keys() - set(items), place)
    if not tally.kept:
        raise place.stop(1, WHOLE_FILE, "labels.nothing_decided")
    return ReadGold(tally.kept, tally.flow, told(place) + (beside.warnings if beside else ()))


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


def _tell_missing(tally: _Judged, more: Set[str], place: Place) -> None:
    """Count the items that only one of the two files has.

    Raises:
        ImportProblems: they have none in common.
    """
    missing = tally.flow.setdefault("gold_without_model", 0)
    tally.flow["model_without_gold"] = len(more)
    if not tally.kept and missing:
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
    chances: list[float | None] = []
    for row, cell in zip(grid.rows, grid.columns.get(field, [""] * len(grid.rows)), strict=True):
        text = cell.strip()
        value = chance(text)
        if text and value is None:
            place.refuse(row, field, "labels.not_a_chance", value=shown(text))
        chances.append(value)
    return chances


def _any(grid: Grid, place: Place) -> list[bool | None]:
    column = grid.columns.get("any", [""] * len(grid.rows))
    for row, cell in zip(grid.rows, column, strict=True):
        if cell.strip() not in ANY:
            place.refuse(row, "any", "labels.not_any", value=shown(cell))
    return [ANY.get(cell.strip()) for cell in column]
