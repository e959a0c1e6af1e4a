"""The endpoint over the local backend: the official client gets what the backend says."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cbt_core.generation.backend.exchange import Decoding, Message, Reply, Request
from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend
from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend
from tests.generation.model_endpoint import application
from tests.generation.small_model import build

pytest.importorskip("torch")

COUNT = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small"))


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Serve the model on a free port of the loopback address."""
    import uvicorn

    backend = TransformersBackend(LocalModel(str(folder), dtype="fp32", threads=1))
    backend.describe()
    settings = uvicorn.Config(application(backend), port=0, log_level="error", ws="none")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


def requests() -> list[Request]:
    return [
        Request(f"q{number:02d}", (Message("user", f"I fear {number} things"),),
                Decoding(max_new_tokens=16))
        for number in range(COUNT)
    ]


def test_twenty_questions_get_the_same_replies_directly_and_over_the_endpoint(
    folder: Path, address: str
) -> None:
    async def ask() -> list[object]:
        client = OpenAIBackend("small", Endpoint(base_url=address, allowed=("127.0.0.1",)),
                               environment={"OPENAI_API_KEY": "none"})
        found = await asyncio.gather(*(client.reply([one]) for one in requests()))
        await client.close()
        return [one for batch in found for one in batch]

    local = TransformersBackend(LocalModel(str(folder), dtype="fp32", threads=1))
    direct = local.answers(requests())
    served = asyncio.run(ask())
    assert len(served) == COUNT
    for one, other in zip(direct, served, strict=True):
        assert (one.key, one.text) == (other.key, other.text)  # type: ignore[attr-defined]
        if isinstance(one, Reply) and isinstance(other, Reply):
            assert (one.finish, one.reply_tokens) == (other.finish, other.reply_tokens)


@pytest.mark.parametrize(
    ("body", "said"),
    [("{", "not_json"), ("[]", "not_an_object"), ("{}", "messages_missing"),
     ('{"messages": [{"role": "king", "content": "x"}]}', "message_not_understood"),
     ('{"messages": [{"role": "user", "content": "x"}], "stream": true}', "streaming_not_offered"),
     ('{"messages": [{"role": "user", "content": "x"}], "temperature": "hot"}', "not_a_number")],
)
def test_a_call_that_is_not_understood_is_refused_in_the_usual_form(
    folder: Path, body: str, said: str
) -> None:
    backend = TransformersBackend(LocalModel(str(folder)))
    with TestClient(application(backend)) as client:
        answer = client.post("/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == said


def test_the_model_is_listed(folder: Path) -> None:
    with TestClient(application(TransformersBackend(LocalModel(str(folder))))) as client:
        listed = client.get("/v1/models").json()
    assert [one["id"] for one in listed["data"]] == [folder.name]
