"""What runs brought: their rows side by side, and the study they become, gates included."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.files.protocol import LoadedProtocol, parse_protocol
from cbt_core.files.study import read_study
from cbt_core.files.writer import write_lines
from cbt_core.generation.run.journal import SUFFIX, beside
from cbt_core.generation.run.manifest import FAILED
from cbt_core.services import guard
from cbt_core.services.runs.browser_run import answers_file, one_run, questions_of
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import Created, Preview, StudyFiles
from db import audit
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
    with guard.as_maker(database, person, act="page_of_runs", now=now).steps():
        runs = chosen(database, person, codes, now=now)
    columns = [_cells(one) for one in runs]
    lines = []
    total = 0
    for place, item in enumerate(questions_of(runs[0])):
        total += 1
        if offset <= place < offset + limit:
            cells = tuple(column.get(item.key, Cell("", (), "", "")) for column in columns)
            lines.append(Line(item.key, item.question, item.description, cells))
    return Page(total, tuple(system_of(one) for one in runs), tuple(lines))


def chosen(
    database: Database, person: Person, codes: Sequence[str], *, now: datetime
) -> list[Run]:
    """Return runs of the person that were asked the same questions and still have their files.

    Raises:
        Refused: the person may not. StudyError: no such run, other questions, files deleted.
    """
    names = list(dict.fromkeys(codes))[:MOST_SYSTEMS]
    with guard.as_maker(database, person, act="chosen_runs", now=now).steps():
        runs = [one_run(database, person, code=one, now=now).run for one in names]
    if not runs:
        raise StudyError("runs.none_chosen")
    for run in runs:
        questions_of(run)  # says so when the files are gone
    if len({one.config["digest"] for one in runs}) > 1:
        raise StudyError("runs.other_questions")
    return runs


def system_of(run: Run) -> str:
    """Return the name of the system that a run makes answers of."""
    return str(run.config["asked"]["system"])


def _cells(run: Run) -> dict[str, Cell]:
    """Return what a run has so far, by question: the finished file, else its journal."""
    out = answers_file(run)
    if out.exists():
        cells = {str(row["id"]): _cell(row) for row in rows_of_file(out)}
        for row in rows_of_file(beside(out, FAILED)):
            key = str(row.get("id", row.get("key", "")))
            cells.setdefault(key, Cell("", (), "", str(row.get("cause", "unknown"))))
        return cells
    cells = {}
    for entry in rows_of_file(beside(out, SUFFIX)):
        if "row" in entry:
            cells[str(entry["key"])] = _cell(entry["row"])
        elif "failed" in entry:
            cause = str(entry["failed"].get("cause", "unknown"))
            cells.setdefault(str(entry["key"]), Cell("", (), "", cause))
    return cells


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
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


ONE_AT_A_TIME: Final = '[design]\npanel = "single"\n'
"""The protocol of a study of one system: there is nothing to show beside an answer."""


def check(
    database: Database, person: Person, *, codes: Sequence[str], now: datetime
) -> tuple[Preview, int]:
    """Return what a study of these runs would hold, gates included, and the items left out.

    Raises:
        Refused, StudyError: see `chosen`; or a run is not over, or two have one name.
    """
    with guard.as_maker(database, person, act="check_runs", now=now).steps():
        runs = _sendable(database, person, codes, now)
    with _files(runs) as (files, left_out):
        return creation.preview(files, protocol=_protocol(runs)), left_out


def send(
    database: Database, person: Person, *, codes: Sequence[str], slug: str, title: str,
    now: datetime,
) -> Created:
    """Make a draft study of the questions which every one of these runs has answered.

    Raises:
        Refused, StudyError: see `check`. ImportProblems: the study cannot take the texts.
    """
    with guard.as_maker(database, person, act="send_runs", now=now).steps():
        runs = _sendable(database, person, codes, now)
        with _files(runs) as (files, left_out):
            made = creation.create_study(
                database, person, slug=slug, title=title, files=files, now=now,
                protocol=_protocol(runs),
            )
    payload: audit.Payload = {
        "runs": [one.code for one in runs], "left_out": left_out, "new": made.new,
    }
    with database.writing(made.study_id) as connection:
        audit.append(
            connection, study_id=made.study_id, actor=person.code, action="runs_sent",
            payload=payload, now=now,
        )
    return made


def _sendable(
    database: Database, person: Person, codes: Sequence[str], now: datetime
) -> list[Run]:
    runs = chosen(database, person, codes, now=now)
    if any(one.status != "finished" for one in runs):
        raise StudyError("runs.not_finished")
    if len({system_of(one) for one in runs}) < len(runs):
        raise StudyError("runs.same_system")
    return runs


def _protocol(runs: Sequence[Run]) -> LoadedProtocol | None:
    return parse_protocol(ONE_AT_A_TIME, "protocol.toml") if len(runs) == 1 else None


@contextmanager
def _files(runs: Sequence[Run]) -> Iterator[tuple[StudyFiles, int]]:
    """Yield the files of a study, and how many questions lack an answer and were left out.

    A study wants an answer of every system to every item; where one is missing, or only the first
    questions of a file were asked, files without the others are made for the moment.
    """
    questions = questions_of(runs[0])
    answers = [answers_file(one) for one in runs]
    have = [{str(row["id"]) for row in rows_of_file(file)} for file in answers]
    asked = [one.key for one in questions]
    kept = [key for key in asked if all(key in keys for keys in have)]
    if not kept:
        raise StudyError("runs.nothing_common")
    left_out = len(asked) - len(kept)
    if not left_out and questions.limit is None:
        names = {file: f"{system_of(one)}.jsonl" for one, file in zip(runs, answers, strict=True)}
        yield StudyFiles(
            questions=questions.path, answers=answers, names={**names, questions.path:
            questions.name}, encoding=questions.encoding, sheet=questions.sheet,
        ), 0
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _cut(runs, answers, set(kept), Path(folder)), left_out


def _cut(
    runs: Sequence[Run], answers: Sequence[Path], kept: set[str], folder: Path
) -> StudyFiles:
    """Write the files of a study without the questions that lack an answer."""
    questions = questions_of(runs[0])
    read = read_study(
        questions=questions.path, encoding=questions.encoding, sheet=questions.sheet
    )
    items = [one for one in read.items if one.key in kept]
    first, references = folder / "questions.jsonl", folder / "references.jsonl"
    write_lines((
        {"id": one.key, "question": one.question, "description": one.description,
         "keywords": list(one.keywords), "source": one.source, "licence": one.licence,
         **({"risk": one.risk.value} if one.risk else {})}
        for one in items
    ), first)
    write_lines((
        {"id": one.key, "answer": text} for one in items for text in one.references
    ), references)
    places = [folder / f"answers-{place}.jsonl" for place in range(len(runs))]
    for file, place in zip(answers, places, strict=True):
        write_lines((row for row in rows_of_file(file) if str(row["id"]) in kept), place)
    names = {place: f"{system_of(one)}.jsonl" for one, place in zip(runs, places, strict=True)}
    return StudyFiles(
        questions=first, answers=places, names={**names, first: questions.name},
        references=[references] if references.stat().st_size else [],
    )
