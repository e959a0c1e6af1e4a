"""Finished runs become a study: what it would hold, gates included, and the study itself."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.files.protocol import LoadedProtocol, parse_protocol
from cbt_core.files.reading import read_study
from cbt_core.services import importing
from cbt_core.services.importing import Created, Preview
from cbt_core.services.running_process import answers_file, questions_of
from cbt_core.services.running_rows import Row, chosen, rows_of_file, system_of
from cbt_core.services.study_files import StudyFiles
from db import audit
from db.engine import Database
from db.runs import Run

ONE_AT_A_TIME: Final = '[design]\npanel = "single"\n'
"""The protocol of a study of one system: there is nothing to show beside an answer."""


def check(
    database: Database, person: Person, *, codes: Sequence[str], now: datetime
) -> tuple[Preview, int]:
    """Return what a study of these runs would hold, gates included, and the items left out.

    Raises:
        Refused, StudyError: see `chosen`; or a run is not over, or two have one name.
    """
    found = _sendable(database, person, codes, now)
    with _files(found) as (files, left_out):
        return importing.preview(files, protocol=_protocol(found)), left_out


def send(
    database: Database, person: Person, *, codes: Sequence[str], slug: str, title: str,
    now: datetime,
) -> Created:
    """Make a draft study of the questions which every one of these runs has answered.

    Raises:
        Refused, StudyError: see `check`. ImportProblems: the study cannot take the texts.
    """
    found = _sendable(database, person, codes, now)
    with _files(found) as (files, left_out):
        made = importing.create_study(
            database, person, slug=slug, title=title, files=files, now=now,
            protocol=_protocol(found),
        )
    payload: audit.Payload = {
        "runs": [one.code for one in found], "left_out": left_out, "new": made.new,
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
    found = chosen(database, person, codes, act="send_run", now=now)
    if any(one.status != "finished" for one in found):
        raise StudyError("running.not_finished")
    if len({system_of(one) for one in found}) < len(found):
        raise StudyError("running.same_system")
    return found


def _protocol(found: Sequence[Run]) -> LoadedProtocol | None:
    return parse_protocol(ONE_AT_A_TIME, "protocol.toml") if len(found) == 1 else None


@contextmanager
def _files(found: Sequence[Run]) -> Iterator[tuple[StudyFiles, int]]:
    """Yield the files of a study, and how many questions lack an answer and were left out.

    A study wants an answer of every system to every item; where one is missing, or only the first
    questions of a file were asked, files without the others are made for the moment.
    """
    questions = questions_of(found[0])
    answers = [answers_file(one) for one in found]
    have = [{str(row["id"]) for row in rows_of_file(file)} for file in answers]
    asked = [one.key for one in questions]
    kept = [key for key in asked if all(key in keys for keys in have)]
    if not kept:
        raise StudyError("running.nothing_common")
    left_out = len(asked) - len(kept)
    if not left_out and questions.limit is None:
        names = {file: f"{system_of(one)}.jsonl" for one, file in zip(found, answers, strict=True)}
        yield StudyFiles(
            questions=questions.path, answers=answers, names={**names, questions.path:
            questions.name}, encoding=questions.encoding, sheet=questions.sheet,
        ), 0
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _cut(found, answers, set(kept), Path(folder)), left_out


def _cut(
    found: Sequence[Run], answers: Sequence[Path], kept: set[str], folder: Path
) -> StudyFiles:
    """Write the files of a study without the questions that lack an answer."""
    questions = questions_of(found[0])
    read = read_study(
        questions=questions.path, encoding=questions.encoding, sheet=questions.sheet
    )
    items = [one for one in read.items if one.key in kept]
    first, references = folder / "questions.jsonl", folder / "references.jsonl"
    _write(first, (
        {"id": one.key, "question": one.question, "description": one.description,
         "keywords": list(one.keywords), "source": one.source, "licence": one.licence,
         **({"risk": one.risk.value} if one.risk else {})}
        for one in items
    ))
    _write(references, (
        {"id": one.key, "answer": text} for one in items for text in one.references
    ))
    places = [folder / f"answers-{place}.jsonl" for place in range(len(found))]
    for file, place in zip(answers, places, strict=True):
        _write(place, (row for row in rows_of_file(file) if str(row["id"]) in kept))
    names = {place: f"{system_of(one)}.jsonl" for one, place in zip(found, places, strict=True)}
    return StudyFiles(
        questions=first, answers=places, names={**names, first: questions.name},
        references=[references] if references.stat().st_size else [],
    )


def _write(file: Path, rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8") as target:
        for row in rows:
            target.write(json.dumps(row, ensure_ascii=False) + "\n")
