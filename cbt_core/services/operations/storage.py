"""Looking after the database: upgrade, back up, restore, check, verify the trail."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.services import guard
from db import audit, backup, check, migrate, studies
from db.engine import Connection, Database


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did; `kept` is the backup made before it, None when none was needed."""

    before: str | None
    after: str
    kept: Path | None


@dataclass(frozen=True, slots=True)
class Chain:
    """One verified audit chain: study (empty: the system's), length, head hash, first break."""

    slug: str
    entries: int
    head: str
    broken_at: int | None


def exists(database: Database) -> bool:
    """Tell whether there is a database at all (nothing is created by asking)."""
    return not database.is_sqlite or backup.holds_tables(database.path)


def require_current(database: Database) -> None:
    """Refuse to work without a database of this program's version.

    Raises:
        StudyError: missing, older or newer.
    """
    if not exists(database):
        raise StudyError("storage.missing")
    migrate.require_current(database)


def prepare(database: Database) -> None:
    """Make a new database where there is none; one of another version is refused.

    Raises:
        StudyError: the database is older or newer than this program.
    """
    if not exists(database) or _is_bare(database):
        migrate.upgrade(database)
    migrate.require_current(database)


def upgrade(database: Database, person: Person, *, now: datetime) -> Upgraded:
    """Bring the database to this program's version; an older one is backed up first.

    Raises:
        StudyError: the database was made by a newer program.
    """
    guard.as_terminal(database, person, act="upgrade", now=now).check()
    before = _version(database)
    newest = migrate.newest()
    if before == newest:
        return Upgraded(before, newest, None)
    if before is not None:
        migrate.require_known(database)
    kept = None
    if before is not None and database.is_sqlite:
        kept = _free_name(database.path, before, now)
        backup.copy(database.path, kept)
    return Upgraded(before, migrate.upgrade(database), kept)


def back_up(database: Database, person: Person, *, file: Path, now: datetime) -> int:
    """Write a whole copy while the app runs; return its size in bytes.

    Raises:
        StudyError: the file exists, there is no database, or it is a PostgreSQL one.
    """
    guard.as_terminal(database, person, act="back_up", now=now).check()
    _sqlite_only(database)
    if not exists(database):
        raise StudyError("storage.missing")
    backup.copy(database.path, file)
    return file.stat().st_size


def restore(database: Database, person: Person, *, file: Path, now: datetime) -> None:
    """Put a backup into an empty place.

    Raises:
        StudyError: the place holds data, or the backup is not sound.
    """
    guard.as_terminal(database, person, act="restore", now=now).check()
    _sqlite_only(database)
    backup.restore(file, database)


def check_all(database: Database, person: Person, *, now: datetime) -> list[check.Fault]:
    """Return everything wrong: pages, constraints, keys, guards and the audit chains."""
    owner = guard.as_terminal(database, person, act="check_all", now=now)
    owner.check()
    require_current(database)
    with owner.reading() as connection:
        return check.faults(connection)


def verify(
    database: Database, person: Person, *, slug: str | None, now: datetime
) -> list[Chain]:
    """Walk the audit chains: one study's, or all and the system's.

    Raises:
        Refused: the person does not lead them all; the system's belongs to the terminal.
    """
    require_current(database)
    with guard.as_anyone(database, person, act="verify", now=now).reading() as connection:
        wanted: list[tuple[str, int | None]] = [("", None)]
        wanted += [(row.slug, row.id) for row in studies.every(connection)]
        if slug is not None:
            wanted = [one for one in wanted if one[0] == slug and slug]
        if not wanted:
            raise StudyError("studies.unknown", slug=slug)
        for _, scope in wanted:
            guard.require_lead(person, scope)
        return [_chain(connection, name, scope) for name, scope in wanted]


def _chain(connection: Connection, slug: str, scope: int | None) -> Chain:
    fault = audit.verify(connection, scope)
    length = len(audit.entries(connection, scope))
    return Chain(slug, length, audit.head(connection, scope), fault.seq if fault else None)


def _sqlite_only(database: Database) -> None:
    if not database.is_sqlite:
        raise StudyError("storage.sqlite_only")


def _version(database: Database) -> str | None:
    if not exists(database):
        return None
    with database.reading() as connection:
        return migrate.version(connection)


def _is_bare(database: Database) -> bool:
    with database.reading() as connection:
        return migrate.is_bare(connection)


def _free_name(path: Path, version: str, now: datetime) -> Path:
    day = now.strftime("%Y%m%dT%H%M%SZ")
    return path.with_name(f"{path.stem}.before-upgrade-from-{version}.{day}.db")
