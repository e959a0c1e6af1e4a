"""Simulated raters work in demonstrations alone, and say so."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.demo.drawn_scores import Shown, drawn_entries
from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.instruments.shipped import load_instrument, shipped_instruments
from cbt_core.services.assignment import task_draw
from cbt_core.services.export import study_export
from cbt_core.services.operations import demo_study
from cbt_core.services.studies import creation, lifecycle
from cbt_core.services.studies.creation import StudyFiles
from db import audit, results
from db.engine import Database
from db.engine import database as opened
from tests.making import enrol, make_study, person, study_file

RATERS = ("R01", "R02", "R03")


@pytest.fixture
def trial(database: Database, tmp_path: Path, now: datetime) -> int:
    made = creation.create_study(
        database, TERMINAL, slug="trial", title="T", now=now, demonstration=True,
        files=StudyFiles(study_file=study_file(tmp_path)),
    )
    for code in RATERS:
        enrol(database, code, made.study_id, Role.RATER, now)
    task_draw.assign(database, TERMINAL, slug="trial", raters=RATERS, now=now)
    return made.study_id


def simulate(database: Database, now: datetime, *raters: str, seed: int = 1) -> int:
    done = demo_study.simulate_ratings(
        database, TERMINAL, slug="trial", raters=raters or RATERS, seed=seed, now=now
    )
    return sum(done.tasks.values())


def test_every_task_is_done_once_and_the_study_can_be_locked(
    database: Database, trial: int, now: datetime
) -> None:
    assert simulate(database, now) == 24
    assert simulate(database, now) == 0
    status = lifecycle.status(database, TERMINAL, slug="trial", now=now)
    assert (status.done, status.total) == (24, 24)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)


def test_a_real_study_is_refused(database: Database, tmp_path: Path, now: datetime) -> None:
    made = make_study(database, tmp_path, now)
    with pytest.raises(StudyError, match="real study: scores come from people only"):
        simulate(database, now)
    with database.reading() as connection:
        assert results.scores(connection, made.study_id) == {}


def test_raters_without_tasks_are_refused_before_anything_is_stored(
    database: Database, trial: int, now: datetime
) -> None:
    with pytest.raises(StudyError, match="R09 has no rating tasks"):
        simulate(database, now, "R01", "R09")
    assert lifecycle.status(database, TERMINAL, slug="trial", now=now).done == 0


def test_a_rater_cannot_simulate(database: Database, trial: int, now: datetime) -> None:
    rater = person(database, "R01", trial, Role.RATER)
    with pytest.raises(Refused):
        demo_study.simulate_ratings(
            database, rater, slug="trial", raters=RATERS, seed=1, now=now
        )


def test_the_draw_stands_in_the_audit_chain(
    database: Database, trial: int, now: datetime
) -> None:
    simulate(database, now, seed=5)
    with database.reading() as connection:
        noted = [one for one in audit.entries(connection, trial) if one.action == demo_study.ACT]
    assert [json.loads(one.payload) for one in noted] == [{"raters": list(RATERS), "seed": 5}]


def test_the_same_seed_gives_the_same_scores_and_another_gives_others() -> None:
    instrument = load_instrument("cbt-3")
    shown = Shown("task", "Q1", "R01", {"A": "1", "B": "2"})
    assert drawn_entries(shown, instrument, 1) == drawn_entries(shown, instrument, 1)
    drawn = {str(drawn_entries(shown, instrument, seed)) for seed in range(20)}
    assert len(drawn) > 5


@pytest.mark.parametrize("name", shipped_instruments())
def test_every_shipped_instrument_can_be_filled_in(name: str) -> None:
    instrument = load_instrument(name)
    shown = Shown("task", "Q1", "R01", {"A": "1", "B": "2"})
    scores = drawn_entries(shown, instrument, 1)["scores"]
    assert isinstance(scores, dict)
    for scale in instrument.scales:
        if scale.level == "answer":
            assert scale.allows(scores["A"][scale.id])


@pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="names its own database file"
)
def test_the_terminal_goes_the_same_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    file = str(study_file(tmp_path))
    for words in (
        ["study", "create", "own", "--title", "T", "--study-file", file, "--demonstration"],
        *(["person", "add", "--code", code, "--study", "own"] for code in RATERS),
        ["study", "assign", "own", "--raters", ",".join(RATERS)],
        ["demo", "rate", "own", "--raters", ",".join(RATERS)],
    ):
        assert main(["--database", url, *words]) == 0
    assert "24 tasks of own were rated by simulated raters" in capsys.readouterr().out
    opened(url).close()
    opened.cache_clear()


def test_the_export_of_a_simulated_study_is_whole(
    database: Database, trial: int, now: datetime, tmp_path: Path
) -> None:
    simulate(database, now)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    done = study_export.export_study(
        database, TERMINAL, slug="trial", folder=tmp_path / "out", form="csv", unblinded=False,
        now=now,
    )
    ratings = (tmp_path / "out" / "ratings.csv").read_text("utf-8-sig").splitlines()
    assert len(ratings) == 1 + 8 * 2 * 3
    assert done.files
