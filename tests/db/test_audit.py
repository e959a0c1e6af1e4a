"""The audit trail shows what was changed behind its back."""

import os
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.services.operations import storage
from db import audit, check
from db.engine import Database
from tests.conftest import NOW

SQLITE = not os.environ.get("CONCORD_TEST_DATABASE")


@pytest.fixture
def trail(database: Database, now: datetime) -> Database:
    with database.writing() as connection:
        for number in range(1, 6):
            audit.append(
                connection, study_id=None, actor="R01", action="test",
                payload={"n": number, "字": "中"}, now=now,
            )
    return database


def test_an_untouched_chain_holds(trail: Database) -> None:
    with trail.reading() as connection:
        assert audit.verify(connection, None) is None
        assert audit.head(connection, None) == audit.entries(connection, None)[-1].hash


@pytest.mark.parametrize("table", ["audit", "access_log"])
@pytest.mark.parametrize("act", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_the_trail(
    trail: Database, now: datetime, table: str, act: str
) -> None:
    with trail.writing() as connection:
        audit.log_access(connection, actor="R01", action="read", now=now)
    with pytest.raises(DatabaseError, match="append-only"), trail.writing() as connection:
        connection.execute(text(act.format(table)))


@pytest.mark.skipif(not SQLITE, reason="drops a trigger by its SQLite name")
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET payload = replace(payload, '3', '4') WHERE seq = 3",
        "UPDATE audit SET actor = 'R02' WHERE seq = 3",
        "UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 3",
        "UPDATE audit SET hash = previous WHERE seq = 3",
    ],
)
def test_one_changed_entry_is_named(trail: Database, tampering: str) -> None:
    _behind_its_back(trail, tampering)
    with trail.reading() as connection:
        assert audit.verify(connection, None) == audit.Break("system", 3)
    assert [chain.broken_at for chain in storage.verify(trail, TERMINAL, slug=None, now=NOW)] == [3]


@pytest.mark.skipif(not SQLITE, reason="drops a trigger by its SQLite name")
def test_a_removed_entry_is_named(trail: Database) -> None:
    _behind_its_back(trail, "DELETE FROM audit WHERE seq = 2")
    with trail.reading() as connection:
        assert audit.verify(connection, None) == audit.Break("system", 2)


@pytest.mark.skipif(not SQLITE, reason="drops a trigger by its SQLite name")
def test_a_cut_tail_shows_against_an_earlier_head(trail: Database) -> None:
    with trail.reading() as connection:
        head = audit.head(connection, None)
    _behind_its_back(trail, "DELETE FROM audit WHERE seq = 5")
    with trail.reading() as connection:
        assert audit.verify(connection, None) is None  # a chain cannot see its own cut end
        assert audit.head(connection, None) != head


@pytest.mark.skipif(not SQLITE, reason="drops a trigger by its SQLite name")
def test_a_removed_guard_is_a_fault(trail: Database) -> None:
    with trail.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
    assert check.Fault("trigger", "audit_no_update") in storage.check_all(trail, TERMINAL, now=NOW)


def test_a_sound_database_has_no_fault(trail: Database) -> None:
    assert storage.check_all(trail, TERMINAL, now=NOW) == []


def test_the_chain_of_an_unknown_study_is_refused(trail: Database) -> None:
    with pytest.raises(StudyError, match="no study nowhere"):
        storage.verify(trail, TERMINAL, slug="nowhere", now=NOW)


def _behind_its_back(database: Database, statement: str) -> None:
    """Change the trail as somebody with the file could: without the guards."""
    with database.writing() as connection:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER audit_no_{act}"))
        connection.execute(text(statement))
