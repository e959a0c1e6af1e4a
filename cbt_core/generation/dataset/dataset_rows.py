"""Rows of a dataset, each a question with its answer and their origin: made, written, read.

The files of a dataset folder are JSON lines, Parquet, a study's questions.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from cbt_core.domain.study import ImportedItem
from cbt_core.errors import StudyError
from cbt_core.files.fields import BARS, Values
from cbt_core.files.problems import WHOLE_FILE, Findings, Place
from cbt_core.files.screen_words import risk_of
from cbt_core.files.tables import Choice, Schema, Table, open_table
from cbt_core.files.writer import write_bytes
from cbt_core.generation.backend.exchange import STEPS
from cbt_core.generation.dataset.labels import LabelParser

FIELDS: Final = (
    "id", "question", "description", "keywords", "answer", "distortions", "unknown_distortions",
    "evidence", "steps", "steps_by_model", "risk", "risk_by", "source", "licence", "model",
    "adapter", "prompt", "prompt_hash", "run", "seed", "finish", "generated_at",
)
"""The fields of a row in their order; `steps` are found by rules, `steps_by_model` are claimed."""

TEXTS: Final = ("model", "adapter", "prompt", "prompt_hash", "run", "finish", "generated_at")

StepsOf = Callable[[str], Sequence[int]]
"""Which of the five steps (1 to 5) an answer shows, by rules."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes rows: labels by one scheme, steps by rules, the source where an item names none."""

    labels: LabelParser
    steps_of: StepsOf
    source: str = ""
    licence: str = ""

    def row(self, item: ImportedItem, answer: Mapping[str, object]) -> Row:
        """Return the row of an item and its line of the answers file."""
        text = str(answer["answer"])
        parsed = self.labels.parse(_names(answer.get("distortions")))
        unknown = dict.fromkeys((*parsed.unknown, *_names(answer.get("unknown_distortions"))))
        risk = item.risk or risk_of(f"{item.question}\n{item.description}")
        seed = answer.get("seed")
        row: Row = {
            "id": item.key, "question": item.question, "description": item.description,
            "keywords": list(item.keywords), "answer": text,
            "distortions": list(parsed.labels), "unknown_distortions": list(unknown),
            "evidence": list(self._evidence(answer.get("evidence"))),
            "steps": list(self.steps_of(text)),
            "steps_by_model": _steps_by_model(answer.get("steps")),
            "risk": risk.value, "risk_by": "rules" if item.risk is None else "given",
            "source": item.source or self.source, "licence": item.licence or self.licence,
            "seed": seed if isinstance(seed, int) else None,
        }
        row.update({name: str(answer.get(name) or "") for name in TEXTS})
        return {name: row[name] for name in FIELDS}

    def _evidence(self, given: object) -> Iterator[dict[str, str]]:
        """Yield label and quote of each piece of evidence; an unknown label stays as written."""
        for piece in given if isinstance(given, list) else []:
            if isinstance(piece, Mapping) and isinstance(piece.get("quote"), str):
                name = str(piece.get("label") or "")
                yield {"label": self.labels.label(name) or name, "quote": piece["quote"]}


def has_answer(answer: Mapping[str, object]) -> bool:
    """Tell whether a line of an answers file holds an answer (a failed one does not)."""
    text = answer.get("answer")
    return isinstance(text, str) and bool(text.strip())


def _names(given: object) -> list[str]:
    if isinstance(given, str):
        return [part for part in given.split("|") if part.strip()]
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _steps_by_model(given: object) -> list[int]:
    """Return the steps a model says it took, 1 to 5, each once: a list, or sentences by name."""
    if isinstance(given, Mapping):
        return [number for number, name in enumerate(STEPS, start=1) if given.get(name)]
    numbers = {one for one in given if type(one) is int} if isinstance(given, list) else set()
    return sorted(numbers & set(range(1, 6)))


NUMBERS: Final = ("steps", "steps_by_model")
LISTS: Final = ("keywords", "distortions", "unknown_distortions")
PIECE: Final = 1 << 20


def question_row(item: ImportedItem) -> dict[str, object]:
    """Return the row of a questions file that an item is."""
    return {
        "id": item.key, "question": item.question, "description": item.description,
        "keywords": list(item.keywords), "source": item.source, "licence": item.licence,
        "risk": item.risk.value if item.risk else "",
    }


def write_parquet(rows: Sequence[Mapping[str, object]], out: Path) -> None:
    """Write dataset rows as Parquet with a fixed type for every column.

    Raises:
        StudyError: the place cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number = pa.string(), pa.int64()
    kinds = {
        **dict.fromkeys(FIELDS, text), **dict.fromkeys(LISTS, pa.list_(text)),
        **dict.fromkeys(NUMBERS, pa.list_(number)), "seed": number,
        "evidence": pa.list_(pa.struct([("label", text), ("quote", text)])),
    }
    schema = pa.schema([(name, kinds[name]) for name in FIELDS])
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), content)
    write_bytes(content.getvalue(), out)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file (64 hexadecimal digits)."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


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
    file = path / IN_FOLDER
    if not file.is_file():
        raise StudyError("dataset.no_dataset", folder=path)
    return file


def read_entries(path: Path) -> list[Entry]:
    """Return the rows of a dataset file (JSONL, JSON, CSV, XLSX or Parquet) in its order.

    Raises:
        ImportProblems: anything is wrong in it.
    """
    findings = Findings()
    place = Place(str(path), findings)
    table = _opened(path, place)
    values = Values(place, sheet=table.sheet)
    entries: list[Entry] = []
    rows: dict[str, int] = {}
    for row, record in table.records:
        values.at(row, record)
        entry = _entry(values, record, sheet=table.sheet)
        if entry.key in rows:
            values.refuse("id", "key_twice", value=entry.key[:40], where=rows[entry.key])
        rows[entry.key] = row
        entries.append(entry)
    findings.check()
    return entries


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
    entry = Entry(
        key=values.key(),
        question=values.text("question", required=True),
        description=values.text("description"),
        answer=values.text("answer", required=True),
        distortions=values.names("distortions", BARS),
        steps=_steps_read(values.get("steps")),
        record=record,
    )
    return replace(entry, record=_plain(entry)) if sheet else entry


def _plain(entry: Entry) -> dict[str, object]:
    """Return the row of an entry read from a sheet, whose cells are no JSON."""
    return {
        "id": entry.key, "question": entry.question, "description": entry.description,
        "answer": entry.answer, "distortions": list(entry.distortions),
    }


def _steps_read(given: object) -> tuple[int, ...] | None:
    if not isinstance(given, list):
        return None
    return tuple(sorted({one for one in given if type(one) is int and 1 <= one <= 5}))


def answers_in(path: Path) -> Iterator[dict[str, object]]:
    """Yield the lines of an answers file that hold an answer."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            answer = json.loads(line)
            if isinstance(answer, dict) and "id" in answer and has_answer(answer):
                yield answer
