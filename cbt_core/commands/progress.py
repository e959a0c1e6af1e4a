"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

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
