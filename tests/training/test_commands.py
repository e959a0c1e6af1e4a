"""`train` and `train merge` at the terminal, against a database with a study."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core import cli
from cbt_core.services.runs import tuned_model
from db.engine import Database
from tests.generation.small_model import build
from tests.making import make_study
from tests.training.small_run import prompt_file, write_rows

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning",
                                        "ignore::UserWarning")

CONFIG = """
title = "small"
[model]
base = "{model}"
[data]
train = "{rows}"
prompt = "{prompt}"
language = "en"
max_tokens = 160
[schedule]
max_steps = 2
batch = 2
accumulation = 1
[compute]
precision = "fp32"
device = "cpu"
threads = 1
{more}
[provenance.chosen]
source = "a test"
values = ["base", "train", "prompt", "language", "max_tokens", "max_steps", "batch",
          "accumulation", "precision", "device", "threads"{named}]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small"))


def config(folder: Path, model: Path, *, more: str = "", named: str = "") -> Path:
    file = folder / "own.toml"
    file.write_text(CONFIG.format(
        model=model, rows=write_rows(folder / "rows.jsonl"), prompt=prompt_file(folder),
        more=more, named=named,
    ), "utf-8")
    return file


def terminal(tmp_path: Path, *arguments: object) -> int:
    database = f"sqlite:///{tmp_path / 'none.db'}"
    return cli.main([*map(str, arguments), "--database", database])


def test_a_configuration_becomes_an_adapter_and_a_merged_folder(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, merged = tmp_path / "adapter", tmp_path / "merged"
    assert terminal(tmp_path, "train", config(tmp_path, model), "--out", out) == 0
    said = capsys.readouterr().out
    assert "could not be checked" in said
    assert "step 1/2: loss" in said
    assert str(out) in said
    assert terminal(tmp_path, "train", "merge", out, "--out", merged) == 0
    assert (merged / "model.safetensors").is_file()
    settings = json.loads((out / "adapter_config.json").read_text("utf-8"))
    assert settings["base_model_name_or_path"] == str(model)
    assert not (out / "training_args.bin").exists()


def test_an_estimate_loads_nothing_and_writes_nothing(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(tmp_path, model)
    assert terminal(tmp_path, "train", file, "--estimate", "--out", tmp_path / "no") == 0
    assert "GiB" in capsys.readouterr().out
    assert not (tmp_path / "no").exists()


def test_a_second_run_into_the_folder_is_refused_in_one_sentence(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = config(tmp_path, model), tmp_path / "adapter"
    assert terminal(tmp_path, "train", file, "--out", out) == 0
    capsys.readouterr()
    assert terminal(tmp_path, "train", file, "--out", out, "--lang", "zh") == 1
    refused = capsys.readouterr().err
    assert "--resume" in refused
    assert "已有一次训练" in refused


def test_four_bit_weights_without_their_library_are_refused_in_a_sentence(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    file = config(tmp_path, model, more='quantisation = "nf4"', named=', "quantisation"')
    assert terminal(tmp_path, "train", file, "--out", tmp_path / "adapter") == 1
    assert "pip install bitsandbytes" in capsys.readouterr().err


def test_every_studys_questions_are_what_rows_are_held_against(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    assert tuned_model.study_questions(database) == []
    make_study(database, tmp_path, now)
    found = tuned_model.study_questions(database)
    assert found
    assert all(question for question, _ in found)


def test_a_missing_configuration_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terminal(tmp_path, "train", tmp_path / "none.toml") == 1
    assert "no such file" in capsys.readouterr().err
