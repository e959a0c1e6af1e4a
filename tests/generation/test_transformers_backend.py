"""The local backend: batches change nothing, seeds repeat, ends are told, memory gives way."""

import asyncio
import threading
from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import Decoding, Failure, Message, Reply, Request
from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend
from tests.generation.small_model import build

torch = pytest.importorskip("torch")

TEXTS = ("a", "How can I stop thinking so?", "我觉得自己不会", "b" * 60, "我想", "no", "x y z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small"))


@pytest.fixture
def backend(folder: Path) -> TransformersBackend:
    return TransformersBackend(LocalModel(str(folder), dtype="fp32", threads=1))


def requests(**decoding: object) -> list[Request]:
    drawn = Decoding(**{"max_new_tokens": 12, **decoding})  # type: ignore[arg-type]
    return [Request(f"q{i}", (Message("user", text),), drawn) for i, text in enumerate(TEXTS)]


def texts(replies: object) -> list[str]:
    return [one.text for one in replies]  # type: ignore[attr-defined]


@pytest.mark.parametrize("decoding", [{}, {"temperature": 0.8, "top_p": 0.9}])
def test_a_batch_says_what_each_alone_would_say(
    backend: TransformersBackend, decoding: dict[str, object]
) -> None:
    together = backend.answers(requests(**decoding))
    alone = [backend.answers([one])[0] for one in requests(**decoding)]
    assert texts(together) == texts(alone)
    assert [one.key for one in together] == [f"q{i}" for i in range(len(TEXTS))]


def test_the_same_seed_says_the_same_and_another_does_not(backend: TransformersBackend) -> None:
    first = texts(backend.answers(requests(temperature=1.0, seed=1)))
    again = texts(backend.answers(requests(temperature=1.0, seed=1)))
    other = texts(backend.answers(requests(temperature=1.0, seed=2)))
    assert first == again
    assert first != other


def test_one_question_asked_twice_is_drawn_twice(backend: TransformersBackend) -> None:
    drawn = Decoding(max_new_tokens=12, temperature=1.0)
    turns = (Message("user", "a"),)
    one, two = backend.answers([Request("q", turns, drawn), Request("q#2", turns, drawn)])
    assert texts([one]) != texts([two])


def test_a_low_temperature_comes_near_the_greedy_reply(backend: TransformersBackend) -> None:
    greedy = texts(backend.answers(requests()))
    assert texts(backend.answers(requests(temperature=1e-4))) == greedy


def test_a_reply_that_ends_is_told_from_one_that_is_cut(
    backend: TransformersBackend, folder: Path
) -> None:
    place, cut = next(
        (place, one) for place, one in enumerate(backend.answers(requests()))
        if isinstance(one, Reply) and one.finish == "length"
    )
    assert cut.reply_tokens == 12
    letter = cut.text[3]
    ending = TransformersBackend(LocalModel(str(folder), dtype="fp32"))
    ending.__dict__["loaded"] = _ends_at(backend, backend.loaded.tokenizer.encode(letter)[0])
    stopped = ending.answers(requests()[place : place + 1])[0]
    assert isinstance(stopped, Reply)
    assert stopped.finish == "stop"
    assert stopped.text == cut.text[: cut.text.index(letter)]


def _ends_at(backend: TransformersBackend, token: int) -> object:
    from dataclasses import replace

    return replace(backend.loaded, ends=(token,))


def test_too_little_memory_makes_the_batch_smaller(backend: TransformersBackend) -> None:
    whole = texts(backend.answers(requests()))
    _room_for(backend, 2)
    assert texts(backend.answers(requests())) == whole
    assert backend.rows == 2
    assert backend.describe()["batch"] == 2


def test_a_request_that_finds_no_room_alone_fails_and_others_wait_their_turn(
    backend: TransformersBackend,
) -> None:
    _room_for(backend, 0)
    failed = backend.answers(requests())
    assert {one.cause for one in failed if isinstance(one, Failure)} == {"out_of_memory"}
    assert len(failed) == len(TEXTS)


def _room_for(backend: TransformersBackend, rows: int) -> None:
    """Let the model itself run out of memory above so many rows."""
    real = backend.loaded.model.forward

    def forward(*args: object, **kwargs: object) -> object:
        if kwargs["input_ids"].shape[0] > rows:  # type: ignore[attr-defined]
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*args, **kwargs)

    backend.loaded.model.forward = forward


def test_a_question_longer_than_the_context_fails_alone(backend: TransformersBackend) -> None:
    long = Request("long", (Message("user", "a" * 600),))
    failed, answered = backend.answers([long, requests()[0]])
    assert isinstance(failed, Failure)
    assert (failed.cause, failed.passing) == ("bad_request", False)
    assert isinstance(answered, Reply)


def test_a_plain_template_is_used_where_the_tokenizer_has_none(tmp_path: Path) -> None:
    plain = TransformersBackend(LocalModel(str(build(tmp_path, template=False))))
    turns = (Message("system", "you help"), Message("user", "hi"))
    tokens = plain.prompt(turns)
    said = plain.loaded.tokenizer.decode(tokens)
    assert said == "you help\nHuman: hi\nAssistant: "
    assert plain.prompt((Message("user", said),)) == tokens


def test_the_event_loop_stays_free_while_the_model_works(backend: TransformersBackend) -> None:
    async def both() -> tuple[int, set[int]]:
        ticks, threads = 0, set()
        asked = asyncio.create_task(backend.reply(requests(max_new_tokens=60)))
        while not asked.done():
            await asyncio.sleep(0.005)
            ticks += 1
            threads.add(threading.get_ident())
        await backend.close()
        return ticks, threads

    ticks, threads = asyncio.run(both())
    assert ticks > 3
    assert threads == {threading.get_ident()}


def test_closing_ends_a_reply_that_is_being_written(backend: TransformersBackend) -> None:
    async def closed_early() -> object:
        asked = asyncio.create_task(backend.reply(requests(max_new_tokens=400)))
        await asyncio.sleep(0.3)
        await backend.close()
        return await asked

    replies = asyncio.run(closed_early())
    assert {one.detail for one in replies} == {"closed"}  # type: ignore[attr-defined]


def test_the_manifest_names_weights_device_and_number_format(backend: TransformersBackend) -> None:
    said = backend.describe()
    assert said["backend"] == "transformers"
    assert (said["device"], said["dtype"], said["adapter"]) == ("cpu", "fp32", None)
    assert len(str(said["digest"])) == 64


@pytest.mark.parametrize(
    ("model", "code"),
    [("nowhere", "local_model.no_model"), ("nobody/nothing-here", "local_model.not_here"),
     ("baichuan-7b", "local_model.remote_code"), ("no-file.gguf", "local_model.no_model")],
)
def test_a_model_that_is_not_here_is_refused_in_a_sentence(model: str, code: str) -> None:
    with pytest.raises(StudyError) as refused:
        _ = TransformersBackend(LocalModel(model)).loaded
    assert refused.value.code == code


def test_code_of_others_needs_consent_and_a_fixed_revision() -> None:
    with pytest.raises(StudyError) as refused:
        TransformersBackend(LocalModel("baichuan-7b", trust_remote_code=True))
    assert refused.value.code == "local_model.revision_needed"


def test_an_adapter_folder_is_not_taken_for_a_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", "utf-8")
    with pytest.raises(StudyError) as refused:
        TransformersBackend(LocalModel(str(tmp_path)))
    assert refused.value.code == "local_model.adapter_not_model"
