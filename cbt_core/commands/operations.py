"""`db`, `audit`, `doctor`, `demo`: database, trail, is all in place, demonstration."""

from pathlib import Path

import click

from cbt_core.commands.common import (
    Group,
    codes,
    command,
    desk,
    named_database,
    now,
    open_database,
    path_type,
    table,
    tell,
)
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.words import say


def add_demo_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(demo)
    command(demo, "rate", example="demo rate my-trial --raters R01,R02,R03 --seed 1")(rate)
    demo.commands["rate"].hidden = True


@click.group(
    cls=Group, invoke_without_command=True, subcommand_metavar="",
    epilog="\b\nExample:\n  python -m cbt_core demo",
)
@click.pass_context
def demo(context: click.Context) -> None:
    """Load the demonstration study, once however often it is called."""
    if context.invoked_subcommand is not None:
        return
    from cbt_core.services.operations.demo_study import load_demonstration

    loaded = load_demonstration(open_database(create=True), now=now())
    tell("demo_loaded" if loaded else "demo_there")


@click.argument("slug")
@click.option("--raters", required=True, help="Codes, joined by commas; they have tasks already.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, same scores.")
def rate(slug: str, raters: str, seed: int) -> None:
    """Let simulated raters do the tasks of a study made with `study create --demonstration`."""
    from cbt_core.services.operations import demo_study

    done = demo_study.simulate_ratings(
        open_database(), TERMINAL, slug=slug, raters=codes(raters), seed=seed, now=now()
    )
    click.echo(say("simulation.done", desk().language, count=sum(done.tasks.values()), slug=slug))


@click.group("audit", cls=Group)
def audit_group() -> None:
    """Verify the audit trail."""


def add_audit_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(audit_group)


@command(audit_group, "verify", example="audit verify sleep-2026")
@click.argument("slug", required=False)
def verify(slug: str | None) -> None:
    """Walk the chain of SLUG, or every chain; name the first broken entry."""
    from cbt_core.services.operations import storage

    chains = storage.verify(named_database(), TERMINAL, slug=slug, now=now())
    broken = 0
    for chain in chains:
        name = chain.slug or "system"
        if chain.broken_at is None:
            tell("chain_holds", name=name, entries=chain.entries, head=chain.head)
        else:
            broken += 1
            tell("chain_broken", error=True, name=name, seq=chain.broken_at)
    if broken:
        raise StudyError("cli.trail_broken")


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


def add_doctor_to(parent: click.Group) -> None:
    """Add this command to the program."""
    command(parent, "doctor", example="doctor")(doctor)


def doctor() -> None:
    """Say what is in place, what is missing and how to get it."""
    from cbt_core.services.operations import doctor as examining
    from cbt_core.words import say

    language = desk().language
    checks = examining.examine(named_database())
    table(
        ("", "", ""),
        [(say(f"doctor.state_{one.state}", language), say(f"doctor.{one.name}", language),
          say(f"doctor.{one.code}", language, **one.values)) for one in checks],
    )
    bad = sum(one.state == "bad" for one in checks)
    if bad:
        raise StudyError("doctor.summary", count=bad)
