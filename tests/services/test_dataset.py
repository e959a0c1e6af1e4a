"""From questions to a dataset folder, a split and a study, with real files."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.domain.people import TERMINAL
from cbt_core.generation.backend.exchange import Failure, Message, Reply, Request
from cbt_core.generation.run import runner
from cbt_core.generation.run.journal import Outcome
from cbt_core.services.runs.dataset import Generate, Order, build, stats_of
from cbt_core.services.studies import answer_gates, creation
from cbt_core.services.studies.creation import StudyFiles
from db import studies
from db.engine import Database
from db.engine import database as opened
from tests import making

Run = Callable[..., tuple[int, str, str]]
SITUATIONS = (
    "升职以后总怕被看穿", "和室友为小事闹翻", "考研第二次还是没底", "孩子写作业总拖到深夜",
    "失恋半年走不出来", "母亲住院我没赶上", "开会念错了一个数字", "相亲回来觉得自己很糟",
    "夜班之后怎么也睡不着", "论文被退了三次",
)


def record(number: int) -> dict[str, object]:
    place = SITUATIONS[number % len(SITUATIONS)]
    odd = "".join(chr(0x4E00 + (number * 131 + step * 17) % 3000) for step in range(60))
    return {
        "questionID": number, "question": f"{place}，第{number}次了，该怎么办？",
        "description": odd, "keywords": "情绪,睡眠",
        "answers": [{"answer_text": "先抱抱你。", "has_label": False, "labels_sequence": None}],
    }


def psyqa(folder: Path, count: int = 30) -> Path:
    """Write questions in PsyQA's form, with one repeat, one advertisement and one in English."""
    rows = [record(number) for number in range(1, count + 1)]
    rows[3]["description"] = f"<p>{rows[3]['description']}</p>。加微信 abc12345 领资料。"
    rows.append({**record(1), "questionID": 900})
    rows.append({**record(901), "question": "Why is my boss so unkind?", "description": "He is."})
    file = folder / "psyqa.json"
    file.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    return file


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Give a function that runs one command on a fresh database: (exit code, stdout, stderr)."""
    url = f"sqlite:///{tmp_path / 'cli.db'}"

    def once(*arguments: object) -> tuple[int, str, str]:
        code = main(["--database", url, *(str(one) for one in arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    yield once
    opened(url).close()
    opened.cache_clear()


def built(run: Run, folder: Path, *more: object) -> Path:
    out = folder / "data"
    code, told, error = run(
        "dataset", "build", "--questions", psyqa(folder), "--backend", "echo", "--out", out, *more
    )
    assert code == 0, error
    assert "30 of 32 questions kept" in told
    return out


def rows_of(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_folder_holds_every_answer_with_its_provenance(run: Run, tmp_path: Path) -> None:
    rows = rows_of(built(run, tmp_path) / "dataset.jsonl")
    assert len(rows) == 30
    assert {row["source"] for row in rows} == {"PsyQA"}
    assert all(row["answer"] and row["prompt_hash"] and row["run"] for row in rows)
    assert all(set(row["steps_by_model"]) == {1, 2, 3, 4, 5} for row in rows)  # type: ignore[call-overload]
    assert "abc12345" not in rows[3]["description"]  # type: ignore[operator]
    assert any(row["distortions"] for row in rows)


def test_the_manifest_counts_what_was_dropped_and_hashes_every_file(
    run: Run, tmp_path: Path
) -> None:
    out = built(run, tmp_path)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["counts"]["dropped"] == {"exact_duplicate": 1, "other_language": 1}
    assert manifest["counts"]["rows"] == 30
    assert set(manifest["files"]) >= {"dataset.jsonl", "dataset.parquet", "README.md"}
    assert manifest["generation"]["ended"] == "finished"
    assert [row["reason"] for row in rows_of(out / "dropped.jsonl")] == [
        "other_language", "exact_duplicate",
    ]


def test_the_folder_loads_with_the_datasets_library_without_a_network(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    out = built(run, tmp_path)
    datasets = pytest.importorskip("datasets")
    logging.getLogger("datasets").setLevel(logging.ERROR)
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["train"]
    assert found["train"].num_rows == 30
    assert found["train"][0] == rows_of(out / "dataset.jsonl")[0]


def test_the_card_carries_psyqa_s_notice_and_forbids_clinical_use(
    run: Run, tmp_path: Path
) -> None:
    card = (built(run, tmp_path) / "README.md").read_text("utf-8")
    assert "心理互助问答，非心理咨询，仅为心理知识分享" in card
    assert "壹心理" in card
    assert "Not for clinical use" in card
    assert "license_name: psyqa-user-agreement" in card
    assert "| entries | 30 | 22,327 |" in card


def test_own_questions_have_a_card_without_psyqa(run: Run, tmp_path: Path) -> None:
    lines = [
        {"id": f"q{number}", "question": record(number)["question"],
         "description": record(number)["description"], "licence": "CC0-1.0"}
        for number in range(1, 6)
    ]
    file = tmp_path / "own.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    code, _, error = run("dataset", "build", "--questions", file, "--backend", "echo",
                         "--out", tmp_path / "own", "--source", "own words")
    assert code == 0, error
    card = (tmp_path / "own" / "README.md").read_text("utf-8")
    assert "壹心理" not in card
    assert "CC0-1.0" in card
    assert "own words: 5" in card


def test_a_second_build_into_the_folder_is_refused_and_resume_changes_nothing(
    run: Run, tmp_path: Path
) -> None:
    out = built(run, tmp_path)
    before = (out / "dataset.jsonl").read_bytes()
    again = ("dataset", "build", "--questions", tmp_path / "psyqa.json", "--backend", "echo",
             "--out", out)
    code, _, error = run(*again)
    assert code == 1
    assert "--resume" in error
    assert run(*again, "--resume")[0] == 0
    assert (out / "dataset.jsonl").read_bytes() == before


class Failing:
    """A backend that cannot answer some questions, and can be asked to stop half-way."""

    name, model, batch_size, concurrency = "failing", "failing", 4, 2

    def __init__(self, stop: threading.Event | None = None) -> None:
        """Remember whom to ask to stop."""
        self.stop = stop

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer all but every fifth question."""
        if self.stop:
            self.stop.set()
        return [
            Failure(one.key, "empty", passing=False) if int(one.key) % 5 == 0
            else Reply(one.key, "听得出来您很不容易。您觉得证据是什么？", finish="length")
            for one in batch
        ]

    def describe(self) -> Mapping[str, object]:
        """Return a name."""
        return {"name": self.name}

    async def close(self) -> None:
        """Hold nothing."""


def answering(stop: threading.Event | None = None, *, resume: bool = False) -> Generate:
    def generate(questions: Path, answers: Path) -> Outcome:
        asked = [
            Request(str(row["id"]), (Message("user", str(row["question"])),))
            for row in rows_of(questions)
        ]
        return runner.run(
            asked, Failing(stop), place=answers, config={"model": "failing"}, resume=resume,
            to_row=lambda request, reply: {
                "id": request.key, "system": "failing", "answer": reply.text, "distortions": [],
            },
            stop=stop,
        )

    return generate


def test_what_got_no_answer_is_left_out_counted_and_not_asked_for_by_a_study(
    tmp_path: Path, now: datetime
) -> None:
    out = tmp_path / "data"
    order = Order(questions=psyqa(tmp_path), out=out, backend="failing", model="failing")
    made = build(order, generate=answering(), now=now)
    assert (made.finished, made.kept, made.rows, made.failed) == (True, 30, 24, 6)
    assert [row["id"] for row in rows_of(out / "questions.jsonl")] == [
        row["id"] for row in rows_of(out / "dataset.jsonl")
    ]
    assert made.gates == {"truncated": 24}
    assert json.loads((out / "manifest.json").read_text("utf-8"))["failures"] == {"empty": 6}


def test_a_build_that_was_stopped_goes_on_with_resume(tmp_path: Path, now: datetime) -> None:
    out = tmp_path / "data"
    order = Order(questions=psyqa(tmp_path), out=out, backend="failing", model="failing")
    made = build(order, generate=answering(threading.Event()), now=now)
    assert not made.finished
    assert not (out / "dataset.jsonl").exists()
    again = build(replace(order, resume=True), generate=answering(resume=True), now=now)
    assert (again.finished, again.rows) == (True, 24)


def test_nothing_left_after_cleaning_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "1", "question": "Why am I so tired all the time?"}\n', "utf-8")
    code, _, error = run("dataset", "build", "--questions", file, "--backend", "echo",
                         "--out", tmp_path / "out")
    assert code == 1
    assert "None of the 1 questions is left" in error
    assert not (tmp_path / "out").exists()


def test_statistics_show_the_paper_s_figures_and_never_invent_one(
    run: Run, tmp_path: Path
) -> None:
    file = built(run, tmp_path) / "dataset.jsonl"
    code, told, _ = run("dataset", "stats", file, "--out", tmp_path / "stats.json")
    assert code == 0
    assert "not published here" in told
    found = json.loads((tmp_path / "stats.json").read_text("utf-8"))
    assert found["entries"] == {"value": 30, "paper": 22327}
    assert found["labels"]["overgeneralization"]["paper"] == 0.64  # second-hand
    assert found["labels"]["mind-reading"]["paper"] is None
    assert found["lengths"]["answer"]["mean"]["note"] == "not published here"


def test_figures_of_a_file_worked_by_hand(tmp_path: Path) -> None:
    lines = [
        {"id": "1", "question": "我好累", "description": "", "answer": "您好。",
         "distortions": ["读心术", "mind-reading", "妄想"]},
        {"id": "2", "question": "怎么办呢", "description": "很难", "answer": "有什么证据吗？",
         "distortions": []},
    ]
    file = tmp_path / "dataset.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    found = stats_of(file, scheme="burns-12", language="zh")
    assert value(found, "with_distortion") == 1
    assert value(found, "with_distortion_share") == 0.5
    assert value(found, "labels", "mind-reading") == 1.0  # of the entries with a distortion
    assert found["unknown_distortions"] == {"妄想": 1}
    assert value(found, "lengths", "question", "mean") == 3.5
    assert value(found, "vocabulary", "characters") == len(set("我好累您怎么办呢很难有什么证据吗"))
    assert value(found, "steps", "3") == 0.5


def value(tree: object, *path: str) -> object:
    for name in (*path, "value"):
        assert isinstance(tree, Mapping)
        tree = tree[name]
    return tree


def test_a_split_leaves_out_what_a_study_asks_and_says_so(run: Run, tmp_path: Path) -> None:
    data = built(run, tmp_path)
    some = rows_of(data / "questions.jsonl")[:4]
    keys = {row["id"] for row in some}
    for name in ("questions", "answers"):
        kept = [row for row in rows_of(data / f"{name}.jsonl") if row["id"] in keys]
        (tmp_path / f"{name}.jsonl").write_text(
            "\n".join(json.dumps(row, ensure_ascii=False) for row in kept), "utf-8"
        )
    (tmp_path / "single.toml").write_text('[design]\npanel = "single"\n', "utf-8")
    made = run("study", "create", "small", "--title", "T", "--questions",
               tmp_path / "questions.jsonl", "--answers", tmp_path / "answers.jsonl",
               "--protocol", tmp_path / "single.toml", "--strict")
    assert made[0] == 0, made[2]
    split = ("dataset", "split", data / "dataset.jsonl", "--seed", 7, "--out")
    code, told, _ = run(*split, tmp_path / "a")
    assert code == 0
    assert "4 rows are like items of study small" in told
    report = json.loads((tmp_path / "a" / "split.json").read_text("utf-8"))
    assert set(report["excluded"]["small"]) == keys
    assert sum(report["counts"].values()) == 26
    assert report["leaks_between_parts"] == 0
    run(*split, tmp_path / "b")
    for name in ("train", "validation", "test"):
        first, second = (tmp_path / part / f"{name}.jsonl" for part in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_a_study_of_the_whole_folder_takes_its_questions_and_answers(
    run: Run, tmp_path: Path
) -> None:
    data = built(run, tmp_path)
    (tmp_path / "single.toml").write_text('[design]\npanel = "single"\n', "utf-8")
    code, told, error = run(
        "study", "create", "whole", "--title", "T", "--questions", data / "questions.jsonl",
        "--answers", data / "answers.jsonl", "--protocol", tmp_path / "single.toml",
    )
    assert code == 0, error
    assert "30 items, 30 answers" in told


def test_creating_a_study_tells_what_betrays_its_systems(run: Run, tmp_path: Path) -> None:
    file = betraying(tmp_path)
    code, told, _ = run("study", "create", "trial", "--title", "T", "--study-file", file)
    assert code == 0
    assert "baseline and zebra-lora can be told apart by form alone: AUC 1.00" in told
    assert "as an ai" not in told.lower()
    code, told, _ = run("study", "gates", "trial", "--out", tmp_path / "gates.json")
    assert code == 0
    found = json.loads((tmp_path / "gates.json").read_text("utf-8"))
    assert found["unblinding"][0]["told_apart"]
    assert "zebra" not in json.dumps(found)
    assert set(found["answers"]) == {"S1", "S2"}


def betraying(folder: Path) -> Path:
    """Write a study whose second system writes lists, and names itself once."""
    file = making.study_file(folder, items=12)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for line in lines:
        told = line["answers"]["zebra-lora"]
        line["answers"]["zebra-lora"] = f"1. 先休息。\n2. 再散步。\n3. {told}"
    lines[0]["answers"]["zebra-lora"] += "这是zebra-lora的建议。"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    return file


def test_a_name_found_in_a_masked_study_is_not_repeated(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = creation.create_study(
        database, TERMINAL, slug="trial", title="T", now=now,
        files=StudyFiles(study_file=betraying(tmp_path)),
    )
    found = answer_gates.gates_of_study(database, TERMINAL, slug="trial", now=now)
    (leak,) = (one for one in found.findings if one.gate == "leak_name")
    assert leak.item == "Q001"
    assert leak.value == ""
    with database.writing(made.study_id) as connection:
        studies.set_stage(connection, made.study_id, "unblinded")
    found = answer_gates.gates_of_study(database, TERMINAL, slug="trial", now=now)
    assert {"zebra-lora"} == {one.system for one in found.findings if one.gate == "leak_name"}


pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="commands name their own database file"
)


def whole_study(run: Run, folder: Path) -> Path:
    """Build a dataset and make a study of all of it."""
    data = built(run, folder)
    (folder / "single.toml").write_text('[design]\npanel = "single"\n', "utf-8")
    made = run("study", "create", "whole", "--title", "T", "--questions",
               data / "questions.jsonl", "--answers", data / "answers.jsonl",
               "--protocol", folder / "single.toml")
    assert made[0] == 0, made[2]
    return data


def test_a_split_of_which_a_study_has_taken_everything_is_refused_and_writes_nothing(
    run: Run, tmp_path: Path
) -> None:
    data = whole_study(run, tmp_path)
    code, _, error = run("dataset", "split", data, "--seed", 7, "--out", tmp_path / "s")
    assert code == 1
    assert "all 30 rows are near items of study whole" in error
    assert "--against-none" in error
    assert not (tmp_path / "s").exists()


def test_a_split_against_no_study_leaves_nothing_out(run: Run, tmp_path: Path) -> None:
    data = whole_study(run, tmp_path)
    code, _, error = run("dataset", "split", data, "--seed", 7, "--out", tmp_path / "s",
                         "--against-none")
    assert code == 0, error
    assert sum(len(rows_of(tmp_path / "s" / f"{name}.jsonl"))
               for name in ("train", "validation", "test")) == 30


def test_a_split_with_an_empty_part_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "two.jsonl"
    rows = rows_of(built(run, tmp_path) / "dataset.jsonl")[:2]
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    code, _, error = run("dataset", "split", file, "--seed", 7, "--out", tmp_path / "s")
    assert code == 1
    assert "Empty: " in error
    assert not (tmp_path / "s").exists()


def test_figures_are_the_same_of_the_folder_its_lines_and_its_parquet(
    run: Run, tmp_path: Path
) -> None:
    data = built(run, tmp_path)
    told = [run("dataset", "stats", file, "--no-words")
            for file in (data, data / "dataset.jsonl", data / "dataset.parquet")]
    assert [code for code, _, _ in told] == [0, 0, 0], told
    assert told[0][1] == told[1][1] == told[2][1]


def test_a_folder_without_a_dataset_and_a_false_parquet_are_refused(
    run: Run, tmp_path: Path
) -> None:
    code, _, error = run("dataset", "stats", tmp_path)
    assert (code, "no dataset.jsonl" in error) == (1, True)
    (tmp_path / "x.parquet").write_text("no", "utf-8")
    assert run("dataset", "stats", tmp_path / "x.parquet")[0] == 1


def test_a_row_says_whose_word_its_risk_is(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    rows = [{"id": f"q{number}", "question": record(number)["question"],
             "description": record(number)["description"], "licence": "CC0-1.0",
             **({"risk": "none"} if number == 1 else {})} for number in (1, 2)]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    code, _, error = run("dataset", "build", "--questions", file, "--backend", "echo",
                         "--out", tmp_path / "own", "--source", "own words")
    assert code == 0, error
    found = {row["id"]: (row["risk"], row["risk_by"])
             for row in rows_of(tmp_path / "own" / "dataset.jsonl")}
    assert found == {"q1": ("none", "given"), "q2": ("none", "rules")}
