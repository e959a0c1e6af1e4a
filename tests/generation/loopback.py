"""An OpenAI-compatible host on a loopback port, well-behaved or as bad as a plan says.

It counts every byte that reaches it and every call of each question, and answers with a text that
follows from the question alone, so that rows can be compared.
"""

import asyncio
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

OK, RATE, BROKEN, SLOW, CUT, PLAIN_TEXT, BAD_BODY, BAD_CONTENT, WRONG_SCHEMA, EMPTY = (
    "ok", "429", "500", "slow", "cut", "200 text", "bad body", "bad content", "wrong schema",
    "empty",
)
FAULTS = (RATE, BROKEN, SLOW, CUT, PLAIN_TEXT, BAD_BODY, BAD_CONTENT, WRONG_SCHEMA, EMPTY)

Behaviour = Callable[[str, int], str]
"""From a question and the number of its call (from 1) to what the host does."""


@dataclass
class Host:
    """A host; `behaviour` decides per call, `forms` are the ways to ask for JSON that it takes."""

    behaviour: Behaviour = lambda question, call: OK
    forms: tuple[str, ...] = ("json_schema", "json_object", "text")
    slow_seconds: float = 2.0
    delay: float = 0.0
    redirect_to: str = ""
    status: int = 0
    code: str = ""
    bytes_read: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    most_at_once: int = 0
    files: dict[str, str] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls_until_done: int = 2

    @property
    def url(self) -> str:
        """Return the address a client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def listed(self) -> tuple[str, ...]:
        """Return the server's list that allows this host."""
        return (f"127.0.0.1:{self.port}",)

    def __enter__(self) -> Self:
        """Listen on a free port, in a thread of its own."""
        self.port, self._at_once = 0, 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._closing.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.bytes_read += len(head) + len(body)
        self.keys.add(headers.get("authorization", ""))
        method, path, _ = lines[0].split(" ")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            answer = await self._answer(method, path, headers, body)
        finally:
            self._at_once -= 1
        writer.write(answer)
        await writer.drain()
        return b"connection: close" not in answer.partition(b"\r\n\r\n")[0]

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> bytes:
        if self.redirect_to:
            return reply(307, "", location=self.redirect_to)
        if self.status:
            return reply(self.status, {"error": {"message": "no", "code": self.code}})
        if path == "/v1/chat/completions":
            return await self._chat(json.loads(body))
        return self._batch_api(method, path, headers, body)

    async def _chat(self, asked: dict[str, Any]) -> bytes:
        self.bodies.append(asked)
        form = asked.get("response_format", {}).get("type", "text")
        if form not in self.forms:
            return reply(400, {"error": {
                "message": f"response_format {form} is not supported", "param": "response_format"}})
        question = asked["messages"][-1]["content"]
        self.calls[question] += 1
        deed = self.behaviour(question, self.calls[question])
        await asyncio.sleep(self.slow_seconds if deed == SLOW else self.delay)
        return _deed(deed, question, asked)

    def _batch_api(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        parts = path.split("?")[0].split("/")[2:]
        if parts == ["files"]:
            name = f"file-{len(self.files)}"
            start = body.index(b'{"custom_id"')
            self.files[name] = body[start : body.rindex(b"\r\n--")].decode()
            return reply(200, {"id": name, "object": "file", "bytes": len(body), "created_at": 0,
                               "filename": "requests.jsonl", "purpose": "batch"})
        if parts[0] == "files":
            return reply(200, self.files[parts[1]], kind="application/octet-stream")
        if parts == ["batches"] and method == "POST":
            return self._new_batch(json.loads(body))
        if parts == ["batches"]:
            return reply(200, {"object": "list", "data": list(self.batches.values()),
                               "has_more": False})
        return self._poll(parts[1])

    def _new_batch(self, asked: dict[str, Any]) -> bytes:
        name = f"batch-{len(self.batches)}"
        self.batches[name] = {
            "id": name, "object": "batch", "status": "in_progress", "polls": 0, "created_at": 0,
            "endpoint": asked["endpoint"], "input_file_id": asked["input_file_id"],
            "completion_window": "24h", "metadata": asked["metadata"],
        }
        return reply(200, self.batches[name])

    def _poll(self, name: str) -> bytes:
        batch = self.batches[name]
        batch["polls"] += 1
        if batch["polls"] >= self.polls_until_done and batch["status"] == "in_progress":
            batch["status"] = "completed"
            batch["output_file_id"] = f"out-{name}"
            lines = [json.loads(line) for line in self.files[batch["input_file_id"]].split("\n")
                     if line.strip()]
            done = (self._batch_line(line) for line in lines)
            self.files[f"out-{name}"] = "\n".join(one for one in done if one)
        return reply(200, batch)

    def _batch_line(self, line: dict[str, Any]) -> str:
        question = line["body"]["messages"][-1]["content"]
        self.calls[question] += 1
        deed = self.behaviour(question, self.calls[question])
        if deed == CUT:
            return ""
        status, body = (500, {"error": {"code": "server_error"}}) if deed == BROKEN else (
            200, completion(deed, question, line["body"]))
        return json.dumps({"custom_id": line["custom_id"],
                           "response": {"status_code": status, "body": body}, "error": None})


def reply(
    status: int, body: object, *, kind: str = "application/json", **headers: str
) -> bytes:
    """Return an HTTP response."""
    text = body if isinstance(body, str) else json.dumps(body)
    data = text.encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n{more}"
    return head.encode() + b"\r\n" + data


def answer_to(question: str) -> str:
    """Return the one right answer to a question."""
    return "ans-" + hashlib.sha256(question.encode()).hexdigest()[:24]


def completion(deed: str, question: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a completion whose content is right, or wrong in the way of the deed."""
    whole = json.dumps({"answer": answer_to(question), "steps": {}, "distortions": [],
                        "risk": "none"})
    content = {
        BAD_CONTENT: whole[:-9], WRONG_SCHEMA: json.dumps({"reply": "hello"}), EMPTY: "",
    }.get(deed, whole)
    return {
        "id": "c", "object": "chat.completion", "created": 0, "model": asked["model"],
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 20, "total_tokens": 40},
    }


def _deed(deed: str, question: str, asked: dict[str, Any]) -> bytes:
    right = reply(200, completion(deed, question, asked))
    if deed == CUT:
        return right[:-40].replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
    return {
        RATE: reply(429, {"error": {"message": "slow down"}}, retry_after="0.01"),
        BROKEN: reply(500, {"error": {"message": "oops"}}),
        PLAIN_TEXT: reply(200, "<html>busy</html>", kind="text/html"),
        BAD_BODY: reply(200, '{"choices": [', kind="application/json"),
    }.get(deed, right)
