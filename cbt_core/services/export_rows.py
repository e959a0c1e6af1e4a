"""The tables of an export, built from what was entered: masked unless the study is unblinded.

Rows are sorted by item, system and rater: no order, id or column gives a system away.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cbt_core.domain.instrument import Instrument
from cbt_core.files.tables import Cell, Column, Table
from cbt_core.services import export_columns as columns
from cbt_core.services.studies import StudySetup
from db import audit, items, results
from db.engine import Connection
from db.result_lines import ScoreLine, SlotLine, TaskLine

Rows = list[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything read once for all tables of one export."""

    setup: StudySetup
    unblinded: bool
    systems: dict[int, str]
    lines: list[TaskLine]
    slots: dict[int, list[SlotLine]]
    scores: dict[int, list[ScoreLine]]
    excluded_raters: dict[str, str]
    excluded_items: dict[str, str]

    def name(self, slot: SlotLine) -> str:
        """Return the name an answer's system bears in this export."""
        if slot.system_id is None:
            return f"check:{slot.part}" if slot.part else f"calibration:{slot.slot}"
        return self.systems[slot.system_id]

    def excluded(self, line: TaskLine) -> str:
        """Return why a task is left out of the analysis; empty when it is not."""
        return self.excluded_items.get(line.item) or self.excluded_raters.get(line.rater, "")

    def by_submission(self) -> dict[int, TaskLine]:
        """Return the tasks by the id of their newest submission."""
        return {
            line.submission_id: line for line in self.lines if line.submission_id is not None
        }


def material(connection: Connection, setup: StudySetup, *, unblinded: bool) -> Material:
    """Read what the tables are made of."""
    study_id = setup.study.id
    raters, left_out = results.excluded(connection, study_id)
    return Material(
        setup=setup,
        unblinded=unblinded,
        systems=results.system_names(connection, study_id, unblinded=unblinded),
        lines=results.tasks(connection, study_id),
        slots=results.slots(connection, study_id),
        scores=results.scores(connection, study_id),
        excluded_raters=raters,
        excluded_items=left_out,
    )


def ratings(found: Material) -> Table:
    """Return one row per answer scored: what `agreement` and `compare` read."""
    instrument = found.setup.instrument
    scales = [scale.id for scale in instrument.scales if scale.level == "answer"]
    whole = [scale.id for scale in instrument.scales if scale.level == "task"]
    rows: Rows = []
    for line in found.lines:
        if line.outcome != "scored" or line.submission_id is None:
            continue
        scores = found.scores.get(line.submission_id, [])
        slots = found.slots[line.task_id]
        alone = whole if len(slots) == 1 else []  # else a score of the task belongs to no system
        for slot in slots:
            rows.append(_rating(found, line, slot, scores, [*scales, *alone], whole))
    rows.sort(key=_by_unit)
    return Table("ratings", columns.ratings(instrument), rows)


def _rating(
    found: Material,
    line: TaskLine,
    slot: SlotLine,
    scores: Sequence[ScoreLine],
    used: Sequence[str],
    whole: Sequence[str],
) -> tuple[Cell, ...]:
    mine = {s.scale: s for s in scores if s.slot == slot.slot or s.slot == ""}
    names = [scale.id for scale in found.setup.instrument.scales]
    values = [mine[n].value if n in mine and n in used else None for n in names]
    missing = [
        f"{n}={mine[n].missing_reason}"
        for n in names
        if n in mine and n in used and mine[n].missing_reason
    ]
    return (
        line.item, found.name(slot), line.rater, line.panel, line.kind, line.order,
        *values, line.seconds, found.excluded(line) or None, 2 if line.kind == "repeat" else 1,
        line.revision, slot.slot, line.layout, line.lang, found.setup.instrument.signature,
        ";".join(missing) or None,
    )


def revisions(connection: Connection, found: Material) -> Table:
    """Return every score of every revision, so that corrections can be followed."""
    study_id = found.setup.study.id
    scores = results.scores(connection, study_id, every_revision=True)
    rows: Rows = []
    for line in results.tasks(connection, study_id, every_revision=True):
        if line.submission_id is None:
            continue
        places = {slot.slot: slot for slot in found.slots[line.task_id]}
        for score in sorted(scores.get(line.submission_id, []), key=lambda s: (s.slot, s.scale)):
            slot = places.get(score.slot)
            rows.append((
                line.item, found.name(slot) if slot else None, line.rater, line.panel, line.kind,
                line.revision, line.at, score.scale, score.value, score.missing_reason or None,
                line.reason or None,
            ))
    rows.sort(key=lambda row: (*(str(cell) for cell in row[:6]), str(row[7])))
    return Table("revisions", columns.REVISIONS, rows)


def tasks(found: Material) -> Table:
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
    return Table("tasks", columns.tasks(found.setup.instrument), rows)


def missing(found: Material) -> Table:
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


def comments(found: Material) -> Table:
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


def preferences(connection: Connection, found: Material) -> Table:
    """Return overall preferences: the slot chosen and the system that stood there."""
    lines = found.by_submission()
    rows: Rows = []
    for one in results.preferences(connection, found.setup.study.id):
        line = lines[one.submission_id]
        chosen = next((s for s in found.slots[line.task_id] if s.slot == one.choice), None)
        rows.append((line.item, line.rater, line.panel, line.kind, one.choice,
                     found.name(chosen) if chosen else one.choice, found.excluded(line) or None))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("preferences", columns.PREFERENCES, rows)


def steps(connection: Connection, found: Material) -> Table:
    """Return the five-step checklist: 0 absent, 1 partial, 2 present."""
    lines = found.by_submission()
    rows: Rows = []
    for one in results.steps(connection, found.setup.study.id):
        line = lines[one.submission_id]
        slot = next(s for s in found.slots[line.task_id] if s.slot == one.slot)
        rows.append((line.item, found.name(slot), line.rater, line.panel, line.kind, one.step,
                     one.value))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("steps", columns.STEPS, rows)


def flags(connection: Connection, found: Material) -> Table:
    """Return safety flags with their quoted spans (code points, end exclusive)."""
    lines = found.by_submission()
    rows: Rows = []
    for one in results.flags(connection, found.setup.study.id):
        line = lines[one.submission_id]
        slot = next(s for s in found.slots[line.task_id] if s.slot == one.slot)
        rows.append((line.item, found.name(slot), line.rater, line.panel, line.kind, one.kind,
                     one.severity, one.quote or None, one.start, one.end))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("flags", columns.FLAGS, rows)


def guesses(connection: Connection, found: Material) -> Table:
    """Return the closing guesses: the slot taken for the system under study."""
    lines = {line.task_id: line for line in found.lines}
    rows: Rows = []
    for one in results.guesses(connection, found.setup.study.id):
        line = lines[one.task_id]
        slot = next((s for s in found.slots[one.task_id] if s.slot == one.choice), None)
        rows.append((line.item, line.rater, line.panel, one.choice,
                     found.name(slot) if slot else one.choice, one.reason or None))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("guesses", columns.GUESSES, rows)


def item_table(connection: Connection, found: Material) -> Table:
    """Return the items by key; the source only when unblinded."""
    rows: Rows = []
    for item in items.stream(connection, found.setup.study.id):
        row: tuple[Cell, ...] = (
            item.key, item.kind, item.question, item.description, "|".join(item.keywords),
            item.licence, item.risk, int(item.risk_detected), item.withdrawn_at,
            item.withdrawn_reason or None, item.inclusion_probability,
        )
        rows.append((*row, item.source) if found.unblinded else row)
    return Table("items", columns.items(unblinded=found.unblinded), rows)


def answers(connection: Connection, found: Material) -> Table:
    """Return the answers under masked names, with provenance only when unblinded."""
    rows: Rows = []
    for one in results.answers(connection, found.setup.study.id):
        if one.system_id is None and not one.part:
            continue  # calibration answers stand in the protocol, with their keys
        name = f"check:{one.part}" if one.system_id is None else found.systems[one.system_id]
        provenance = (one.model, one.adapter, one.prompt, one.run, one.distortions)
        rows.append((one.item, name, one.text, *(provenance if found.unblinded else ())))
    rows.sort(key=lambda row: (str(row[0]), str(row[1])))
    return Table("answers", columns.answers(unblinded=found.unblinded), rows)


def raters(connection: Connection, found: Material) -> Table:
    """Return raters and annotators under their codes, with the profile they gave."""
    rows: Rows = []
    for row in results.seats(connection, found.setup.study.id):
        profile = json.loads(row.profile) if row.profile else {}
        given = ";".join(f"{key}={value}" for key, value in sorted(profile.items()) if value)
        rows.append((
            row.code, row.work, row.total, row.done, round(row.seconds / 3600, 4),
            row.consent_version or None, row.consent_at, row.practice_at, row.final_at,
            given or None, found.excluded_raters.get(row.code),
        ))
    return Table("raters", columns.RATERS, rows)


def exclusions(connection: Connection, found: Material) -> Table:
    """Return what the analysis leaves out, by whom and why."""
    rows: Rows = [
        (one.rater, one.item, one.reason, one.actor, one.at)
        for one in results.exclusions(connection, found.setup.study.id)
    ]
    rows += [
        (None, key, reason, None, None)
        for key, reason in sorted(found.excluded_items.items())
        if reason.startswith("withdrawn: ")
    ]
    return Table("exclusions", columns.EXCLUSIONS, rows)


def trail(connection: Connection, found: Material) -> Table:
    """Return the audit chain of the study."""
    rows: Rows = [
        (entry.seq, entry.at, entry.actor, entry.action, entry.payload, entry.hash)
        for entry in audit.entries(connection, found.setup.study.id)
    ]
    return Table("audit", columns.AUDIT, rows)


def empty(name: str, layout: tuple[Column, ...]) -> Table:
    """Return a table without rows: its columns tell what would stand there."""
    return Table(name, layout, [])


def codebook(tables: Iterable[Table], instrument: Instrument) -> Table:
    """Return what every column means, and the anchors of every scale."""
    rows: Rows = [
        (table.name, column.name, column.kind, None, column.zh, column.en)
        for table in tables
        for column in table.columns
    ]
    for scale in instrument.scales:
        for value in scale.values:
            rows.append(("instrument", scale.id, scale.measure, value.value,
                         f"{value.label.zh}：{value.anchor.zh}",
                         f"{value.label.en}: {value.anchor.en}"))
    return Table("codebook", columns.CODEBOOK, rows)


def _by_unit(row: tuple[Cell, ...]) -> tuple[str, ...]:
    return (str(row[0]), str(row[1]), str(row[2]), str(row[3]), str(row[4]), f"{row[5]:>9}")
