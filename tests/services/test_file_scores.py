"""The command `score`: files in, JSON and scores of each answer out, refusals with FILE:ROW."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cbt_core.cli import main
from cbt_core.metrics import segmentation

TEXTS = ["我今天很难过", "你可以先写下来", "看看有没有证据"]


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> str:
    file = folder / name
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return str(file)


def answers(system: str, texts: list[str]) -> list[dict[str, Any]]:
    return [{"id": f"q{at}", "system": system, "answer": text} for at, text in enumerate(texts)]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Write two systems' answers and their references."""
    return {
        "a": write(tmp_path, "a.jsonl", answers("A", TEXTS)),
        "b": write(tmp_path, "b.jsonl", answers("B", [text[:3] for text in TEXTS])),
        "references": write(tmp_path, "r.jsonl", [
            {"id": row["id"], "answer": row["answer"]} for row in answers("", TEXTS)
        ]),
    }


def run(files: dict[str, str], folder: Path, *more: str, metrics: str = "bleu,chrf") -> int:
    return main(["score", "--candidates", files["a"], "--candidates", files["b"],
                 "--references", files["references"], "--metrics", metrics, "--no-cache",
                 "--out", str(folder / "o.json"), *more])


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "o.json").read_text("utf-8"))
    return found


def test_the_json_has_the_keys_of_the_contract(files: dict[str, str], tmp_path: Path) -> None:
    assert run(files, tmp_path) == 0
    found = read(tmp_path)
    assert {"signature", "systems", "comparisons"} <= found.keys()
    assert found["systems"]["A"]["bleu"].keys() == {"value", "low", "high", "signature", "reason"}
    assert found["systems"]["A"]["bleu"]["value"] == pytest.approx(100)
    assert {"a", "b", "metric", "difference", "low", "high", "p", "reason"} <= (
        found["comparisons"][0].keys())
    assert found["family_size"] == 2


def test_the_table_shows_the_papers_cells_and_leaves_the_unknown_ones(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(files, tmp_path)
    told = capsys.readouterr().out
    assert "0.2648" in told
    assert "not published here" in told
    assert "0-1" in told


def test_the_chinese_table_is_chinese(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(files, tmp_path, "--lang", "zh")
    assert "此处未公布" in capsys.readouterr().out


def test_the_scores_of_each_answer_are_written_without_texts(
    files: dict[str, str], tmp_path: Path
) -> None:
    assert run(files, tmp_path, "--segments", str(tmp_path / "s.jsonl")) == 0
    text = (tmp_path / "s.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 2 * 2 * 3
    best = [row["value"] for row in rows if (row["system"], row["metric"]) == ("A", "bleu")]
    assert best == pytest.approx([100, 100, 100])
    assert "eff:yes" in rows[0]["signature"]
    assert not any(part in text for part in TEXTS)


def test_a_metric_that_cannot_run_does_not_fail_the_others_but_alone_it_does(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(files, tmp_path, metrics="bleu,bleurt") == 0
    cell = read(tmp_path)["systems"]["A"]["bleurt"]
    assert cell["value"] is None
    assert "--model bleurt=" in cell["reason"]
    capsys.readouterr()
    assert run(files, tmp_path, metrics="bleurt") == 1
    assert "no metric could be computed" in capsys.readouterr().err


def test_what_is_wrong_in_a_file_is_told_with_file_and_row(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = write(tmp_path, "wrong.jsonl", [
        *answers("C", TEXTS), {"id": "q9", "system": "C", "answer": "好"},
        {"id": "q0", "system": "C", "answer": "再来一次"}, {"id": "q1", "answer": "没有系统"},
        {"id": "q2", "system": "D"},
    ])
    assert run({**files, "b": wrong}, tmp_path) == 1
    told = capsys.readouterr().err
    assert f"{wrong}:4: id: there is no reference for q9" in told
    assert f"{wrong}:5: id: this system has answered this id in {wrong}, row 1" in told
    assert f"{wrong}:6: system:" in told
    assert f"{wrong}:7: answer:" in told
    assert not (tmp_path / "o.json").exists()


def test_the_same_file_twice_is_refused(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run({**files, "b": files["a"]}, tmp_path) == 1
    assert "row 1; keep one answer" in capsys.readouterr().err


def test_an_empty_answer_is_scored_and_told(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = write(tmp_path, "empty.jsonl", answers("B", ["", "  ", "看看有没有证据"]))
    assert run({**files, "b": empty}, tmp_path, metrics="bleu,chrf,meteor") == 0
    assert f"warning: {empty}:1: answer: the answer is empty" in capsys.readouterr().err
    assert read(tmp_path)["systems"]["B"]["chrf"]["value"] > 0


def test_a_missing_file_is_refused_and_a_wrong_option_is_wrong_usage(
    files: dict[str, str], tmp_path: Path
) -> None:
    assert run({**files, "b": str(tmp_path / "none.jsonl")}, tmp_path) == 1
    assert run(files, tmp_path, metrics="bleu,rouge") == 2
    assert run(files, tmp_path, "--model", "bleu=x") == 2
    assert run(files, tmp_path, "--synonyms", str(tmp_path / "none.txt")) == 1


def test_synonyms_raise_meteor(files: dict[str, str], tmp_path: Path) -> None:
    other = write(tmp_path, "c.jsonl", answers("B", ["我今天很伤心", *TEXTS[1:]]))
    (tmp_path / "synonyms.txt").write_text("难过 伤心\n", "utf-8")
    run({**files, "b": other}, tmp_path, metrics="meteor")
    without = read(tmp_path)["systems"]["B"]["meteor"]
    run({**files, "b": other}, tmp_path, "--synonyms", str(tmp_path / "synonyms.txt"),
        metrics="meteor")
    with_them = read(tmp_path)["systems"]["B"]["meteor"]
    assert with_them["value"] > without["value"]
    assert "exact+syn#" in with_them["signature"]


@pytest.mark.parametrize(
    ("metric", "module", "package"),
    [("meteor", "jieba", "jieba"), ("bleu", "sacrebleu.metrics.bleu", "sacrebleu"),
     ("bertscore", "transformers", "transformers")],
)
def test_without_its_package_a_metric_is_null_and_says_what_to_install(
    metric: str, module: str, package: str, files: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as Python sees what is not installed
    segmentation._jieba.cache_clear()
    more = ("--model", f"bertscore={tmp_path}") if metric == "bertscore" else ()
    assert run(files, tmp_path, *more, metrics=f"{metric},structure") == 0
    found = read(tmp_path)["systems"]["A"]
    assert found[metric]["value"] is None
    assert f"needs the package {package}" in found[metric]["reason"]
    assert "pip install -r requirements.txt" in found[metric]["reason"]
    assert any(one["value"] is not None for name, one in found.items() if name != metric)
