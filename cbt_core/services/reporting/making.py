"""The report of a study, from its rows to its files; who asked for one is logged."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.services.reporting.checklists import checklists
from cbt_core.services.reporting.document import report_of
from cbt_core.services.reporting.gathering import Wish, gather, true_names
from cbt_core.services.reporting.sheet import Sheet
from cbt_core.services.reporting.veil import Veil
from cbt_core.services.reporting.writing import archive, files, refuse_taken, write
from cbt_core.services.study_analysis import Analysis, analyse
from cbt_core.wording import LANGUAGES
from db import audit
from db.engine import Database

USER_WRITTEN: Final = ("title", "flow", "plan", "registered", "metrics", "judges")
"""Parts of an analysis that hold texts which people wrote."""


def report_files(
    database: Database, person: Person, *, slug: str, now: datetime, wish: Wish | None = None
) -> dict[str, bytes]:
    """Return every file of a study's report by its path, as far as the stage allows.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: nothing has been rated, or the language is unknown.
    """
    asked = wish or Wish()
    if asked.language and asked.language not in LANGUAGES:
        raise StudyError("report.unknown_language", language=asked.language)
    found = analyse(database, person, slug=slug, now=now, bootstrap=asked.bootstrap)
    language = asked.language or (found.language if found.language in LANGUAGES else "en")
    wanted = replace(asked, language=language)
    context = gather(database, person, slug=slug, plan=found.registered, wish=wanted, now=now)
    if found.masked:
        found = _veiled(found, Veil(true_names(database, slug), language))
    lists = checklists(found, context)
    made = files(report_of(Sheet(found, context, language), lists), found.json(), lists)
    with database.writing(context.study.id) as connection:
        audit.log_access(
            connection, actor=person.code, action="report", now=now, study_id=context.study.id,
            detail=f"{language} {'blinded' if found.masked else 'unblinded'}",
        )
    return made


def write_report(
    database: Database, person: Person, *, slug: str, folder: Path, now: datetime,
    wish: Wish | None = None,
) -> list[str]:
    """Write a study's report into a folder, all of it or nothing; return the paths within."""
    refuse_taken(folder)
    made = report_files(database, person, slug=slug, now=now, wish=wish)
    write(made, folder)
    return list(made)


def report_zip(
    database: Database, person: Person, *, slug: str, now: datetime, wish: Wish | None = None
) -> bytes:
    """Return a study's report as one zip, for the browser."""
    return archive(report_files(database, person, slug=slug, now=now, wish=wish), slug)


def _veiled(found: Analysis, veil: Veil) -> Analysis:
    """Take true names out of what people wrote: titles, reasons, the plan's entries."""
    return replace(found, **{name: veil.over(getattr(found, name)) for name in USER_WRITTEN})
