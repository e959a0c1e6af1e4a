"""Thousands of requests to their rows: the way in, from resuming to the final files."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cbt_core.errors import StudyError
from cbt_core.generation.backend import Backend, Failure, Reply, Request
from cbt_core.generation.finishing import finish, finished_before
from cbt_core.generation.journal import SUFFIX, Journal, beside, config_digest
from cbt_core.generation.lines import Row
from cbt_core.generation.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.working import Carrying, Work

ToRow = Callable[[Request, Reply], Row | Failure]


def run(
    requests: Iterable[Request],
    backend: Backend,
    *,
    place: Path,
    to_row: ToRow,
    config: Mapping[str, object],
    resume: bool = False,
    total: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Turn requests into the rows of `place`, sorted as the requests come; see `run_async`."""
    return asyncio.run(run_async(
        requests, backend, place=place, to_row=to_row, config=config, resume=resume, total=total,
        on_progress=on_progress, stop=stop, limits=limits,
    ))


async def run_async(
    requests: Iterable[Request],
    backend: Backend,
    *,
    place: Path,
    to_row: ToRow,
    config: Mapping[str, object],
    resume: bool = False,
    total: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Turn requests into the rows of `place`, sorted as the requests come.

    Requests are drawn as they are needed and must come in the same order when resumed. `to_row`
    returns the row of a reply, or why there is none; to every row are added `finish`, `attempt`,
    `seed`, `generated_at`, `prompt_tokens`, `reply_tokens`, `seconds` and, with prices, `cost`.
    `config` is all that decides what rows are like: a run can only be resumed with the same.
    Beside `place` stand `.part` (the journal, until every row is there), `.failed.jsonl` and
    `.manifest.json`. The backend is closed at the end: a backend serves one run.

    Raises:
        StudyError: `place` is taken, an unfinished run with other settings lies there, the disk
            does not take rows, two requests have one key, or no request can succeed (no key).
    """
    digest = config_digest(config)
    try:
        with Journal(place, digest=digest) as journal:
            done = finished_before(place, digest) if resume else None
            if done:
                return done
            _begin(journal, place, resume=resume)
            if isinstance(backend, Carrying):
                spent = journal.spent
                backend.carry(spent.cost or 0.0, spent.prompt_tokens + spent.reply_tokens)
            work = Work(journal, backend, to_row, limits or Limits())
            work.tell(on_progress, total)
            outcome = await work.through(iter(requests), stop)
            finish(journal, work.places, outcome, config=config, backend=backend.describe())
            return outcome
    finally:
        await backend.close()


def require_place(place: Path, *, resume: bool) -> None:
    """Refuse a place that holds something already, unless it is a run to be resumed.

    Raises:
        StudyError: a finished file, or an unfinished run, lies there.
    """
    if not place.resolve().parent.is_dir():
        raise StudyError("storage.no_folder", file=place)
    if place.exists() and not resume:
        raise StudyError("generating.out_exists", file=place)
    if beside(place, SUFFIX).exists() and not resume:
        raise StudyError("generating.unfinished", file=place)


def _begin(journal: Journal, place: Path, *, resume: bool) -> None:
    require_place(place, resume=resume)
    if place.exists() and not journal.path.exists():  # made by something else: not ours to replace
        raise StudyError("generating.other_settings", file=place)
    journal.begin(resume=resume)
