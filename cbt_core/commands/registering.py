"""``study register``: the analysis plan, frozen before the first rating."""

from pathlib import Path

import click

from cbt_core.commands.common import command, desk, now, open_database, path_type
from cbt_core.commands.study_group import group
from cbt_core.domain.people import TERMINAL
from cbt_core.words import say

SHOWN = 12


def add_to(_parent: click.Group) -> None:
    """Nothing to add: the command joins the group `study` as it is defined."""


@command(group, "register", example="study register sleep-2026 --out prereg.md")
@click.argument("slug")
@click.option("--out", type=path_type(), help="Markdown file; without it the plan is printed.")
def register(slug: str, out: Path | None) -> None:
    """Freeze the analysis plan before the first rating and write it down with its digest."""
    from cbt_core.services.studies import registration

    language = desk().language
    found = registration.register(
        open_database(), TERMINAL, slug=slug, language=language, now=now()
    )
    if out is None:
        click.echo(found.text)
        return
    registration.write(found, out)
    click.echo(
        say("registration.written", language, slug=slug, digest=found.digest[:SHOWN], file=out)
    )
