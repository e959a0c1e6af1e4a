"""The migrations make what the models say, whole or not at all."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from cbt_core.errors import StudyError
from cbt_core.settings import ROOT
from db import migrate
from db.columns import metadata
from db.engine import Database
from db.triggers import APPEND_ONLY, statements

SQLITE = not os.environ.get("CONCORD_TEST_DATABASE")

KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from sqlalchemy import Engine, event
from db import migrate
from db.engine import Database

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    global left
    if statement.lstrip().startswith(("CREATE", "INSERT", "UPDATE")):
        left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

migrate.upgrade(Database(sys.argv[1]))
"""


@pytest.fixture
def from_models(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'models.db'}")
    with made.writing() as connection:
        metadata.create_all(connection)
        for statement in statements("sqlite", APPEND_ONLY):
            connection.execute(text(statement))
    yield made
    made.close()


@pytest.mark.skipif(not SQLITE, reason="reads sqlite_master")
def test_models_and_migrations_make_the_same_sqlite_schema(
    database: Database, from_models: Database
) -> None:
    with database.reading() as migrated, from_models.reading() as modelled:
        assert _schema(migrated) == _schema(modelled)


def test_models_and_migrations_hold_the_same_columns_and_constraints(database: Database) -> None:
    with database.reading() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            columns = {column["name"]: column["nullable"] for column in
                       found.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}
            named = {one["name"] for one in found.get_check_constraints(table.name)}
            named |= {one["name"] for one in found.get_unique_constraints(table.name)}
            named |= {one["name"] for one in found.get_foreign_keys(table.name)}
            named |= {one["name"] for one in found.get_indexes(table.name)
                      if not one.get("duplicates_constraint")}
            wanted = {str(one.name) for one in (*table.constraints, *table.indexes)}
            wanted |= {str(one.name) for column in table.columns for one in column.constraints}
            assert named == wanted - {str(table.primary_key.name)}


@pytest.mark.skipif(not SQLITE, reason="a foreign table type exists on SQLite only")
def test_every_table_is_strict(database: Database) -> None:
    with database.reading() as connection:
        rows = connection.execute(text("PRAGMA table_list")).all()
    loose = {row.name for row in rows if not row.strict and not row.name.startswith("sqlite_")}
    assert loose == {"alembic_version"}


@pytest.mark.skipif(not SQLITE, reason="PostgreSQL rolls back by itself")
@pytest.mark.parametrize("after", [1, 2, 7, 20, 40, 55])
def test_a_kill_in_mid_upgrade_leaves_nothing_behind(tmp_path: Path, after: int) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    done = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THE_MIDDLE, url, str(after)],
        cwd=ROOT, capture_output=True, check=False,
    )
    assert done.returncode == -signal.SIGKILL
    killed = Database(url)
    with killed.reading() as connection:
        assert migrate.is_bare(connection)
    assert migrate.upgrade(killed) == migrate.newest()
    migrate.require_current(killed)
    killed.close()


def test_an_upgrade_of_a_current_database_changes_nothing(database: Database) -> None:
    assert migrate.upgrade(database) == migrate.newest()
    migrate.require_current(database)


@pytest.mark.skipif(not SQLITE, reason="the fixture's PostgreSQL is current from the start")
def test_items_of_the_first_version_stay_and_their_probability_is_unknown(tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    with old.writing() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(
            "INSERT INTO study (slug, title, created_at) VALUES ('s', 't', '2026')"
        ))
        connection.execute(text(
            "INSERT INTO item (study_id, position, key, question) VALUES (1, 1, 'Q1', 'q')"
        ))
    migrate.upgrade(old)
    with old.reading() as connection:
        rows = connection.execute(text("SELECT key, inclusion_probability FROM item")).all()
    assert [tuple(row) for row in rows] == [("Q1", None)]
    old.close()


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StudyError, match="newer Concord"):
        migrate.require_current(database)


def _schema(connection: Connection) -> dict[str, list[str]]:
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    )
    return {row.name: _parts(row.sql) for row in rows if row.name != "alembic_version"}


def _parts(sql: str) -> list[str]:
    """Return what a statement declares, whatever the order and the layout."""
    flat = re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")")
    head, _, rest = flat.partition("(")
    body, _, tail = rest.rpartition(")")
    return [head.strip(), tail.strip(), *sorted(_split(body))]


def _split(body: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, character in enumerate(body):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield body[start:place].strip()
            start = place + 1
    yield body[start:].strip()
