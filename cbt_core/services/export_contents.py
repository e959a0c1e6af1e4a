"""Which tables an export of a study holds, told without making it. A test holds this to exports."""

from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.services.studies import led_by
from db import label_lines
from db.engine import Database

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
    study = led_by(database, person, slug, act="table_names", now=now)
    with database.reading() as connection:
        labels = label_lines.has_work(connection, study.id)
    return (*FIRST, *(LABELLING if labels else ()), *ALWAYS, *BESIDE)
