"""The database of a process, and the two kinds of work done with it: reading and writing.

Writers stand in a queue served in order of arrival: threading.Lock promises no order.
"""

import errno
import re
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError

from cbt_core.errors import NotSaved


class Queue:
    """Let threads in one at a time, first come, first served."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait for one's turn; whoever gives up leaves the queue.

        Raises:
            TimeoutError: the turn did not come within `seconds`.
        """
        own_turn = threading.Event()
        with self._guard:
            self._waiting.append(own_turn)
            if self._waiting[0] is own_turn:
                own_turn.set()
        try:
            if not own_turn.wait(seconds):
                raise TimeoutError
            yield
        finally:
            self._leave(own_turn)

    def _leave(self, own_turn: threading.Event) -> None:
        with self._guard:
            was_first = self._waiting[0] is own_turn
            self._waiting.remove(own_turn)
            if was_first and self._waiting:
                self._waiting[0].set()


__all__ = ["Connection", "Database", "database", "driver", "sqlite_is_safe"]

WAIT_SECONDS: Final = 15.0
"""How long a writer waits for its turn before it says that the database is busy."""

POLL_SECONDS: Final = 0.005
"""How often a process asks for the file lock. With filelock's own 0.05 whoever has just had the
lock takes it again: of 16 processes one waited 6 s on a busy machine."""

WAL_FIX: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""First releases of each branch in which the WAL-reset data race is fixed (sqlite.org/wal.html)."""

CAUSES: Final = {
    "SQLITE_FULL": "full",
    "SQLITE_READONLY": "read_only",
    "SQLITE_CANTOPEN": "cannot_open",
    "SQLITE_BUSY": "busy",
    "SQLITE_LOCKED": "busy",
    "SQLITE_IOERR": "disk",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_CORRUPT": "damaged",
}

LOCK_CAUSES: Final = {
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
    errno.ENOSPC: "full",
    errno.ENOENT: "cannot_open",
}


def driver() -> ModuleType:
    """Return pysqlite3 where its wheel exists (its SQLite is free of the WAL-reset race)."""
    try:
        import pysqlite3
    except ImportError:
        return sqlite3
    module: ModuleType = pysqlite3
    return module


def sqlite_is_safe(version: tuple[int, int, int]) -> bool:
    """Tell whether an SQLite release is free of the WAL-reset race."""
    if version >= WAL_FIX[-1]:
        return True
    return any(version[:2] == fixed[:2] and version >= fixed for fixed in WAL_FIX[:-1])


class Database:
    """One database: SQLite file or PostgreSQL, the same code for both."""

    def __init__(self, url: str) -> None:
        """Prepare the engines; nothing is opened before the first use."""
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._queue = Queue()
        if self.is_sqlite:
            path = self.path
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file_lock = FileLock(f"{path}.wlock", thread_local=False, mode=0o600)
            self._writer = _sqlite(url, writes=True)
            self._reader = _sqlite(url, writes=False)
        else:
            self._writer = self._reader = create_engine(
                url, hide_parameters=True, pool_size=10, max_overflow=20, pool_pre_ping=True
            )

    @property
    def path(self) -> Path:
        """Return the file of an SQLite database."""
        return Path(make_url(self.url).database or "")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that reads one consistent state and cannot write (SQLite)."""
        with _explained(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, scope: int = 0) -> Iterator[Connection]:
        """Give a transaction that writes: all of it, or nothing.

        `scope` is the study's id (0: the system). On PostgreSQL writers of one scope queue up
        behind an advisory lock taken before the first read; on SQLite all writers queue.

        Raises:
            NotSaved: the storage is full, read-only, busy or damaged.
        """
        with _explained(), self._turn(), self._writer.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": 7_000 + scope})
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with ExitStack() as held:
            try:
                held.enter_context(self._queue.turn(WAIT_SECONDS))
                held.enter_context(
                    self._file_lock.acquire(timeout=WAIT_SECONDS, poll_interval=POLL_SECONDS)
                )
            except OSError as error:  # waiting too long is one of them
                raise NotSaved(f"storage.{_lock_cause(error)}") from error
            yield

    def settings(self) -> Mapping[str, str]:
        """Read the settings back that durability rests on."""
        if not self.is_sqlite:
            with self.reading() as connection:
                version = str(connection.execute(text("SHOW server_version")).scalar_one())
            return {"backend": "postgresql", "version": version}
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema")
        with self._writer.connect() as connection:
            pragmas = {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in names
            }
        return {"backend": "sqlite", "version": driver().sqlite_version, **pragmas}

    def close(self) -> None:
        """Close every connection (before a backup is put in place, and in tests)."""
        self._writer.dispose()
        self._reader.dispose()


@cache  # of functools: any browser can clear Streamlit's caches
def database(url: str) -> Database:
    """Return the one database object of this process for a URL."""
    return Database(url)


def _sqlite(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url, module=driver(), hide_parameters=True, connect_args={"timeout": 30}, pool_size=20
    )

    def configure(raw: DBAPIConnection, _record: object) -> None:
        raw.isolation_level = None  # no BEGIN of the driver's own: `begin` sends it
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA journal_mode=WAL")
        if (cursor.fetchone() or [""])[0] != "wal":
            raise NotSaved("storage.no_wal")
        for setting in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF",
                        "cell_size_check=ON", "secure_delete=ON", "journal_size_limit=67108864"):
            cursor.execute(f"PRAGMA {setting}")
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
        _protect(Path(make_url(url).database or ""))

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", begin)
    return engine


def _protect(path: Path) -> None:
    """Keep the file to its owner; a file system that has no modes is left as it is."""
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError:  # another owner, or a file system without modes
        return


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the driver's storage faults into sentences; everything else passes through."""
    try:
        yield
    except DBAPIError as error:
        cause = _cause(error)
        if cause is None:
            raise
        raise NotSaved(f"storage.{cause}") from None


def _lock_cause(error: OSError) -> str:
    """Return why a turn to write did not come; the lock's file lies beside the database."""
    if isinstance(error, TimeoutError):
        return "busy"
    return LOCK_CAUSES.get(error.errno or 0, "disk")


def _cause(error: DBAPIError) -> str | None:
    name = getattr(error.orig, "sqlite_errorname", "") or ""
    for prefix, cause in CAUSES.items():
        if name.startswith(prefix):
            return cause
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    if sqlstate in {"40001", "40P01", "55P03"}:
        return "busy"
    if re.match(r"53100|08|57P", sqlstate) or error.connection_invalidated:
        return "unreachable" if sqlstate != "53100" else "full"
    if isinstance(error, OperationalError) and not name and not sqlstate:
        return "unreachable"  # psycopg names no state when it could not connect at all
    return None
