"""A backup is whole, made while others write, and comes back as it was."""

import os
import shutil
import stat
import threading
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select, text

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.errors import Refused, StudyError
from cbt_core.services.operations import storage
from db import audit, backup, migrate
from db.columns import metadata
from db.engine import Database
from tests.conftest import NOW
from tests.making import make_study, rate_all

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="PostgreSQL has pg_dump"
)


def test_a_restored_backup_holds_the_same_rows(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now, items=4)
    rate_all(database, made.raters["R01"], made.slug, now)
    file = tmp_path / "copy.db"
    storage.back_up(database, TERMINAL, file=file, now=NOW)
    elsewhere = Database(f"sqlite:///{tmp_path / 'new' / 'concord.db'}")
    storage.restore(elsewhere, TERMINAL, file=file, now=NOW)
    assert _content(elsewhere) == _content(database)
    assert storage.check_all(elsewhere, TERMINAL, now=NOW) == []
    assert elsewhere.settings()["journal_mode"] == "wal"
    elsewhere.close()


def test_a_backup_is_readable_by_its_owner_only(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    storage.back_up(database, TERMINAL, file=file, now=NOW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_writers_go_on_during_a_backup(database: Database, tmp_path: Path, now: datetime) -> None:
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with database.writing() as connection:
                audit.log_access(connection, actor="R01", action="read", now=now)
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    for number in range(3):
        storage.back_up(database, TERMINAL, file=tmp_path / f"{number}.db", now=NOW)
    stop.set()
    writer.join()
    assert written
    assert all(backup.problems(tmp_path / f"{number}.db") == [] for number in range(3))


def test_an_existing_file_is_not_overwritten(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("mine")
    with pytest.raises(StudyError, match="already exists"):
        storage.back_up(database, TERMINAL, file=file, now=NOW)
    assert file.read_text() == "mine"


def test_a_backup_is_not_restored_over_data(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    storage.back_up(database, TERMINAL, file=file, now=NOW)
    with pytest.raises(StudyError, match="already holds data"):
        storage.restore(database, TERMINAL, file=file, now=NOW)


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "foreign"])
def test_what_is_no_sound_backup_is_refused(
    database: Database, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "copy.db"
    _damaged(database, file, damage)
    elsewhere = Database(f"sqlite:///{tmp_path / 'new' / 'concord.db'}")
    with pytest.raises(StudyError, match="not a readable Concord backup"):
        storage.restore(elsewhere, TERMINAL, file=file, now=NOW)
    assert not elsewhere.path.exists()


NEXT_VERSION = """
from alembic import op

revision, down_revision = "9000", "{newest}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE later (id INTEGER) STRICT")
"""


@pytest.fixture
def updated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Make the program one version newer than the database; yield the database's version."""
    newest = migrate.newest()
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9000_later.py").write_text(NEXT_VERSION.format(newest=newest))
    monkeypatch.setattr(migrate, "FOLDER", folder)
    migrate.newest.cache_clear()
    yield newest
    migrate.newest.cache_clear()


def test_an_older_database_is_backed_up_before_the_upgrade(
    database: Database, now: datetime, updated: str
) -> None:
    with pytest.raises(StudyError, match="db upgrade"):
        storage.require_current(database)
    done = storage.upgrade(database, TERMINAL, now=now)
    assert (done.before, done.after) == (updated, "9000")
    assert done.kept is not None
    assert backup.problems(done.kept) == []
    assert storage.upgrade(database, TERMINAL, now=now).kept is None


def test_a_newer_database_is_left_alone(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StudyError, match="newer Concord"):
        storage.upgrade(database, TERMINAL, now=now)
    assert [one for one in tmp_path.iterdir() if "before-upgrade" in one.name] == []


def test_only_the_terminal_looks_after_the_database(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        storage.back_up(database, Person(7, "L01"), file=tmp_path / "copy.db", now=NOW)


def _damaged(database: Database, file: Path, damage: str) -> None:
    if damage == "text":
        file.write_text("not a database, but long enough to be looked at")
    elif damage == "cut":
        storage.back_up(database, TERMINAL, file=file, now=NOW)
        file.write_bytes(file.read_bytes()[:20_000])
    elif damage == "foreign":
        other = Database(f"sqlite:///{file}")
        with other.writing() as connection:
            connection.execute(text("CREATE TABLE something (id INTEGER)"))
        other.close()


def _content(database: Database) -> dict[str, str]:
    """Return the SHA-256 of each table's rows."""
    found = {}
    with database.reading() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            found[table.name] = sha256(repr(rows).encode()).hexdigest()
    return found
