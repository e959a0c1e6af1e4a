"""What people entered cannot be changed: the database refuses, and a change by force is named."""

import os
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DatabaseError

from cbt_core.domain.people import TERMINAL
from cbt_core.services.desk import desk_task, escalations, own_work
from cbt_core.services.operations import storage
from db import audit, check
from db.columns import metadata
from db.engine import Database
from db.tables.desk import exclusion
from db.triggers import APPEND_ONLY
from tests import making
from tests.conftest import NOW
from tests.making import Made, make_study

SQLITE = not os.environ.get("CONCORD_TEST_DATABASE")
FILLED = {
    "submission", "score", "flag", "preference", "escalation", "escalation_note", "guess",
    "exclusion", "protocol", "instrument", "audit", "access_log",
}
"""Tables in which the study below leaves rows; the guards of the others are looked up."""


@pytest.fixture
def made(database: Database, tmp_path: Path, now: datetime) -> Made:
    """Return a study with a serious flag, a handled case, final scores and a guess."""
    found = make_study(database, tmp_path, now, raters=("R01",), items=3,
                       protocol="[design]\noverlap = 1\nrepeats = 0.0\n")
    rater = found.raters["R01"]
    view = making.open_next(database, rater, "trial", now)
    flag = {"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "",
            "start": None, "end": None}
    body = making.press(view, entries=making.entries(view, flags=[flag], preference="A"))
    desk_task.save(database, rater, body=body, now=now)
    escalations.read(database, TERMINAL, slug="trial", case_id=1, now=now)
    escalations.handle(database, TERMINAL, slug="trial", case_id=1, text="seen", now=now)
    making.rate_all(database, rater, "trial", now)
    own_work.confirm_final(database, rater, slug="trial", now=now)
    shown = own_work.shown_again(database, rater, slug="trial", now=NOW)
    own_work.guess(
        database, rater, slug="trial", answers={shown[0].task: ("A", "")}, now=now)
    with database.writing() as connection:
        connection.execute(insert(exclusion), {
            "study_id": found.study_id, "reason": "r", "actor": "terminal", "at": "2026"})
    return found


@pytest.mark.parametrize("table", sorted(FILLED))
def test_the_database_itself_refuses_to_change_or_remove_an_entry(
    database: Database, made: Made, table: str
) -> None:
    column = metadata.tables[table].columns.keys()[-1]
    with database.reading() as connection:
        before = connection.execute(select(metadata.tables[table])).all()
    assert before
    for act in (f'UPDATE "{table}" SET "{column}" = "{column}"', f'DELETE FROM "{table}"'):
        with pytest.raises(DatabaseError, match="append-only"), database.writing() as connection:
            connection.execute(text(act))
    with database.reading() as connection:
        assert connection.execute(select(metadata.tables[table])).all() == before


def test_every_append_only_table_has_both_guards(database: Database, made: Made) -> None:
    assert set(APPEND_ONLY) >= FILLED
    with database.reading() as connection:
        assert check.faults(connection) == []
    name = APPEND_ONLY[0]
    drop = f"DROP TRIGGER {name}_no_update" + ("" if SQLITE else f' ON "{name}"')
    with database.writing() as connection:
        connection.execute(text(drop))
    with database.reading() as connection:
        found = check.faults(connection)
    assert found == [check.Fault("trigger", f"{name}_no_update")]


@pytest.mark.skipif(not SQLITE, reason="edits the file of an SQLite database")
def test_one_byte_edited_in_the_file_names_the_entry(database: Database, made: Made) -> None:
    storage.prepare(database)
    fold_back(database)
    file = database.path
    raw = bytearray(file.read_bytes())
    at = raw.find(b'"preference":["A"')
    assert at > 0
    assert raw.count(b'"preference":["A"') == 1
    raw[at + len(b'"preference":["')] = ord("B")
    file.write_bytes(raw)
    with database.reading() as connection:
        number = next(
            entry.seq for entry in audit.entries(connection, made.study_id)
            if '"preference":["B"' in entry.payload)
    chains = storage.verify(database, TERMINAL, slug="trial", now=NOW)
    assert [chain.broken_at for chain in chains] == [number]
    faults = storage.check_all(database, TERMINAL, now=NOW)
    assert [(one.kind, one.detail) for one in faults] == [("chain", f"{made.study_id}:{number}")]


def fold_back(database: Database) -> None:
    """Close the database so that everything lies in the one file."""
    database.close()
    raw = sqlite3.connect(database.path)
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


@pytest.mark.parametrize("change", [
    "UPDATE audit SET payload = replace(payload, 'scored', 'skipped')",
    "UPDATE audit SET actor = 'R99'",
    "UPDATE audit SET at = '2020-01-01T00:00:00.000000Z'",
])
def test_a_change_with_the_guard_taken_away_names_the_entry(
    database: Database, made: Made, change: str
) -> None:
    with database.writing() as connection:
        seq = next(entry.seq for entry in audit.entries(connection, made.study_id)
                   if entry.action == "submission")
        connection.execute(text(
            "DROP TRIGGER audit_no_update" if SQLITE else "ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(
            text(f"{change} WHERE chain = :chain AND seq = :seq"),
            {"chain": str(made.study_id), "seq": seq})
    chains = storage.verify(database, TERMINAL, slug="trial", now=NOW)
    assert [chain.broken_at for chain in chains] == [seq]
    assert [(one.kind, one.detail) for one in storage.check_all(database, TERMINAL, now=NOW)
            if one.kind == "chain"] == [("chain", f"{made.study_id}:{seq}")]
