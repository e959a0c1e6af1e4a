"""Reading a machine's labels in a file of its own, to be joined with gold by ``item_id``.

Either one row per item (``item_id, model`` or ``item_id, labels``), or the tables `proposals` and
`machine_runs` of an export side by side: the second tells where a machine found nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.files.columns import Schema
from cbt_core.files.label_cells import LabelCells, tell_empty
from cbt_core.files.labels import kept, opened, refuse_repeats, settle, told
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.rating_columns import Grid, labels, marks

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
        found = _by_item(grid, cells, LabelCells(scheme, place), (place, file.machine))
    elif "label" in grid.columns or "found" in grid.columns:
        found = _of_export(file, grid, (place, scheme), encoding)
    else:
        raise place.stop(1, WHOLE_FILE, "labels.machine_columns")
    settle(place)
    return ReadMachine(found, told(place))


def _by_item(
    grid: Grid, field: str, cells: LabelCells, asked: tuple[Place, str | None]
) -> Sets:
    place = asked[0]
    mine = _only(grid, _chosen(grid, *asked))
    mine = _only(mine, [not out for out in marks(mine, "excluded")])
    items = labels(mine, "item_id", place, required=True)
    refuse_repeats(mine, items, place, "item_id", "labels.judged_twice")
    column = mine.columns[field]
    found = {item: cells.read(cell, row, field)
             for item, row, cell in zip(items, mine.rows, column, strict=True)}
    tell_empty(kept(column, [False] * len(column)), field, place)
    return found


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
    found: Sets = _nothing_found(runs, run_place)
    known = file.machine or next(iter(_names(runs)), None)
    proposals = _only(proposals, _marked(proposals, known))
    items = labels(proposals, "item_id", proposed_place, required=True)
    cells = LabelCells(scheme, proposed_place)
    for item, row, cell in zip(
        items, proposals.rows, proposals.columns["label"], strict=True
    ):
        found[item] = (found.get(item) or frozenset()) | {cells.one(cell, row, "label")}
    settle(beside)
    return found


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
    mine = _marked(grid, machine)
    if not any(mine) or not names:
        raise place.stop(1, WHOLE_FILE, "labels.machine_unknown", machine=shown(machine),
                         names=shown(", ".join(names)) or "-")
    return mine


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
