"""A disk that loses power: recorded writes, and the files as they may be found afterwards.

Model: what was synced is there; each later write may be missing, there, or torn at sectors of
512 bytes, in any order. Directory entries count as durable, and the disk honours a sync.
"""

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

HEAD: Final = struct.Struct("<IIQQ")
SECTOR: Final = 512
ENDINGS: Final = ("", "-wal", "-journal", ".journal")
JOURNAL: Final = 3
SOURCE: Final = Path(__file__).with_name("recorder.c")


class Act(IntEnum):
    """What was asked of a file."""

    WRITE = 1
    SYNC = 2
    CUT = 3
    REMOVE = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded request; `file` is an index of ENDINGS, `length` the new size of a cut."""

    act: Act
    file: int
    offset: int
    length: int
    data: bytes


@dataclass
class File:
    """A file: what is surely on the disk, and what was asked since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[Step] = field(default_factory=list)


def compiler() -> str | None:
    """Return a C compiler, where there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path) -> Path:
    """Compile the recorder; return the library to preload."""
    library = folder / "recorder.so"
    subprocess.run(
        [compiler() or "cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE),
         "-ldl", "-lpthread"], check=True,
    )
    return library


def steps(log: Path) -> list[Step]:
    """Return what was recorded, in order."""
    raw, at, found = log.read_bytes(), 0, []
    while at < len(raw):
        act, file, offset, length = HEAD.unpack_from(raw, at)
        at += HEAD.size
        data = raw[at : at + length] if act == Act.WRITE else b""
        at += len(data)
        found.append(Step(Act(act), file, offset, length, data))
    return found


class Disk:
    """The recorded files, played forward; `crashed` gives one possible state after a cut."""

    def __init__(self, before: Path) -> None:
        """Begin with the files as they were before the recording."""
        self.files = [File() for _ in ENDINGS]
        for file, ending in zip(self.files[:JOURNAL], ENDINGS, strict=False):
            path = Path(f"{before}{ending}")
            file.durable = bytearray(path.read_bytes() if path.exists() else b"")
        self.journal = b""

    def play(self, step: Step) -> None:
        """Take one recorded step."""
        if step.file == JOURNAL:  # the writers' notes are no part of the disk under test
            self.journal += step.data
            return
        file = self.files[step.file]
        if step.act is Act.REMOVE:
            self.files[step.file] = File()
        elif step.act is Act.SYNC:
            for waiting in file.waiting:
                apply(file.durable, waiting)
            file.waiting.clear()
        else:
            file.waiting.append(step)

    def crashed(self, dice: random.Random, folder: Path) -> Path:
        """Write one state that a power cut here may leave; return the database file."""
        keep = dice.choice([_none, _some, _torn])
        target = folder / "concord.db"
        for file, ending in zip(self.files[:JOURNAL], ENDINGS, strict=False):
            content = bytearray(file.durable)
            for step in keep(file.waiting, dice):
                apply(content, step)
            path = Path(f"{target}{ending}")
            path.unlink(missing_ok=True)
            if content:
                path.write_bytes(content)
        Path(f"{target}-shm").unlink(missing_ok=True)
        return target


def apply(content: bytearray, step: Step) -> None:
    """Do a write or a cut to a file's content."""
    if step.act is Act.CUT:
        del content[step.length :]
        content.extend(bytes(step.length - len(content)))
        return
    end = step.offset + len(step.data)
    content.extend(bytes(max(0, end - len(content))))
    content[step.offset : end] = step.data


def _none(_waiting: Sequence[Step], _dice: random.Random) -> Iterator[Step]:
    yield from ()


def _some(waiting: Sequence[Step], dice: random.Random) -> Iterator[Step]:
    """Keep a random share of the writes whole, in their order."""
    share = dice.random()
    yield from (step for step in waiting if dice.random() < share)


def _torn(waiting: Sequence[Step], dice: random.Random) -> Iterator[Step]:
    """Keep random sectors of the writes, in any order."""
    share, pieces = dice.random(), []
    for step in waiting:
        pieces += list(_sectors(step)) if step.act is Act.WRITE else [step]
    kept = [piece for piece in pieces if dice.random() < share]
    dice.shuffle(kept)
    yield from kept


def _sectors(step: Step) -> Iterator[Step]:
    """Cut a write where a sector of the disk ends."""
    at = 0
    while at < len(step.data):
        size = min(len(step.data) - at, SECTOR - (step.offset + at) % SECTOR)
        yield Step(step.act, step.file, step.offset + at, size, step.data[at : at + size])
        at += size
