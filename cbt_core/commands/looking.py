"""``doctor`` and ``demo``: is everything in place, and something to look at."""

import click

from cbt_core.commands.common import command, desk, named_database, now, open_database, table, tell
from cbt_core.errors import StudyError


def add_to(parent: click.Group) -> None:
    """Add these commands to the program."""
    command(parent, "doctor", example="doctor")(doctor)
    command(parent, "demo", example="demo")(demo)


def doctor() -> None:
    """Say what is in place, what is missing and how to get it."""
    from cbt_core.services import doctor as examining
    from cbt_core.wording import say

    language = desk().language
    found = examining.examine(named_database())
    table(
        ("", "", ""),
        [(say(f"doctor.state_{one.state}", language), say(f"doctor.{one.name}", language),
          say(f"doctor.{one.code}", language, **one.values)) for one in found],
    )
    bad = sum(one.state == "bad" for one in found)
    if bad:
        raise StudyError("doctor.summary", count=bad)


def demo() -> None:
    """Load the demonstration study, once however often it is called."""
    from cbt_core.services.demonstrating import load_demonstration

    loaded = load_demonstration(open_database(create=True), now=now())
    tell("demo_loaded" if loaded else "demo_there")
