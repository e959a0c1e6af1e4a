"""A run begun by an earlier version goes on: its settings have the digest they always had."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL
from cbt_core.generation.backend.catalogue import Options, Tuning
from cbt_core.generation.backend.exchange import Decoding
from cbt_core.generation.run.journal import config_digest
from cbt_core.generation.tasks.answers import answers_to
from cbt_core.generation.tasks.detection import detection_in
from cbt_core.generation.tasks.judgement import judgement_of
from cbt_core.generation.tasks.questions import Questions
from cbt_core.generation.tasks.task import Task
from cbt_core.instruments import load_instrument, load_scheme
from cbt_core.services.runs import detections, judgements, model_run
from cbt_core.settings import Settings
from db.engine import Database
from tests.label_study import make_label_study
from tests.making import make_study

SETTINGS = Settings(database="", allowed_hosts=("127.0.0.1",))
ECHO = Options("echo", "echo")
HOST = Options("openai", "m", base_url="http://127.0.0.1:9/v1")
LOCAL = Options("transformers", "tiny", adapter="data/lora", tuning=Tuning(revision="abc"))
SAMPLED = Options("echo", "echo", decoding=Decoding(512, 0.5, 0.9, 1.1, 7))
LONG = Options("openai", "m", base_url="http://127.0.0.1:9/v1", decoding=Decoding(1536))
Make = Callable[[Questions, Path], Task]


def answers(**more: str) -> Make:
    return lambda questions, _: answers_to(questions, system="sys", **more)


def detection(language: str) -> Make:
    return lambda questions, _: detection_in(
        questions, scheme=load_scheme("burns-12"), language=language)


def judgement(*, language: str = "zh", steps: bool = False, examples: bool = False) -> Make:
    return lambda questions, file: judgement_of(
        file, questions, judge="j", instrument=load_instrument("cbt-3"), language=language,
        steps=steps, examples=examples)


BEFORE = [
    (answers(), ECHO, "3b5fafdda2fa76812cb0c0ceb1c3a6eb65c43d94d6d83d48216e8af04329518b"),
    (answers(prompt="plain", language="en"), SAMPLED,
     "fc00a397e07c7c4bcba28b84ca3a899c8de24595049ad952ee19b339eb777bcf"),
    (answers(), LONG, "3b0d43bb9f4f63b646f3e522aa4caf359533f7b5033919a12fd43fdc9202f2f6"),
    (answers(scheme="cbt-llm-5"), LOCAL,
     "ef44f84f1888677fa7214d7c97e3a321b12693595db3af52a5ef1d28ffc8f837"),
    (detection("zh"), ECHO, "2b9623ce602b4ad71ca59b497e05c4746d01c76d63b9be1acddec81f9427a70d"),
    (detection("en"), HOST, "9622f98a53e82c60c0e1e5f51c813938efb2a13131ab60d37f2f49148dd1304b"),
    (detection("zh"), LOCAL, "1f8a30e0b6fb1579997d6d7e4c669f9286d6d659d1acee10952b031cfa1b30de"),
    (judgement(), ECHO, "350cda21e3c0f267e6adb6bbbd199b9e23743f07f6f350f204f42d3e732bca34"),
    (judgement(language="en", examples=True), HOST,
     "0ed15ad00d9c20614a32695611592395d8f92b5dfb062f020b11042322ea8c65"),
    (judgement(steps=True), LOCAL,
     "e1fc2d171b16ae344fd8239c6750e9b59bd97ad6d245240eb46f76fb8b8c6fa6"),
]
"""Settings of each kind with the digest that earlier versions wrote at the head of a journal."""


def files(folder: Path) -> tuple[Questions, Path]:
    questions, answered = folder / "q.jsonl", folder / "a.jsonl"
    questions.write_text("".join(
        json.dumps({"id": f"Q{number}", "question": f"为什么我总是想着第{number}件事？",
                    "description": "他们一定都在议论我。", "source": "own"},
                   ensure_ascii=False) + "\n" for number in range(3)), "utf-8")
    answered.write_text("".join(
        json.dumps({"id": f"Q{number}", "system": "s", "answer": f"第{number}个回答"},
                   ensure_ascii=False) + "\n" for number in range(3)), "utf-8")
    return Questions(questions), answered


@pytest.mark.parametrize(("make", "options", "digest"), BEFORE)
def test_the_same_settings_have_the_same_digest(
    make: Make, options: Options, digest: str, tmp_path: Path, now: datetime
) -> None:
    plan = model_run.plan(
        make(*files(tmp_path)), options, place=tmp_path / "o.jsonl", settings=SETTINGS,
        database=None, now=now)
    assert config_digest(plan.config) == digest
    assert plan.run == digest[:16]


@pytest.mark.parametrize(("make", "digest"), [
    (make, digest) for make, options, digest in BEFORE if options is ECHO])
def test_a_journal_of_an_earlier_version_is_resumed(
    make: Make, digest: str, tmp_path: Path, now: datetime
) -> None:
    task = make(*files(tmp_path))
    key = next(task.requests(Decoding())).key
    head = {"journal": 1, "config": digest, "started_at": "2026-01-01T00:00:00+00:00"}
    row = {"key": key, "row": {
        "id": "Q0", "answer": "kept", "distortions": [], "unknown_distortions": [],
        "risk": "none", "finish": "stop"}}
    (tmp_path / "o.jsonl.part").write_text(
        "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (head, row)), "utf-8")
    plan = model_run.plan(
        task, Options("echo", "echo", resume=True), place=tmp_path / "o.jsonl",
        settings=SETTINGS, database=None, now=now)
    assert plan.waiting == 2
    outcome = model_run.ask(
        plan, settings=SETTINGS, database=None, person=TERMINAL, now=now)
    assert (outcome.before, outcome.rows) == (1, 3)
    assert json.loads((tmp_path / "o.jsonl").read_text("utf-8").splitlines()[0]) == row["row"]


def test_a_study_s_detection_keeps_its_digest_and_its_origin(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    make_label_study(database, tmp_path, now)
    plan = detections.plan_study(
        database, TERMINAL, slug="labels", options=HOST, place=tmp_path / "o.jsonl",
        settings=SETTINGS, now=now)
    assert config_digest(plan.config) == (
        "f11eaf5d3bead70a214c75755139a9b46d185fc5c628f2f7634ab088478d9f43")
    assert detections.source_of(plan) == "m detect@1.zh#5e85a3aa"


def test_a_study_s_judgement_keeps_its_settings(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    """Its texts are numbered by the database: their digest is its own, the rest is not."""
    make_study(database, tmp_path, now, items=4, protocol="[design]\noverlap = 3\n")
    plan = judgements.plan_study(
        database, TERMINAL, slug="trial", judge="j", options=HOST, place=tmp_path / "o.jsonl",
        settings=SETTINGS, now=now)
    assert list(plan.config) == [
        "task", "study", "judge", "instrument", "texts", "backend", "model", "adapter",
        "revision", "host", "prompt", "prompt_hash", "decoding"]
