"""``source``: which sources' texts may go to the hosts the server lists."""

from datetime import date, datetime

import click

from cbt_core.commands.common import Group, command, desk, now, open_database, table
from cbt_core.domain.people import TERMINAL
from cbt_core.words import say


@click.group("source", cls=Group)
def group() -> None:
    """Say which sources' texts may leave this machine."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@command(
    group, "allow",
    example='source allow psyqa --agreement "signed 2026-11-02, clause 4" --valid-until 2027-11-01',
)
@click.argument("source")
@click.option("--agreement", required=True, help="Which agreement allows it; who signed it, when.")
@click.option("--valid-until", type=click.DateTime(["%Y-%m-%d"]), help="Last day it holds.")
def allow(source: str, agreement: str, valid_until: datetime | None) -> None:
    """Record the agreement under which texts of SOURCE may go to the listed hosts."""
    from cbt_core.services.runs import egress

    until: date | None = valid_until.date() if valid_until else None
    egress.allow_source(
        open_database(create=True), TERMINAL, source=source, agreement=agreement,
        valid_until=until, now=now(),
    )
    _tell("allowed", source)


@command(group, "deny", example="source deny psyqa")
@click.argument("source")
@click.option("--reason", default="", help="Why, for those who read it later.")
def deny(source: str, reason: str) -> None:
    """Keep texts of SOURCE on this machine."""
    from cbt_core.services.runs import egress

    egress.deny_source(
        open_database(create=True), TERMINAL, source=source, reason=reason, now=now()
    )
    _tell("denied", source)


@command(group, "list", example="source list")
def list_sources() -> None:
    """List the sources something was decided about; others may go to the listed hosts."""
    from cbt_core.services.runs import egress

    language = desk().language
    rows = [
        (one.source, one.may_leave, one.valid_until, one.actor, one.at[:10], one.agreement)
        for one in egress.sources(open_database(create=True), TERMINAL, now=now())
    ]
    keys = ("source", "may_leave", "valid_until", "actor", "decided_on", "agreement")
    table([say(f"egress.head_{key}", language) for key in keys], rows)


def _tell(key: str, source: str) -> None:
    from cbt_core.services.runs.egress import normal_source

    click.echo(say(f"egress.{key}", desk().language, source=normal_source(source)))
