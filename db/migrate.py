"""Bringing a database to the current version, whole or not at all."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from cbt_core.errors import StudyError
from db.engine import Database

FOLDER: Final = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> str:
    """Run the outstanding migrations in one transaction; return the version reached."""
    with database.writing() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return version(connection) or ""


def version(connection: Connection) -> str | None:
    """Return the version a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


@cache  # reading the scripts again costs 10 CPU-ms, and they do not change while we run
def newest() -> str:
    """Return the version this program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def is_bare(connection: Connection) -> bool:
    """Tell whether a database holds no table at all."""
    return version(connection) is None and not inspect(connection).get_table_names()


def require_known(database: Database) -> None:
    """Refuse a database that a newer program made.

    Raises:
        StudyError: its version is not among this program's.
    """
    with database.reading() as connection:
        revision = version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise StudyError("storage.too_new", found=revision)


def require_current(database: Database) -> None:
    """Refuse to work on a database of another version.

    Raises:
        StudyError: empty, older or newer than this program.
    """
    with database.reading() as connection:
        revision = version(connection)
        bare = is_bare(connection)
    if revision == newest():
        return
    if bare:
        raise StudyError("storage.missing")
    require_known(database)
    raise StudyError("storage.not_current", found=revision or "?", needed=newest())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
