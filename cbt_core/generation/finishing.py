"""The end of a run: rows in the order of the questions, failures beside them, the manifest."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from cbt_core.errors import StudyError
from cbt_core.generation.journal import Journal, beside, sync_folder, unwritable
from cbt_core.generation.manifest import manifest_of
from cbt_core.generation.outcome import Outcome

FAILED: Final = ".failed.jsonl"
MANIFEST: Final = ".manifest.json"
DECODER: Final = json.JSONDecoder()
KEY_AT: Final = len('{"key":')


def finish(
    journal: Journal,
    places: Iterable[int],
    outcome: Outcome,
    *,
    config: Mapping[str, object],
    backend: Mapping[str, object],
) -> None:
    """Write what a session leaves behind; the final file only when every request was asked.

    The journal goes last, and only when every request has its row: a kill between two steps
    leaves a run that can be resumed.

    Raises:
        StudyError: a file cannot be written.
    """
    out = outcome.out
    failed = [place for place, _ in journal.failed.values()]
    if outcome.finished and outcome.rows:
        write_lines(journal, (place for place in places if place), out)
    if failed:
        write_lines(journal, sorted(failed), beside(out, FAILED))
    else:
        beside(out, FAILED).unlink(missing_ok=True)
    write_manifest(out, manifest_of(outcome, journal.digest, config=config, backend=backend))
    if outcome.finished and not failed:
        journal.remove()


def write_manifest(out: Path, manifest: Mapping[str, object]) -> None:
    """Write the manifest of `out`, whole or not at all.

    Raises:
        StudyError: it cannot be written.
    """
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    write_whole(beside(out, MANIFEST), [text.encode("utf-8", "replace")])


def add_to_manifest(out: Path, more: Mapping[str, object]) -> None:
    """Add entries to the manifest of `out`.

    Raises:
        StudyError: it cannot be written.
    """
    write_manifest(out, {**read_manifest(out), **more})


def read_manifest(out: Path) -> dict[str, Any]:
    """Return the manifest of `out`; empty when there is none, or it is not one."""
    try:
        found = json.loads(beside(out, MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def finished_before(out: Path, digest: str) -> Outcome | None:
    """Return the outcome of an earlier session that left nothing to do, if there was one.

    Raises:
        StudyError: the finished file was made with other settings.
    """
    if not out.exists() or beside(out, ".part").exists():
        return None
    try:
        found = read_manifest(out)
        counts, spent = found["counts"], found["spent"]
        if found["config_digest"] != digest:
            raise StudyError("generating.other_settings", file=out)
        return Outcome(
            out=out, ended="finished", rows=counts["rows"], failed=0, before=counts["rows"],
            causes={}, healed=0, prompt_tokens=spent["prompt_tokens"],
            reply_tokens=spent["reply_tokens"], cost=spent["cost"],
            started_at=datetime.fromisoformat(found["started_at"]),
            ended_at=datetime.fromisoformat(found["ended_at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError("generating.out_exists", file=out) from error


def write_lines(journal: Journal, places: Iterable[int], target: Path) -> None:
    """Copy rows (or failures) of the journal, in this order, to a file that appears whole.

    Raises:
        StudyError: the file cannot be written.
    """
    try:
        with journal.path.open("rb") as source:
            write_whole(target, (_at(source, place) for place in places))
    except OSError as error:
        raise unwritable(target, error) from error


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


def _at(source: BinaryIO, place: int) -> bytes:
    """Return what stands in `row` or `failed` of a line, byte for byte, as a line of its own."""
    source.seek(place)
    line = source.readline()
    _, end = DECODER.raw_decode(line.decode(), KEY_AT)
    start = line.index(b":", len(line.decode()[:end].encode())) + 1
    return line[start:-2] + b"\n"
