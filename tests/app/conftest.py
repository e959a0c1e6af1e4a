"""A study and its lead, signed in: what most tests of screens begin with."""

from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.people import roster
from cbt_core.settings import Settings
from db.engine import Database
from pages.ui import session
from tests import making
from tests.app.desk import Enter
from tests.making import Made


@pytest.fixture
def moment() -> datetime:
    return session.now()


@pytest.fixture
def study(database: Database, tmp_path: Path, moment: datetime) -> Made:
    """Return a study of eight items, three raters, everything rated."""
    made = making.make_study(database, tmp_path, moment)
    for code, value in (("R01", 0), ("R02", 1), ("R03", 2)):
        making.rate_all(database, made.raters[code], made.slug, moment, value)
    return made


@pytest.fixture
def enter(
    database: Database, monkeypatch: pytest.MonkeyPatch, moment: datetime
) -> Enter:
    """Return a function that signs somebody in for the screens that follow."""
    monkeypatch.setattr(session, "settings", lambda: Settings(database=database.url))

    def sign_in(code: str, secret: str) -> Person:
        found = sessions.sign_in(database, code=code, secret=secret, address="", now=moment)
        sessions.set_language(database, found.person, language="en", now=moment)
        monkeypatch.setattr(session, "token", lambda: found.token)
        return found.person

    return sign_in


@pytest.fixture
def lead(
    database: Database, study: Made, moment: datetime,
    enter: Enter,
) -> Person:
    """Return the study's lead, signed in."""
    issued = roster.add_person(
        database, TERMINAL, code="L01", now=moment, role=Role.LEAD, study_id=study.study_id
    )
    roster.add_person(database, TERMINAL, code="L01", now=moment, role=Role.LEAD)
    return enter("L01", issued.secret or "")
