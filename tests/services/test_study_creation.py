"""An import is whole or nothing, and tells what is wrong."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.files.problems import ImportProblems
from cbt_core.files.protocol import load_protocol
from cbt_core.services.people import roster
from cbt_core.services.studies import contents, creation
from cbt_core.services.studies.creation import Created, StudyFiles
from cbt_core.settings import ROOT
from db import audit, items
from db import people as accounts
from db import studies as stored
from db.columns import metadata
from db.engine import Database
from tests.making import study_file

ATTENTION = """
[rater]
attention = "attention.toml"
"""


def test_everything_in_the_files_is_stored(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    done = _create(database, study_file(tmp_path, items=3), now)
    assert (done.new, done.counts.items, done.counts.answers, done.systems) == (True, 3, 6, 2)
    with database.reading() as connection:
        rows = items.page(connection, done.study_id)
        texts = {one.text for one in items.answers(connection, [rows[0].id])}
    given = json.loads((tmp_path / "study.jsonl").read_text("utf-8").splitlines()[0])
    assert [row.key for row in rows] == ["Q001", "Q002", "Q003"]
    assert (rows[0].question, rows[0].description) == (given["question"], given["description"])
    assert texts == set(given["answers"].values())


def test_questions_and_answers_make_the_same_study_as_a_wide_file(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    wide = study_file(tmp_path, items=3)
    rows = [json.loads(line) for line in wide.read_text("utf-8").splitlines()]
    questions = _lines(
        tmp_path / "questions.jsonl",
        [{key: row[key] for key in ("id", "question", "description", "risk")} for row in rows],
    )
    answers = [
        _lines(
            tmp_path / f"{system}.jsonl",
            [{"id": row["id"], "system": system, "answer": row["answers"][system]}
             for row in rows],
        )
        for system in rows[0]["answers"]
    ]
    one = _create(database, wide, now, slug="wide")
    other = creation.create_study(
        database, TERMINAL, slug="long", title="T",
        files=StudyFiles(questions=questions, answers=answers), now=now,
    )
    assert one.digest == other.digest


def test_the_same_file_again_is_nothing_new(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = study_file(tmp_path)
    first = _create(database, file, now)
    before = _row_counts(database)
    again = _create(database, file, now)
    assert (again.new, again.study_id, again.digest) == (False, first.study_id, first.digest)
    assert _row_counts(database) == before


def test_other_data_under_a_taken_name_are_refused(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    _create(database, study_file(tmp_path, items=3), now)
    before = _row_counts(database)
    with pytest.raises(StudyError, match="exists already"):
        _create(database, study_file(tmp_path, items=4), now)
    assert _row_counts(database) == before


def test_one_bad_row_stores_nothing_and_is_named(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = study_file(tmp_path, items=3)
    rows = file.read_text("utf-8").splitlines()
    bad = json.loads(rows[2])
    bad["question"] = " "
    file.write_text("\n".join([*rows[:2], json.dumps(bad)]), "utf-8")
    before = _row_counts(database)
    with pytest.raises(ImportProblems) as found:
        _create(database, file, now)
    assert found.value.lines()[0].startswith(f"{file}:3: question: ")
    assert _row_counts(database) == before


@pytest.mark.parametrize(
    ("protocol", "systems", "told"),
    [
        ("", ("only",), "one system"),
        ('[design]\npanel = "all"\n', ("a1", "b2", "c3", "d4", "e5"), "at most 4"),
        ('[analysis]\nbaseline = "nobody"\n', ("a1", "b2"), "names no system"),
    ],
)
def test_systems_that_do_not_fit_the_protocol_are_refused(
    database: Database, tmp_path: Path, now: datetime, protocol: str, systems: Sequence[str],
    told: str,
) -> None:
    with pytest.raises(ImportProblems, match=told):
        _create(database, study_file(tmp_path, systems=systems), now, protocol=protocol)


@pytest.mark.parametrize(
    ("protocol", "systems"),
    [
        ('[design]\npanel = "single"\n', ("only",)),
        ("", ()),  # no answers at all: a label study
        ('[design]\npanel = "all"\n', ("a1", "b2", "c3", "d4")),
    ],
)
def test_systems_that_fit_are_taken(
    database: Database, tmp_path: Path, now: datetime, protocol: str, systems: Sequence[str]
) -> None:
    done = _create(database, study_file(tmp_path, systems=systems), now, protocol=protocol)
    assert done.systems == len(systems)


def test_three_systems_without_a_baseline_are_warned_of(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = study_file(tmp_path, systems=("x1", "y2", "z3"))
    done = _create(database, file, now)
    assert [problem.code for problem in done.warnings] == ["studies.no_baseline"]
    with database.reading() as connection:
        rows = stored.systems(connection, done.study_id)
    assert [row.baseline for row in rows] == [True, False, False]
    with pytest.raises(ImportProblems, match="no system is called"):
        creation.create_study(
            database, TERMINAL, slug="strict", title="T", files=StudyFiles(study_file=file),
            now=now, strict=True,
        )


def test_quality_checks_of_the_protocol_become_items(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "attention.toml").write_text(
        '[[checks]]\nid = "c1"\nquestion = "问"\nbetter = "好的回答"\nworse = "差的回答"\n'
        'scale = "relevance"\n', "utf-8",
    )
    done = _create(database, study_file(tmp_path), now, protocol=ATTENTION)
    with database.reading() as connection:
        check = items.by_key(connection, done.study_id, "check:c1")
        assert check is not None
        answers = items.answers(connection, [check.id])
    assert (check.kind, done.counts.checks) == ("check", 1)
    assert {one.part: one.text for one in answers} == {"better": "好的回答", "worse": "差的回答"}


def test_a_detected_risk_is_marked_as_detected(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = _lines(
        tmp_path / "risk.jsonl",
        [{"id": "1", "question": "我不想活了，想自杀", "answers": {"base": "a", "b": "c"}},
         {"id": "2", "question": "睡不好", "risk": "high", "answers": {"base": "d", "b": "e"}}],
    )
    done = _create(database, file, now)
    with database.reading() as connection:
        rows = items.page(connection, done.study_id)
    assert [(row.risk, row.risk_detected) for row in rows] == [("high", True), ("high", False)]


def test_the_importer_becomes_the_lead(database: Database, tmp_path: Path, now: datetime) -> None:
    roster.add_person(database, TERMINAL, code="L01", role=Role.LEAD, now=now)
    with database.reading() as connection:
        account = accounts.by_code(connection, "L01")
    assert account is not None
    person = Person(account.id, "L01", may_create_studies=True)
    done = creation.create_study(
        database, person, slug="own", title="T", files=StudyFiles(study_file=study_file(tmp_path)),
        now=now,
    )
    leading = Person(account.id, "L01", roles={done.study_id: frozenset({Role.LEAD})})
    assert [line.study.slug for line in contents.listing(database, leading, now=now)] == ["own"]


def test_whoever_may_not_create_studies_is_refused(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(Refused):
        creation.create_study(
            database, Person(5, "R05"), slug="own", title="T",
            files=StudyFiles(study_file=study_file(tmp_path)), now=now,
        )
    assert _row_counts(database)["study"] == 0
    assert _row_counts(database)["access_log"] == 1


@pytest.mark.parametrize("slug", ["", "Big", "a b", "../x", "x" * 61, "研究", "a\n"])
def test_a_short_name_is_lower_case_letters_digits_and_hyphens(
    database: Database, tmp_path: Path, now: datetime, slug: str
) -> None:
    with pytest.raises(StudyError, match="not a short name"):
        _create(database, study_file(tmp_path), now, slug=slug)


def test_the_trail_holds_one_entry_with_the_digest_and_no_texts(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    done = _create(database, study_file(tmp_path), now)
    with database.reading() as connection:
        entries = audit.entries(connection, done.study_id)
        assert audit.verify(connection, done.study_id) is None
    assert [entry.action for entry in entries] == ["study.create"]
    assert json.loads(entries[0].payload)["digest"] == done.digest
    assert "题" not in entries[0].payload
    assert "zebra" not in entries[0].payload


def test_a_preview_stores_nothing_and_lists_what_is_wrong(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    good = creation.preview(StudyFiles(study_file=study_file(tmp_path, items=7)))
    assert (good.items, good.answers, len(good.rows), good.problems) == (7, 14, 5, ())
    bad_file = _lines(tmp_path / "bad.jsonl", [{"id": "1"}, {"question": "x"}])
    bad = creation.preview(StudyFiles(study_file=bad_file))
    assert bad.items == 0
    told = {(problem.row, problem.field) for problem in bad.problems}
    assert told >= {(1, "question"), (2, "id")}
    assert _row_counts(database)["study"] == 0


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import Engine, event
from cbt_core.domain.people import TERMINAL
from cbt_core.services.studies import creation
from db.engine import Database

@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *rest):
    if statement.startswith("INSERT INTO " + sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

creation.create_study(
    Database(sys.argv[1]), TERMINAL, slug="trial", title="T", now=datetime.now(UTC),
    files=creation.StudyFiles(study_file=Path(sys.argv[2])),
)
"""


@pytest.mark.parametrize("table", ["protocol", "item", "answer", "audit"])
def test_a_kill_in_mid_import_leaves_nothing(
    database: Database, tmp_path: Path, now: datetime, table: str
) -> None:
    file = study_file(tmp_path)
    before = _row_counts(database)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THE_MIDDLE, database.url, str(file), table],
        cwd=ROOT, capture_output=True, check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert _row_counts(database) == before
    assert _create(database, file, now).new


def test_the_same_file_imported_by_several_at_once_is_stored_once(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = study_file(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: _create(database, file, now), range(4)))
    assert sorted(one.new for one in done) == [False, False, False, True]
    assert _row_counts(database)["item"] == 8


def _create(
    database: Database, file: Path, now: datetime, *, slug: str = "trial", protocol: str = ""
) -> Created:
    loaded = None
    if protocol:
        path = file.parent / "protocol.toml"
        path.write_text(protocol, "utf-8")
        loaded = load_protocol(path)
    return creation.create_study(
        database, TERMINAL, slug=slug, title="T", files=StudyFiles(study_file=file), now=now,
        protocol=loaded,
    )


def _lines(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def _row_counts(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
