"""When a call may start: requests and tokens a minute, and pauses the host asks for."""

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import Final

SPREAD: Final = 0.25
"""Waits are shortened by up to this share, so that not everybody calls again at once."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How failed calls are repeated: up to `tries` calls, waiting `first` seconds, doubled.

    A host's own Retry-After is honoured up to `longest` seconds.
    """

    tries: int = 6
    first: float = 0.5
    longest: float = 60.0


class Pace:
    """Spaces calls evenly; everybody waits when the host asks for a pause."""

    def __init__(self, *, per_minute: float | None, tokens_per_minute: float | None) -> None:
        """Set the limits; None is no limit."""
        self._call_seconds = 60.0 / per_minute if per_minute else 0.0
        self._token_seconds = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._next = 0.0
        self._next_tokens = 0.0
        self._paused_until = 0.0

    async def turn(self, tokens: int) -> None:
        """Wait for a turn of a call with about so many tokens."""
        now = time.monotonic()
        at = max(now, self._next, self._next_tokens)
        self._next = at + self._call_seconds
        self._next_tokens = at + tokens * self._token_seconds
        while (wait := max(at, self._paused_until) - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let no call start for so long."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)


def backoff(retrying: Retrying, failed: int, dice: Random) -> float:
    """Return the seconds to wait after the n-th failed call: doubled each time, up to 25 % less."""
    wait: float = min(retrying.longest, retrying.first * 2.0 ** (failed - 1))
    return wait * (1 - SPREAD * dice.random())
