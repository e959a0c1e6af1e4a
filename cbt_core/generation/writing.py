"""The one writer of a run: while one group of lines is synced, the next one gathers."""

import asyncio
from collections.abc import Callable, Sequence

from cbt_core.errors import StudyError
from cbt_core.generation.journal import Journal
from cbt_core.generation.lines import Line

Written = Callable[[Sequence[tuple[int, Line]], Sequence[int]], None]


class Writer:
    """Puts lines on disk in the order they come.

    `written` is told each group (number of the request, line) that is safely on disk, and the
    byte of each line. `error` says why the disk takes no more.
    """

    def __init__(self, journal: Journal, *, capacity: int, written: Written) -> None:
        """Prepare for at most about `capacity` lines in memory."""
        self.error: StudyError | None = None
        self._journal = journal
        self._capacity = capacity
        self._written = written
        self._waiting: list[tuple[int, Line]] = []
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._closing = False

    def put(self, number: int, line: Line) -> None:
        """Put a line in the queue."""
        self._waiting.append((number, line))
        self._some.set()

    async def make_room(self) -> None:
        """Let others run; wait while as many lines are in memory as may be."""
        await asyncio.sleep(0)
        while len(self._waiting) >= self._capacity and not self.error:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Write until `close` is called and nothing is left, or the disk takes no more."""
        while not self.error and (self._waiting or not self._closing):
            if not self._waiting:
                self._some.clear()
                await self._some.wait()
                continue
            group, self._waiting = self._waiting, []
            await self._append(group)
            self._room.set()

    def close(self) -> None:
        """Let `run` end once everything is written."""
        self._closing = True
        self._some.set()

    async def _append(self, group: Sequence[tuple[int, Line]]) -> None:
        try:
            places = await asyncio.to_thread(self._journal.append, [line for _, line in group])
        except StudyError as error:
            self.error = error
            return
        self._written(group, places)
