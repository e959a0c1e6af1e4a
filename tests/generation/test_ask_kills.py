"""kill -9 of a detection and of a judge: resumed, each is what an undisturbed run would be."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cbt_core.cli import main
from tests.generation.test_kills import compared, on_disk

ROWS = 96


def files(folder: Path) -> tuple[str, str]:
    questions, answers = folder / "q.jsonl", folder / "a.jsonl"
    questions.write_text("".join(
        json.dumps({"id": f"Q{number}", "question": f"为什么我总是想着第{number}件事？"},
                   ensure_ascii=False) + "\n" for number in range(ROWS)), "utf-8")
    answers.write_text("".join(
        json.dumps({"id": f"Q{number}", "system": "s", "answer": f"第{number}个回答"},
                   ensure_ascii=False) + "\n" for number in range(ROWS)), "utf-8")
    return str(questions), str(answers)


def command(kind: str, folder: Path, out: Path) -> list[str]:
    questions, answers = files(folder)
    judge = ["judge", "--judge", "j", "--answers", answers]
    named = {"detect": ["labels", "detect"], "judge": judge, "steps": [*judge, "--steps"]}[kind]
    return [*named, "--questions", questions, "--backend", "echo", "--out", str(out),
            "--concurrency", "1"]


@pytest.mark.parametrize("kind", ["detect", "judge", "steps"])
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, kind: str) -> None:
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    assert main(command(kind, tmp_path, whole)) == 0
    with subprocess.Popen(
        [sys.executable, "-m", "cbt_core", *command(kind, tmp_path, killed), "--delay", "0.5"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:
        while not on_disk(killed):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    before = on_disk(killed)
    assert 0 < len(before) < ROWS
    assert not killed.exists()
    assert main([*command(kind, tmp_path, killed), "--resume"]) == 0
    assert compared(killed) == compared(whole)
