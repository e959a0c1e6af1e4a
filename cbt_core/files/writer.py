"""Files that appear whole or not at all: a text, or JSON."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cbt_core.errors import StudyError


def write_json(found: Mapping[str, object], out: Path) -> None:
    """Write JSON whole or not at all.

    Raises:
        StudyError: the place cannot be written.
    """
    text = json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False)
    write_text(f"{text}\n", out)


def write_text(text: str, out: Path) -> None:
    """Write a text whole or not at all; two processes do not share what is half written.

    Raises:
        StudyError: the place cannot be written.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StudyError("export.cannot_write", file=out) from error


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps no such promise
        return
    handle = os.open(folder.resolve(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unwritable(path: Path, error: OSError) -> StudyError:
    """Return what a person is told when a file does not take our bytes."""
    return StudyError("generation.not_written", file=path, cause=error.strerror or "")


def write_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that is there whole, on disk, or not at all.

    Raises:
        StudyError: it cannot be written.
    """
    fresh = target.with_name(target.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise unwritable(target, error) from error
