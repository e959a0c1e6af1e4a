"""``audit``: walk the hash chains."""

import click

from cbt_core.commands.common import Group, command, named_database, now, tell
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError


@click.group("audit", cls=Group)
def group() -> None:
    """Verify the audit trail."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@command(group, "verify", example="audit verify sleep-2026")
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
