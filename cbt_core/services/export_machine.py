"""What machines proposed, and where they were run, as tables of an export.

Their provenance stands in an unblinded export only: it may name a system under study. `machine` is
the masked name under which the results show it, so that several can be told apart before that.
"""

from typing import Final

from cbt_core.files.tables import Cell, Column, Table
from cbt_core.services.export_columns import INTEGER, ITEM, TEXT
from cbt_core.services.export_rows import Material
from db import label_lines, proposals
from db.engine import Connection

Rows = list[tuple[Cell, ...]]


def _c(name: str, kind: str, zh: str, en: str) -> Column:
    return Column(name, kind, zh, en)


FIELD: Final = _c("field", TEXT, "question 提问、description 描述", "question or description")
PLACE: Final = (
    FIELD,
    _c("field_start", INTEGER, "在该字段中的起点（码点）", "start within the field (code points)"),
    _c("field_end", INTEGER, "在该字段中的终点（不含）", "end within the field, exclusive"),
)
NUMBER_IN_ITEM: Final = _c(
    "proposal", INTEGER, "该题的第几条建议", "number of the proposal in its item"
)
MACHINE: Final = _c(
    "machine", TEXT, "模型的遮蔽名称（与标注结果页相同）",
    "masked name of the machine (as on the screen of label results)",
)
PROPOSALS: Final = (
    ITEM, MACHINE, NUMBER_IN_ITEM,
    _c("label", TEXT, "模型建议的标签", "label the machine proposed"), *PLACE,
)
PROVENANCE: Final = (
    _c("source", TEXT, "来源", "what proposed it"), _c("run", TEXT, "运行", "run"),
)
MACHINE_RUNS: Final = (
    ITEM, MACHINE,
    _c("found", INTEGER, "模型建议的条数（0=运行过而没有发现；无此行=未运行）",
       "labels the machine proposed (0: it ran and found nothing; no row: it was not run)"),
)


def tables(connection: Connection, found: Material) -> list[Table]:
    """Return `proposals` and `machine_runs`."""
    return [_proposals(connection, found), _machine_runs(connection, found)]


def _masks(connection: Connection, study_id: int) -> dict[str, str]:
    """Return M1, M2 … by source, in the order of the sources' names."""
    sources = {one.source for one in proposals.passes(connection, study_id)}
    sources |= {one.source for one in label_lines.proposals(connection, study_id)}
    return {source: f"M{number}" for number, source in enumerate(sorted(sources), start=1)}


def _proposals(connection: Connection, found: Material) -> Table:
    rows: Rows = []
    masks = _masks(connection, found.setup.study.id)
    for one in label_lines.proposals(connection, found.setup.study.id):
        row: tuple[Cell, ...] = (
            one.item, masks[one.source], one.number, one.label, one.field or None, one.start,
            one.end,
        )
        rows.append((*row, one.source or None, one.run or None) if found.unblinded else row)
    return Table("proposals", (*PROPOSALS, *PROVENANCE) if found.unblinded else PROPOSALS, rows)


def _machine_runs(connection: Connection, found: Material) -> Table:
    """Return the items on which a machine was run: an item it found nothing in is one of them."""
    rows: Rows = []
    masks = _masks(connection, found.setup.study.id)
    for one in proposals.passes(connection, found.setup.study.id):
        row: tuple[Cell, ...] = (one.item, masks[one.source], one.found)
        rows.append((*row, one.source or None, one.run or None) if found.unblinded else row)
    columns = (*MACHINE_RUNS, *PROVENANCE) if found.unblinded else MACHINE_RUNS
    return Table("machine_runs", columns, rows)
