"""``run``: the generations that were started in the browser: list, stop, go on; and their work."""

import signal
import threading
from types import FrameType

import click

from cbt_core.commands.common import Group, command, desk, now, open_database, table
from cbt_core.domain.people import TERMINAL
from cbt_core.words import say


@click.group("run", cls=Group)
def group() -> None:
    """Look after generations that were started in the browser."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@group.command("work", hidden=True)
@click.argument("code")
def work(code: str) -> None:
    """Do the work of a run; the server starts this, apart from itself."""
    from cbt_core.services.runs import browser_run
    from cbt_core.settings import Settings

    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    browser_run.be_modest()
    ended = browser_run.work(
        open_database(), code=code, settings=Settings.from_environment(), clock=now, stop=stop
    )
    click.echo(f"{now():%Y-%m-%dT%H:%M:%SZ} {ended}")


@command(group, "list", example="run list")
def list_runs() -> None:
    """List runs, the newest first."""
    from cbt_core.services.runs import browser_run

    language = desk().language
    rows = [
        (one.run.code, say(f"runs.state_{one.state}", language), one.run.actor,
         one.run.config["asked"]["system"], f"{one.run.done}/{one.run.total}", one.run.failed,
         f"{one.run.created_at:%Y-%m-%d %H:%M}", one.told(language))
        for one in browser_run.watch(open_database(), TERMINAL, now=now())
    ]
    keys = ("code", "state", "actor", "system", "done", "failed", "created", "told")
    table([say(f"runs.head_{key}", language) for key in keys], rows)


@command(group, "stop", example="run stop 0f3a5b7c9d1e")
@click.argument("code")
def stop(code: str) -> None:
    """Ask a run to stop; rows on disk stay, and it can be resumed."""
    from cbt_core.services.runs import browser_run

    browser_run.stop(open_database(), TERMINAL, code=code, now=now())
    click.echo(say("runs.stop_asked", desk().language, run=code))


@command(group, "resume", example="run resume 0f3a5b7c9d1e")
@click.argument("code")
def resume(code: str) -> None:
    """Go on with a run that stopped, failed, or lost its process."""
    from cbt_core.services.runs import browser_run
    from cbt_core.settings import Settings

    browser_run.resume(
        open_database(), TERMINAL, code=code, settings=Settings.from_environment(), now=now()
    )
    click.echo(say("runs.resumed", desk().language, run=code))
