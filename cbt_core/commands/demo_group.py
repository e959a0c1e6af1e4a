"""``demo``: the demonstration study, and simulated raters for demonstrations of one's own."""

import click

from cbt_core.commands.common import Group, codes, command, desk, now, open_database, tell
from cbt_core.domain.people import TERMINAL
from cbt_core.words import say


def add_to(parent: click.Group) -> None:
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
