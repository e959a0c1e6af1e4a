"""A file is there whole or not at all: what stood there before stays until the new one is."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from cbt_core.errors import StudyError
from cbt_core.files import writer
from cbt_core.files.writer import Column, Table
from cbt_core.generation.dataset import dataset_rows
from cbt_core.metrics.measures import Cache
from training import run_record

OLD = b"what stood there before\n"
TABLE = Table("t", (Column("a", "text"),), [("x",)])
KILLED = """
import sys
from pathlib import Path
from cbt_core.files.writer import write_whole
def pieces():
    yield b"x" * (1 << 20)
    print("half", flush=True)
    sys.stdin.read()
write_whole(Path(sys.argv[1]), pieces())
"""
"""Writes half a file, says so, and waits to be killed."""


def broken(error: BaseException) -> Iterator[bytes]:
    yield b"half of it"
    raise error


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "kept.txt"
    file.write_bytes(OLD)
    return file


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_beside_it(
    old: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        writer.write_whole(old, broken(error))
    assert old.read_bytes() == OLD
    assert list(old.parent.iterdir()) == [old]


def test_a_disk_that_takes_no_more_is_told_in_one_sentence(old: Path) -> None:
    with pytest.raises(StudyError) as refused:
        writer.write_whole(old, broken(OSError(28, "No space left on device")))
    assert refused.value.code == "export.cannot_write"
    assert str(old) in str(refused.value)
    assert old.read_bytes() == OLD
    assert list(old.parent.iterdir()) == [old]


def test_a_kill_in_the_middle_leaves_the_old_file(old: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(old)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert old.read_bytes() == OLD
    writer.write_whole(old, [b"new"])  # what the dead one left is in nobody's way
    assert old.read_bytes() == b"new"


def test_two_at_once_do_not_write_into_one_another(old: Path) -> None:
    gate = threading.Barrier(2)

    def pieces(letter: bytes) -> Iterator[bytes]:
        for _ in range(20):
            gate.wait(10)
            yield letter * 1000

    threads = [threading.Thread(target=writer.write_whole, args=(old, pieces(letter)))
               for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(old.read_bytes()) in ({ord("a")}, {ord("b")})
    assert old.stat().st_size == 20_000


WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda file: writer.write_text("new", file),
    "json": lambda file: writer.write_json({"a": 1}, file),
    "lines": lambda file: writer.write_lines([{"a": 1}], file),
    "tables": lambda file: writer.write_tables([TABLE], file.parent, "csv"),
    "parquet": lambda file: dataset_rows.write_parquet([], file),
    "training": lambda file: run_record.write_manifest(file.parent, {"a": 1}),
    "cache": lambda file: Cache(file.parent).put("a", "s", np.zeros((2, 1))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_renames_a_whole_file_over_the_old_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename that fails is a crash just before the end: nothing of the new file is seen."""
    write = WRITERS[name]
    write(tmp_path / "file")
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert len(before) == 1
    # Scores that cannot be kept are made again: nobody is told.
    refusal = nullcontext() if name == "cache" else pytest.raises(StudyError)

    def failing(_part: Path, _target: Path) -> Path:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched, refusal as refused:
        patched.setattr(Path, "replace", failing)
        write(tmp_path / "file")
    assert refused is None or refused.value.code == "export.cannot_write"
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_a_folder_is_made_where_a_text_goes_and_named_when_it_cannot_be(old: Path) -> None:
    writer.write_text("new", old.parent / "a" / "b.txt")
    assert (old.parent / "a" / "b.txt").read_text("utf-8") == "new"
    with pytest.raises(StudyError) as refused:
        writer.write_text("new", old / "b.txt")
    assert str(old / "b.txt") in str(refused.value)


def test_only_the_writer_puts_files_under_their_own_names() -> None:
    """A file written in place is half a file for whoever looks: nobody else opens one to write."""
    root = Path(writer.__file__).parents[2]
    marks = (".write_text(", ".write_bytes(", '.open("w', '.open("x', "NamedTemporaryFile")
    found = {
        str(file.relative_to(root))
        for folder in ("cbt_core", "training") for file in (root / folder).rglob("*.py")
        if any(mark in file.read_text("utf-8") for mark in marks)
    }
    assert found == {"cbt_core/files/writer.py", "cbt_core/report/writers.py"}  # a folder, swapped
