"""Statistics from files: read, compute, write JSON; no database needed."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.files.ratings import read_ratings


def agreement_file(
    path: Path,
    *,
    out: Path,
    scales: Sequence[str] | None = None,
    values: str | None = None,
    bootstrap: int = 1000,
    seed: int = 1,
    nominal: Sequence[str] = (),
) -> tuple[Problem, ...]:
    """Write the `agreement` JSON of a ratings file; return the doubts about the file.

    Raises:
        StudyError: the file cannot be read or analysed, or `out` cannot be written.
    """
    from cbt_core.stats.agreement import agreement

    read = read_ratings(path, scales=scales, values=values)
    found = agreement(
        read.ratings, values=read.values, bootstrap=bootstrap, seed=seed, nominal=nominal
    )
    write_json(found, out)
    return read.warnings


def compare_file(
    path: Path,
    *,
    out: Path,
    baseline: str,
    scales: Sequence[str] | None = None,
    values: str | None = None,
    bootstrap: int = 1000,
    seed: int = 1,
) -> tuple[Problem, ...]:
    """Write the `compare` JSON of a ratings file; return the doubts about the file."""
    from cbt_core.stats.comparison import compare

    read = read_ratings(path, scales=scales, values=values)
    found = compare(
        read.ratings, baseline=baseline, values=read.values, bootstrap=bootstrap, seed=seed
    )
    write_json(found, out)
    return read.warnings


def blinding_file(path: Path, *, out: Path) -> None:
    """Write the blinding indices of a table of guesses."""
    from cbt_core.files.counts import read_counts
    from cbt_core.stats.blinding import blinding

    write_json(blinding(read_counts(path)), out)


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
        raise StudyError("exporting.cannot_write", file=out) from error
