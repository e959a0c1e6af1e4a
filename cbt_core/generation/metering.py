"""How a run gets on, told a few times a second."""

import time
from collections.abc import Callable
from typing import Final

from cbt_core.generation.journal import Journal
from cbt_core.generation.outcome import Progress

PROGRESS_SECONDS: Final = 0.2


class Meter:
    """Tells a listener where the run stands, a few times a second."""

    def __init__(
        self,
        before: int,
        listener: Callable[[Progress], None] | None = None,
        total: int | None = None,
    ) -> None:
        """Start the clock."""
        self._before, self._listener, self._total = before, listener, total
        self._start = time.monotonic()
        self._told = 0.0

    def report(self, journal: Journal, *, last: bool = False) -> None:
        """Report what is on disk; `last` reports in any case."""
        now = time.monotonic()
        if self._listener is None or (now - self._told < PROGRESS_SECONDS and not last):
            return
        self._told = now
        done, failed = len(journal.row_at), len(journal.failed)
        rate = (done - self._before) / max(now - self._start, 1e-9)
        left = None if self._total is None else max(self._total - done - failed, 0)
        seconds = left / rate if left is not None and rate > 0 else None
        self._listener(Progress(
            done=done, failed=failed, before=self._before, total=self._total, rate=rate,
            cost=journal.spent.cost, seconds_left=seconds,
        ))
