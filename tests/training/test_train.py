"""Runs of seconds on a small real architecture: what a run must leave behind, and survive."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import Decoding, Message, Request
from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend
from tests.conftest import NOW
from tests.generation.small_model import build
from tests.training.small_run import described, silent
from training import run_record
from training.merge import merge
from training.run_record import last_whole_checkpoint
from training.train import Wishes, train

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning",
                                        "ignore::UserWarning")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def adapter(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return train(described(model, folder), Wishes(against=[]), tell=silent, now=NOW)


def losses(folder: Path) -> list[tuple[float, float]]:
    found = run_record.read_manifest(folder)
    assert found is not None
    return [(one["step"], one["loss"]) for one in found["curve"]]  # type: ignore[attr-defined]


def scores(backend: TransformersBackend) -> "torch.Tensor":
    tokens = backend.prompt((Message("user", "I fear the exam 1 I always fail."),))
    with torch.inference_mode():
        return backend.loaded.model(input_ids=torch.tensor([tokens])).logits


def test_the_loss_falls(adapter: Path) -> None:
    curve = losses(adapter)
    assert [step for step, _ in curve] == list(range(1, 13))
    assert curve[-1][1] < 0.9 * curve[0][1]


def test_a_run_leaves_adapter_card_settings_manifest_and_tensorboard(adapter: Path) -> None:
    found = run_record.read_manifest(adapter)
    assert found is not None
    assert found["state"] == "finished"
    for key in ("data_digest", "config_digest", "versions", "tokens_per_second", "peak_bytes",
                "checks", "best_checkpoint", "precision", "device"):
        assert found[key], key
    card = (adapter / "README.md").read_text("utf-8")
    assert str(found["data_digest"]) in card
    assert "Not for clinical use" in card
    assert "不得用于临床" in card
    settings = json.loads((adapter / "config.json").read_text("utf-8"))
    assert settings["r"] == {"value": 4, "origin": "default"}
    assert list((adapter / "tensorboard").glob("events*"))


def test_the_adapter_alone_changes_what_the_model_says(model: Path, adapter: Path) -> None:
    bare = TransformersBackend(LocalModel(str(model), dtype="fp32"))
    tuned = TransformersBackend(LocalModel(str(model), adapter=str(adapter), dtype="fp32"))
    request = [Request("q", (Message("user", "I fear the exam 1"),), Decoding(max_new_tokens=20))]
    assert bare.answers(request) != tuned.answers(request)
    digest = tuned.describe()["adapter"]["digest"]  # type: ignore[index]
    assert len(digest) == 64


def test_the_adapter_reloads_to_the_scores_of_the_run(model: Path, adapter: Path) -> None:
    first = scores(TransformersBackend(LocalModel(str(model), adapter=str(adapter), dtype="fp32")))
    again = scores(TransformersBackend(LocalModel(str(model), adapter=str(adapter), dtype="fp32")))
    assert torch.equal(first, again)


def test_the_merged_folder_says_what_the_adapter_says(
    model: Path, adapter: Path, tmp_path: Path
) -> None:
    merged = merge(adapter, tmp_path / "merged")
    assert merged.difference < 1e-3
    laid = scores(TransformersBackend(LocalModel(str(model), adapter=str(adapter), dtype="fp32")))
    alone = scores(TransformersBackend(LocalModel(str(merged.folder), dtype="fp32")))
    assert (laid - alone).abs().max() < 1e-3
    assert (merged.folder / "README.md").is_file()
    with pytest.raises(StudyError) as refused:
        merge(adapter, merged.folder)
    assert refused.value.code == "training.out_taken"


def test_an_adapter_of_another_model_is_refused(adapter: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, LlamaConfig

    small = LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
                        num_attention_heads=2)
    build(tmp_path)
    AutoModelForCausalLM.from_config(small).save_pretrained(tmp_path)
    with pytest.raises(StudyError) as refused:
        _ = TransformersBackend(LocalModel(str(tmp_path), adapter=str(adapter))).loaded
    assert refused.value.code == "local_model.adapter_mismatch"


def run(model: Path, folder: Path, resume: str, deadly: int) -> tuple[int, list[int]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.training.killed", str(model), str(folder),
         resume, str(deadly)], cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr[-600:]
    return done.returncode, [int(step) for step in done.stdout.split()]


def test_a_killed_run_goes_on_to_the_same_curve(
    model: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "whole"  # the same data file name, so the same settings
    assert run(model, folder, "anew", 7) == (-9, [1, 2, 3, 4, 5, 6, 7])
    assert last_whole_checkpoint(folder).name == "checkpoint-4"  # type: ignore[union-attr]
    half = folder / "checkpoints" / "checkpoint-6"  # as if killed while writing it
    half.mkdir()
    (half / "trainer_state.json").write_text('{"global', "utf-8")
    assert run(model, folder, "resume", 0) == (0, [5, 6, 7, 8, 9, 10, 11, 12])
    assert [step for step, _ in losses(folder)] == [step for step, _ in losses(adapter)]
    whole = [loss for _, loss in losses(adapter)]
    assert [loss for _, loss in losses(folder)] == pytest.approx(whole, abs=1e-4)


def test_a_folder_with_a_run_is_not_written_over(model: Path, adapter: Path) -> None:
    settings = described(model, adapter)
    with pytest.raises(StudyError) as taken:
        train(settings, Wishes(), tell=silent, now=NOW)
    with pytest.raises(StudyError) as finished:
        train(settings, Wishes(resume=True), tell=silent, now=NOW)
    assert (taken.value.code, finished.value.code) == (
        "training.folder_taken", "training.finished_before"
    )


def test_a_run_of_other_settings_is_not_gone_on_with(
    model: Path, tmp_path: Path, now: datetime
) -> None:
    settings = described(model, tmp_path / "run")
    run_record.write_manifest(
        tmp_path / "run", {"state": "running", "config_digest": "a", "data_digest": "b"}
    )
    with pytest.raises(StudyError) as refused:
        train(settings, Wishes(resume=True), tell=silent, now=now)
    assert refused.value.code == "training.other_run"


def test_rows_that_stand_in_a_study_are_refused_unless_allowed(
    model: Path, tmp_path: Path, now: datetime
) -> None:
    settings = described(model, tmp_path / "run", max_steps=1)
    against = [("I fear work 15", ""), ("Something else altogether, of other words", "")]
    with pytest.raises(StudyError) as refused:
        train(settings, Wishes(against=against), tell=silent, now=now)
    assert refused.value.code == "training.leakage"
    assert refused.value.values["count"] == 1
    assert "fear" not in str(refused.value)
    folder = train(settings, Wishes(against=against, allow_leakage=True), tell=silent, now=now)
    assert "1 rows also stand in a study" in (folder / "README.md").read_text("utf-8")


def test_no_room_is_told_before_loading_and_while_training(
    model: Path, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = described(model, tmp_path / "run")
    with monkeypatch.context() as patched:
        patched.setattr("training.demand.room_on", lambda _device: 1000)
        with pytest.raises(StudyError) as refused:
            train(settings, Wishes(), tell=silent, now=now)
    assert refused.value.code == "training.will_not_fit"

    def full(*_args: object, **_kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("training.trainer.AnswerTrainer.training_step", full)
    with pytest.raises(StudyError) as ended:
        train(settings, Wishes(), tell=silent, now=now)
    assert ended.value.code == "training.out_of_memory"


def test_training_stops_when_validation_no_longer_gains(
    model: Path, tmp_path: Path, now: datetime
) -> None:
    settings = described(
        model,
        tmp_path / "run",
        learning_rate=1.0,
        scheduler="constant",
        evaluate_every=1,
        patience=2,
        max_steps=30,
    )
    folder = train(settings, Wishes(), tell=silent, now=now)
    found: Mapping[str, object] = run_record.read_manifest(folder) or {}
    assert int(str(found["steps"])) < 30
    kept = min(found["checks"], key=lambda one: one["loss"])  # type: ignore[call-overload]
    assert found["best_checkpoint"] == f"checkpoint-{kept['step']}"
