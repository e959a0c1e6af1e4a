"""Detection in a study: proposals with provenance, before anybody has seen the machine's round."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cbt_core.cli import main
from cbt_core.domain.people import TERMINAL
from cbt_core.domain.submission import Work
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.run.journal import Outcome
from cbt_core.generation.tasks.detection import Detection
from cbt_core.services.desk import desk_task
from cbt_core.services.labels import machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from cbt_core.services.runs import detections, model_run
from cbt_core.services.runs.detections import Stored
from cbt_core.services.runs.model_run import Plan
from cbt_core.services.studies import lifecycle
from cbt_core.settings import Settings
from db import audit, proposals, results
from db.engine import Database
from tests import label_study as labels
from tests.generation.hosts import TalkingHost
from tests.label_study import DESCRIPTION, LabelStudy, make_label_study

MIND = {"name": "读心术", "evidence": "他们一定觉得我很无趣"}
ALL_MINE = {"name": "以偏概全", "evidence": "不在原文里的一句话"}


def says(asked: str, call: int) -> str:
    """Find two labels in the first item, none in the second, and fail on the third."""
    if "1 个月" in asked:
        return json.dumps({"distortions": [MIND, ALL_MINE]}, ensure_ascii=False)
    return '{"distortions": []}' if "2 个月" in asked else "I would rather not."


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> LabelStudy:
    return make_label_study(database, tmp_path, now)


def options(host: TalkingHost, *, resume: bool = False) -> Options:
    return Options("openai", "detector", base_url=host.url, resume=resume)


def settings(host: TalkingHost) -> Settings:
    return Settings(database="", allowed_hosts=host.listed)


def planned(
    database: Database, host: TalkingHost, folder: Path, now: datetime, *, resume: bool = False,
    **more: Any,
) -> Plan[Detection]:
    return detections.plan_study(
        database, TERMINAL, slug="labels", options=options(host, resume=resume),
        place=folder / "run.jsonl", settings=settings(host), now=now, **more)


def detected(
    database: Database, host: TalkingHost, folder: Path, now: datetime, **more: Any
) -> tuple[Outcome, Stored]:
    plan = planned(database, host, folder, now, **more)
    outcome = model_run.ask(
        plan, settings=settings(host), database=database, person=TERMINAL, now=now)
    return outcome, detections.store(database, TERMINAL, plan=plan, now=now)


def kept(database: Database, study: LabelStudy) -> list[Any]:
    with database.reading() as connection:
        return list(results.proposals(connection, study.study_id))


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_labels_become_proposals_with_places_and_provenance(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        outcome, done = detected(database, host, tmp_path, now)
    assert done == Stored(items=2, proposals=2, nothing=1, known=0, seen=0, withdrawn=0)
    mind, other = sorted(kept(database, study), key=lambda one: one.label)
    assert (mind.label, other.label) == ("mind-reading", "overgeneralization")
    assert DESCRIPTION[mind.start:mind.end] == MIND["evidence"]
    assert (other.field, other.start) == ("", None)  # words that are not there: the whole item
    assert mind.source.startswith("detector detect@1.zh#")
    row = rows(outcome.out)[0]
    assert mind.run == row["run"]
    assert row["prompt_hash"].startswith(mind.source.rsplit("#")[1])
    with database.reading() as connection:
        passes = proposals.passes(connection, study.study_id)
        last = list(audit.entries(connection, study.study_id))[-1]
    assert [(one.item, one.found) for one in passes] == [("Q001", 2), ("Q002", 0)]
    assert (last.action, json.loads(last.payload)["prompt"]) == ("proposals", row["prompt_hash"])


def test_texts_without_a_usable_reply_are_counted_kept_and_asked_again(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        outcome, _ = detected(database, host, tmp_path, now)
        assert dict(outcome.causes) == {"not_json": 1}
        assert host.calls[next(one for one in host.calls if "3 个月" in one)] == 3
        failed = rows(tmp_path / "run.jsonl.failed.jsonl")
        assert [(one["id"], one["text"]) for one in failed] == [("Q003", "I would rather not.")]
        host.says = lambda asked, call: '{"distortions": []}'
        outcome, done = detected(database, host, tmp_path, now, resume=True)
    assert (outcome.rows, done.items, done.known) == (3, 1, 2)
    assert len(kept(database, study)) == 2


def test_a_second_call_adds_nothing_and_sends_nothing(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=lambda asked, call: '{"distortions": []}') as host:
        detected(database, host, tmp_path, now)
        before = host.bytes_read
        _, done = detected(database, host, tmp_path, now, resume=True)
        assert host.bytes_read == before
    assert done == Stored(items=0, proposals=0, nothing=0, known=3, seen=0, withdrawn=0)


def label_blind(database: Database, study: LabelStudy, now: datetime) -> dict[str, Any]:
    """Save the blind round of the annotator's first item; return what came back."""
    who = study.annotators["N01"]
    view = labels.open_next(database, who, "labels", now)
    return dict(desk_task.save(
        database, who, body=labels.press(view, verdict="none", certainty=2),
        work=Work.LABEL, now=now))


def test_an_item_whose_machine_round_was_seen_takes_no_more_labels(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    machine_proposals.propose(
        database, TERMINAL, slug="labels", source="older", now=now,
        proposals=[Proposed(f"Q00{number}", "mind-reading") for number in (1, 2, 3)])
    view: Any = label_blind(database, study, now)["view"]
    assert view["task"]["round"] == "model"
    with TalkingHost(says=says) as host:
        with pytest.raises(Refused, match="Add --leave-seen") as refused:
            planned(database, host, tmp_path, now)
        assert refused.value.code == "detection.seen"
        assert host.bytes_read == 0
        plan = planned(database, host, tmp_path, now, leave_seen=True)
    assert (plan.task.left_out, plan.task.total) == (1, 2)


def test_a_blind_round_alone_shows_no_machine_and_refuses_nothing(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    label_blind(database, study, now)
    with TalkingHost(says=says) as host:
        assert planned(database, host, tmp_path, now).task.total == 3


def test_labels_seen_while_the_model_was_at_work_are_left_out(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        plan = planned(database, host, tmp_path, now)
        model_run.ask(
            plan, settings=settings(host), database=database, person=TERMINAL, now=now)
    every = [Proposed(f"Q00{number}", "labeling") for number in (1, 2, 3)]
    machine_proposals.propose(
        database, TERMINAL, slug="labels", source="x", now=now, proposals=every)
    label_blind(database, study, now)
    done = detections.store(database, TERMINAL, plan=plan, now=now)
    assert (done.items, done.seen) == (1, 1)


def test_in_a_study_of_corrections_an_opened_item_has_been_seen(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_label_study(database, tmp_path, now, mode="correct")
    labels.open_next(database, made.annotators["N01"], "labels", now)
    with TalkingHost(says=says) as host, pytest.raises(Refused, match="leave-seen"):
        planned(database, host, tmp_path, now)


def test_a_locked_study_and_a_withdrawn_item_take_nothing(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    lifecycle.withdraw_item(
        database, TERMINAL, slug="labels", key="Q001", reason="a name in it", now=now)
    with TalkingHost(says=lambda asked, call: '{"distortions": []}') as host:
        detected(database, host, tmp_path, now)
        assert "1 个月" not in host.sent()
        lifecycle.lock(database, TERMINAL, slug="labels", now=now + timedelta(days=1))
        with pytest.raises(Refused):
            planned(database, host, tmp_path, now)


def test_a_host_that_is_not_listed_gets_nothing(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    with TalkingHost(says=says) as host:
        with pytest.raises(StudyError):
            detections.plan_study(
                database, TERMINAL, slug="labels", options=options(host),
                place=tmp_path / "r.jsonl", settings=Settings(database=""), now=now)
        assert host.bytes_read == 0


def test_a_source_that_may_not_leave_stays_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(json.dumps({"id": "a", "question": "问题", "source": "PsyQA"}), "utf-8")
    with TalkingHost(says=says) as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", host.listed[0])
        code = main([
            "labels", "detect", "--questions", str(file), "--backend", "openai", "--model", "m",
            "--base-url", host.url, "--yes", "--out", str(tmp_path / "d.jsonl"),
            "--database", f"sqlite:///{tmp_path}/x.db"])
        assert (code, host.bytes_read) == (1, 0)
    assert "psyqa" in capsys.readouterr().err


def questions(folder: Path) -> Path:
    file = folder / "q.jsonl"
    file.write_text("".join(
        json.dumps({"id": f"q{number}", "question": f"{number} 个月了", "description": DESCRIPTION},
                   ensure_ascii=False) + "\n" for number in (1, 2, 3)), "utf-8")
    return file


def detect_file(folder: Path, host: TalkingHost, *more: str) -> int:
    return main([
        "labels", "detect", "--questions", str(questions(folder)), "--backend", "openai",
        "--model", "m", "--base-url", host.url, "--yes", "--out", str(folder / "d.jsonl"),
        "--database", f"sqlite:///{folder}/x.db", *more])


def test_a_file_of_labels_meets_gold_and_can_be_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold, merged, out = tmp_path / "gold.csv", tmp_path / "merged.csv", tmp_path / "eval.json"
    gold.write_text("item_id,gold,rule,annotators\nq1,读心术,majority,3\nq2,labeling,adjudicated,2\n"
                    "q3,,majority,3\nq9,,majority,3\n", "utf-8")
    with TalkingHost(says=says) as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", host.listed[0])
        assert detect_file(tmp_path, host, "--gold", str(gold), "--gold-out", str(merged)) == 0
    assert merged.read_text("utf-8-sig").splitlines() == [
        "item_id,gold,model,rule", "q1,读心术,mind-reading|overgeneralization,majority",
        "q2,labeling,,adjudicated", "q3,,<unsure>,majority"]
    assert main(["labels", "evaluate", str(merged), "--scheme", "burns-12", "--bootstrap", "0",
                 "--out", str(out)]) == 0
    found = json.loads(out.read_text("utf-8"))
    assert (found["binary"]["tp"], found["binary"]["fn"]) == (1, 1)
    assert found["flow"]["model_unsure"] == 1


def test_an_answers_file_takes_the_labels_only_when_every_item_has_been_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers, filled = tmp_path / "a.jsonl", tmp_path / "filled.jsonl"
    answers.write_text("".join(
        json.dumps({"id": f"q{number}", "system": "s", "answer": f"答 {number}"}) + "\n"
        for number in (1, 2, 3)), "utf-8")
    wanted = ("--answers", str(answers), "--answers-out", str(filled))
    with TalkingHost(says=says) as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", host.listed[0])
        assert detect_file(tmp_path, host, *wanted) == 1
        assert "1 items of it have no detected labels" in capsys.readouterr().err
        host.says = lambda asked, call: '{"distortions": []}'
        assert detect_file(tmp_path, host, *wanted, "--resume") == 0
    assert [row["distortions"] for row in rows(filled)] == [
        ["mind-reading", "overgeneralization"], [], []]


@pytest.mark.parametrize("wrong", [
    [], ["--study", "labels", "--questions", "q.jsonl"], ["--questions", "q.jsonl"],
    ["--study", "labels", "--scheme", "c2d2-7"],
    ["--questions", "q.jsonl", "--out", "x.jsonl", "--gold", "g.csv"],
])
def test_wishes_that_do_not_fit_are_refused_with_one_sentence(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["labels", "detect", "--backend", "echo", *wrong]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
