"""What is stored about people and their sign-ins."""

from contextlib import closing
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cbt_core.domain.study import Role
from db import people, sessions
from db.backup import scrub
from db.engine import Connection, Database, driver
from db.tables.people import session, throttle
from db.tables.studies import study
from tests.services.peopled import NOW, new_study

HOUR = timedelta(hours=1)


def start(connection: Connection, person_id: int, token_hash: str, now: datetime = NOW) -> None:
    sessions.start(
        connection, token_hash=token_hash, person_id=person_id, idle=HOUR / 2,
        absolute=12 * HOUR, now=now,
    )


def test_a_code_belongs_to_one_person(database: Database) -> None:
    def add() -> None:
        with database.writing() as connection:
            people.add(connection, code="R01", secret_hash=None, now=NOW)

    add()
    with pytest.raises(IntegrityError):
        add()


def test_the_name_stands_apart_and_an_empty_one_is_no_row(database: Database) -> None:
    with database.writing() as connection:
        person_id = people.add(connection, code="R01", secret_hash=None, now=NOW)
        people.set_identity(connection, person_id, name="某某", email="a@example.org")
        assert people.identity_of(connection, person_id) == people.Identity("某某", "a@example.org")
        people.set_identity(connection, person_id, name="", email="")
        assert people.identity_of(connection, person_id) == people.Identity("", "")


def test_a_role_is_joined_once_left_once_and_joined_again(database: Database) -> None:
    study_id = new_study(database, "one")
    with database.writing() as connection:
        who = people.add(connection, code="R01", secret_hash=None, now=NOW)
        values = {"study_id": study_id, "person_id": who, "role": Role.RATER, "now": NOW}
        acts = (people.join, people.join, people.leave, people.leave,
                people.join)
        assert [act(connection, **values) for act in acts] == [True, False, True, False, True]
        assert len(people.memberships_of(connection, [who])[who]) == 1


def test_a_session_is_found_until_its_last_moment(database: Database) -> None:
    with database.writing() as connection:
        who = people.add(connection, code="R01", secret_hash=None, now=NOW)
        start(connection, who, "h")
        almost = NOW + 12 * HOUR - timedelta(microseconds=1)
        assert sessions.find(connection, "h", almost) is not None
        assert sessions.find(connection, "h", NOW + 12 * HOUR) is None


def test_sessions_long_over_are_swept_out_by_the_next_sign_in(database: Database) -> None:
    with database.writing() as connection:
        who = people.add(connection, code="R01", secret_hash=None, now=NOW)
        start(connection, who, "old")
        start(connection, who, "new", NOW + 13 * HOUR)
        found = connection.execute(select(session.c.token_hash)).scalars().all()
    assert found == ["new"]


def test_one_session_can_be_spared_when_all_end(database: Database) -> None:
    with database.writing() as connection:
        who = people.add(connection, code="R01", secret_hash=None, now=NOW)
        for name in "abc":
            start(connection, who, name)
        assert sessions.end_all(connection, who, NOW, but="b") == 2
        assert [bool(sessions.find(connection, name, NOW)) for name in "abc"] == [
            False, True, False,
        ]


def test_failures_are_counted_and_forgotten_after_an_hour(database: Database) -> None:
    with database.writing() as connection:
        for minutes in (0, 10, 20):
            sessions.note_failure(
                connection, ["a"], forget=HOUR, now=NOW + timedelta(minutes=minutes)
            )
        assert sessions.failures(connection, ["a", "b"])["a"].count == 3
        sessions.note_failure(connection, ["b"], forget=HOUR, now=NOW + 2 * HOUR)
        assert connection.execute(select(throttle.c.key)).scalars().all() == ["b"]


def test_the_demonstration_counts_only_alone(database: Database) -> None:
    with database.reading() as connection:
        assert people.demonstration_study(connection) is None
    trial = new_study(database, "own-trial", demonstration=True)
    demo = new_study(database, "demo", demonstration=True)
    with database.writing() as connection:
        real = people.add(connection, code="R01", secret_hash="x", now=NOW)
        people.join(connection, study_id=trial, person_id=real, role=Role.RATER, now=NOW)
        assert people.demonstration_study(connection) is None
        who = people.add(
            connection, code="DEMO", secret_hash=None, now=NOW, demonstration=True
        )
        people.join(connection, study_id=demo, person_id=who, role=Role.LEAD, now=NOW)
    with database.reading() as connection:
        assert people.demonstration_study(connection) == demo
    new_study(database, "real")
    with database.reading() as connection:
        assert people.demonstration_study(connection) is None
        assert people.is_demonstration(connection, demo) is True
        assert people.is_demonstration(connection, 99) is None
        assert len(connection.execute(select(study.c.id)).all()) == 3


def test_scrubbing_empties_free_pages_a_careless_delete_left(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a server's files are not ours to read")
    trace = "Sentinel-Trace" * 40
    with database.writing() as connection:
        who = people.add(connection, code="R01", secret_hash=None, now=NOW)
        people.set_identity(connection, who, name=trace, email="")
    database.close()
    with closing(driver().connect(str(database.path), isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("DELETE FROM identity")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert trace.encode() in database.path.read_bytes()
    assert scrub(database)
    assert trace.encode() not in database.path.read_bytes()
