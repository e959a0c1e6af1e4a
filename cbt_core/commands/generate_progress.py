"""Progress of a generation: rows, rate, cost, time left; one line rewritten, or plain lines."""

import sys
import time
from typing import TYPE_CHECKING, Final

import click

from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.run.outcome import Progress


LINE_SECONDS: Final = 30.0
"""How often a plain line is printed where there is no terminal."""


class ProgressLine:
    """Shows where a run stands on stderr."""

    def __init__(self, language: str) -> None:
        """Look whether somebody watches."""
        self._language = language
        self._rewrites = sys.stderr.isatty()
        self._last = time.monotonic()
        self._width = 0

    def show(self, progress: "Progress") -> None:
        """Show a state."""
        if self._rewrites:
            text = self._text(progress)
            click.echo("\r" + text + " " * max(self._width - len(text), 0), nl=False, err=True)
            self._width = len(text)
        elif time.monotonic() - self._last >= LINE_SECONDS:
            self._last = time.monotonic()
            click.echo(self._text(progress), err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._width:
            click.echo(err=True)

    def _text(self, progress: "Progress") -> str:
        cost, left = progress.cost, progress.seconds_left
        return say(
            "generation.progress", self._language, done=progress.done,
            total="?" if progress.total is None else progress.total, failed=progress.failed,
            rate=f"{progress.rate:.1f}", cost="–" if cost is None else f"{cost:.2f}",
            left="–" if left is None else _clock(left),
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
