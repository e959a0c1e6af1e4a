"""Texts from a live source: what the lead and the raters are told of them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import desk_task
from cbt_core.services.people import roster
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from db.engine import Database
from tests import making
from tests.app.desk import Enter, show, words
from tests.making import Made

LIVE = """
[study]
source_kind = "live"
[escalation]
owner = "Dr *Li*"
within_hours = 24
"""
FLAG = {"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "", "start": None,
        "end": None}


def flagged(database: Database, folder: Path, moment: datetime, protocol: str) -> Made:
    """Make a study with one escalation raised thirty hours ago."""
    before = moment - timedelta(hours=30)
    made = making.make_study(database, folder, before, protocol=protocol)
    view = making.open_next(database, made.raters["R01"], made.slug, before)
    body = making.press(view, entries=making.entries(view, flags=[FLAG]))
    desk_task.save(database, made.raters["R01"], body=body, now=before)
    return made


def sign_in(
    database: Database, study_id: int, role: Role, moment: datetime, enter: Enter
) -> None:
    code = "L01" if role is Role.LEAD else "R07"
    issued = roster.add_person(
        database, TERMINAL, code=code, now=moment, role=role, study_id=study_id
    )
    enter(code, issued.secret or "")


@pytest.mark.parametrize("protocol", [LIVE, ""], ids=["live", "archived"])
def test_the_lead_is_told_who_answers_and_what_is_late(
    database: Database, tmp_path: Path, moment: datetime, enter: Enter, protocol: str
) -> None:
    made = flagged(database, tmp_path, moment, protocol)
    sign_in(database, made.study_id, Role.LEAD, moment, enter)
    told = words(show("escalations"))
    assert ("Dr *Li*" in told) is bool(protocol)
    assert ("Open and past the limit of 24 h: 1" in told) is bool(protocol)
    assert ("overdue since" in told) is bool(protocol)
    assert ("nobody is waiting for help" in told) is not bool(protocol)


@pytest.mark.parametrize("protocol", [LIVE, ""], ids=["live", "archived"])
@pytest.mark.parametrize("screen", ["begin", "guide"])
def test_a_rater_is_told_that_texts_are_archived_only_where_they_are(
    database: Database, tmp_path: Path, moment: datetime, enter: Enter, protocol: str, screen: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(protocol + "[design]\noverlap = 1\n", "utf-8")
    made = creation.create_study(
        database, TERMINAL, slug="new", title="New", now=moment, protocol=file,
        files=StudyFiles(study_file=making.study_file(tmp_path)),
    )
    sign_in(database, made.study_id, Role.RATER, moment, enter)
    task_draw.assign(database, TERMINAL, slug="new", raters=("R07",), now=moment)
    told = words(show(screen))
    assert ("archived" in told) is not bool(protocol)
    assert ("live source" in told) is bool(protocol)
