"""The tables of an export, masked unless the study is unblinded, with signature and codebook.

Rows are sorted by item, system and rater: no order, id or column gives a system away. The signature
names data, instrument and version: same line, same numbers.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from cbt_core.analysis.rows import Material, Rows
from cbt_core.domain.instrument import Instrument
from cbt_core.domain.study_setup import StudySetup
from cbt_core.export import gold
from cbt_core.export.columns import CODEBOOK, COMMENTS, MISSING, task_columns
from cbt_core.files.writer import Column, Table, csv_bytes, jsonl_bytes
from cbt_core.version import VERSION


def task_table(material: Material) -> Table:
    """Return every task with its slots, whatever became of it."""
    orders = {line.task_id: line.order for line in material.lines}
    whole = [s.id for s in material.setup.instrument.scales if s.level == "task"]
    rows: Rows = []
    for line in material.lines:
        places = "|".join(
            f"{slot.slot}={material.name(slot)}" for slot in material.slots.get(line.task_id, [])
        )
        given = {
            s.scale: s.value
            for s in material.scores.get(line.submission_id or 0, [])
            if s.slot == ""
        }
        rows.append((
            line.item, line.rater, line.panel, line.kind, line.order, places, line.state,
            orders.get(line.repeat_of or 0), line.opened_at, line.at, line.revision,
            line.seconds, line.layout, line.input, line.width, line.lang, line.confidence,
            *(given.get(scale) for scale in whole),
        ))
    return Table("tasks", task_columns(material.setup.instrument), rows)


def missing_table(material: Material) -> Table:
    """Return what is missing and why: skipped tasks, and scales that could not be rated."""
    rows: Rows = []
    for line in material.lines:
        if line.outcome == "skipped":
            rows.append((line.item, None, line.rater, line.panel, line.kind, None,
                         f"skipped:{line.skip_reason}"))
        places = {slot.slot: slot for slot in material.slots.get(line.task_id, [])}
        for score in material.scores.get(line.submission_id or 0, []):
            if score.missing_reason:
                slot = places.get(score.slot)
                rows.append((line.item, material.name(slot) if slot else None, line.rater,
                             line.panel, line.kind, score.scale, score.missing_reason))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("missing", MISSING, rows)


def comment_table(material: Material) -> Table:
    """Return comments, notes of skips and reasons of corrections."""
    rows: Rows = [
        (line.item, line.rater, line.panel, line.kind, line.revision, kind, text)
        for line in material.lines
        for kind, text in (
            ("comment", line.comment), ("skip", line.note), ("correction", line.reason)
        )
        if text
    ]
    return Table("comments", COMMENTS, rows)


def empty(name: str, layout: tuple[Column, ...]) -> Table:
    """Return a table without rows: its columns tell what would stand there."""
    return Table(name, layout, [])


def codebook_table(tables: Iterable[Table], instrument: Instrument) -> Table:
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
    return Table("codebook", CODEBOOK, rows)


def sign(setup: StudySetup, tables: Sequence[Table]) -> str:
    """Return the line that names data, instrument and version: same line, same numbers.

    The data are the ratings; in a study that only labels, labels and spans, with their scheme.
    """
    by_name = {table.name: table for table in tables}
    ratings, labels = by_name["ratings"], by_name["labels"]
    if ratings.rows or not labels.rows:
        data: tuple[Table, ...] = (ratings,)
        analysed = "main,last"
        people = f"raters:{len({row[2] for row in ratings.rows})}"
        wording = f"instrument:{setup.instrument.signature}"
    else:
        data, analysed = (labels, by_name["spans"]), "first,last"
        people = f"annotators:{len({row[1] for row in labels.rows})}"
        wording = f"scheme:{setup.scheme.signature}"
    return "|".join((
        f"study:{setup.study.slug}",
        f"data:#{table_digest(*data)[:8]}",
        f"set:{analysed}",
        f"items:{len({row[0] for row in data[0].rows})}",
        people,
        wording,
        f"protocol:#{setup.digests.protocol[:8]}",
        f"v:{VERSION}",
    ))


def table_digest(*tables: Table) -> str:
    """Return the SHA-256 of the rows of tables, one after the other."""
    return sha256(b"".join(jsonl_bytes(table) for table in tables)).hexdigest()


def files_beside(
    tables: Sequence[Table], setup: StudySetup, protocol: str, signature: str, head: str
) -> dict[str, bytes]:
    """Return what stands beside the tables: codebook, protocol, signature with digests."""
    codebook = codebook_table(tables, setup.instrument)
    lines = [signature, f"audit-head:{head}"]
    if any(table.name == "gold" for table in tables):
        lines.append(gold.GOLD_RULE)
    lines += [f"{table.name}:{len(table.rows)}:#{table_digest(table)}" for table in tables]
    return {
        "codebook.csv": csv_bytes(codebook),
        "protocol.toml": protocol.encode(),
        "signature.txt": ("\n".join(lines) + "\n").encode(),
    }
