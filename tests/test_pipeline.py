"""`make pipeline` goes the whole way: here with a model built in a moment and few questions."""

import csv
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from cbt_core.settings import ROOT
from tests.generation.small_model import build

pytestmark = pytest.mark.slow


def go(out: Path, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    mine = {key: value for key, value in os.environ.items() if not key.startswith("CONCORD_")}
    return subprocess.run(
        [ROOT / ".ci" / "pipeline"], capture_output=True, text=True, check=False,
        env={**mine, "PIPELINE_OUT": str(out), **settings},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pipeline")
    model = build(place / "model", context=1024)
    done = go(place / "out", {"PIPELINE_MODEL": str(model), "PIPELINE_ITEMS": "4",
                              "PIPELINE_EPOCHS": "1", "PIPELINE_TOKENS": "40"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return place / "out"


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_what_the_dataset_holds_is_what_the_model_was_tuned_on(made: Path) -> None:
    record = json.loads((made / "adapter" / "manifest.json").read_text("utf-8"))
    assert record["state"] == "finished"
    assert record["train_rows"] == len(lines(made / "split" / "train.jsonl"))
    assert record["leaked_rows"] == 0


def test_both_models_answered_and_were_scored(made: Path) -> None:
    asked = [row["id"] for row in lines(made / "questions.jsonl")]
    assert [row["id"] for row in lines(made / "baseline.jsonl")] == asked
    tuned = lines(made / "tuned.jsonl")
    assert [row["id"] for row in tuned] == asked
    assert all(row["adapter"] for row in tuned)
    scores = json.loads((made / "scores.json").read_text("utf-8"))
    assert set(scores["systems"]) == {"baseline", "tuned"}
    assert scores["systems"]["tuned"]["chrf"]["value"] is not None


def test_every_rater_rated_every_answer_and_the_numbers_follow(made: Path) -> None:
    with (made / "export" / "ratings.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 2 * 3
    agreement = json.loads((made / "agreement.json").read_text("utf-8"))
    assert agreement["scales"]["relevance"]["ALL"]["n_complete_units"] == 8
    compare = json.loads((made / "compare.json").read_text("utf-8"))
    assert compare["scales"]["structure"]["comparisons"][0]["system"] == "tuned"


def test_the_report_says_that_nothing_was_collected(made: Path) -> None:
    html = (made / "report" / "report.html").read_text("utf-8")
    assert "demonstration" in html.lower()
    assert "simulated" in html.lower()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", "utf-8")
    done = go(tmp_path, {})
    assert done.returncode == 1
    assert "was not made by this script" in done.stderr
    assert (tmp_path / "mine.txt").exists()
