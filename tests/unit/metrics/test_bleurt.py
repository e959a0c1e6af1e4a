"""BLEURT equals the published PyTorch port, which was run once on two tiny random checkpoints.

The recipe and its versions stand in fixtures/bleurt_recipe.py; the port itself does not import on
the transformers this project uses.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cbt_core.metrics.bleurt import Bleurt, shortened
from cbt_core.metrics.corpus import Task
from cbt_core.metrics.encoder import Unavailable

pytest.importorskip("torch")

FIXTURES = Path(__file__).parent / "fixtures"
PORT = json.loads((FIXTURES / "bleurt-outputs.json").read_text("utf-8"))
PAIRS = list(zip(PORT["references"], PORT["candidates"], strict=True))
LAYOUTS = ("bleurt-bert", "bleurt-20")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_scores_are_those_of_the_published_port(layout: str) -> None:
    found = Bleurt(str(FIXTURES / layout)).scores([Task((one,), (two,)) for one, two in PAIRS])
    np.testing.assert_allclose(np.concatenate(found)[:, 0], PORT[layout]["scores"], atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_tokens_are_those_of_the_published_port(layout: str) -> None:
    tokens = Bleurt(str(FIXTURES / layout)).tokens
    assert [tokens(*pair)[0] for pair in PAIRS] == PORT[layout]["input_ids"]


def test_the_best_reference_counts_and_cut_texts_are_marked() -> None:
    model = Bleurt(str(FIXTURES / "bleurt-20"))
    (one, first), (two, _), *_ = PAIRS
    both = model.scores([Task((one, two), (first,))])[0]
    single = [model.scores([Task((known,), (first,))])[0][0, 0] for known in (one, two)]
    assert both[0, 0] == pytest.approx(max(single), abs=1e-6)
    assert model.scores([Task((one,), ("念头" * 60,))])[0][0, 1] == 1


def test_a_pair_that_is_too_long_loses_the_end_of_the_longer_text() -> None:
    assert shortened([1] * 9, [2] * 2, 6) == ([1] * 4, [2] * 2)
    assert shortened([1] * 2, [2] * 9, 6) == ([1] * 2, [2] * 4)
    assert shortened([1] * 9, [2] * 9, 7) == ([1] * 4, [2] * 3)
    assert shortened([1], [2], 6) == ([1], [2])


def test_another_kind_of_checkpoint_is_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(FIXTURES / "bleurt-bert", folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}), "utf-8")
    with pytest.raises(Unavailable, match="not a BLEURT checkpoint"):
        Bleurt(str(folder))
    (folder / "config.json").write_text("{}", "utf-8")
    with pytest.raises(Unavailable, match="lucadiliello/BLEURT-20"):
        Bleurt(str(folder))


def test_a_checkpoint_without_vocabulary_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(FIXTURES / "bleurt-bert", folder)
    (folder / "vocab.txt").unlink()
    with pytest.raises(Unavailable, match=r"vocab\.txt"):
        Bleurt(str(folder))
