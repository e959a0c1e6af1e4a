"""A real model (SmolLM2-135M, from its package) answers, directly and over an endpoint."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbt_core.demo.simulated import demo_file
from cbt_core.generation.backend.exchange import Decoding, Message, Reply, Request
from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend
from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend
from tests.generation.model_endpoint import application

pytest.importorskip("torch")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

COUNT = 20


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    """Load the model in fp32; it is converted once, where CONCORD_MODELS says or for this test."""
    kept = os.environ.get("CONCORD_MODELS") or str(tmp_path_factory.mktemp("models"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CONCORD_MODELS", kept)
        made = TransformersBackend(LocalModel("tiny", dtype="fp32"))
        made.describe()
    return made


@pytest.fixture
def address(backend: TransformersBackend) -> Iterator[str]:
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(application(backend), port=0, log_level="error", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    server.should_exit = True
    thread.join()


def requests() -> list[Request]:
    lines = demo_file("en").read_text("utf-8").splitlines()[:COUNT]
    return [
        Request(item["id"], (Message("user", item["question"]),), Decoding(max_new_tokens=24))
        for item in map(json.loads, lines)
    ]


def test_twenty_questions_are_answered_in_english_and_the_endpoint_says_the_same(
    backend: TransformersBackend, address: str
) -> None:
    async def ask() -> list[object]:
        client = OpenAIBackend("tiny", Endpoint(base_url=address, allowed=("127.0.0.1",)),
                               environment={"OPENAI_API_KEY": "none"})
        found = await asyncio.gather(*(client.reply([one]) for one in requests()))
        await client.close()
        return [one for batch in found for one in batch]

    direct = backend.answers(requests())
    assert len(direct) == COUNT
    assert all(isinstance(one, Reply) for one in direct)
    said = "".join(one.text for one in direct)
    assert sum(letter.isascii() for letter in said) > 0.98 * len(said)
    served = asyncio.run(ask())
    same = [
        one.text == other.text  # type: ignore[attr-defined]
        for one, other in zip(direct, served, strict=True)
    ]
    assert sum(same) >= COUNT - 2  # batches differ, and fp32 sums round differently
    assert [one.key for one in served] == [one.key for one in direct]  # type: ignore[attr-defined]


def test_the_converted_folder_loads_without_the_gguf_file(
    backend: TransformersBackend, tmp_path: Path
) -> None:
    from cbt_core.generation.backend.model_folder import ready_folder

    with pytest.MonkeyPatch.context() as patched:
        if not os.environ.get("CONCORD_MODELS"):
            patched.setenv("CONCORD_MODELS", str(Path(backend.loaded.model.config._name_or_path)
                                                 .parent))
        folder = Path(ready_folder(backend.source))
    again = TransformersBackend(LocalModel(str(folder), dtype="fp32"))
    assert again.prompt(requests()[0].messages) == backend.prompt(requests()[0].messages)
    assert (folder / "model.safetensors").is_file()
