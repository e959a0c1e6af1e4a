"""A backend that answers any schema at once and always the same: a dry run of judge and steps."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from cbt_core.generation.backend import Failure, Reply, Request

WORDS: Final = "echo"
"""What it writes where a text is asked for; nobody takes it for a reason."""


class SchemaEcho:
    """Fills a request's schema: of listed values one that follows from the texts, else `WORDS`."""

    name = "echo"

    def __init__(
        self, model: str = "echo", *, delay: float = 0.0, batch_size: int = 16, concurrency: int = 8
    ) -> None:
        """Set the pace: `delay` seconds a batch."""
        self.model = model or "echo"
        self.batch_size = batch_size
        self.concurrency = concurrency
        self._delay = delay

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer these requests."""
        await asyncio.sleep(self._delay)
        return [self._answer(request) for request in batch]

    def describe(self) -> Mapping[str, object]:
        """Return what the manifest says of this backend."""
        return {"name": self.name, "model": self.model, "host": None, "device": None}

    async def close(self) -> None:
        """Nothing is held."""

    def _answer(self, request: Request) -> Reply:
        asked = request.messages[-1].content
        filled = _filled(request.schema or {}, asked)
        text = filled if isinstance(filled, str) else json.dumps(filled, ensure_ascii=False)
        return Reply(key=request.key, text=text, model=self.model, seconds=self._delay)


def _filled(schema: object, asked: str) -> object:
    if not isinstance(schema, Mapping):
        return WORDS
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        known = [one for one in choices if one is not None]
        draw = hashlib.sha256(asked.encode("utf-8", "replace")).digest()
        return known[draw[0] % len(known)]
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        return {key: _filled(part, f"{key}\0{asked}") for key, part in properties.items()}
    return [] if schema.get("type") == "array" else WORDS
