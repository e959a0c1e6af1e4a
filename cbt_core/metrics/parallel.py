"""Work on texts spread over the processor's cores, with the same result as on one."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

CHUNK: Final = 250
"""Items per piece of work: large enough to be worth sending, small enough to share out evenly."""

WORTH_A_POOL: Final = 1_000
"""Answers below which starting processes costs more than it saves."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    work: Callable[[Sequence[Part]], list[Result]],
    parts: Sequence[Part],
    *,
    weight: int,
    workers: int | None = None,
) -> Iterator[list[Result]]:
    """Yield the results of `work` on consecutive pieces of `parts`, in order.

    `work` must be a module's function (or a partial of one); `weight` is how many answers there
    are in all. Processes are spawned, not forked: another library may hold threads.
    """
    pieces = [parts[at : at + CHUNK] for at in range(0, len(parts), CHUNK)]
    count = min(workers or cores(), len(pieces))
    if count < 2 or weight < WORTH_A_POOL:
        yield from map(work, pieces)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, pieces)
