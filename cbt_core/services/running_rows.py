"""What runs brought so far: their rows, to be read side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.generation.finishing import FAILED
from cbt_core.generation.journal import SUFFIX, beside
from cbt_core.services.running import one_run
from cbt_core.services.running_process import answers_file, questions_of
from db.engine import Database
from db.runs import Run

MOST_SYSTEMS: Final = 4
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a run has for a question; `cause` says why there is no answer ('' : not asked yet)."""

    answer: str
    distortions: tuple[str, ...]
    finish: str
    cause: str


@dataclass(frozen=True, slots=True)
class Line:
    """A question with one cell for each run, in the order the runs were named."""

    key: str
    question: str
    description: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of all `total`; `systems` names the columns."""

    total: int
    systems: tuple[str, ...]
    lines: tuple[Line, ...]


def page(
    database: Database, person: Person, *, codes: Sequence[str], offset: int, limit: int,
    now: datetime,
) -> Page:
    """Return questions with the answers of runs; rows on disk count while a run works, too.

    Raises:
        Refused: the person may not. StudyError: no such run, other questions, files deleted.
    """
    found = chosen(database, person, codes, act="read_run", now=now)
    columns = [_cells(one) for one in found]
    lines = []
    total = 0
    for place, one in enumerate(questions_of(found[0])):
        total += 1
        if offset <= place < offset + limit:
            cells = tuple(column.get(one.key, Cell("", (), "", "")) for column in columns)
            lines.append(Line(one.key, one.question, one.description, cells))
    return Page(total, tuple(system_of(one) for one in found), tuple(lines))


def chosen(
    database: Database, person: Person, codes: Sequence[str], *, act: str, now: datetime
) -> list[Run]:
    """Return runs of the person that were asked the same questions and still have their files.

    Raises:
        Refused: the person may not. StudyError: no such run, other questions, files deleted.
    """
    names = list(dict.fromkeys(codes))[:MOST_SYSTEMS]
    found = [one_run(database, person, code=one, act=act, now=now).run for one in names]
    if not found:
        raise StudyError("running.none_chosen")
    for one in found:
        questions_of(one)  # says so when the files are gone
    if len({one.config["digest"] for one in found}) > 1:
        raise StudyError("running.other_questions")
    return found


def system_of(run: Run) -> str:
    """Return the name of the system that a run makes answers of."""
    return str(run.config["asked"]["system"])


def _cells(run: Run) -> dict[str, Cell]:
    """Return what a run has so far, by question: the finished file, else its journal."""
    out = answers_file(run)
    if out.exists():
        found = {str(row["id"]): _cell(row) for row in rows_of_file(out)}
        for row in rows_of_file(beside(out, FAILED)):
            key = str(row.get("id", row.get("key", "")))
            found.setdefault(key, Cell("", (), "", str(row.get("cause", "unknown"))))
        return found
    found = {}
    for entry in rows_of_file(beside(out, SUFFIX)):
        if "row" in entry:
            found[str(entry["key"])] = _cell(entry["row"])
        elif "failed" in entry:
            cause = str(entry["failed"].get("cause", "unknown"))
            found.setdefault(str(entry["key"]), Cell("", (), "", cause))
    return found


def _cell(row: Row) -> Cell:
    return Cell(
        str(row.get("answer", "")), tuple(row.get("distortions", ())), str(row.get("finish", "")),
        "",
    )


def rows_of_file(file: Path) -> Iterator[Row]:
    """Yield the objects of a JSONL file; none when it is not there, torn lines are passed over."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
