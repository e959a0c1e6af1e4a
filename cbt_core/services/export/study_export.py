"""An export of a study: its tables read, masked unless unblinded, written and signed.

Scores of judge models are a table of their own, never among people's ratings: they are scores by
system, so it has no rows before the lock.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.analysis import rows
from cbt_core.analysis.rows import Material, Rows
from cbt_core.domain.labels import SpanMark
from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import Refused, StudyError
from cbt_core.export import columns, study_tables
from cbt_core.export.columns import JUDGES
from cbt_core.export.gold import (
    Decided,
    adjudication_table,
    gold_places,
    gold_span_table,
    gold_table,
)
from cbt_core.export.labels import (
    ANSWERS,
    MACHINE_RUNS,
    PROPOSALS,
    PROVENANCE,
    LabelMaterial,
    document_table,
    label_revision_table,
    label_table,
    skip_table,
    span_table,
)
from cbt_core.export.study_tables import files_beside, sign
from cbt_core.files.writer import FORMS, Cell, Table, make_folder, write_bytes, write_tables, zipped
from cbt_core.services import guard
from cbt_core.services.results import study_rows
from cbt_core.services.results.study_rows import with_undecided
from cbt_core.services.studies.study_setup import current
from db import adjudications, audit, items, machine_scores, proposals, results, studies
from db.engine import Connection, Database


def revision_table(connection: Connection, material: Material) -> Table:
    """Return every score of every revision, so that corrections can be followed."""
    study_id = material.setup.study.id
    scores = results.scores(connection, study_id, every_revision=True)
    rows: Rows = []
    for line in results.tasks(connection, study_id, every_revision=True):
        if line.submission_id is None:
            continue
        places = {slot.slot: slot for slot in material.slots[line.task_id]}
        for score in sorted(scores.get(line.submission_id, []), key=lambda s: (s.slot, s.scale)):
            slot = places.get(score.slot)
            rows.append((
                line.item, material.name(slot) if slot else None, line.rater, line.panel, line.kind,
                line.revision, line.at, score.scale, score.value, score.missing_reason or None,
                line.reason or None,
            ))
    rows.sort(key=lambda row: (*(str(cell) for cell in row[:6]), str(row[7])))
    return Table("revisions", columns.REVISIONS, rows)


def preference_table(connection: Connection, material: Material) -> Table:
    """Return overall preferences: the slot chosen and the system that stood there."""
    lines = material.by_submission()
    rows: Rows = []
    for key, (preferred,) in results.preferences(connection, material.setup.study.id).items():
        line, choice = lines[key], preferred.choice
        chosen = next((s for s in material.slots[line.task_id] if s.slot == choice), None)
        rows.append((line.item, line.rater, line.panel, line.kind, choice,
                     material.name(chosen) if chosen else choice, material.excluded(line) or None))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("preferences", columns.PREFERENCES, rows)


def step_table(connection: Connection, material: Material) -> Table:
    """Return the five-step checklist: 0 absent, 1 partial, 2 present."""
    lines = material.by_submission()
    rows: Rows = []
    for key, ticks in results.steps(connection, material.setup.study.id).items():
        line = lines[key]
        names = {slot.slot: material.name(slot) for slot in material.slots[line.task_id]}
        rows += [
            (line.item, names[tick.slot], line.rater, line.panel, line.kind, tick.step, tick.value)
            for tick in ticks
        ]
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("steps", columns.STEPS, rows)


def flag_table(connection: Connection, material: Material) -> Table:
    """Return safety flags with their quoted spans (code points, end exclusive)."""
    lines = material.by_submission()
    rows: Rows = []
    for key, flags in results.flags(connection, material.setup.study.id).items():
        line = lines[key]
        names = {slot.slot: material.name(slot) for slot in material.slots[line.task_id]}
        rows += [
            (line.item, names[flag.slot], line.rater, line.panel, line.kind, flag.kind,
             flag.severity, flag.quote or None, flag.start, flag.end)
            for flag in flags
        ]
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("flags", columns.FLAGS, rows)


def guess_table(connection: Connection, material: Material) -> Table:
    """Return the closing guesses: the slot taken for the system under study."""
    lines = {line.task_id: line for line in material.lines}
    rows: Rows = []
    for guess in results.guesses(connection, material.setup.study.id):
        line = lines[guess.task_id]
        slot = next((s for s in material.slots[guess.task_id] if s.slot == guess.choice), None)
        rows.append((line.item, line.rater, line.panel, guess.choice,
                     material.name(slot) if slot else guess.choice, guess.reason or None))
    rows.sort(key=lambda row: tuple(str(cell) for cell in row))
    return Table("guesses", columns.GUESSES, rows)


def item_table(connection: Connection, material: Material) -> Table:
    """Return the items by key; the source only when unblinded."""
    rows: Rows = []
    for item in items.stream(connection, material.setup.study.id):
        row: tuple[Cell, ...] = (
            item.key, item.kind, item.question, item.description, "|".join(item.keywords),
            item.licence, item.risk, int(item.risk_detected), item.withdrawn_at,
            item.withdrawn_reason or None, item.inclusion_probability,
        )
        rows.append((*row, item.source) if material.unblinded else row)
    return Table("items", columns.item_columns(unblinded=material.unblinded), rows)


def answer_table(connection: Connection, material: Material) -> Table:
    """Return the answers under masked names, with provenance only when unblinded."""
    rows: Rows = []
    for line in results.answers(connection, material.setup.study.id):
        if line.system_id is None and not line.part:
            continue  # calibration answers stand in the protocol, with their keys
        name = f"check:{line.part}" if line.system_id is None else material.systems[line.system_id]
        provenance = (line.model, line.adapter, line.prompt, line.run, line.distortions)
        rows.append((line.item, name, line.text, *(provenance if material.unblinded else ())))
    rows.sort(key=lambda row: (str(row[0]), str(row[1])))
    return Table("answers", columns.answer_columns(unblinded=material.unblinded), rows)


def rater_table(connection: Connection, material: Material) -> Table:
    """Return raters and annotators under their codes, with the profile they gave."""
    rows: Rows = []
    for row in results.seats(connection, material.setup.study.id):
        profile = json.loads(row.profile) if row.profile else {}
        given = ";".join(f"{key}={value}" for key, value in sorted(profile.items()) if value)
        rows.append((
            row.code, row.work, row.total, row.done, round(row.seconds / 3600, 4),
            row.consent_version or None, row.consent_at, row.practice_at, row.final_at,
            given or None, material.excluded_raters.get(row.code),
        ))
    return Table("raters", columns.RATERS, rows)


def exclusion_table(connection: Connection, material: Material) -> Table:
    """Return what the analysis leaves out, by whom and why."""
    rows: Rows = [
        (one.rater, one.item, one.reason, one.actor, one.at)
        for one in results.exclusions(connection, material.setup.study.id)
    ]
    rows += [
        (None, key, reason, None, None)
        for key, reason in sorted(material.excluded_items.items())
        if reason.startswith("withdrawn: ")
    ]
    return Table("exclusions", columns.EXCLUSIONS, rows)


def audit_table(connection: Connection, material: Material) -> Table:
    """Return the audit chain of the study."""
    rows: Rows = [
        (entry.seq, entry.at, entry.actor, entry.action, entry.payload, entry.hash)
        for entry in audit.entries(connection, material.setup.study.id)
    ]
    return Table("audit", columns.AUDIT, rows)


def machine_tables(connection: Connection, material: Material) -> list[Table]:
    """Return `proposals` and `machine_runs`."""
    return [proposal_table(connection, material), machine_run_table(connection, material)]


def machine_masks(connection: Connection, study_id: int) -> dict[str, str]:
    """Return M1, M2 … by source, in the order of the sources' names."""
    sources = {one.source for one in proposals.passes(connection, study_id)}
    sources |= {one.source for one in results.proposals(connection, study_id)}
    return {source: f"M{number}" for number, source in enumerate(sorted(sources), start=1)}


def proposal_table(connection: Connection, material: Material) -> Table:
    """Return what machines proposed; which machine, only after unblinding."""
    rows: Rows = []
    masks = machine_masks(connection, material.setup.study.id)
    for mark in results.proposals(connection, material.setup.study.id):
        row: tuple[Cell, ...] = (
            mark.item, masks[mark.source], mark.number, mark.label, mark.field or None, mark.start,
            mark.end,
        )
        rows.append((*row, mark.source or None, mark.run or None) if material.unblinded else row)
    return Table("proposals", (*PROPOSALS, *PROVENANCE) if material.unblinded else PROPOSALS, rows)


def machine_run_table(connection: Connection, material: Material) -> Table:
    """Return the items on which a machine was run: an item it found nothing in is one of them."""
    rows: Rows = []
    masks = machine_masks(connection, material.setup.study.id)
    for run in proposals.passes(connection, material.setup.study.id):
        row: tuple[Cell, ...] = (run.item, masks[run.source], run.found)
        rows.append((*row, run.source or None, run.run or None) if material.unblinded else row)
    columns = (*MACHINE_RUNS, *PROVENANCE) if material.unblinded else MACHINE_RUNS
    return Table("machine_runs", columns, rows)


def gold_tables(
    connection: Connection,
    material: Material,
    *,
    texts: Mapping[str, tuple[str, str]],
    spans: Mapping[int, Sequence[SpanMark]],
) -> list[Table]:
    """Return `gold`, `gold_spans` and `adjudications`.

    `texts` are question and description by item key, `spans` the raw ones by submission id.
    """
    study_id = material.setup.study.id
    decided = Decided(
        adjudications.every(connection, study_id),
        adjudications.labels(connection, study_id),
        adjudications.spans(connection, study_id),
    )
    gold = with_undecided(connection, study_id)
    votes = _span_votes(connection, study_id, spans)
    places = gold_places(gold, decided, votes)
    chances = items.chances(connection, study_id)
    return [
        gold_table(
            gold, decided, chances
        ), gold_span_table(gold, places, texts), adjudication_table(decided)
    ]


def _span_votes(
    connection: Connection, study_id: int, spans: Mapping[int, Sequence[SpanMark]]
) -> dict[str, list[Sequence[SpanMark]]]:
    """Return the spans of the blind round by item key, one list for each who decided."""
    silent, _ = results.excluded(connection, study_id)
    votes: dict[str, list[Sequence[SpanMark]]] = defaultdict(list)
    for line in results.blind_round(connection, study_id):
        if line.is_vote and line.annotator not in silent:
            votes[line.item].append(spans.get(line.submission_id, ()))
    return votes


def label_tables(connection: Connection, material: Material) -> list[Table]:
    """Return `labels` and `spans`; with them, where a study labels at all, what belongs to them."""
    study_id = material.setup.study.id
    read = LabelMaterial(
        found=material,
        lines=results.submissions(connection, study_id),
        labels=results.labels(connection, study_id),
        spans=results.spans(connection, study_id),
        texts={one.key: (one.question, one.description)
               for one in items.stream(connection, study_id)},
    )
    first = [label_table(read, second=False), span_table(read, second=False)]
    if not results.has_work(connection, study_id):
        return first
    return [
        *first, label_table(read, second=True), span_table(read, second=True), document_table(read),
        *machine_tables(connection, material), proposal_answer_table(connection, read),
        skip_table(read), label_revision_table(read),
        *gold_tables(connection, material, texts=read.texts, spans=read.spans),
    ]


def proposal_answer_table(connection: Connection, read: LabelMaterial) -> Table:
    """Return what annotators answered to each proposal."""
    study_id = read.found.setup.study.id
    known = {one.id: one for one in results.proposals(connection, study_id)}
    lines = {line.id: line for line in read.lines}
    answered = [
        (lines[key], known[one.proposal_id], one)
        for key, answers in results.proposal_answers(connection, study_id).items()
        for one in answers
    ]
    answered.sort(key=lambda row: (row[0].item, row[0].annotator, row[0].revision, row[1].number))
    rows: Rows = [
        (line.item, line.annotator, line.revision, about.number, about.label, one.answer,
         one.label or None, one.field or None, one.start, one.end)
        for line, about, one in answered
    ]
    return Table("proposal_answers", ANSWERS, rows)


def judge_table(connection: Connection, material: Material) -> Table:
    """Return `judges`: one row per answer, judge and scale, sorted by item and system."""
    rows: list[tuple[Cell, ...]] = []
    if material.setup.study.stage.is_closed:
        rows = [
            (one.item, material.systems[one.system_id], one.judge, one.scale, one.value,
             one.reason or None, one.prompt, one.instrument, one.run or None)
            for one in machine_scores.judge_lines(connection, material.setup.study.id)
        ]
        rows.sort(key=lambda row: tuple(str(cell) for cell in row[:4]))
    return Table("judges", JUDGES, rows)


FIRST: Final = ("ratings", "labels", "spans")
LABELLING: Final = (
    "labels_second", "spans_second", "documents", "proposals", "machine_runs",
    "proposal_answers", "label_skips", "label_revisions", "gold", "gold_spans", "adjudications",
)
"""Where a study labels at all."""

ALWAYS: Final = (
    "judges", "items", "answers", "tasks", "raters", "preferences", "steps", "flags", "missing",
    "guesses", "comments", "exclusions", "audit", "revisions",
)
BESIDE: Final = ("codebook", "protocol", "signature")


def table_names(
    database: Database, person: Person, *, slug: str, now: datetime
) -> tuple[str, ...]:
    """Return the tables of a study's export in the order of its codebook, then what lies beside.

    Raises:
        Refused: the person does not lead the study.
    """
    lead = guard.as_lead(database, person, study=slug, act="table_names", now=now)
    with lead.reading() as (connection, study):
        labels = results.has_work(connection, study.id)
    return (*FIRST, *(LABELLING if labels else ()), *ALWAYS, *BESIDE)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote: its files, its signature and the head of the audit chain."""

    files: tuple[Path, ...]
    signature: str
    head: str


def export_study(
    database: Database,
    person: Person,
    *,
    slug: str,
    folder: Path,
    form: str = "csv",
    unblinded: bool = False,
    now: datetime,
) -> Exported:
    """Write every table of a study into a folder.

    Raises:
        StudyError: unknown format, or a cell too long for a workbook.
        Refused: unblinded before `study unblind`, or not the person's study.
    """
    if form not in FORMS:
        raise StudyError("export.unknown_form", form=form)
    lead = guard.as_lead(database, person, study=slug, act="export_study", now=now)
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
        if unblinded and setup.study.stage != Stage.UNBLINDED:
            raise Refused("export.not_unblinded")
        tables = _tables(connection, setup, unblinded=unblinded)
        head = audit.head(connection, study.id)
        protocol = studies.protocol_text(connection, study.id, setup.digests.protocol)
    if folder.exists() and not folder.is_dir():
        raise StudyError("export.folder_taken", folder=folder)
    make_folder(folder)
    signature = sign(setup, tables)
    files = write_tables(tables, folder, form)
    for name, content in files_beside(tables, setup, protocol, signature, head).items():
        write_bytes(content, folder / name)
        files.append(folder / name)
    with lead.writing() as (connection, study):
        audit.log_access(
            connection, actor=person.code, action="export", now=now, study_id=study.id,
            detail=f"{form} {'unblinded' if unblinded else 'blinded'}",
        )
    return Exported(tuple(files), signature, head)


def export_zip(
    database: Database, person: Person, *, slug: str, form: str, unblinded: bool, now: datetime
) -> bytes:
    """Return an export as one zip, for the browser."""
    lead = guard.as_lead(database, person, study=slug, act="export_zip", now=now)
    with lead.steps(), tempfile.TemporaryDirectory() as place:
        done = export_study(
            database, person, slug=slug, folder=Path(place), form=form, unblinded=unblinded,
            now=now,
        )
        return zipped(sorted(done.files), slug)


def _tables(connection: Connection, setup: StudySetup, *, unblinded: bool) -> list[Table]:
    material: Material = study_rows.read_material(connection, setup, unblinded=unblinded)
    return [
        rows.rating_table(material),
        *label_tables(connection, material),
        judge_table(connection, material),
        item_table(connection, material),
        answer_table(connection, material),
        study_tables.task_table(material),
        rater_table(connection, material),
        preference_table(connection, material),
        step_table(connection, material),
        flag_table(connection, material),
        study_tables.missing_table(material),
        guess_table(connection, material),
        study_tables.comment_table(material),
        exclusion_table(connection, material),
        audit_table(connection, material),
        revision_table(connection, material),
    ]
