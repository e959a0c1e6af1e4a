"""Automatic scores of single answers in a study: for their correlation with people's scores."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.people import Person
from cbt_core.files.fields import Values
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.tables import Choice, Schema, open_table
from cbt_core.metrics.file_scores import text_digest
from cbt_core.services import guard
from db import audit
from db import machine_scores as scores
from db.engine import Connection, Database
from db.machine_scores import AnswerText, NewScore, StoredScore

SEGMENTS: Final = Schema(
    fields=("id", "system", "metric", "value", "signature", "answer_digest"),
    required=("id", "system", "metric", "value"),
)
NAME_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class ImportedScores:
    """How many scores were stored, were there already, and concern answers of other studies.

    `unknown` are the systems of the file that the study does not have.
    """

    new: int
    known: int
    elsewhere: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One row of a segments file."""

    item: str
    system: str
    metric: str
    value: float | None
    signature: str
    answer_digest: str
    row: int


def import_segments(
    database: Database, person: Person, *, slug: str, path: Path, now: datetime
) -> ImportedScores:
    """Store the scores that `score --segments` wrote, all or nothing.

    Rows of items or systems the study does not have are left out and counted: a metric is often
    computed on more items than are rated.

    Raises:
        ImportProblems: the file cannot be read, an answer of the study is not the one scored, or
            a score differs from one stored under the same signature.
        Refused: the study is not the person's to change.
    """
    lead = guard.as_lead(database, person, study=slug, act="import_segments", now=now)
    lead.check()
    findings = Findings()
    place = Place(str(path), findings)
    rows = _rows(path, place)
    findings.check()
    with lead.writing() as (connection, study):
        added, done = _matched(connection, study.id, rows, place)
        findings.check()
        if added:
            scores.add_metric_scores(connection, study_id=study.id, scores=added, now=now)
            audit.append(
                connection, study_id=study.id, actor=person.code, action="metric_scores",
                payload={"count": len(added), "metrics": sorted({one.metric for one in added}),
                         "digest": digest_of([astuple(one) for one in added])}, now=now,
            )
    return done


def stored(connection: Connection, study_id: int) -> list[StoredScore]:
    """Return the stored scores of a study by item, masked system and metric."""
    return scores.stored_metric_scores(connection, study_id)


def _rows(path: Path, place: Place) -> list[Segment]:
    table = open_table(path, place, SEGMENTS, Choice())
    values = Values(place, sheet=table.sheet)
    segments: list[Segment] = []
    first: dict[tuple[str, str, str], int] = {}
    for row, record in table.records:
        values.at(row, record)
        segment = Segment(
            values.key(), values.name("system"), values.name("metric"), _number(values),
            values.text("signature"), values.name("answer_digest"), row,
        )
        if not segment.system or not segment.metric or len(segment.metric) > NAME_CHARACTERS:
            values.refuse("metric" if segment.system else "system", "text_empty")
        seen = first.setdefault((segment.item, segment.system, segment.metric), row)
        if seen != row:
            values.refuse("metric", "metrics.score_twice", where=seen)
        if values.sound:
            segments.append(segment)
    if not segments and not place.findings.failed():
        raise place.stop(1, WHOLE_FILE, "metrics.no_scores")
    return segments


def _number(values: Values) -> float | None:
    """Return the score; None where it is undefined. What has no place on a line is no score."""
    value = values.get("value")
    if value is None or value == "":
        return None
    written = str(getattr(value, "digits", value))
    score = float("nan")
    if not isinstance(value, bool):
        with suppress(ValueError):
            score = float(written)
    if isfinite(score) and "_" not in written:
        return score
    values.refuse("value", "metrics.not_a_number", value=shown(written))
    return None


def _matched(
    connection: Connection, study_id: int, rows: Sequence[Segment], place: Place
) -> tuple[list[NewScore], ImportedScores]:
    """Return what is new; a score of another text, or another score, is noted."""
    texts = _by_place(scores.answers_to_score(connection, study_id))
    known = scores.known_metric_scores(connection, study_id)
    added: list[NewScore] = []
    counts = {"new": 0, "known": 0, "elsewhere": 0}
    for line in rows:
        answer = texts.get((line.item, line.system))
        kind = _kind(line, answer, known, place)
        counts[kind] += 1
        if kind == "new" and answer is not None:
            added.append(_new(line, answer))
    if counts["elsewhere"] == len(rows):
        place.refuse(1, WHOLE_FILE, "metrics.nothing_matches")
    names = {system for _, system in texts}
    unknown = sorted({one.system for one in rows} - names)
    return added, ImportedScores(**counts, unknown=tuple(unknown))


def _kind(
    line: Segment,
    answer: AnswerText | None,
    known: dict[tuple[int, str, str], float | None],
    place: Place,
) -> str:
    if answer is None:
        return "elsewhere"
    if line.answer_digest and line.answer_digest != text_digest(answer.text):
        place.refuse(line.row, "answer_digest", "metrics.other_answer")
    key = (answer.answer_id, line.metric, line.signature)
    if key not in known:
        return "new"
    if known[key] != line.value:
        place.refuse(line.row, "value", "metrics.other_value")
    return "known"


def _new(line: Segment, answer: AnswerText) -> NewScore:
    return NewScore(
        answer_id=answer.answer_id, metric=line.metric, signature=line.signature, value=line.value,
        reason="" if line.value is not None else "undefined",
    )


def _by_place(answers: Iterable[AnswerText]) -> dict[tuple[str, str], AnswerText]:
    return {(one.item, one.system): one for one in answers}
