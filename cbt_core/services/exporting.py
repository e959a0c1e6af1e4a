"""Exports: every table of a study, byte-identical for the same data, masked until unblinded."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import Refused, StudyError
from cbt_core.files.tables import FORMS, Table, csv_bytes, jsonl_bytes, write, zipped
from cbt_core.services import export_gold, export_judges, export_labels, export_rows
from cbt_core.services.export_rows import Material
from cbt_core.services.studies import StudySetup, current, led_by
from db import audit, studies
from db.engine import Connection, Database

VERSION: Final = "0.1.0"


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
        raise StudyError("exporting.unknown_form", form=form)
    study = led_by(database, person, slug, act="export", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
        if unblinded and setup.study.stage != "unblinded":
            raise Refused("exporting.not_unblinded")
        tables = _tables(connection, setup, unblinded=unblinded)
        head = audit.head(connection, study.id)
        protocol = studies.protocol_text(connection, study.id, setup.digests.protocol)
    if folder.exists() and not folder.is_dir():
        raise StudyError("exporting.folder_taken", folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    signature = sign(setup, tables)
    files = write(tables, folder, form)
    for name, content in _beside(tables, setup, protocol, signature, head).items():
        (folder / name).write_bytes(content)
        files.append(folder / name)
    with database.writing(study.id) as connection:
        audit.log_access(
            connection, actor=person.code, action="export", now=now, study_id=study.id,
            detail=f"{form} {'unblinded' if unblinded else 'blinded'}",
        )
    return Exported(tuple(files), signature, head)


def export_zip(
    database: Database, person: Person, *, slug: str, form: str, unblinded: bool, now: datetime
) -> bytes:
    """Return an export as one zip, for the browser."""
    with tempfile.TemporaryDirectory() as place:
        done = export_study(
            database, person, slug=slug, folder=Path(place), form=form, unblinded=unblinded,
            now=now,
        )
        return zipped(sorted(done.files), slug)


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
        f"data:#{digest(*data)[:8]}",
        f"set:{analysed}",
        f"items:{len({row[0] for row in data[0].rows})}",
        people,
        wording,
        f"protocol:#{setup.digests.protocol[:8]}",
        f"v:{VERSION}",
    ))


def digest(*tables: Table) -> str:
    """Return the SHA-256 of the rows of tables, one after the other."""
    return sha256(b"".join(jsonl_bytes(table) for table in tables)).hexdigest()


def _tables(connection: Connection, setup: StudySetup, *, unblinded: bool) -> list[Table]:
    found: Material = export_rows.material(connection, setup, unblinded=unblinded)
    return [
        export_rows.ratings(found),
        *export_labels.tables(connection, found),
        export_judges.judges(connection, found),
        export_rows.item_table(connection, found),
        export_rows.answers(connection, found),
        export_rows.tasks(found),
        export_rows.raters(connection, found),
        export_rows.preferences(connection, found),
        export_rows.steps(connection, found),
        export_rows.flags(connection, found),
        export_rows.missing(found),
        export_rows.guesses(connection, found),
        export_rows.comments(found),
        export_rows.exclusions(connection, found),
        export_rows.trail(connection, found),
        export_rows.revisions(connection, found),
    ]


def _beside(
    tables: Sequence[Table], setup: StudySetup, protocol: str, signature: str, head: str
) -> dict[str, bytes]:
    codebook = export_rows.codebook(tables, setup.instrument)
    lines = [signature, f"audit-head:{head}"]
    if any(table.name == "gold" for table in tables):
        lines.append(export_gold.GOLD_RULE)
    lines += [f"{table.name}:{len(table.rows)}:#{digest(table)}" for table in tables]
    return {
        "codebook.csv": csv_bytes(codebook),
        "protocol.toml": protocol.encode(),
        "signature.txt": ("\n".join(lines) + "\n").encode(),
    }
