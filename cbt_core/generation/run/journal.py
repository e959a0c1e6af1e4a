"""The journal of a run: one line a reply, written by one process; limits, progress and outcome."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, Self, TypeVar

from filelock import FileLock, Timeout

from cbt_core.canonical import digest
from cbt_core.errors import StudyError
from cbt_core.files.writer import sync_folder

ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """A line for the journal: a finished row, or (with a cause) a request without one."""

    key: str
    data: bytes
    body: Mapping[str, object]
    cause: str = ""


def row_line(key: str, row: Mapping[str, object]) -> Line:
    """Return the line of a finished row."""
    data = encoded(f'{{"key":{ENCODER.encode(key)},"row":{ENCODER.encode(row)}}}\n')
    return Line(key, data, row)


def failed_line(key: str, failed: Mapping[str, object]) -> Line:
    """Return the line of a request that got no usable reply; `failed` names its cause."""
    data = encoded(f'{{"key":{ENCODER.encode(key)},"failed":{ENCODER.encode(failed)}}}\n')
    return Line(key, data, failed, str(failed["cause"]))


def encoded(text: str) -> bytes:
    """Return text as bytes of a file."""
    # Half of a surrogate pair (a reply cut inside an emoji) becomes "?": UTF-8 has no form for it.
    return text.encode("utf-8", "replace")


@dataclass(slots=True)
class Spent:
    """What the replies of all sessions took; `cost` stays None until one had a price."""

    prompt_tokens: int = 0
    reply_tokens: int = 0
    cost: float | None = None

    def add(self, entry: Mapping[str, object]) -> None:
        """Add what a row or a failure says it took."""
        self.prompt_tokens += _spent_number(entry.get("prompt_tokens"), int)
        self.reply_tokens += _spent_number(entry.get("reply_tokens"), int)
        if isinstance(entry.get("cost"), int | float):
            self.cost = (self.cost or 0.0) + _spent_number(entry.get("cost"), float)


Number = TypeVar("Number", int, float)


def _spent_number(value: object, kind: type[Number]) -> Number:
    return kind(value) if isinstance(value, int | float) else kind(0)


FORM: Final = 1
SUFFIX: Final = ".part"


def beside(out: Path, suffix: str) -> Path:
    """Return the file that belongs to `out`: its whole name and a suffix."""
    return out.with_name(out.name + suffix)


def config_digest(config: Mapping[str, object]) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a run's settings as canonical JSON."""
    return digest(config)


def unwritable(path: Path, error: OSError) -> StudyError:
    """Return what a person is told when a run's file takes no more: the rows on disk are safe."""
    return StudyError("generation.not_written", file=path, cause=error.strerror or "")


class Journal:
    """The append-only file of one run, held by one process at a time.

    `row_at` gives the byte at which the line of a key starts, `failed` the same and the cause;
    `healed` counts the lines that a kill or a power cut left unreadable.
    """

    def __init__(self, out: Path, *, digest: str) -> None:
        """Name the files; `begin` opens them."""
        self.out = out
        self.path = beside(out, SUFFIX)
        self.digest = digest
        self.row_at: dict[str, int] = {}
        self.failed: dict[str, tuple[int, str]] = {}
        self.spent = Spent()
        self.started_at = datetime.now(UTC)
        self.healed = 0
        self._end = 0
        self._file = -1
        self._lock = FileLock(beside(out, ".lock"))

    def __enter__(self) -> Self:
        """Take the run for this process.

        Raises:
            StudyError: the folder is missing or closed to us, or another process is at work.
        """
        if not self.out.resolve().parent.is_dir():
            raise StudyError("storage.no_folder", file=self.out)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise StudyError("generation.busy", file=self.out) from error
        except OSError as error:
            raise unwritable(self.out, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file and let go of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        beside(self.out, ".lock").unlink(missing_ok=True)
        self._lock.release()

    def begin(self, *, resume: bool) -> None:
        """Open the file: read what is on disk and mend its end, or start a new one.

        Raises:
            StudyError: there is an unfinished run and `resume` was not asked for, its settings
                were others, or the file cannot be written.
        """
        try:
            if self.path.exists():
                if not resume:
                    raise StudyError("generation.unfinished", file=self.out)
                self.read()
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.ftruncate(self._file, self._end)
            if self._end == 0:
                self._write_header()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def append(self, lines: Sequence[Line]) -> list[int]:
        """Write lines in one go, sync, and return the byte at which each starts.

        Raises:
            StudyError: the disk did not take them; none of them counts.
        """
        try:
            self._write(b"".join(line.data for line in lines))
        except OSError as error:
            raise unwritable(self.path, error) from error
        places: list[int] = []
        for line in lines:
            self.spent.add(line.body)
            self._note(line.key, line.cause)
            places.append(self._end)
            self._end += len(line.data)
        return places

    def remove(self) -> None:
        """Delete the journal: everything in it stands in the final files."""
        self.path.unlink(missing_ok=True)

    def _write_header(self) -> None:
        header = {"journal": FORM, "config": self.digest, "started_at": self.started_at.isoformat()}
        line = encoded(ENCODER.encode(header) + "\n")
        self._write(line)
        self._end = len(line)
        sync_folder(self.path.parent)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        os.fsync(self._file)

    def _note(self, key: str, cause: str) -> None:
        """Learn that the line at the end of the file is about this key."""
        if not cause:
            self.row_at[key] = self._end
            self.failed.pop(key, None)
        elif key not in self.row_at:
            self.failed[key] = (self._end, cause)

    def read(self) -> None:
        """Learn what is on disk; a last line without an end is dropped, others are passed over."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    self.healed += 1
                    break
                entry = _journal_entry(line)
                if number == 0:
                    self._check_header(entry)
                else:
                    self._learn(entry)
                self._end += len(line)

    def _check_header(self, entry: Mapping[str, object] | None) -> None:
        if entry is None or entry.get("journal") != FORM:
            raise StudyError("generation.not_a_journal", file=self.path)
        if entry.get("config") != self.digest:
            raise StudyError("generation.other_settings", file=self.out)
        with suppress(ValueError):
            self.started_at = datetime.fromisoformat(str(entry.get("started_at")))

    def _learn(self, entry: Mapping[str, object] | None) -> None:
        key = entry.get("key") if entry else None
        body = entry.get("row", entry.get("failed")) if entry else None
        if entry is None or not isinstance(key, str) or not isinstance(body, dict):
            self.healed += 1
            return
        self.spent.add(body)
        self._note(key, "" if "row" in entry else str(body.get("cause", "unknown")))


def done_in(out: Path, digest: str) -> int:
    """Return how many rows an earlier session with these settings left; 0 when there is none.

    It is for telling a person beforehand: no lock is taken, and nothing is mended.
    """
    reader = Journal(out, digest=digest)
    try:
        if reader.path.exists():
            reader.read()
        elif out.exists():
            with out.open("rb") as file:
                return sum(1 for _ in file)
    except (OSError, StudyError):
        return 0
    return len(reader.row_at)


def _journal_entry(line: bytes) -> Mapping[str, object] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


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
