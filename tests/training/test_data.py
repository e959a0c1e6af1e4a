"""Only the answer is learned, its end token with it; the order repeats; nothing is lost."""

from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import Message
from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend
from cbt_core.generation.backend.model_folder import find
from tests.generation.small_model import build
from tests.training.small_run import described, write_rows
from training.config import TrainingConfig
from training.data import (
    IGNORED,
    AnswerCollator,
    Encoded,
    EpochOrder,
    answer_loss,
    encode,
    messages,
    read_rows,
)

torch = pytest.importorskip("torch")

END = 2


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small"))


def encoded(model: Path, config: TrainingConfig) -> Encoded:
    from cbt_core.generation.backend.model_weights import load_tokenizer, template_of

    source = find(str(model))
    tokenizer = load_tokenizer(source)
    rows = read_rows(config)
    return encode(rows.train, config, tokenizer, template_of(source, tokenizer, ""), END)


def test_the_answer_and_its_end_token_are_learned_and_nothing_else(
    model: Path, tmp_path: Path
) -> None:
    config = described(model, tmp_path / "run", validation_share=0.0).config
    example = encoded(model, config).examples[0]
    entry = read_rows(config).train[0]
    backend = TransformersBackend(LocalModel(str(model), dtype="fp32"))
    learned = [label for label in example.labels if label != IGNORED]
    assert backend.loaded.tokenizer.decode(learned[:-1]) == entry.answer
    assert learned[-1] == END
    assert example.tokens[: example.answer] == backend.prompt(messages(entry, config))
    assert set(example.labels[: example.answer]) == {IGNORED}


def test_an_answer_too_long_is_cut_without_an_end_token_and_counted(
    model: Path, tmp_path: Path
) -> None:
    config = described(model, tmp_path / "run", validation_share=0.0, max_tokens=60).config
    found = encoded(model, config)
    assert found.shortened == len(found.examples) > 0
    assert {len(one.tokens) for one in found.examples} == {60}
    assert all(one.tokens[-1] != END for one in found.examples)


def test_a_question_that_leaves_no_room_is_left_out(model: Path, tmp_path: Path) -> None:
    config = described(model, tmp_path / "run", max_tokens=20).config
    with pytest.raises(StudyError) as refused:
        encoded(model, config)
    assert refused.value.code == "training.all_too_long"


def test_scores_at_the_learned_places_alone_give_the_loss_of_the_whole(
    model: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    config = described(model, tmp_path / "run").config
    examples = encoded(model, config).examples[:3]
    ready = AutoModelForCausalLM.from_pretrained(model).eval()
    losses = []
    for picks in (True, False):
        batch = AnswerCollator(0, picks_places=picks)(examples)
        labels = batch.pop("labels")
        losses.append(answer_loss(ready(**batch), labels))
    whole = AnswerCollator(0, picks_places=False)(examples)
    full = torch.full_like(whole["input_ids"], IGNORED)
    for row, one in enumerate(examples):
        full[row, : len(one.labels)] = torch.tensor(one.labels)
    own = ready(input_ids=whole["input_ids"], attention_mask=whole["attention_mask"], labels=full)
    assert losses[0].item() == pytest.approx(own.loss.item(), abs=1e-5)
    assert losses[1].item() == pytest.approx(own.loss.item(), abs=1e-5)


def test_padding_is_never_learned_although_it_may_be_the_end_token(
    model: Path, tmp_path: Path
) -> None:
    examples = encoded(model, described(model, tmp_path / "run").config).examples
    batch = AnswerCollator(END, picks_places=False)(examples)
    learned = sum(label != IGNORED for one in examples for label in one.labels)
    assert int((batch["labels"] != IGNORED).sum()) == learned


def test_an_order_is_drawn_by_seed_and_epoch_and_holds_every_row_once() -> None:
    lengths = [(7 * i) % 50 for i in range(203)]
    order = EpochOrder(lengths, batch=4, seed=1)
    first, again = list(order), list(EpochOrder(lengths, batch=4, seed=1))
    order.set_epoch(1)
    second = list(order)
    assert first == again != second
    assert sorted(first) == sorted(second) == list(range(203))


def test_batches_hold_rows_of_like_length() -> None:
    lengths = [(7 * i) % 500 for i in range(512)]

    def padding(by_length: bool) -> int:
        order = list(EpochOrder(lengths, batch=4, seed=1, by_length=by_length))
        batches = [[lengths[i] for i in order[at : at + 4]] for at in range(0, len(order), 4)]
        return sum(4 * max(one) - sum(one) for one in batches)

    assert padding(True) < padding(False) / 5


def test_rows_set_apart_are_drawn_by_seed_and_none_is_in_both(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl")
    config = described(tmp_path, tmp_path / "rows").config
    rows = read_rows(config)
    keys = {one.key for one in rows.train}, {one.key for one in rows.validation}
    assert (len(keys[0]), len(keys[1])) == (12, 4)
    assert not keys[0] & keys[1]
    assert read_rows(config).digest == rows.digest


def test_messages_go_through_the_prompt_file(tmp_path: Path) -> None:
    config = described(tmp_path, tmp_path / "run", prompt="cbt-llm").config
    entry = read_rows(config).train[0]
    turns = messages(entry, config)
    assert isinstance(turns[0], Message)
    assert turns[0].content.endswith(f"Human: {entry.question}{entry.description}\nAssistant: ")
