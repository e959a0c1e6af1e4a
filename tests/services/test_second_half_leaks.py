"""Attacks on the second half: names before the unblinding, texts and requests that must stay."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.analysis.labels import _ordered
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems
from cbt_core.generation.backend.model_folder import adapter_settings
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services.results import segment_scores
from cbt_core.services.runs.dataset import Order, build
from cbt_core.services.studies import answer_gates, creation
from cbt_core.services.studies.creation import StudyFiles
from cbt_core.stats.labels.annotators import Setting
from db.engine import Database
from tests.making import make_study

RECORD = {"questionID": "7", "question": "为什么我总是焦虑", "description": "", "keywords": "焦虑"}
LINE = json.dumps(RECORD, ensure_ascii=False)


@pytest.mark.parametrize(("name", "content"), [
    ("a.json", f"[{LINE}]".encode("utf-16")),
    ("a.csv", "questionID,question,description\n7,为什么我总是焦虑,\n".encode()),
    ("a.jsonl", LINE.replace("questionID", "question\\u0049D").encode()),
    ("a.jsonl", json.dumps({"description": "长" * 30_000, **{
        key: RECORD[key] for key in ("question", "questionID")}}, ensure_ascii=False).encode()),
])
def test_psyqa_is_known_in_whatever_kind_of_file(
    tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert dict(Questions(file).check().sources) == {"PsyQA": 1}


def test_psyqa_behind_questions_of_ones_own_is_known(tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    own = [json.dumps({"id": f"o{n}", "question": f"Why {n}?", "description": "x" * 900})
           for n in range(100)]
    file.write_text("\n".join([*own, LINE]), "utf-8")
    assert dict(Questions(file).check().sources) == {"": 100, "PsyQA": 1}


def test_gates_of_a_masked_study_repeat_no_scrap_of_a_name(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "s.jsonl"
    file.write_text("\n".join(json.dumps({
        "id": f"Q{n}", "question": f"第{n}题为什么总是这样", "answers": {
            "Zeb": f"Zeb认为第{n}题您做得好，我是ChatGPT。" + "内容" * 20 + "。",
            "base": f"第{n}题您好。" + "另外" * 20 + "。",
        }}, ensure_ascii=False) for n in range(12)), "utf-8")
    creation.create_study(database, TERMINAL, slug="gates", title="t",
                           files=StudyFiles(study_file=file), now=now)
    report = answer_gates.gates_of_study(database, TERMINAL, slug="gates", now=now)
    told = json.dumps(report.json(), ensure_ascii=False).lower()
    assert "opening" in told
    assert "zeb" not in told
    assert "gpt" not in told


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "1_000"])
def test_a_metric_score_is_a_number_on_the_line(
    database: Database, tmp_path: Path, now: datetime, value: str
) -> None:
    made = make_study(database, tmp_path, now)
    file = tmp_path / "m.csv"
    file.write_text(f"id,system,metric,value\nQ001,zebra-lora,bleu,{value}\n", "utf-8")
    with pytest.raises(ImportProblems):
        segment_scores.import_segments(database, TERMINAL, slug=made.slug, path=file, now=now)


def test_an_adapter_without_weights_is_not_sought_on_the_hub(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}', "utf-8")
    with pytest.raises(StudyError) as refused:
        adapter_settings(tmp_path)
    assert refused.value.code == "local_model.no_adapter_weights"


def test_the_number_of_a_machine_does_not_follow_the_alphabet() -> None:
    names = [f"machine-{letter}" for letter in "abcdefgh"]
    assert _ordered(names, Setting(10, 3), unblinded=False) != names
    assert _ordered(names, Setting(10, 3), unblinded=True) == names


def test_a_build_does_not_replace_a_readme_of_somebodys_own(
    tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "README.md").write_text("mine", "utf-8")
    order = Order(questions=tmp_path / "q.jsonl", out=tmp_path, backend="echo", model="echo")
    with pytest.raises(StudyError) as refused:
        build(order, generate=lambda _q, _a: pytest.fail("asked"), now=now)
    assert refused.value.code == "dataset.exists"
