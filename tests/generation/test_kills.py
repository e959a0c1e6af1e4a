"""kill -9 of a generation at random moments: resumed, it is what an undisturbed run would be."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cbt_core.generation.run.journal import beside
from tests.generation.counts import KILL_ROWS, KILLS

TIMINGS = {"seconds", "generated_at", "prompt_tokens", "reply_tokens"}


def questions(folder: Path) -> Path:
    file = folder / "questions.jsonl"
    lines = (
        {"id": f"Q{number}", "question": f"为什么我总是想着第{number}件事？",
         "description": "最近睡不好，觉得自己什么都做不好。" * (number % 5)}
        for number in range(KILL_ROWS)
    )
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return file


def start(file: Path, out: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cbt_core", "generate", "--questions", str(file), "--system", "cbt",
         "--backend", "echo", "--out", str(out), "--temperature", "0.7", "--resume", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ},
    )


def finish(process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate()
    assert process.returncode == 0, said


def compared(out: Path) -> list[dict[str, object]]:
    return [
        {name: value for name, value in json.loads(line).items() if name not in TIMINGS}
        for line in out.read_text("utf-8").splitlines()
    ]


def on_disk(out: Path) -> list[str]:
    """Return the keys of the whole rows in the journal."""
    journal = beside(out, ".part")
    if not journal.exists():
        return []
    whole = journal.read_bytes().split(b"\n")[1:-1]
    return [json.loads(line)["key"] for line in whole]


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    file, dice = questions(tmp_path), random.Random(11)
    calm, hard = tmp_path / "calm.jsonl", tmp_path / "hard.jsonl"
    finish(start(file, calm))
    kept: list[str] = []
    met = 0
    delay = f"{KILLS * 2.0 * 16 / KILL_ROWS:.3f}"  # 16 at once: 2 s of work for each kill
    for _ in range(KILLS):
        process = start(file, hard, "--concurrency", "1", "--delay", delay)
        before = len(kept)
        until = time.monotonic() + 60
        while len(on_disk(hard)) <= before and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = on_disk(hard)
        if not found:
            break  # the run was through before the kill came
        assert found[: len(kept)] == kept, "a row on disk was changed or lost"
        kept, met = found, met + 1
    assert met == KILLS, "a kill came too late: the test showed less than it says"
    assert len(set(kept)) == len(kept), "a row was asked for twice"
    finish(start(file, hard))
    assert compared(hard) == compared(calm)
    assert not beside(hard, ".part").exists()


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    file, out = questions(tmp_path), tmp_path / "answers.jsonl"
    process = start(file, out, "--delay", "0.3")
    while not on_disk(out):
        assert process.poll() is None, "the run ended before a row was on disk"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "--resume" in said
    assert "Traceback" not in said
    kept = on_disk(out)
    assert 0 < len(kept) < KILL_ROWS
    assert json.loads(beside(out, ".manifest.json").read_text())["ended"] == "stopped"
    finish(start(file, out))
    assert len(compared(out)) == KILL_ROWS
