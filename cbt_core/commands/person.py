"""``person``: give and take access."""

from typing import TYPE_CHECKING

import click

from cbt_core.commands.common import Group, command, now, open_database, table, tell, word
from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role

if TYPE_CHECKING:
    from db.people import Overview


@click.group("person", cls=Group)
def group() -> None:
    """Give and take access."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@command(group, "add", example="person add --code R01 --role rater --study sleep-2026")
@click.option("--code", required=True, help="Pseudonymous code, for example R01.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.RATER.value,
    show_default=True, help="What the person does; lead without a study may create studies.",
)
@click.option("--study", "slug", metavar="SLUG", help="Study in which the role is held.")
def add(code: str, role: str, slug: str | None) -> None:
    """Add a person and print code and secret once; or give an existing one a role."""
    from cbt_core.services.people import roster
    from cbt_core.services.studies import contents

    database = open_database(create=True)
    study_id = None
    if slug is not None:
        study_id = contents.setup_for(database, TERMINAL, slug=slug, now=now()).study.id
    issued = roster.add_person(
        database, TERMINAL, code=code, role=Role(role), study_id=study_id, now=now()
    )
    if issued.secret is not None:
        tell("secret", person=issued.code, secret=issued.secret)
    else:
        tell("joined" if issued.joined else "joined_before", person=issued.code, role=role)


@command(group, "list", example="person list")
def list_people() -> None:
    """List everybody with roles; no names, no secrets."""
    from cbt_core.services.people import roster

    people = roster.list_people(open_database(), TERMINAL, now=now())
    rows = [
        (one.code, _roles(one), (one.last_seen_at or "")[:16],
         word("disabled") if one.disabled_at else "")
        for one in people
    ]
    table([word("code"), word("roles"), word("seen"), word("state")], rows)


@command(group, "reset", example="person reset R01")
@click.argument("code")
def reset(code: str) -> None:
    """Issue a new secret, printed once; the old one and all sessions end."""
    from cbt_core.services.people import roster

    issued = roster.reset(open_database(), TERMINAL, code=code, now=now())
    tell("secret", person=issued.code, secret=issued.secret)


@command(group, "disable", example="person disable R01")
@click.argument("code")
def disable(code: str) -> None:
    """Close a person's access and end all sessions; ratings stay."""
    from cbt_core.services.people import roster

    roster.disable(open_database(), TERMINAL, code=code, now=now())
    tell("person_disabled", person=code)


@command(group, "forget", example="person forget R01")
@click.argument("code")
def forget(code: str) -> None:
    """Remove a person's identity for good; pseudonymous ratings stay."""
    from cbt_core.services.people import roster

    done = roster.forget(open_database(), TERMINAL, code=code, now=now())
    tell("forgotten" if done.scrubbed else "forgotten_unscrubbed", person=done.code)


def _roles(overview: "Overview") -> str:
    held = [f"{member.slug}:{member.role.value}" for member in overview.memberships
            if member.left_at is None]
    return ", ".join([*held, *(["lead"] if overview.may_create_studies else [])])
