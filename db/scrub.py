"""Rewriting the storage, so that nothing that was deleted can be read back from the file."""

from contextlib import closing
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from db.engine import Database, driver
from db.people_models import identity

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
