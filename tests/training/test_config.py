"""A configuration file says where each value comes from, and what it would take."""

from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend.profiles import names, profile
from training import demand
from training.config import plain, read_config
from training.data import questions, read_rows
from training.demand import estimate, estimated, parameters, refuse_too_large

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "training" / "configs").glob("*.toml"))
PAPER = ("baichuan-7b", "qwen-7b", "llama-chinese-7b", "alpaca-chinese-7b")


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_shipped_configuration_reads_and_says_where_its_values_come_from(file: Path) -> None:
    described = read_config(file)
    assert described.origins
    assert described.origin("scheduler") == "paper"
    assert described.config.scheduler == "cosine"
    assert all(described.sources[origin] for origin in set(described.origins.values()))


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_backbones_keep_its_known_values_and_mark_the_rest(name: str) -> None:
    described = read_config(next(file for file in CONFIGS if file.stem == name))
    config = described.config
    # CBT-LLM (arXiv 2403.16008): cosine, accumulation 4, 16-bit mixed; the rest is not published
    assert (config.scheduler, config.accumulation, config.precision) == ("cosine", 4, "fp16")
    # LLaMA-Factory README and hparams of 2023-10-16, commit ea83b322
    assert (config.r, config.alpha, config.dropout, config.learning_rate) == (8, 32, 0.1, 5e-5)
    assert (config.batch, config.epochs, config.max_tokens) == (4, 3.0, 1024)
    for value in ("r", "alpha", "dropout", "learning_rate", "batch", "epochs", "max_tokens"):
        assert described.origin(value) == "assumed"
    assert config.target_modules == profile(name).target_modules


@pytest.mark.parametrize(
    ("change", "code"),
    [(('values = ["base"', 'values = ["epochz", "base"'), "training.unknown_value"),
     (('"epochs", ', ""), "training.no_origin"),
     (('values = ["scheduler"]', 'values = ["scheduler", "epochs"]'), "training.two_origins"),
     (("epochs = 10", "epoch = 10"), "instruments.unknown_key_near"),
     (("epochs = 10", "epochs = 0"), "instruments.not_number"),
     (('scheduler = "cosine"', 'scheduler = "linea"'), "instruments.not_option")],
)
def test_a_mistake_in_a_configuration_is_named(
    change: tuple[str, str], code: str, tmp_path: Path
) -> None:
    text = next(file for file in CONFIGS if file.stem == "tiny").read_text("utf-8")
    assert change[0] in text
    (tmp_path / "own.toml").write_text(text.replace(*change), "utf-8")
    with pytest.raises(StudyError) as refused:
        read_config(tmp_path / "own.toml")
    assert refused.value.code == code
    assert str(refused.value)


def test_the_digest_follows_what_decides_the_result_and_not_the_folder(tmp_path: Path) -> None:
    text = next(file for file in CONFIGS if file.stem == "tiny").read_text("utf-8")
    digests = []
    for old, new in (("", ""), ("data/training/tiny", "elsewhere"), ("seed = 1", "seed = 2")):
        (tmp_path / "own.toml").write_text(text.replace(old, new) if old else text, "utf-8")
        digests.append(read_config(tmp_path / "own.toml").config.digest)
    assert digests[0] == digests[1] != digests[2]


def test_the_demonstrations_pairs_stand_in_no_demonstration_study() -> None:
    import json

    from cbt_core.demo.simulated import demo_file
    from cbt_core.generation.dataset.near_texts import question_matches

    described = read_config(next(file for file in CONFIGS if file.stem == "tiny"))
    asked = questions(read_rows(described.config))
    for language in ("zh", "en"):
        items = [json.loads(line) for line in demo_file(language).read_text("utf-8").splitlines()]
        against = [(one["question"], one["description"]) for one in items]
        assert question_matches(asked, against) == []


def test_baichuans_size_is_the_published_one() -> None:
    shape = profile("baichuan-7b").shape
    assert shape is not None
    assert parameters(shape) == 7_000_559_616  # as its model card says


@pytest.mark.parametrize("name", names())
def test_every_profile_is_complete_and_says_what_was_not_run(name: str) -> None:
    found = profile(name)
    assert found.licence
    assert found.target_modules
    assert found.note("zh")
    assert found.note("en")
    assert found.shape is not None
    assert found.run_here == (name == "tiny")
    assert found.template.kind in {"chat", "plain"}


def test_an_estimate_grows_with_batch_and_shrinks_with_checkpointing_and_four_bits() -> None:
    from dataclasses import replace

    described = read_config(next(file for file in CONFIGS if file.stem == "baichuan-7b"))
    shape = profile("baichuan-7b").shape
    assert shape is not None

    def total(**change: object) -> int:
        config = replace(described.config, **change)  # type: ignore[arg-type]
        return estimate(shape, config, precision="fp16", targets=("W_pack",)).total

    assert total() < 32 * 2**30  # the paper's V100 has 32 GB
    assert total(batch=8) > total()
    assert total(gradient_checkpointing=False) > total()
    assert total(quantisation="nf4") < total() - 8 * 2**30


def test_an_estimate_needs_neither_the_weights_nor_consent_to_foreign_code() -> None:
    described = read_config(next(file for file in CONFIGS if file.stem == "baichuan-7b"))
    shown = estimated(described)
    assert shown["parameters"] == "7,000.6"


def test_weights_larger_than_the_memory_are_refused() -> None:
    described = read_config(next(file for file in CONFIGS if file.stem == "baichuan-7b"))
    shape = profile("baichuan-7b").shape
    assert shape is not None
    found = estimate(shape, described.config, precision="fp16", targets=("W_pack",))
    with pytest.raises(StudyError) as refused:
        refuse_too_large(found, 8 * 2**30)
    assert refused.value.code == "training.will_not_fit"


def test_a_gpu_the_build_does_not_carry_is_refused() -> None:
    # V100 is sm_70; builds for CUDA 13 begin at sm_75
    with pytest.raises(StudyError) as refused:
        demand.refuse_missing_build("sm_70", ["sm_75", "sm_80", "sm_90"])
    assert refused.value.code == "training.not_in_build"
    demand.refuse_missing_build("sm_70", ["sm_70", "sm_80"])
    demand.refuse_missing_build("sm_86", ["sm_80", "sm_90"])


def test_half_precision_is_refused_on_a_cpu() -> None:
    with pytest.raises(StudyError) as refused:
        demand.choose_precision("fp16", "cpu")
    assert refused.value.code == "training.fp16_on_cpu"


def test_a_configuration_survives_json() -> None:
    import json

    described = read_config(next(file for file in CONFIGS if file.stem == "tiny"))
    assert json.loads(json.dumps(plain(described.config)))["base"] == "tiny"
