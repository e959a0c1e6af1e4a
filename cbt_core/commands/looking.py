"""``doctor``: is everything in place."""

import click

from cbt_core.commands.common import command, desk, named_database, table
from cbt_core.errors import StudyError


def add_to(parent: click.Group) -> None:
    """Add this command to the program."""
    command(parent, "doctor", example="doctor")(doctor)


def doctor() -> None:
    """Say what is in place, what is missing and how to get it."""
    from cbt_core.services.operations import doctor as examining
    from cbt_core.words import say

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
