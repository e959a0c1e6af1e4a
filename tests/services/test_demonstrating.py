"""The demonstration loads once, whole, and keeps to itself."""

from datetime import datetime
from pathlib import Path

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services import access, importing, joining, lifecycle, storing
from cbt_core.services.demonstrating import load_demonstration
from cbt_core.services.study_files import StudyFiles
from cbt_core.settings import Settings
from db.engine import Database
from tests.making import study_file

LOCAL = Settings(database="")


def test_it_loads_once_and_every_role_has_something_to_do(
    database: Database, now: datetime
) -> None:
    assert load_demonstration(database, now=now)
    assert not load_demonstration(database, now=now)
    status = lifecycle.status(database, TERMINAL, slug="demo", now=now)
    assert (status.done, status.total) == (120, 168)
    for role in Role:
        entered = access.demonstration_sign_in(database, role=role, settings=LOCAL, now=now)
        assert entered.person.demonstration
        if role is not Role.LEAD:
            mine = joining.my_studies(database, entered.person)
            assert {one.slug for one in mine} == {"demo", "demo-en"}
            assert all(one.total == 24 for one in mine)
    assert all(
        chain.broken_at is None for chain in storing.verify(database, TERMINAL, slug=None)
    )


def test_its_buttons_go_when_a_real_study_comes(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load_demonstration(database, now=now)
    assert access.demonstration_offered(database, settings=LOCAL)
    assert not access.demonstration_offered(
        database, settings=Settings(database="", address="0.0.0.0")
    )
    importing.create_study(
        database, TERMINAL, slug="real", title="Real", now=now,
        files=StudyFiles(study_file=study_file(tmp_path)),
    )
    assert not access.demonstration_offered(database, settings=LOCAL)


def test_it_stays_away_from_a_server_with_a_real_study(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    importing.create_study(
        database, TERMINAL, slug="real", title="Real", now=now,
        files=StudyFiles(study_file=study_file(tmp_path)),
    )
    assert not load_demonstration(database, now=now)
