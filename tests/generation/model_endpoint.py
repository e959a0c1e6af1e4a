"""A local model as an OpenAI-compatible endpoint: a double of vLLM or the llama.cpp server.

One worker and small batches: calls that arrive together are answered together.
"""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from cbt_core.generation.backend.exchange import (
    Backend,
    Decoding,
    Failure,
    Message,
    Reply,
    Request,
    Role,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette
    from starlette.requests import Request as Call
    from starlette.responses import Response


GATHERING: Final = 0.02
"""Seconds to wait for calls that belong together."""

LARGEST_CALL: Final = 1 << 20
ROLES: Final[tuple[Role, ...]] = ("system", "user", "assistant")


class BadCallError(ValueError):
    """The call is not one this endpoint understands."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call and where its answer goes."""

    request: Request
    answer: "asyncio.Future[Reply | Failure]"


class Batcher:
    """Gathers calls for a moment and answers them together."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.queue: asyncio.Queue[Waiting] = asyncio.Queue()

    async def ask(self, request: Request) -> Reply | Failure:
        """Return the answer of one call."""
        answer: asyncio.Future[Reply | Failure] = asyncio.get_running_loop().create_future()
        await self.queue.put(Waiting(request, answer))
        return await answer

    async def work(self) -> None:
        """Answer calls until cancelled."""
        while True:
            batch = [await self.queue.get()]
            await asyncio.sleep(GATHERING)
            while len(batch) < self.backend.batch_size and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            results = await self.backend.reply([one.request for one in batch])
            for one, result in zip(batch, results, strict=True):
                if not one.answer.done():
                    one.answer.set_result(result)


def application(backend: Backend) -> "Starlette":
    """Return the web application of a model: chat completions and the list of models."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    batcher = Batcher(backend)
    numbers = count(1)

    @asynccontextmanager
    async def running(_: Starlette) -> "AsyncIterator[None]":
        worker = asyncio.create_task(batcher.work())
        yield
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
        await backend.close()

    async def complete(call: "Call") -> "Response":
        return await _complete(call, batcher, next(numbers))

    async def models(_: "Call") -> "Response":
        return _json({"object": "list", "data": [{"id": backend.model, "object": "model"}]})

    routes = [
        Route("/v1/chat/completions", complete, methods=["POST"]),
        Route("/v1/models", models, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=running)


async def _complete(call: "Call", batcher: Batcher, number: int) -> "Response":
    try:
        request = _request(await _body(call), f"call-{number}")
    except BadCallError as error:
        return _refused(400, str(error))
    result = await batcher.ask(request)
    if isinstance(result, Failure):
        if result.cause == "empty":  # as other servers do: an answer without words
            return _json(_completion(Reply(result.key, "", model=batcher.backend.model), number))
        status = 400 if result.cause == "bad_request" else 500
        return _refused(status, result.detail or result.cause)
    return _json(_completion(result, number))


async def _body(call: "Call") -> dict[str, object]:
    import json

    raw = b""
    async for part in call.stream():
        raw += part
        if len(raw) > LARGEST_CALL:
            raise BadCallError("call_too_large")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise BadCallError("not_json") from error
    if not isinstance(body, dict):
        raise BadCallError("not_an_object")
    return body


def _request(body: dict[str, object], key: str) -> Request:
    """Return a call as a request.

    Raises:
        BadCallError: streaming is asked for, or a field is missing or of another kind.
    """
    if body.get("stream"):
        raise BadCallError("streaming_not_offered")
    known = Decoding()
    tokens = body.get("max_completion_tokens") or body.get("max_tokens")
    seeded = body.get("seed") is not None  # then the same call gets the same answer
    return Request(key="seeded" if seeded else key,
                   messages=_messages(body.get("messages")),
                   decoding=Decoding(
                       max_new_tokens=_whole(tokens, known.max_new_tokens),
                       temperature=_number(body.get("temperature"), known.temperature),
                       top_p=_number(body.get("top_p"), known.top_p),
                       seed=_whole(body.get("seed"), known.seed),
                   ))


def _messages(given: object) -> tuple[Message, ...]:
    if not isinstance(given, list) or not given:
        raise BadCallError("messages_missing")
    found = []
    for one in given:
        role = one.get("role") if isinstance(one, dict) else None
        content = one.get("content") if isinstance(one, dict) else None
        if role not in ROLES or not isinstance(content, str):
            raise BadCallError("message_not_understood")
        found.append(Message(role, content))
    return tuple(found)


def _whole(given: object, default: int) -> int:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int):
        raise BadCallError("not_a_whole_number")
    return given


def _number(given: object, default: float) -> float:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadCallError("not_a_number")
    return float(given)


def _completion(reply: Reply, number: int) -> dict[str, object]:
    import time

    tokens = (reply.prompt_tokens or 0, reply.reply_tokens or 0)
    return {
        "id": f"chatcmpl-{number}", "object": "chat.completion", "created": int(time.time()),
        "model": reply.model,
        "choices": [{"index": 0, "finish_reason": reply.finish,
                     "message": {"role": "assistant", "content": reply.text}}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1],
                  "total_tokens": sum(tokens)},
    }


def _refused(status: int, detail: str) -> "Response":
    """Return an error in the shape clients expect; it never repeats a text that was sent."""
    return _json({"error": {"message": detail, "type": "invalid_request_error"}}, status)


def _json(content: dict[str, object], status: int = 200) -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse(content, status_code=status)
