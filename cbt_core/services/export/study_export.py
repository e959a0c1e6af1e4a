"""Exports: every table of a study, byte-identical for the same data, masked until unblinded.

Which tables there are is told without making them; a test holds that to exports.
"""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.analysis import rows
from cbt_core.analysis.rows import Material
from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import Refused, StudyError
from cbt_core.export import study_tables
from cbt_core.export.signature import files_beside, sign
from cbt_core.files.writer import FORMS, Table, make_folder, write_bytes, write_tables, zipped
from cbt_core.services import guard
from cbt_core.services.export import stored_tables
from cbt_core.services.results import study_rows
from cbt_core.services.studies.study_setup import current
from db import audit, label_lines, studies
from db.engine import Connection, Database

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
        labels = label_lines.has_work(connection, study.id)
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
    found: Material = study_rows.read_material(connection, setup, unblinded=unblinded)
    return [
        rows.rating_table(found),
        *stored_tables.label_tables(connection, found),
        stored_tables.judge_table(connection, found),
        stored_tables.item_table(connection, found),
        stored_tables.answer_table(connection, found),
        study_tables.task_table(found),
        stored_tables.rater_table(connection, found),
        stored_tables.preference_table(connection, found),
        stored_tables.step_table(connection, found),
        stored_tables.flag_table(connection, found),
        study_tables.missing_table(found),
        stored_tables.guess_table(connection, found),
        study_tables.comment_table(found),
        stored_tables.exclusion_table(connection, found),
        stored_tables.audit_table(connection, found),
        stored_tables.revision_table(connection, found),
    ]
