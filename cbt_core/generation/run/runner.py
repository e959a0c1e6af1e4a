"""Thousands of requests to their rows: resumed, asked by workers, told on the way, finished."""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from cbt_core.errors import StudyError
from cbt_core.generation.backend.catalogue import Limits
from cbt_core.generation.backend.exchange import Backend, Failure, Reply, Request
from cbt_core.generation.run.journal import (
    SUFFIX,
    Journal,
    Line,
    Outcome,
    Progress,
    Row,
    Stop,
    Writer,
    beside,
    config_digest,
    failed_line,
    row_line,
)
from cbt_core.generation.run.manifest import finish, finished_before

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


CONTENT: Final = frozenset({"not_json", "wrong_schema", "empty"})
"""Failures of what was said, not of how it came: the next try draws with another seed."""

UNREACHED: Final = frozenset({"no_connection", "timed_out", "server_error", "rate_limited"})
"""Failures of the host; many of them in a row mean that it is down."""

FIRST_ROUNDS: Final = 2
"""So often may all calls at once fail at the start: then the address is wrong or the host down."""

STOP_SECONDS: Final = 0.1
NOWHERE: Final = 0
"""No line starts at byte 0: the header does."""


@runtime_checkable
class Carrying(Protocol):
    """A backend with an account: it is told what earlier sessions of the run have spent."""

    def carry(self, cost: float, tokens: int) -> None:
        """Take over what was spent before."""
        ...


@dataclass(slots=True)
class Job:
    """A request, its place in the order of the questions, and how often it was asked."""

    number: int
    request: Request
    attempt: int = 0


class Work:
    """One session of a run. `places` gives the byte of each request's row in the journal, or 0."""

    def __init__(
        self,
        journal: Journal,
        backend: Backend,
        to_row: Callable[[Request, Reply], Row | Failure],
        limits: Limits,
    ) -> None:
        """Prepare; `through` does the work."""
        self.places = array("q")
        self._journal = journal
        self._backend = backend
        self._to_row = to_row
        self._limits = limits
        self._seen: set[str] = set()
        self._again: list[Job] = []
        self._unreached = 0
        self._reached = False
        self._ended = ""
        self._error: BaseException | None = None
        self._before = len(journal.row_at)
        self._started = datetime.now(UTC)
        self._meter = Meter(self._before)
        self._writer = Writer(journal, capacity=limits.waiting_rows, written=self._written)

    def tell(self, listener: Callable[[Progress], None] | None, total: int | None) -> None:
        """Report progress to a function, out of `total` where it is known."""
        self._meter = Meter(self._before, listener, total)

    async def through(self, requests: Iterator[Request], stop: Stop | None) -> Outcome:
        """Ask every request that has no row yet, then the failed ones again.

        Raises:
            StudyError: no request can succeed, two have one key, or the disk takes no rows.
        """
        writing = asyncio.create_task(self._writer.run())
        await self._ask(self._jobs(requests), stop)
        for _ in range(self._limits.rounds):
            again, self._again = self._again, []
            if again and not self._ended:
                await self._ask(iter(again), stop)
        self._writer.close()
        await writing
        if error := self._error or self._writer.error:
            raise error
        self._meter.report(self._journal, last=True)
        return self._outcome()

    def _jobs(self, requests: Iterator[Request]) -> Iterator[Job]:
        """Yield what has no row yet; note where the rows of the others are."""
        for number, request in enumerate(requests):
            if request.key in self._seen:
                raise StudyError("generation.key_twice", number=number + 1)
            self._seen.add(request.key)
            self.places.append(self._journal.row_at.get(request.key, NOWHERE))
            if self.places[number] == NOWHERE:
                yield Job(number, request)

    async def _ask(self, jobs: Iterator[Job], stop: Stop | None) -> None:
        """Let `concurrency` workers share the jobs."""
        workers = [
            asyncio.create_task(self._worker(jobs)) for _ in range(self._backend.concurrency)
        ]
        watch = asyncio.create_task(self._watch(stop, workers))
        await asyncio.wait(workers)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch

    async def _worker(self, jobs: Iterator[Job]) -> None:
        try:
            while not self._over() and (batch := list(islice(jobs, self._backend.batch_size))):
                replies = await self._backend.reply([job.request for job in batch])
                for job, reply in zip(batch, replies, strict=True):
                    self._settle(job, reply)
                await self._writer.make_room()
        except asyncio.CancelledError:  # the grace after a stop is over
            return
        except BaseException as error:  # the others' calls are paid for: they end first
            self._error = self._error or error
            self._ended = self._ended or "failed"

    def _over(self) -> bool:
        return bool(self._ended or self._writer.error)

    async def _watch(self, stop: Stop | None, workers: Sequence["asyncio.Task[None]"]) -> None:
        """Wait for a wish to stop, then for the calls under way, then end them."""
        while not self._over():
            if stop and stop.is_set():
                self._ended = "stopped"
            else:
                await asyncio.sleep(STOP_SECONDS)
        await asyncio.sleep(self._limits.grace_seconds)
        for worker in workers:
            worker.cancel()

    def _settle(self, job: Job, reply: Reply | Failure) -> None:
        """Put a reply, or what is wrong with it, in line for the disk."""
        job.attempt += reply.attempts
        row = self._to_row(job.request, reply) if isinstance(reply, Reply) else reply
        if isinstance(row, Failure):
            self._fail(job, row, _account(job, reply))
            return
        self._unreached, self._reached = 0, True
        self._writer.put(job.number, row_line(job.request.key, {**row, **_account(job, reply)}))

    def _fail(self, job: Job, failure: Failure, account: Row) -> None:
        if failure.cause == "budget_spent":  # not the request's fault: it stays open
            self._ended = self._ended or "budget_spent"
            return
        report = {
            "id": job.request.key, "cause": failure.cause, "detail": failure.detail,
            "text": failure.text, **account,
        }
        self._writer.put(job.number, failed_line(job.request.key, report))
        if failure.passing:
            self._again.append(_next_try(job, failure))
        self._unreached = self._unreached + 1 if failure.cause in UNREACHED else 0
        if self._unreached >= self._patience():
            self._ended = self._ended or "unreachable"

    def _patience(self) -> int:
        """Return how many failures in a row are borne: few from a host that never answered."""
        first = FIRST_ROUNDS * self._backend.concurrency * self._backend.batch_size
        return self._limits.patience if self._reached else min(first, self._limits.patience)

    def _written(self, group: Sequence[tuple[int, Line]], places: Sequence[int]) -> None:
        for (number, line), place in zip(group, places, strict=True):
            if not line.cause:
                self.places[number] = place
        self._meter.report(self._journal)

    def _outcome(self) -> Outcome:
        journal = self._journal
        return Outcome(
            out=journal.out, ended=self._ended or "finished", rows=len(journal.row_at),
            failed=len(journal.failed), before=self._before,
            causes=Counter(cause for _, cause in journal.failed.values()),
            healed=journal.healed, prompt_tokens=journal.spent.prompt_tokens,
            reply_tokens=journal.spent.reply_tokens, cost=journal.spent.cost,
            started_at=journal.started_at, ended_at=datetime.now(UTC),
        )


def _account(job: Job, reply: Reply | Failure) -> Row:
    """Return what is added to every row and failure: how it was drawn and what it took."""
    account: Row = {
        "attempt": job.attempt,
        "seed": job.request.decoding.seed,
        "generated_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    if isinstance(reply, Reply):
        account |= {
            "finish": reply.finish, "prompt_tokens": reply.prompt_tokens,
            "reply_tokens": reply.reply_tokens, "seconds": round(reply.seconds, 3),
        }
        if reply.cost is not None:
            account["cost"] = reply.cost
    return account


def _next_try(job: Job, failure: Failure) -> Job:
    """Return the job as it is asked again: with another seed when the words were at fault."""
    if failure.cause not in CONTENT:
        return job
    decoding = replace(job.request.decoding, seed=job.request.decoding.seed + 1)
    return replace(job, request=replace(job.request, decoding=decoding))


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

    async def session() -> Outcome:
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

    return asyncio.run(session())


def require_place(place: Path, *, resume: bool) -> None:
    """Refuse a place that holds something already, unless it is a run to be resumed.

    Raises:
        StudyError: a finished file, or an unfinished run, lies there.
    """
    if not place.resolve().parent.is_dir():
        raise StudyError("storage.no_folder", file=place)
    if place.exists() and not resume:
        raise StudyError("generation.out_exists", file=place)
    if beside(place, SUFFIX).exists() and not resume:
        raise StudyError("generation.unfinished", file=place)


def _begin(journal: Journal, place: Path, *, resume: bool) -> None:
    require_place(place, resume=resume)
    if place.exists() and not journal.path.exists():  # made by something else: not ours to replace
        raise StudyError("generation.other_settings", file=place)
    journal.begin(resume=resume)
