"""Splitting a dataset file: without leakage inside, and against the items of studies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.generation.dataset import writing
from cbt_core.generation.dataset.nearness import THRESHOLD
from cbt_core.generation.dataset.reading import Entry, dataset_file, read_entries
from cbt_core.generation.dataset.splitting import (
    SPLITS,
    Asked,
    Split,
    check_shares,
    leaks_between,
    split,
)
from cbt_core.services.analysing import write_json
from cbt_core.services.authorisation import require
from db import items, studies
from db.engine import Database

DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Shared:
    """What was written: rows per part, rows left out by study, groups of near-duplicates."""

    counts: Mapping[str, int]
    excluded: Mapping[str, int]
    groups: int
    largest_group: int
    leaks: int


def split_file(
    file: Path,
    *,
    out: Path,
    shares: Sequence[float],
    seed: int,
    against: Mapping[str, Sequence[Asked]] | None = None,
) -> Shared:
    """Write train, validation and test of a dataset file, and `split.json`.

    The same file, shares, seed and studies give the same bytes.

    Raises:
        ImportProblems: anything is wrong in the file.
        StudyError: the shares are none, a part would be empty (nothing is written then), or the
            folder holds a split or cannot be written.
    """
    check_shares(shares)
    file = dataset_file(file)
    if (out / "split.json").exists():
        raise StudyError("dataset.split_exists", folder=out)
    entries = read_entries(file)
    asked = [(entry.question, entry.description) for entry in entries]
    made = split(asked, shares=shares, seed=seed, against=against)
    _refuse_empty(made, shares, rows=len(entries))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError("exporting.cannot_write", file=out) from error
    for name in SPLITS:
        rows = (entries[place].record for place in made.parts[name])
        writing.write_lines(rows, out / f"{name}.jsonl")
    shared = Shared(
        {name: len(made.parts[name]) for name in SPLITS},
        {name: len(places) for name, places in made.excluded.items()},
        made.groups, made.largest_group, leaks_between(asked, made.parts),
    )
    write_json(_report(file, out, shares, seed, made, shared, entries), out / "split.json")
    return shared


def _refuse_empty(made: Split, shares: Sequence[float], *, rows: int) -> None:
    """Refuse a split of which a part with a share has no row.

    Raises:
        StudyError: it says how many rows are near items of which studies.
    """
    left = sum(map(len, made.parts.values()))
    studies_near = [name for name, places in made.excluded.items() if places]
    near = ", ".join(studies_near)
    if not left and near:
        raise StudyError("dataset.split_nothing", rows=rows, studies=near)
    empty = [name for name, share in zip(SPLITS, shares, strict=True)
             if share and not made.parts[name]]
    if empty and near:
        raise StudyError("dataset.split_empty_near", parts=", ".join(empty), left=left,
                         rows=rows, near=rows - left, studies=near)
    if empty:
        raise StudyError("dataset.split_empty", parts=", ".join(empty), rows=rows)


def study_items(
    database: Database, person: Person, *, slugs: Sequence[str] = (), now: datetime
) -> dict[str, list[Asked]]:
    """Return question and description of every item of these studies (default: of all).

    Raises:
        StudyError: no such study.
        Refused: the person does not lead one of them.
    """
    with database.reading() as connection:
        known = {row.slug: row.id for row in studies.every(connection)}
    for slug in slugs:
        if slug not in known:
            raise StudyError("studies.unknown", slug=slug[:60])
    wanted = {slug: known[slug] for slug in (slugs or known)}
    for study_id in wanted.values():
        require(database, person, Role.LEAD, study_id, act="study_items", now=now)
    with database.reading() as connection:
        return {
            slug: [(one.question, one.description) for one in items.stream(connection, study_id)]
            for slug, study_id in wanted.items()
        }


def _report(
    file: Path, out: Path, shares: Sequence[float], seed: int, made: Split, shared: Shared,
    entries: Sequence[Entry],
) -> dict[str, object]:
    total = sum(shared.counts.values())
    return {
        "split": 1, "file": file.name, "sha256": writing.digest_of(file), "seed": seed,
        "shares": dict(zip(SPLITS, shares, strict=True)),
        "achieved": {
            name: round(count / total, DIGITS) if total else None
            for name, count in shared.counts.items()
        },
        "counts": dict(shared.counts), "groups": shared.groups,
        "largest_group": shared.largest_group, "near_duplicate_threshold": THRESHOLD,
        "leaks_between_parts": shared.leaks,
        "excluded": {
            name: [entries[place].key for place in places]
            for name, places in made.excluded.items()
        },
        "files": {f"{name}.jsonl": writing.digest_of(out / f"{name}.jsonl") for name in SPLITS},
    }
