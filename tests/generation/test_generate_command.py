"""`generate`: from a questions file to an answers file that a study takes as it is."""

import json
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.generation.tasks.prompts import load_prompt
from cbt_core.instruments import load_scheme
from tests.generation.loopback import BROKEN, OK, Host, answer_to

FIELDS = {
    "id", "system", "answer", "distortions", "model", "adapter", "prompt", "run", "prompt_hash",
    "steps", "evidence", "unknown_distortions", "risk", "finish", "attempt", "seed",
    "generated_at", "prompt_tokens", "reply_tokens", "seconds",
}


def psyqa(folder: Path, count: int = 12) -> Path:
    file = folder / "psyqa.json"
    file.write_text(json.dumps([
        {"questionID": number, "question": f"为什么我总是失眠{number}？",
         "description": "他们一定都在议论我。", "keywords": "睡眠,焦虑",
         "answers": [{"answer_text": "早点休息。", "has_label": False, "labels_sequence": None}]}
        for number in range(count)
    ], ensure_ascii=False), "utf-8")
    return file


def go(file: Path, out: Path, *more: str) -> int:
    return main(["generate", "--questions", str(file), "--system", "cbt", "--backend", "echo",
                 "--out", str(out), *more])


def rows(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_every_row_says_where_it_comes_from(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    assert go(psyqa(tmp_path), out) == 0
    found = rows(out)
    assert [row["id"] for row in found] == [str(number) for number in range(12)]
    assert all(set(row) == FIELDS for row in found)
    assert found[0]["prompt_hash"] == load_prompt("cbt", "zh").hash(load_scheme("burns-12"))
    manifest = json.loads((tmp_path / "a.jsonl.manifest.json").read_text("utf-8"))
    assert manifest["run"] == found[0]["run"]
    assert manifest["config"]["decoding"]["seed"] == 1
    assert manifest["found"]["with_distortion"] == sum(bool(row["distortions"]) for row in found)


def test_the_answers_make_a_study_without_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = psyqa(tmp_path)
    for system, prompt in (("cbt", "cbt"), ("plain", "plain")):
        assert main(["generate", "--questions", str(file), "--system", system, "--backend", "echo",
                     "--prompt", prompt, "--out", str(tmp_path / f"{system}.jsonl")]) == 0
    capsys.readouterr()
    assert main(["study", "create", "s", "--title", "S", "--questions", str(file),
                 "--answers", str(tmp_path / "cbt.jsonl"),
                 "--answers", str(tmp_path / "plain.jsonl"),
                 "--database", f"sqlite:///{tmp_path / 'x.db'}"]) == 0
    said = capsys.readouterr()
    assert "24 answers of 2 systems" in said.out
    assert "column" not in said.err
    assert "prompt_hash" not in said.err


def test_limit_takes_the_first_questions(tmp_path: Path) -> None:
    assert go(psyqa(tmp_path), tmp_path / "a.jsonl", "--limit", "5") == 0
    assert [row["id"] for row in rows(tmp_path / "a.jsonl")] == list("01234")


@pytest.mark.parametrize("change", [
    ["--seed", "2"], ["--limit", "5"], ["--prompt", "plain"], ["--lang-prompt", "en"],
    ["--scheme", "cbt-llm-5"], ["--max-new-tokens", "9"], ["--temperature", "0.5"],
])
def test_a_run_is_resumed_with_the_same_settings_only(
    tmp_path: Path, change: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = psyqa(tmp_path), tmp_path / "a.jsonl"
    assert go(file, out) == 0
    before = out.read_bytes()
    assert go(file, out, "--resume") == 0
    assert go(file, out, "--resume", "--concurrency", "2") == 0
    assert go(file, out, "--resume", *change) == 1
    assert "other settings" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_questions_file_is_refused_as_a_whole_in_the_usual_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "a", "question": ""}\n{"id": "b", "question": "x"}\n{bad\n', "utf-8")
    assert go(file, tmp_path / "a.jsonl") == 1
    said = capsys.readouterr().err
    assert f"{file}:1: question: " in said
    assert f"{file}:3: file: " in said
    assert [one.name for one in tmp_path.iterdir()] == ["q.jsonl"]


@pytest.mark.parametrize(("more", "code"), [
    (["--backend", "openai"], 1), (["--system", " "], 1), (["--prompt", "none.txt"], 1),
    (["--scheme", "none"], 1), (["--temperature", "9"], 2), (["--budget", "1"], 1),
    (["--adapter", "x"], 1),
])
def test_wrong_settings_are_refused_with_one_sentence(
    tmp_path: Path, more: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go(psyqa(tmp_path), tmp_path / "a.jsonl", *more) == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_endpoint_gives_rows_cost_and_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text("".join(
        json.dumps({"id": f"q{number}", "question": f"Why {number}?"}) + "\n"
        for number in range(6)), "utf-8")
    out = tmp_path / "a.jsonl"
    with Host(lambda question, call: BROKEN if "Why 4" in question else OK) as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", f"127.0.0.1:{host.port}")
        assert main([
            "generate", "--questions", str(file), "--system", "s", "--backend", "openai",
            "--model", "m", "--base-url", host.url, "--out", str(out), "--yes", "--tries", "1",
            "--price-in", "10", "--price-out", "20", "--database", f"sqlite:///{tmp_path}/x.db",
        ]) == 0
    said = capsys.readouterr()
    assert "5 answers written" in said.out
    assert "server_error 1" in said.err
    assert [row["id"] for row in rows(out)] == ["q0", "q1", "q2", "q3", "q5"]
    asked = "Question" in host.bodies[0]["messages"][-1]["content"]
    assert not asked  # the Chinese prompt is the default
    assert rows(out)[0]["answer"] == answer_to("问题：Why 0?\n描述：（没有描述）")
    spent = json.loads((tmp_path / "a.jsonl.manifest.json").read_text("utf-8"))["spent"]
    assert spent["cost"] == pytest.approx(5 * (20 * 10 + 20 * 20) / 1e6)


def test_sources_are_allowed_listed_and_denied_at_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--database", f"sqlite:///{tmp_path / 'x.db'}"]
    assert main(["source", "list", *where]) == 0
    assert "psyqa" in capsys.readouterr().out
    assert main(["source", "allow", "PsyQA", "--agreement", "signed", "--valid-until",
                 "2999-01-01", *where]) == 0
    assert main(["source", "list", *where]) == 0
    assert "2999-01-01" in capsys.readouterr().out
    assert main(["source", "deny", "psyqa", *where]) == 0
    assert main(["source", "allow", "psyqa", "--agreement", " ", *where]) == 1
