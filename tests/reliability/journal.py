"""What a writer tried, and what it was told: the history by which storage is judged."""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Try:
    """One press of save: its token, its number as the comment, one value everywhere."""

    token: str
    mark: str
    task: str
    value: int
    body: Mapping[str, Any]


@dataclass
class History:
    """Everything one or more writers noted. `waits` are seconds from press to answer."""

    tries: dict[str, Try] = field(default_factory=dict)
    told: dict[str, list[int]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def in_doubt(self) -> list[Try]:
        """Return the presses that were never answered, in order."""
        return [
            one for token, one in self.tries.items()
            if token not in self.told and token not in self.refused
        ]


class Journal:
    """A file that outlives kill -9 of its writer: every line is one write to the kernel."""

    def __init__(self, path: Path) -> None:
        """Open for appending."""
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        """Give the open journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        os.close(self._file)

    def tried(self, one: Try) -> None:
        """Note a press before it is sent."""
        self._line({"try": one.token, "mark": one.mark, "value": one.value, "body": one.body})

    def told(self, token: str, revision: int, wait: float) -> None:
        """Note an acknowledgement: from here on the save may never be lost."""
        self._line({"ack": token, "revision": revision, "wait": wait})

    def refused(self, token: str, code: str) -> None:
        """Note a refusal: the save may never be found."""
        self._line({"refused": token, "code": code})

    def _line(self, content: Mapping[str, object]) -> None:
        os.write(self._file, (json.dumps(content, ensure_ascii=False) + "\n").encode())


def read(*paths: Path) -> History:
    """Return the history of journals; a last line cut by the kill counts as not written."""
    found = History()
    for path in paths:
        if path.exists():
            add(found, path.read_bytes())
    return found


def wait_for_told(paths: Sequence[Path], count: int, seconds: float = 120) -> None:
    """Wait until writers were told of this many saves: a busy machine takes its time."""
    until = time.monotonic() + seconds
    while len(read(*paths).told) < count:
        if time.monotonic() > until:
            raise TimeoutError(f"fewer than {count} saves in {seconds:.0f} s")
        time.sleep(0.02)


def add(history: History, written: bytes) -> None:
    """Add the whole lines of a journal to a history."""
    for line in _whole(written):
        if "try" in line:
            token, body = line["try"], line["body"]
            history.tries[token] = Try(token, line["mark"], body["task"], line["value"], body)
        elif "ack" in line:
            history.told.setdefault(line["ack"], []).append(line["revision"])
            history.waits.append(line["wait"])
        else:
            history.refused[line["refused"]] = line["code"]


def _whole(written: bytes) -> Iterable[dict[str, Any]]:
    for line in written.split(b"\n")[:-1]:
        yield json.loads(line)
