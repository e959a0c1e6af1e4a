"""A judge model in a study: blinded, stored apart from people, in the analysis from the lock on."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from cbt_core import instruments
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.run.journal import Outcome
from cbt_core.generation.tasks.judgement import Judgement
from cbt_core.services.export import study_export
from cbt_core.services.results import study_results, study_rows
from cbt_core.services.runs import judgements, model_run
from cbt_core.services.runs.judgements import Stored
from cbt_core.services.runs.model_run import Plan
from cbt_core.services.studies import lifecycle
from cbt_core.services.studies.study_setup import current
from cbt_core.settings import Settings
from db import audit, machine_scores
from db.engine import Database
from db.tables.runs import judge_score
from tests.generation.hosts import TalkingHost
from tests.making import SYSTEMS, Made, make_study, rate_all

SCALES = ("relevance", "structure", "helpfulness")


def says(asked: str, call: int) -> str:
    """Score the second system's answers higher, as far as the words show them."""
    value = 2 if "第1种" in asked else 0
    return json.dumps({scale: {"reason": "因为如此", "value": value} for scale in SCALES},
                      ensure_ascii=False)


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return make_study(database, tmp_path, now, items=6,
                      protocol="[design]\noverlap = 3\n[analysis]\nbootstrap = 20\n")


def settings(host: TalkingHost) -> Settings:
    return Settings(database="", allowed_hosts=host.listed)


def planned(
    database: Database, host: TalkingHost, folder: Path, now: datetime, *, name: str = "judge-1",
    model: str = "m", resume: bool = False, **more: Any,
) -> Plan[Judgement]:
    return judgements.plan_study(
        database, TERMINAL, slug="trial", judge=name,
        options=Options("openai", model, base_url=host.url, resume=resume),
        place=folder / f"{name}.jsonl", settings=settings(host), now=now, **more)


def judged(
    database: Database, host: TalkingHost, folder: Path, now: datetime, **more: Any
) -> tuple[Outcome, Stored]:
    plan = planned(database, host, folder, now, **more)
    outcome = model_run.ask(
        plan, settings=settings(host), database=database, person=TERMINAL, now=now)
    return outcome, judgements.store(database, TERMINAL, plan=plan, now=now)


def stored(database: Database, study: Made) -> list[machine_scores.JudgeLine]:
    with database.reading() as connection:
        return machine_scores.judge_lines(connection, study.study_id)


def test_every_answer_is_judged_alone_and_stored_with_prompt_and_instrument(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        outcome, done = judged(database, host, tmp_path, now)
        assert len(host.bodies) == 12
    assert (outcome.rows, done) == (12, Stored(answers=12, scores=36, unrated=0, known=0))
    rows = stored(database, study)
    assert {one.scale for one in rows} == set(SCALES)
    assert {one.value for one in rows} == {0, 2}
    with database.reading() as connection:
        setup = current(connection, study.study_id)
        last = audit.entries(connection, study.study_id)[-1]
    assert {one.instrument for one in rows} == {setup.instrument.digest}
    assert {len(one.prompt) for one in rows} == {64}
    assert (last.action, json.loads(last.payload)["count"]) == ("judge_scores", 36)
    assert "因为如此" not in last.payload


def test_no_byte_sent_to_the_judge_or_kept_in_its_file_names_a_system(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        outcome, _ = judged(database, host, tmp_path, now)
        sent = host.sent()
        for body in host.bodies:
            assert body["messages"][-1]["content"].count("<answer>") == 1
    kept = outcome.out.read_text("utf-8") + (tmp_path / "judge-1.jsonl.manifest.json").read_text()
    for name in (*SYSTEMS, "baseline", "S1", "S2"):
        assert name not in sent
        assert name not in kept


def test_the_prompt_is_the_study_s_instrument_in_the_study_s_language(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        judged(database, host, tmp_path, now)
        told = host.bodies[0]["messages"][0]["content"]
    with database.reading() as connection:
        instrument = current(connection, study.study_id).instrument
    for scale in instrument.scales:
        for value in scale.values:
            assert value.anchor.zh in told
    assert instrument.examples[0].question.zh not in told


def everything(database: Database, folder: Path, now: datetime) -> Mapping[str, bytes]:
    """Return every exported table but the trail, and the agreement JSON."""
    study_export.export_study(database, TERMINAL, slug="trial", folder=folder, now=now)
    found = {one.name: one.read_bytes() for one in folder.iterdir()}
    for name in ("audit.csv", "signature.txt", "codebook.csv", "judges.csv"):
        found.pop(name, None)
    whole = study_results.analyse(database, TERMINAL, slug="trial", now=now)
    parts = [whole.json()[name] for name in ("agreement", "comparison", "missingness")]
    return {**found, "agreement": json.dumps(parts).encode()}


@pytest.mark.parametrize("locked", [False, True])
def test_people_s_statistics_are_byte_identical_with_and_without_a_judge(
    database: Database, study: Made, tmp_path: Path, now: datetime, locked: bool
) -> None:
    for rater in study.raters.values():
        rate_all(database, rater, "trial", now, value=1)
    if locked:
        lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    before = everything(database, tmp_path / "before", now)
    with TalkingHost(says=says) as host:
        judged(database, host, tmp_path, now)
    assert stored(database, study)
    assert everything(database, tmp_path / "after", now) == before


def test_the_analysis_shows_the_judge_from_the_lock_on(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    for value, rater in enumerate(study.raters.values()):
        rate_all(database, rater, "trial", now, value=value)
    with TalkingHost(says=says) as host:
        judged(database, host, tmp_path, now)
    early = study_results.analyse(database, TERMINAL, slug="trial", now=now)
    assert (early.judges, bool(early.withheld["judges"])) == (None, True)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    late = study_results.analyse(database, TERMINAL, slug="trial", now=now)
    assert late.judges is not None
    assert [one.judge for one in late.judges] == ["judge-1"]
    test = late.judges[0].scales["structure"]
    assert [(one.rater, one.n) for one in test.humans] == [("R01", 6), ("R02", 6), ("R03", 6)]


def test_the_export_s_table_is_empty_before_the_lock_and_masked_until_unblinded(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    rate_all(database, study.raters["R01"], "trial", now)
    with TalkingHost(says=says) as host:
        judged(database, host, tmp_path, now)

    def table(*, unblinded: bool = False) -> Any:
        with database.reading() as connection:
            setup = current(connection, study.study_id)
            found = study_rows.read_material(connection, setup, unblinded=unblinded)
            return study_export.judge_table(connection, found)

    assert not table().rows
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    rows = table().rows
    assert len(rows) == 36
    assert {row[1] for row in rows} == {"S1", "S2"}
    assert rows == sorted(rows, key=lambda row: (row[0], row[1], row[2], row[3]))
    lifecycle.unblind(database, TERMINAL, slug="trial", reason="all in", now=now)
    assert {(row[1], row[4]) for row in table(unblinded=True).rows} == {
        ("baseline", 0), ("zebra-lora", 2)}
    assert all(column.said("zh") and column.said("en") for column in table().columns)


def test_another_model_needs_another_name_and_a_second_call_adds_nothing(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        judged(database, host, tmp_path, now)
        _, again = judged(database, host, tmp_path, now, resume=True)
        assert again == Stored(answers=0, scores=0, unrated=0, known=36)
        (tmp_path / "judge-1.jsonl").rename(tmp_path / "kept.jsonl")
        with pytest.raises(StudyError, match="choose another --judge"):
            planned(database, host, tmp_path, now, model="other")
        judged(database, host, tmp_path, now, name="judge-2", model="other")
    assert {one.judge for one in stored(database, study)} == {"judge-1", "judge-2"}


def test_a_value_out_of_range_is_asked_again_and_what_stays_wrong_is_not_stored(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    def wavers(asked: str, call: int) -> str:
        if "第1题" in asked and (call < 3 or "第1种" in asked):
            return says(asked, call).replace('"value": 0', '"value": 5').replace(": 2}", ": 9}")
        return says(asked, call)

    with TalkingHost(says=wavers) as host:
        outcome, done = judged(database, host, tmp_path, now)
        assert (outcome.rows, dict(outcome.causes), done.answers) == (11, {"wrong_schema": 1}, 11)
        host.says = says
        _, done = judged(database, host, tmp_path, now, resume=True)
    assert (done.answers, done.known) == (1, 33)


def test_cannot_rate_is_stored_as_missing(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=lambda asked, call: says(asked, call).replace("0}", "null}")) as host:
        _, done = judged(database, host, tmp_path, now)
    assert done.unrated == 18
    assert {one.value for one in stored(database, study)} == {None, 2}


def test_a_stored_score_cannot_be_changed_or_deleted(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        judged(database, host, tmp_path, now)
    for act in (update(judge_score).values(value=1), delete(judge_score)):
        with pytest.raises(Exception, match=r"append-only|not saved|NotSaved"), \
                database.writing(study.study_id) as connection:
            connection.execute(act)
    with database.reading() as connection:
        assert len(connection.execute(select(judge_score.c.id)).all()) == 36


def test_worked_examples_made_of_the_study_s_items_are_refused(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    instrument = (Path(instruments.__file__).parent / "cbt-3.toml").read_text()
    question = "第3题：最近总觉得自己做得不够好"
    known = "换到新部门三个月了，开会时我总是不敢发言，怕说错被笑。怎样才能在会上说出自己的想法？"
    assert known in instrument
    (tmp_path / "own.toml").write_text(instrument.replace(known, question), "utf-8")
    make_study(database, tmp_path, now, items=4, protocol=(
        f'[design]\noverlap = 3\n[instrument]\nscales = "{tmp_path / "own.toml"}"\n'))
    with TalkingHost(says=says) as host:
        with pytest.raises(Refused, match="3 worked examples"):
            planned(database, host, tmp_path, now, examples=True)
        planned(database, host, tmp_path, now)
        assert host.bytes_read == 0


def test_the_raters_examples_are_in_the_prompt_only_when_asked_for(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        plan = planned(database, host, tmp_path, now, examples=True)
    assert "换到新部门三个月了" in plan.task.form.system


@pytest.mark.parametrize("name", ["", " x", "x\n", "y" * 65])
def test_a_judge_has_a_name_that_can_stand_in_a_table(
    database: Database, study: Made, tmp_path: Path, now: datetime, name: str
) -> None:
    with TalkingHost(says=says) as host, pytest.raises(StudyError, match="judge's name"):
        planned(database, host, tmp_path, now, name=name)
