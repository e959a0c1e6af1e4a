"""What a run is told and what it tells: a wish to stop, progress, outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class Stop(Protocol):
    """A wish to stop: `threading.Event` and `asyncio.Event` both fit."""

    def is_set(self) -> bool:
        """Tell whether to stop."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; `rate` is rows a second of this session, times are in seconds.

    `done` counts every row on disk, `before` those that an earlier session left there; `cost` is
    that of all sessions, None when no price was given.
    """

    done: int
    failed: int
    before: int
    total: int | None
    rate: float
    cost: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to; tokens and cost are those of all its sessions.

    `ended` is `finished`, `stopped` (asked to), `budget_spent` or `unreachable`; all but the first
    leave a journal to go on from, and no final file. `causes` counts the failures by cause.
    """

    out: Path
    ended: str
    rows: int
    failed: int
    before: int
    causes: Mapping[str, int]
    healed: int
    prompt_tokens: int
    reply_tokens: int
    cost: float | None
    started_at: datetime
    ended_at: datetime

    @property
    def finished(self) -> bool:
        """Tell whether every request was asked (some may have failed)."""
        return self.ended == "finished"
