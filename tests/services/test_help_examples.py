"""What help, README and docs show can be typed: every command line parses as it stands."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from cbt_core.cli import cli
from cbt_core.commands.common import PROGRAM
from cbt_core.settings import ROOT

LINE = re.compile(rf"^\s*{re.escape(PROGRAM)} (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED = re.compile(rf"(?:^|\s){re.escape(PROGRAM)} ([^#|>;&\n]+)")
USAGE = re.compile(r"[\[\]…]|\.\.\.")


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, found in group.commands.items():
        named = f"{path} {name}".strip()
        yield named, found
        if isinstance(found, click.Group):
            yield from _commands(found, named)


def _examples(found: click.Command) -> list[str]:
    return LINE.findall(found.epilog or "")


def _typed(document: str) -> list[str]:
    """Return the command lines of a document's code blocks; outlines of usage are left out."""
    blocks = "\n".join(BLOCK.findall(document)).replace("\\\n", " ")
    return [line for line in TYPED.findall(blocks) if not USAGE.search(line)]


EXAMPLES = [
    pytest.param(name, line, id=f"{name}-{place}")
    for name, found in _commands(cli)
    for place, line in enumerate(_examples(found), start=1)
]

DOCUMENTED = [
    pytest.param(line.strip(), id=f"{file.stem}-{place}")
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for place, line in enumerate(_typed(file.read_text("utf-8")), start=1)
]


def parsed(line: str) -> str:
    """Parse a command line as the program would, run nothing, return the command's full name."""
    group: click.Command = cli
    rest, path = shlex.split(line), []
    context = click.Context(cli, info_name=PROGRAM)
    while isinstance(group, click.Group):
        context = group.make_context(None, rest, parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:
            break  # a group that does something by itself
        name, chosen, rest = group.resolve_command(context, rest)
        if chosen is None or name is None:
            raise click.UsageError(f"no command {rest}")
        group = chosen
        path.append(name)
    if not isinstance(group, click.Group):
        group.make_context(path[-1], rest, parent=context)
    return " ".join(path)


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_parses(name: str, line: str) -> None:
    assert parsed(line).startswith(name)  # `train FILE` is the hidden `train run`


@pytest.mark.parametrize("line", DOCUMENTED)
def test_a_documented_command_parses(line: str) -> None:
    assert parsed(line)


def test_every_command_has_one() -> None:
    without = [name for name, found in _commands(cli)
               if not (found.hidden or isinstance(found, click.Group) or _examples(found))]
    assert without == []


@pytest.mark.parametrize("line", ["study list --no-such-option", "study no-such-command"])
def test_what_cannot_be_typed_is_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)
