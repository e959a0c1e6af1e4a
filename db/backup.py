"""A whole copy of an SQLite database while the app runs, and putting such a copy in place.

And rewriting the storage, so that nothing that was deleted can be read back from the file.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from cbt_core.errors import StudyError
from db.engine import Database, driver
from db.tables.people import identity

PARTIAL: Final = ".partial"
MODE: Final = 0o600


def copy(source: Path, target: Path) -> None:
    """Write one consistent state of a database into a new file; writers are not stopped.

    The copy appears under its name only when it is whole, checked and on the disk.

    Raises:
        StudyError: the target exists, or the copy does not pass its check.
    """
    _refuse_existing(target)
    with _partial(target) as part:
        with closing(_read_only(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        part.chmod(MODE)
        if problems(part):
            raise StudyError("storage.no_backup", file=str(source))
        _sync(part)
        _refuse_existing(target)
        part.rename(target)
    _sync(target.parent)


def restore(source: Path, database: Database) -> None:
    """Put a backup in the place of a database that does not exist yet, or is empty.

    Raises:
        StudyError: the backup is not readable or not sound, or the place holds data.
    """
    target = database.path
    if holds_tables(target):
        raise StudyError("storage.not_empty", file=str(target))
    if not source.is_file() or problems(source) or not _is_ours(source):
        raise StudyError("storage.no_backup", file=str(source))
    database.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _partial(target) as part:
        with closing(_read_only(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        part.chmod(MODE)
        _sync(part)
        for suffix in ("-wal", "-shm"):  # of the empty database: they would be replayed
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        part.replace(target)
    _sync(target.parent)


def problems(path: Path) -> list[str]:
    """Return what SQLite finds wrong in a file; empty when it is sound."""
    try:
        with closing(_read_only(path)) as connection:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            faults += [f"foreign key: {row[0]}" for row in
                      connection.execute("PRAGMA foreign_key_check")]
    except driver().DatabaseError:
        return ["not a database"]
    return [] if faults == ["ok"] else faults


def holds_tables(path: Path) -> bool:
    """Tell whether a file is a database with tables in it (a damaged one counts as such)."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        with closing(_read_only(path)) as connection:
            count = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except driver().DatabaseError:
        return True
    return bool(count)


def _is_ours(path: Path) -> bool:
    with closing(_read_only(path)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    return {"alembic_version", "study", "audit"} <= names


def _read_only(path: Path) -> sqlite3.Connection:
    uri = path.resolve().as_uri() + "?mode=ro"
    made: sqlite3.Connection = driver().connect(uri, uri=True, isolation_level=None, timeout=30)
    return made


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give a name beside the target for the unfinished copy; nothing stays of it."""
    part = target.with_name(f".{target.name}{PARTIAL}{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise StudyError("storage.exists", file=str(target))
    if not target.parent.is_dir():
        raise StudyError("storage.no_folder", file=str(target))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


SECONDS: Final = 60
"""How long to wait for writers and readers before giving up."""


def scrub(database: Database) -> bool:
    """Leave no copy of deleted rows in free pages or in the write-ahead log; tell whether it did.

    SQLite: VACUUM, then the log is emptied (both wait for other work to end). PostgreSQL: the
    identity table is rewritten; the server's own log and every backup are the operator's.
    """
    return _scrub_file(database) if database.is_sqlite else _scrub_server(database)


def _scrub_file(database: Database) -> bool:
    module = driver()
    try:
        with (
            FileLock(f"{database.path}.wlock", timeout=SECONDS, mode=0o600),
            closing(
                module.connect(str(database.path), timeout=SECONDS, isolation_level=None)
            ) as raw,
        ):
            raw.execute("PRAGMA secure_delete=ON")
            raw.execute("VACUUM")
            busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return not busy
    except (module.Error, Timeout):  # full disk or endless work: the rows are gone, traces may stay
        return False


def _scrub_server(database: Database) -> bool:
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"VACUUM (FULL) {identity.name}")
    except DBAPIError:
        return False
    finally:
        engine.dispose()
    return True
