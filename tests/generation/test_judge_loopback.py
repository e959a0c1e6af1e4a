"""`judge` and `study judge` from the command line, against a host on loopback."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cbt_core.cli import main
from db.engine import Database
from tests.generation.hosts import TalkingHost
from tests.making import make_study

SCALES = ("relevance", "structure", "helpfulness")


def scores(asked: str, call: int) -> str:
    return "```json\n" + json.dumps(
        {scale: {"reason": "r", "value": len(asked) % 3} for scale in SCALES}) + "\n```"


def steps(asked: str, call: int) -> str:
    words = ("absent", "partial", "present")
    return json.dumps(
        {str(step): {"reason": "r", "presence": words[step % 3]} for step in range(1, 6)})


def files(folder: Path) -> list[str]:
    (folder / "q.jsonl").write_text("".join(
        json.dumps({"id": f"q{number}", "question": f"Why {number}?"}) + "\n"
        for number in range(3)), "utf-8")
    (folder / "a.jsonl").write_text("".join(
        json.dumps({"id": f"q{number}", "system": system, "answer": f"answer {number} {at}"}) + "\n"
        for number in range(3) for at, system in enumerate(("zebra-lora", "baseline"))), "utf-8")
    return ["--answers", str(folder / "a.jsonl"), "--questions", str(folder / "q.jsonl")]


def go(folder: Path, host: TalkingHost, *more: str) -> int:
    return main(["judge", *files(folder), "--judge", "j", "--backend", "openai", "--model", "m",
                 "--base-url", host.url, "--yes", "--out", str(folder / "j.jsonl"),
                 "--database", f"sqlite:///{folder}/x.db", *more])


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda host: monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", host.listed[0])


def test_a_file_of_answers_is_scored_in_its_order_and_says_who_judged(
    tmp_path: Path, listed: Any
) -> None:
    with TalkingHost(says=scores) as host:
        listed(host)
        assert go(tmp_path, host, "--lang-prompt", "en") == 0
        assert "zebra" not in host.sent()
        asked = host.bodies[0]["response_format"]["json_schema"]["schema"]
    found = rows(tmp_path / "j.jsonl")
    assert [(one["id"], one["system"]) for one in found] == [
        (f"q{number}", system) for number in range(3) for system in ("zebra-lora", "baseline")]
    assert all(one["automatic"] is True and one["judge"] == "j" for one in found)
    assert set(found[0]["scores"]) == set(asked["required"]) == set(SCALES)
    assert found[0]["instrument"].startswith("cbt-3@1#")
    noted = (tmp_path / "egress.log").read_text("utf-8")
    assert json.loads(noted)["texts"] == 6
    assert "answer" not in noted


def test_steps_are_a_row_per_answer_beside_the_rule_based_ones(
    tmp_path: Path, listed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with TalkingHost(says=steps) as host:
        listed(host)
        assert go(tmp_path, host, "--steps") == 0
    found = rows(tmp_path / "j.jsonl")
    assert found[0]["steps"] == {
        "1": "partial", "2": "present", "3": "absent", "4": "partial", "5": "present"}
    assert {"id", "system", "steps", "automatic"} <= set(found[0])
    assert "no person did" in capsys.readouterr().out


def test_unusable_replies_are_counted_kept_and_asked_again_by_resume(
    tmp_path: Path, listed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with TalkingHost(says=lambda asked, call: "7/10" if "answer 1 0" in asked
                     else scores(asked, call)) as host:
        listed(host)
        assert go(tmp_path, host) == 0
        assert "1 answers have no usable judgement (not_json 1)" in capsys.readouterr().err
        failed = rows(tmp_path / "j.jsonl.failed.jsonl")
        assert [one["text"] for one in failed] == ["7/10"]
        calls = host.calls.total()
        host.says = scores
        assert go(tmp_path, host, "--resume") == 0
        assert host.calls.total() == calls + 1
    assert len(rows(tmp_path / "j.jsonl")) == 6


def test_a_host_that_is_not_listed_gets_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONCORD_ALLOWED_HOSTS", raising=False)
    with TalkingHost(says=scores) as host:
        assert go(tmp_path, host) == 1
        assert host.bytes_read == 0
    assert "CONCORD_ALLOWED_HOSTS" in capsys.readouterr().err


def test_an_answer_without_its_question_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = files(tmp_path)
    (tmp_path / "q.jsonl").write_text('{"id": "q0", "question": "Why?"}\n', "utf-8")
    assert main(["judge", *wanted, "--judge", "j", "--backend", "echo",
                 "--out", str(tmp_path / "j.jsonl")]) == 1
    assert "2 items of it are not in the questions file" in capsys.readouterr().err


def test_the_dry_run_scores_and_stores_and_shows_no_score(
    database: Database, tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    make_study(database, tmp_path, now, items=4, protocol="[design]\noverlap = 3\n")
    assert main(["study", "judge", "trial", "--judge", "dry", "--backend", "echo",
                 "--out", str(tmp_path / "run.jsonl"), "--database", database.url]) == 0
    said = capsys.readouterr().out
    assert "24 scores of judge dry on 8 answers stored" in said
    assert "S1" not in said
