"""The Batch API: hand in thousands of requests, ask now and then, fetch; half the price, slow.

Which batches a run has handed in is kept on disk, so that a killed run does not pay twice.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError
from cbt_core.files.writer import write_whole
from cbt_core.generation.backend.exchange import Failure, Reply, Request
from cbt_core.generation.backend.openai_chat import (
    Endpoint,
    OpenAIBackend,
    code_of,
    from_completion,
    from_status,
)

if TYPE_CHECKING:
    from openai.types import Batch


def batch_key(request: Request) -> str:
    """Return the name of a request inside a batch: the same request, the same name."""
    content = [request.key, [[one.role, one.content] for one in request.messages],
               request.decoding.seed]
    text = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


class BatchMemory:
    """Batches by their mark (a digest of what they ask): their id at the host and their keys.

    A batch is noted before it is handed in, with id '': after a kill between the two the host is
    asked whether it knows the mark.
    """

    def __init__(self, path: Path) -> None:
        """Read what an earlier session noted.

        Raises:
            StudyError: the file is not ours.
        """
        self._path = path
        self._batches: dict[str, tuple[str, list[str]]] = {}
        if path.exists():
            try:
                notes = json.loads(path.read_text("utf-8"))
                self._batches = {mark: (one["id"], one["keys"]) for mark, one in notes.items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise StudyError("generation.not_a_journal", file=path) from error

    def holding(self, keys: Collection[str]) -> Mapping[str, tuple[str, list[str]]]:
        """Return the batches, by mark, that ask at least one of these."""
        sought = set(keys)
        return {mark: one for mark, one in self._batches.items() if sought & set(one[1])}

    def note(self, keys: Iterable[str], batch_id: str = "") -> str:
        """Note a batch and return its mark."""
        listed = list(keys)
        mark = hashlib.sha256("\n".join(listed).encode()).hexdigest()[:32]
        self._batches[mark] = (batch_id, listed)
        self._write()
        return mark

    def forget(self, keys: Collection[str]) -> None:
        """Let these be asked anew: they got no usable reply."""
        gone = set(keys)
        left = {
            mark: (batch_id, [key for key in listed if key not in gone])
            for mark, (batch_id, listed) in self._batches.items()
        }
        self._batches = {mark: one for mark, one in left.items() if one[1]}
        self._write()

    def forget_batch(self, batch_id: str) -> None:
        """Let everything in a batch be asked anew: the host would not run it."""
        self._batches = {mark: one for mark, one in self._batches.items() if one[0] != batch_id}
        self._write()

    def _write(self) -> None:
        plain = {mark: {"id": one[0], "keys": one[1]} for mark, one in self._batches.items()}
        write_whole(self._path, [json.dumps(plain).encode()])


ENDS: Final = frozenset({"completed", "failed", "expired", "cancelled"})
WINDOW: Final = "24h"
PATH: Final = "/v1/chat/completions"
REQUESTS: Final = 2_000
"""In one batch: the API takes 50,000, but rows count only when their batch is done."""


class BatchBackend(OpenAIBackend):
    """Chat completions of one model at one host, by the Batch API."""

    name = "openai"
    batch_size = REQUESTS

    def __init__(
        self,
        model: str,
        endpoint: Endpoint,
        environment: Mapping[str, str] | None = None,
        *,
        memory: Path,
        poll_seconds: float = 30.0,
    ) -> None:
        """Check host and key, and read which batches an earlier session handed in.

        Raises:
            StudyError: see `OpenAIBackend`, or `memory` is not ours.
        """
        super().__init__(model, endpoint, environment)
        self.concurrency = min(endpoint.concurrency, 4)
        self._memory = BatchMemory(memory)
        self._poll_seconds = poll_seconds
        self._lock = asyncio.Lock()

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer these requests, in their order.

        Raises:
            StudyError: the host cannot run the batch, or refuses key, model or credit.
        """
        count, hold = await self.account.hold_some(batch)
        taken = {batch_key(request): request for request in batch[:count]}
        replies: dict[str, Reply | Failure] = {}
        tokens, money = 0, 0.0
        try:
            if taken:
                replies = await self._through(taken)
            for name, reply in replies.items():
                if isinstance(reply, Reply):
                    used, cost = self._spent(taken[name], reply)
                    replies[name] = replace(reply, cost=cost)
                    tokens, money = tokens + used, money + (cost or 0.0)
        finally:
            if hold:
                await self.account.settle(hold, tokens, money)
        spent = [Failure(one.key, "budget_spent", attempts=0) for one in batch[count:]]
        return [*(replies[batch_key(one)] for one in batch[:count]), *spent]

    def describe(self) -> Mapping[str, object]:
        """Return what the manifest says; never a key."""
        return {**super().describe(), "batch_api": True}

    async def _through(self, taken: Mapping[str, Request]) -> dict[str, Reply | Failure]:
        """Hand in what no earlier batch asks, wait for all of them, and read what they say."""
        async with self._lock:  # one hand on the memory at a time
            ids = await self._handed_in(taken)
        lines: dict[str, Mapping[str, object]] = {}
        for batch_id in ids:
            lines |= await self._lines(await self._ended(batch_id))
        replies = {
            name: self._read(request, lines.get(name)) for name, request in taken.items()
        }
        failed = [name for name, one in replies.items() if isinstance(one, Failure)]
        if failed:
            self._memory.forget(failed)
        return replies

    async def _handed_in(self, taken: Mapping[str, Request]) -> list[str]:
        """Return the ids of the batches that hold these requests, new ones made as needed."""
        ids: list[str] = []
        open_names = set(taken)
        for mark, (batch_id, names) in self._memory.holding(taken).items():
            known = batch_id or await self._known(mark)
            if known:
                self._memory.note(names, known)
                ids.append(known)
                open_names -= set(names)
        if open_names:
            ids.append(await self._hand_in([name for name in taken if name in open_names], taken))
        return ids

    async def _hand_in(self, names: Sequence[str], taken: Mapping[str, Request]) -> str:
        lines = [
            {"custom_id": name, "method": "POST", "url": PATH,
             "body": self._offer.arguments(taken[name], self.model)}
            for name in names
        ]
        data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        mark = self._memory.note(names)
        async with self._explained():
            file = await self.client.files.create(
                file=("requests.jsonl", data.encode("utf-8", "replace")), purpose="batch"
            )
            made = await self.client.batches.create(
                input_file_id=file.id, endpoint=PATH, completion_window=WINDOW,
                metadata={"mark": mark},
            )
        self._memory.note(names, made.id)
        return made.id

    async def _known(self, mark: str) -> str:
        """Return the id of a batch that was handed in just before a kill, '' if it was not."""
        async with self._explained():
            async for batch in self.client.batches.list(limit=100):
                if (batch.metadata or {}).get("mark") == mark:
                    return batch.id
        return ""

    async def _ended(self, batch_id: str) -> "Batch":
        while True:
            async with self._explained():
                batch = await self.client.batches.retrieve(batch_id)
            if batch.status in ENDS:
                break
            await asyncio.sleep(self._poll_seconds)
        if batch.status == "failed":
            self._memory.forget_batch(batch_id)
            raise self._no_batch(batch.status)
        return batch

    async def _lines(self, batch: "Batch") -> dict[str, Mapping[str, object]]:
        """Return what came back, by name; a line that cannot be read counts as not there."""
        entries: dict[str, Mapping[str, object]] = {}
        for file_id in (batch.output_file_id, batch.error_file_id):
            if not file_id:
                continue
            async with self._explained():
                text = (await self.client.files.content(file_id)).text
            for line in text.split("\n"):  # U+2028 may be in a text
                entry = _entry(line)
                if entry:
                    entries[str(entry.get("custom_id"))] = entry
        return entries

    def _read(self, request: Request, entry: Mapping[str, object] | None) -> Reply | Failure:
        from openai.types.chat import ChatCompletion

        response = entry.get("response") if entry else None
        if not isinstance(response, Mapping):
            return Failure(request.key, "timed_out", "no result in the batch")
        status, body = response.get("status_code"), response.get("body")
        if status != 200 or not isinstance(body, Mapping):
            error = body.get("error") if isinstance(body, Mapping) else None
            code = code_of(_Fields(error)) if isinstance(error, Mapping) else ""
            return from_status(
                request.key, status if isinstance(status, int) else 500, code, self.host.shown
            )
        return from_completion(request.key, ChatCompletion.construct(**body))

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        """Turn what the client raises into a sentence: without the batch there are no replies."""
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            from_status("", error.status_code, code_of(error), self.host.shown)
            raise self._no_batch(str(error.status_code)) from error
        except openai.OpenAIError as error:
            raise self._no_batch(type(error).__name__) from error

    def _no_batch(self, state: str) -> StudyError:
        return StudyError("generation.batch_failed", host=self.host.shown, state=state)


class _Fields:
    """An error of a batch line with its code as an attribute, as the client's own errors have."""

    def __init__(self, error: Mapping[str, object]) -> None:
        self.code, self.type = error.get("code"), error.get("type")


def _entry(line: str) -> Mapping[str, object] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
