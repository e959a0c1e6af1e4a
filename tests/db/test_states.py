"""A database written by an earlier version opens, is sound, and says the same.

`states/0.1.0.sql.gz` is the dump of a small one, made through the services of version 0.1.0 before
its inside was rebuilt: a study of four items with three raters (two done, one with a flag and a
draft), and a label study with one text labelled. The figures below were printed by that version.
"""

import gzip
import hashlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.desk import desk_task
from cbt_core.services.export import study_export
from db import check, migrate
from db.engine import Database
from tests.making import entries, open_next, person, press

STATES = Path(__file__).with_name("states")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
EXPORTS = {
    "trial": "52b1c755a6e02cc83e7b876ac927af58b6ccb7136708d48dc066b6f5c40a031a",
    "labels": "2f890d547ce206726a7e9ebba7e7cefd41af4173a9e9185f927bc554c7add927",
}
"""SHA-256 of `signature.txt` but its first line: the digests of tables, the head of the chain."""

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="the states are SQLite files")


@pytest.fixture(params=sorted(file.name for file in STATES.glob("*.sql.gz")))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(gzip.decompress((STATES / request.param).read_bytes()).decode())
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database)
    return database


def test_an_earlier_database_is_sound_after_the_upgrade(old: Database) -> None:
    with old.reading() as connection:
        assert check.faults(connection) == []


@pytest.mark.parametrize("slug", sorted(EXPORTS))
def test_an_earlier_study_exports_the_same_bytes(
    old: Database, tmp_path: Path, slug: str
) -> None:
    study_export.export_study(old, TERMINAL, slug=slug, folder=tmp_path / slug, now=NOW)
    _, tables = (tmp_path / slug / "signature.txt").read_text("utf-8").split("\n", 1)
    assert hashlib.sha256(tables.encode()).hexdigest() == EXPORTS[slug]


def test_a_rater_goes_on_where_the_earlier_version_stopped(old: Database) -> None:
    with old.reading() as connection:
        study_id = connection.exec_driver_sql(
            "SELECT id FROM study WHERE slug = 'trial'").scalar_one()
    rater = person(old, "R03", study_id, Role.RATER)
    view = open_next(old, rater, "trial", NOW)
    assert view["task"]["entries"] == {"scores": {"A": {"relevance": 1}}}
    saved = desk_task.save(old, rater, body=press(view, entries=entries(view, 2)), now=NOW)
    assert saved["saved"]["revision"] == 1
