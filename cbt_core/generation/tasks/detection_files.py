"""A finished detection beside other files: gold for `labels evaluate`, labels for answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.files.labels import opened, refuse_repeats, told
from cbt_core.files.problems import Findings, Place
from cbt_core.files.ratings import labels
from cbt_core.files.study import read_answers
from cbt_core.files.tables import Schema
from cbt_core.files.writer import Column, Table, csv_bytes, write_whole
from cbt_core.generation.tasks.task import failed_file, rows_of

UNSURE: Final = "<unsure>"
"""What `labels evaluate` leaves out and counts: the model gave no usable reply."""

KEPT: Final = ("any", "inclusion_probability", "excluded", "rule", "gold_rule")
GOLD: Final = Schema(
    fields=("item_id", "gold", *KEPT), required=("item_id", "gold"),
    quiet=frozenset({"model", "annotators", "tied", "revision"}),
)


@dataclass(frozen=True, slots=True)
class Merged:
    """A gold file with the model's labels: its rows, those without a usable reply among them.

    `missing` counts the items of the gold file that the model was not asked about.
    """

    rows: int
    unusable: int
    missing: int
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run's rows hold: rows with a label, quotes not found, names outside the scheme."""

    rows: int
    with_labels: int
    unplaced: int
    unknown: int


def counts_of(detected: Path) -> Counts:
    """Count what a finished run found.

    Raises:
        StudyError: there is none.
    """
    rows = rows_of(detected)
    lists = [row["unknown_distortions"] for row in rows]
    return Counts(
        rows=len(rows), with_labels=sum(1 for row in rows if row["distortions"]),
        unplaced=sum(int(str(row["unplaced"])) for row in rows),
        unknown=len({name for one in lists if isinstance(one, list) for name in one}),
    )


def merge_gold(gold: Path, *, detected: Path, out: Path) -> Merged:
    """Write what `labels evaluate` takes: `item_id, gold, model` and what else it reads of gold.

    Raises:
        ImportProblems: the gold file cannot be read. StudyError: no run, or no item in common.
    """
    place = Place(str(gold), Findings())
    grid = opened(gold, place, GOLD)
    keys = labels(grid, "item_id", place, required=True)
    refuse_repeats(grid, keys, place, "item_id", "labels.judged_twice")
    place.findings.check()
    model = _labels_of(detected)
    more = [name for name in KEPT if name in grid.columns]
    rows = [
        (key, grid.columns["gold"][at], model[key], *(grid.columns[name][at] for name in more))
        for at, key in enumerate(keys) if key in model
    ]
    if not rows:
        raise StudyError("detection.nothing_matches", gold=gold)
    columns = tuple(
        Column(name, "text") for name in ("item_id", "gold", "model", *more)
    )
    write_whole(out, [csv_bytes(Table("gold", columns, rows))])
    unusable = sum(1 for row in rows if row[2] == UNSURE)
    return Merged(len(rows), unusable, len(keys) - len(rows), told(place))


def fill_answers(answers: Path, *, detected: Path, out: Path) -> int:
    """Write an answers file anew with the detected labels as `distortions`; return its rows.

    Raises:
        ImportProblems: the answers cannot be read.
        StudyError: an answer's item has no labels: an empty list would say that it has none.
    """
    item_labels = {str(row["id"]): row["distortions"] for row in rows_of(detected)}
    rows = read_answers(answers).rows
    missing = len({row.key for row in rows} - item_labels.keys())
    if missing:
        raise StudyError("detection.answers_missing", count=missing, file=answers)
    lines = (
        json.dumps({
            "id": row.key, "system": row.system, "answer": row.answer.text,
            "distortions": item_labels[row.key], "model": row.answer.model,
            "adapter": row.answer.adapter, "prompt": row.answer.prompt, "run": row.answer.run,
        }, ensure_ascii=False) + "\n"
        for row in rows
    )
    write_whole(out, (line.encode("utf-8", "replace") for line in lines))
    return len(rows)


def _labels_of(detected: Path) -> Mapping[str, str]:
    """Return the model's labels by item as a cell; items that failed are `<unsure>`."""
    cells: dict[str, str] = {}
    failed = failed_file(detected)
    if failed.exists():
        cells = dict.fromkeys((str(row["id"]) for row in rows_of(failed)), UNSURE)
    for row in rows_of(detected):
        names = row["distortions"]
        cells[str(row["id"])] = "|".join(names) if isinstance(names, list) else ""
    return cells
