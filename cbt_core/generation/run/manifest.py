"""The end of a run: rows in the order of the questions, failures beside them, the manifest.

A manifest says settings, versions, machine, counts; never a key or a text.
"""

import importlib.metadata
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from cbt_core.errors import StudyError
from cbt_core.files.writer import put_whole
from cbt_core.generation.run.journal import Journal, Outcome, beside, unwritable
from cbt_core.version import VERSION

PACKAGES: Final = ("openai", "torch", "transformers", "peft", "accelerate", "tokenizers", "gguf")


def manifest_of(
    outcome: Outcome,
    digest: str,
    *,
    config: Mapping[str, object],
    backend: Mapping[str, object],
) -> dict[str, object]:
    """Return the manifest of a run as plain JSON values."""
    return {
        "manifest": 1,
        "ended": outcome.ended,
        "config": dict(config),
        "config_digest": digest,
        "backend": dict(backend),
        "counts": {
            "rows": outcome.rows, "failed": outcome.failed, "before": outcome.before,
            "healed_lines": outcome.healed,
        },
        "failures": dict(outcome.causes),
        "spent": {
            "prompt_tokens": outcome.prompt_tokens, "reply_tokens": outcome.reply_tokens,
            "cost": outcome.cost,
        },
        "started_at": outcome.started_at.isoformat(),
        "ended_at": outcome.ended_at.isoformat(),
        "versions": versions(),
        "hardware": hardware(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a reply."""
    numbers = {"python": platform.python_version(), "concord": VERSION}
    for name in PACKAGES:
        try:
            numbers[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return numbers


def hardware() -> dict[str, object]:
    """Return the machine without its name: kind, system, processors."""
    return {
        "machine": platform.machine(), "system": platform.system(),
        "release": platform.release(), "processors": os.cpu_count(),
    }


def found_in(out: Path) -> dict[str, object]:
    """Count what finished rows hold: labels, names outside the scheme, risks, how they ended."""
    labels: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    risks: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    distorted = 0
    with out.open("rb") as file:
        for line in file:
            row = json.loads(line)
            labels.update(row["distortions"])
            unknown.update(row["unknown_distortions"])
            risks[row["risk"]] += 1
            ends[row["finish"]] += 1
            distorted += bool(row["distortions"])
    return {
        "with_distortion": distorted, "distortions": dict(labels.most_common()),
        "unknown_distortions": dict(unknown.most_common(100)), "risk": dict(risks),
        "finish": dict(ends),
    }


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
        copy_lines(journal, (place for place in places if place), out)
    if failed:
        copy_lines(journal, sorted(failed), beside(out, FAILED))
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
    target = beside(out, MANIFEST)
    try:
        put_whole(target, [text.encode("utf-8", "replace")])
    except OSError as error:
        raise unwritable(target, error) from error


def add_to_manifest(out: Path, more: Mapping[str, object]) -> None:
    """Add entries to the manifest of `out`.

    Raises:
        StudyError: it cannot be written.
    """
    write_manifest(out, {**read_manifest(out), **more})


def read_manifest(out: Path) -> dict[str, Any]:
    """Return the manifest of `out`; empty when there is none, or it is not one."""
    try:
        manifest = json.loads(beside(out, MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def finished_before(out: Path, digest: str) -> Outcome | None:
    """Return the outcome of an earlier session that left nothing to do, if there was one.

    Raises:
        StudyError: the finished file was made with other settings.
    """
    if not out.exists() or beside(out, ".part").exists():
        return None
    try:
        manifest = read_manifest(out)
        counts, spent = manifest["counts"], manifest["spent"]
        if manifest["config_digest"] != digest:
            raise StudyError("generation.other_settings", file=out)
        return Outcome(
            out=out, ended="finished", rows=counts["rows"], failed=0, before=counts["rows"],
            causes={}, healed=0, prompt_tokens=spent["prompt_tokens"],
            reply_tokens=spent["reply_tokens"], cost=spent["cost"],
            started_at=datetime.fromisoformat(manifest["started_at"]),
            ended_at=datetime.fromisoformat(manifest["ended_at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError("generation.out_exists", file=out) from error


def copy_lines(journal: Journal, places: Iterable[int], target: Path) -> None:
    """Copy rows (or failures) of the journal, in this order, to a file that appears whole.

    Raises:
        StudyError: the file cannot be written.
    """
    try:
        with journal.path.open("rb") as source:
            put_whole(target, (_line_body(source, place) for place in places))
    except OSError as error:
        raise unwritable(target, error) from error


def _line_body(source: BinaryIO, place: int) -> bytes:
    """Return what stands in `row` or `failed` of a line, byte for byte, as a line of its own."""
    source.seek(place)
    line = source.readline()
    _, end = DECODER.raw_decode(line.decode(), KEY_AT)
    start = line.index(b":", len(line.decode()[:end].encode())) + 1
    return line[start:-2] + b"\n"
