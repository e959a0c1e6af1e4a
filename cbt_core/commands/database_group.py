"""``db``: upgrade, back up, restore and check the database."""

from pathlib import Path

import click

from cbt_core.commands.common import Group, command, named_database, now, path_type, tell
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError


@click.group("db", cls=Group)
def group() -> None:
    """Look after the database."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@command(group, "upgrade", example="db upgrade")
def upgrade() -> None:
    """Make the database, or bring an older one to this version (after a backup)."""
    from cbt_core.services.operations import storage

    done = storage.upgrade(named_database(), TERMINAL, now=now())
    if done.kept:
        tell("kept_backup", file=done.kept)
    tell("is_current" if done.before == done.after else "upgraded", version=done.after)


@command(group, "backup", example="db backup data/backup-2026-11-23.db")
@click.argument("file", type=path_type())
def backup(file: Path) -> None:
    """Write a whole copy into FILE while the app runs."""
    from cbt_core.services.operations import storage

    size = storage.back_up(named_database(), TERMINAL, file=file, now=now())
    tell("backed_up", file=file, megabytes=f"{size / 1e6:.1f}")


@command(group, "restore", example="db restore data/backup-2026-11-23.db")
@click.argument("file", type=path_type())
def restore(file: Path) -> None:
    """Put a backup in the place of a database that does not exist yet."""
    from cbt_core.services.operations import storage

    database = named_database()
    storage.restore(database, TERMINAL, file=file, now=now())
    tell("restored", file=file)


@command(group, "check", example="db check")
def check() -> None:
    """Check pages, constraints, foreign keys, guards and the audit chains."""
    from cbt_core.services.operations import storage

    faults = storage.check_all(named_database(), TERMINAL, now=now())
    for fault in faults:
        tell(f"fault_{fault.kind}", error=True, detail=fault.detail)
    if faults:
        raise StudyError("cli.faults", count=len(faults))
    tell("sound")
