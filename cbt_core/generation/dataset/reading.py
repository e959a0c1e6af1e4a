"""Reading a dataset back: rows of question, description, answer and labels."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.files.columns import Schema
from cbt_core.files.fields import BARS, Values
from cbt_core.files.opening import Choice, Table, open_table
from cbt_core.files.problems import WHOLE_FILE, Findings, Place
from cbt_core.generation.dataset.rows import FIELDS, has_answer

DATASET: Final = Schema(
    fields=FIELDS, required=("id", "question", "answer"),
    aliases={"questionID": "id"},
    quiet=frozenset({"answers", "system", "inclusion_probability", "split"}),
)


IN_FOLDER: Final = "dataset.jsonl"
PARQUET: Final = ".parquet"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a dataset; `steps` is None where the file has none, `record` is all of it."""

    key: str
    question: str
    description: str
    answer: str
    distortions: tuple[str, ...]
    steps: tuple[int, ...] | None
    record: Mapping[str, object]


def dataset_file(path: Path) -> Path:
    """Return the file of a dataset: the path itself, or `dataset.jsonl` of a folder.

    Raises:
        StudyError: the folder holds none.
    """
    if not path.is_dir():
        return path
    found = path / IN_FOLDER
    if not found.is_file():
        raise StudyError("dataset.no_dataset", folder=path)
    return found


def read_entries(path: Path) -> list[Entry]:
    """Return the rows of a dataset file (JSONL, JSON, CSV, XLSX or Parquet) in its order.

    Raises:
        ImportProblems: anything is wrong in it.
    """
    findings = Findings()
    place = Place(str(path), findings)
    table = _opened(path, place)
    values = Values(place, sheet=table.sheet)
    found: list[Entry] = []
    rows: dict[str, int] = {}
    for row, record in table.records:
        values.at(row, record)
        entry = _entry(values, record, sheet=table.sheet)
        if entry.key in rows:
            values.refuse("id", "key_twice", value=entry.key[:40], where=rows[entry.key])
        rows[entry.key] = row
        found.append(entry)
    findings.check()
    return found


def _opened(path: Path, place: Place) -> Table:
    if path.suffix.lower() != PARQUET or not path.is_file():
        return open_table(path, place, DATASET, Choice())
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise place.stop(1, WHOLE_FILE, "file_unreadable") from error
    return Table(sheet=False, fields=(), records=enumerate(rows, start=1))


def _entry(values: Values, record: Mapping[str, object], *, sheet: bool) -> Entry:
    found = Entry(
        key=values.key(),
        question=values.text("question", required=True),
        description=values.text("description"),
        answer=values.text("answer", required=True),
        distortions=values.names("distortions", BARS),
        steps=_steps(values.get("steps")),
        record=record,
    )
    return replace(found, record=_plain(found)) if sheet else found


def _plain(entry: Entry) -> dict[str, object]:
    """Return the row of an entry read from a sheet, whose cells are no JSON."""
    return {
        "id": entry.key, "question": entry.question, "description": entry.description,
        "answer": entry.answer, "distortions": list(entry.distortions),
    }


def _steps(given: object) -> tuple[int, ...] | None:
    if not isinstance(given, list):
        return None
    return tuple(sorted({one for one in given if type(one) is int and 1 <= one <= 5}))


def answers_in(path: Path) -> Iterator[dict[str, object]]:
    """Yield the lines of an answers file that hold an answer."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            found = json.loads(line)
            if isinstance(found, dict) and "id" in found and has_answer(found):
                yield found
