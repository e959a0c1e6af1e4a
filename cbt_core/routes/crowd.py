"""The line in which people wait while their secrets are checked."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from cbt_core.errors import Refused
from cbt_core.services.access.sessions import SignedIn

AT_ONCE: Final = 2
"""Secrets are checked by two threads of their own: sign-ins never hold up a save."""

WAITING: Final = 40
"""So many may wait for those threads (8 s of work); more are asked to come back."""

COME_BACK_SECONDS: Final = 5


class Crowd:
    """How many people wait for their secret to be checked."""

    def __init__(self, most: int) -> None:
        """Let `most` people wait."""
        self._places = threading.BoundedSemaphore(most)
        self._workers = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sign-in")

    async def run(self, work: Callable[[], SignedIn]) -> SignedIn:
        """Do the work when its turn comes.

        Raises:
            Refused: too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise Refused("access.wait", retry_seconds=COME_BACK_SECONDS)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        finally:
            self._places.release()


@cache
def crowd() -> Crowd:
    """Return the one line of this process."""
    return Crowd(WAITING)
