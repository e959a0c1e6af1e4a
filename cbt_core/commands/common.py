"""What every command shares: language, database, help with an example, tables, progress."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cbt_core.errors import StudyError
from cbt_core.settings import DATABASE_SCHEMES, Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.domain.study import Problem
    from db.engine import Database

PROGRAM: Final = "python -m cbt_core"
PLAIN_WIDTH: Final = 100_000
"""Wider than any table: what is read by a program is not folded."""

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(slots=True)
class Desk:
    """Language of messages and the database of this call."""

    language: str = "en"
    url: str = ""


def desk() -> Desk:
    """Return what this call is set to."""
    return click.get_current_context().find_root().ensure_object(Desk)


def _set_language(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        context.find_root().ensure_object(Desk).language = value


def _set_database(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        context.find_root().ensure_object(Desk).url = value


def shared_options() -> list[click.Parameter]:
    """Return --lang and --database, accepted before and after the command's name."""
    return [
        click.Option(
            ["--lang"], type=click.Choice(["zh", "en"]), callback=_set_language,
            expose_value=False, help="Language of messages (or CONCORD_LANG; default en).",
        ),
        click.Option(
            ["--database"], metavar="URL", callback=_set_database, expose_value=False,
            help="Database (or CONCORD_DATABASE; default sqlite:///data/concord.db).",
        ),
    ]


class Command(click.Command):
    """A command with the shared options, which does nothing under settings that cannot be meant."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.params.extend(shared_options())

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click's own
        """Run the command; every one refuses a bad variable, also those that do not need it."""
        Settings.from_environment()
        return super().invoke(ctx)


class Group(click.Group):
    """A group whose commands take the shared options too."""

    command_class = Command
    group_class = type

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.params.extend(shared_options())


def command(group: click.Group, name: str, *, example: str) -> Callable[[Function], click.Command]:
    """Add a function to a group as a command whose help ends with an example."""
    epilog = f"\b\nExample:\n  {PROGRAM} {example}"
    return group.command(name, epilog=epilog)


def open_database(*, create: bool = False) -> "Database":
    """Return the database at this program's version; `create` makes one where there is none.

    Raises:
        StudyError: missing, older, newer, or the URL is of another kind.
    """
    from cbt_core.services.operations import storage

    store = named_database()
    if create:
        storage.prepare(store)
    else:
        storage.require_current(store)
    return store


def named_database() -> "Database":
    """Return the database of this call without looking whether it exists.

    Raises:
        StudyError: the URL is none of SQLite or PostgreSQL.
    """
    from db.engine import database

    url = desk().url or Settings.from_environment().database
    if not url.startswith(DATABASE_SCHEMES) or url in DATABASE_SCHEMES:
        raise StudyError("cli.database_url")
    try:
        return database(url)
    except OSError as error:
        raise StudyError("storage.cannot_open") from error
    except ImportError as error:
        raise StudyError("cli.no_driver") from error


def now() -> datetime:
    """Return the present moment; services get it as a parameter."""
    return datetime.now(UTC)


def tell(key: str, /, *, error: bool = False, **values: object) -> None:
    """Print a sentence of section `cli` in the chosen language."""
    click.echo(say(f"cli.{key}", desk().language, **values), err=error)


def word(key: str) -> str:
    """Return a word of section `cli` in the chosen language."""
    return say(f"cli.{key}", desk().language)


def warn(doubts: Sequence["Problem"]) -> None:
    """Print what is doubtful in a file, one line each."""
    from cbt_core.files.problems import describe

    for problem in doubts:
        tell("warning", error=True, text=describe(problem, desk().language))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in aligned columns; numbers stand to the right.

    A terminal gets a bold head and cells folded to its width, a file or pipe one plain line a row.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[_cell(value) for value in row] for row in rows]
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column, header in enumerate(headers):
        numeric = bool(cells) and all(_is_number(row[column]) for row in cells)
        drawn.add_column(Text(header), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*map(Text, row))
    if sys.stdout.isatty():
        Console(highlight=False).print(drawn)
        return
    console = Console(file=io.StringIO(), width=PLAIN_WIDTH, no_color=True, highlight=False)
    with console.capture() as lines:
        console.print(drawn)
    click.echo("\n".join(line.rstrip() for line in lines.get().splitlines()))


def codes(joined: str | None) -> tuple[str, ...]:
    """Return the codes of a list such as ``R01,R02``."""
    return tuple(part.strip() for part in (joined or "").split(",") if part.strip())


def path_type() -> click.Path:
    """Return the type of a file argument; whether it exists is for the reader to say (exit 1)."""
    return click.Path(path_type=Path)


def _cell(value: object) -> str:
    text = f"{value:.1f}" if isinstance(value, float) else str("" if value is None else value)
    return "".join(character if character.isprintable() else " " for character in text)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


QUARTERS: Final = 4


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told (done, of how many)."""
    if sys.stderr.isatty():
        yield from _bar(label, total)
    else:
        yield _lines(label)


def _bar(label: str, total: int | None) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)

        def told(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield told


def _lines(label: str) -> Callable[[int, int], None]:
    """Return a function that prints a line at each quarter of long work."""
    last = 0

    def told(done: int, of: int) -> None:
        nonlocal last
        quarter = done * QUARTERS // of if of else QUARTERS
        if quarter > last and of >= 2_000:  # short work needs no lines
            last = quarter
            click.echo(f"{label}: {done}/{of}", err=True)

    return told
