"""The tables of an export: masked unless the study is unblinded.

Rows are sorted by item, system and rater: no order, id or column gives a system away.
"""

from collections.abc import Iterable

from cbt_core.analysis.rows import Material, Rows
from cbt_core.domain.instrument import Instrument
from cbt_core.export import columns
from cbt_core.files.writer import Column, Table


def task_table(found: Material) -> Table:
    """Return every task with its slots, whatever became of it."""
    orders = {line.task_id: line.order for line in found.lines}
    whole = [s.id for s in found.setup.instrument.scales if s.level == "task"]
    rows: Rows = []
    for line in found.lines:
        places = "|".join(
            f"{slot.slot}={found.name(slot)}" for slot in found.slots.get(line.task_id, [])
        )
        given = {
            s.scale: s.value
            for s in found.scores.get(line.submission_id or 0, [])
            if s.slot == ""
        }
        rows.append((
            line.item, line.rater, line.panel, line.kind, line.order, places, line.state,
            orders.get(line.repeat_of or 0), line.opened_at, line.at, line.revision,
            line.seconds, line.layout, line.input, line.width, line.lang, line.confidence,
            *(given.get(scale) for scale in whole),
        ))
    return Table("tasks", columns.task_columns(found.setup.instrument), rows)


def missing_table(found: Material) -> Table:
    """Return what is missing and why: skipped tasks, and scales that could not be rated."""
    rows: Rows = []
    for line in found.lines:
        if line.outcome == "skipped":
            rows.append((line.item, None, line.rater, line.panel, line.kind, None,
                         f"skipped:{line.skip_reason}"))
        places = {slot.slot: slot for slot in found.slots.get(line.task_id, [])}
        for score in found.scores.get(line.submission_id or 0, []):
            if score.missing_reason:
                slot = places.get(score.slot)
                rows.append((line.item, found.name(slot) if slot else None, line.rater,
                             line.panel, line.kind, score.scale, score.missing_reason))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("missing", columns.MISSING, rows)


def comment_table(found: Material) -> Table:
    """Return comments, notes of skips and reasons of corrections."""
    rows: Rows = [
        (line.item, line.rater, line.panel, line.kind, line.revision, kind, text)
        for line in found.lines
        for kind, text in (
            ("comment", line.comment), ("skip", line.note), ("correction", line.reason)
        )
        if text
    ]
    return Table("comments", columns.COMMENTS, rows)


def empty(name: str, layout: tuple[Column, ...]) -> Table:
    """Return a table without rows: its columns tell what would stand there."""
    return Table(name, layout, [])


def codebook(tables: Iterable[Table], instrument: Instrument) -> Table:
    """Return what every column means, and the anchors of every scale."""
    rows: Rows = [
        (table.name, column.name, column.kind, None, column.said("zh"), column.said("en"))
        for table in tables
        for column in table.columns
    ]
    for scale in instrument.scales:
        for value in scale.values:
            rows.append(("instrument", scale.id, scale.measure, value.value,
                         f"{value.label.zh}：{value.anchor.zh}",
                         f"{value.label.en}: {value.anchor.en}"))
    return Table("codebook", columns.CODEBOOK, rows)
