"""The demonstration loads once, whole, and keeps to itself."""

from datetime import datetime
from pathlib import Path

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.desk import admission
from cbt_core.services.labels import adjudication_queue
from cbt_core.services.operations import storage
from cbt_core.services.operations.demo_study import load_demonstration
from cbt_core.services.results.study_rows import gold_of
from cbt_core.services.studies import creation, lifecycle
from cbt_core.services.studies.creation import StudyFiles
from cbt_core.settings import Settings
from db import results, studies
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
        entered = sessions.demonstration_sign_in(database, role=role, settings=LOCAL, now=now)
        assert entered.person.demonstration
        if role is not Role.LEAD:
            mine = admission.my_studies(database, entered.person, now=now)
            assert {one.slug for one in mine} == {"demo", "demo-en"}
            assert all(one.total == 24 for one in mine)
    assert all(
        chain.broken_at is None for chain in storage.verify(database, TERMINAL, slug=None, now=now)
    )


def test_its_buttons_go_when_a_real_study_comes(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load_demonstration(database, now=now)
    assert sessions.demonstration_offered(database, settings=LOCAL)
    assert not sessions.demonstration_offered(
        database, settings=Settings(database="", address="0.0.0.0")
    )
    creation.create_study(
        database, TERMINAL, slug="real", title="Real", now=now,
        files=StudyFiles(study_file=study_file(tmp_path)),
    )
    assert not sessions.demonstration_offered(database, settings=LOCAL)


def test_it_stays_away_from_a_server_with_a_real_study(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    creation.create_study(
        database, TERMINAL, slug="real", title="Real", now=now,
        files=StudyFiles(study_file=study_file(tmp_path)),
    )
    assert not load_demonstration(database, now=now)


def test_its_annotators_disagree_and_half_of_the_machine_is_wrong(
    database: Database, now: datetime
) -> None:
    load_demonstration(database, now=now)
    found = adjudication_queue.queue(database, TERMINAL, slug="demo", now=now)
    assert found.waiting == 24
    assert found.rows[0].disagreement > 0.5
    with database.reading() as connection:
        study = studies.by_slug(connection, "demo")
        assert study is not None
        gold = gold_of(connection, study.id)
        machine = results.proposals(connection, study.id)
    wrong = sum(one.item in gold and one.label not in gold[one.item].labels for one in machine)
    assert 0.3 < wrong / len(machine) < 0.8
