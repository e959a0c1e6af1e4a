"""Automatic scores in a study: stored once, for the very answers, readable by item and system."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cbt_core.cli import main
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import Refused, StudyError
from cbt_core.metrics.file_scores import text_digest
from cbt_core.services.results import segment_scores
from cbt_core.services.results.segment_scores import ImportedScores
from db import audit, machine_scores
from db.engine import Database
from tests.making import SYSTEMS, Made, make_study


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    """Make a study of 8 items and 2 systems."""
    return make_study(database, tmp_path, now)


def segments(folder: Path, **change: Any) -> Path:
    """Write a row for every answer of the study."""
    study = [json.loads(line) for line in (folder / "study.jsonl").read_text("utf-8").splitlines()]
    rows = [
        {"id": item["id"], "system": system, "metric": "bleu", "value": 10.5 + at,
         "signature": "sig", "answer_digest": text_digest(item["answers"][system])} | change
        for item in study for at, system in enumerate(SYSTEMS)
    ]
    file = folder / "segments.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return file


def stored(database: Database, study: Made) -> list[machine_scores.StoredScore]:
    with database.reading() as connection:
        return segment_scores.stored(connection, study.study_id)


def take(database: Database, path: Path, now: datetime) -> ImportedScores:
    return segment_scores.import_segments(database, TERMINAL, slug="trial", path=path, now=now)


def test_scores_are_stored_and_read_back_by_item_and_masked_system(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    assert take(database, segments(tmp_path), now) == ImportedScores(16, 0, 0)
    rows = stored(database, study)
    assert len(rows) == 16
    assert {row.item for row in rows} == {f"Q{number:03d}" for number in range(1, 9)}
    assert {row.system for row in rows} == {"S1", "S2"}
    assert {row.value for row in rows} == {10.5, 11.5}


def test_the_same_file_again_stores_nothing(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    take(database, segments(tmp_path), now)
    assert take(database, segments(tmp_path), now) == ImportedScores(0, 16, 0)
    assert len(stored(database, study)) == 16


def test_another_score_under_the_same_signature_is_refused_whole(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    take(database, segments(tmp_path), now)
    with pytest.raises(StudyError, match="never overwritten"):
        take(database, segments(tmp_path, value=3.0), now)
    assert {row.value for row in stored(database, study)} == {10.5, 11.5}


def test_the_newest_signature_counts(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    take(database, segments(tmp_path), now)
    take(database, segments(tmp_path, value=7.0, signature="new"), now)
    assert {row.value for row in stored(database, study)} == {7.0}


def test_the_score_of_another_text_is_refused(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(StudyError, match=r"segments\.jsonl:1: answer_digest: .*another answer"):
        take(database, segments(tmp_path, answer_digest="0" * 16), now)
    assert stored(database, study) == []


def test_answers_of_other_studies_are_left_out_and_counted(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    file = segments(tmp_path)
    more = {"id": "elsewhere", "system": "zebra-lora", "metric": "bleu", "value": 1.0}
    file.write_text(f"{file.read_text('utf-8')}\n{json.dumps(more)}", "utf-8")
    assert take(database, file, now) == ImportedScores(16, 0, 1)
    file.write_text(file.read_text("utf-8").replace("zebra-lora", "lion"), "utf-8")
    assert take(database, file, now).unknown == ("lion",)
    file.write_text(json.dumps(more), "utf-8")
    with pytest.raises(StudyError, match="none of its ids"):
        take(database, file, now)


def test_an_undefined_score_is_kept_as_undefined(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    take(database, segments(tmp_path, value=None), now)
    assert {row.value for row in stored(database, study)} == {None}


@pytest.mark.parametrize(("value", "told"), [("much", "not a number"), (True, "not a number")])
def test_what_is_no_number_is_refused(
    database: Database, study: Made, tmp_path: Path, now: datetime, value: object, told: str
) -> None:
    with pytest.raises(StudyError, match=told):
        take(database, segments(tmp_path, value=value), now)


def test_the_act_is_audited_without_a_systems_name(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    take(database, segments(tmp_path), now)
    with database.reading() as connection:
        last = list(audit.entries(connection, study.study_id))[-1]
    assert last.action == "metric_scores"
    assert json.loads(last.payload)["count"] == 16
    assert not any(system in last.payload for system in SYSTEMS)


def test_a_rater_may_not_store_scores(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(Refused):
        segment_scores.import_segments(
            database, study.raters["R01"], slug="trial", path=segments(tmp_path), now=now
        )


def test_what_score_writes_is_what_the_study_takes(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    items = [json.loads(line) for line in (tmp_path / "study.jsonl").read_text("utf-8").split("\n")]
    files = {"answers.jsonl": [{"id": item["id"], "system": system, "answer": text}
                               for item in items for system, text in item["answers"].items()],
             "references.jsonl": [{"id": item["id"], "answer": item["question"]}
                                  for item in items]}
    for name, rows in files.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = main(["score", "--candidates", str(tmp_path / "answers.jsonl"), "--references",
                 str(tmp_path / "references.jsonl"), "--metrics", "bleu,chrf,distinct",
                 "--no-cache", "--out", str(tmp_path / "o.json"), "--segments",
                 str(tmp_path / "made.jsonl"), "--bootstrap", "10"])
    assert done == 0
    assert take(database, tmp_path / "made.jsonl", now) == ImportedScores(64, 0, 0)
    assert {row.metric for row in stored(database, study)} == (
        {"bleu", "chrf", "distinct_1", "distinct_2"})
