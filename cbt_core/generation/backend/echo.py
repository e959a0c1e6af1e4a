"""Backends that make their replies from the request alone: for tests, dry runs and benchmarks.

One answers a question; the other fills any schema, at once and always the same: a dry run of judge
and steps.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from cbt_core.generation.backend.exchange import STEPS, Failure, Reply, Request

SENTENCES: Final = {
    "zh": (
        "听得出来，这件事让您很不好受，有这样的感受是可以理解的。",
        "您的话里似乎有一个念头：事情只能是最坏的那一种。",
        "如果是好朋友遇到同样的事，您会怎样对他说？有没有别的解释？",
        "可以试着把这个念头写下来，左边写支持它的证据，右边写不支持的。",
        "这只是一个开始，慢慢来；需要的时候，也请向身边的人或专业人员求助。",
    ),
    "en": (
        "What you describe sounds hard, and it makes sense that you feel this way.",
        "There seems to be one thought behind it: that things can only go the worst way.",
        "What would you say to a good friend in the same place? Could there be another reading?",
        "You might write the thought down, with what speaks for it and what speaks against it.",
        "This is only a beginning; go step by step, and ask people around you for support.",
    ),
}
"""Our own words, one sentence for each of the five steps."""

CHARACTERS_PER_TOKEN: Final = 2
"""A made-up tokenizer: counts must be repeatable, not true."""


class EchoBackend:
    """Answers at once, always the same: `delay` seconds a reply, changed by nothing but the texts.

    Asked for JSON it replies by the form of the `cbt` prompt, else with plain text. `labels` are
    the names it may report as distortions (about every second reply names one).
    """

    name = "echo"

    def __init__(
        self,
        model: str = "echo",
        *,
        delay: float = 0.0,
        batch_size: int = 16,
        concurrency: int = 8,
        labels: Sequence[str] = (),
    ) -> None:
        """Set the pace."""
        self.model = model or "echo"
        self.batch_size = batch_size
        self.concurrency = concurrency
        self._delay = delay
        self._labels = tuple(labels)

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
        seed = request.decoding.seed if request.decoding.temperature else 0
        draw = hashlib.sha256(f"{seed}\0{asked}".encode("utf-8", "replace")).digest()
        language = "zh" if any("\u4e00" <= one <= "\u9fff" for one in asked) else "en"
        sentences = SENTENCES[language]
        turn = draw[0] % 3  # three openings, so that answers are not all alike
        gap = "" if language == "zh" else " "
        text = gap.join((sentences[0], *sentences[1 + turn:], *sentences[1 : 1 + turn]))
        if request.schema is not None:
            text = self._as_json(text, sentences, asked, draw)
        sent = sum(len(message.content) for message in request.messages)
        return Reply(
            key=request.key, text=text, model=self.model, seconds=self._delay,
            prompt_tokens=sent // CHARACTERS_PER_TOKEN,
            reply_tokens=len(text) // CHARACTERS_PER_TOKEN,
        )

    def _as_json(self, text: str, sentences: Sequence[str], asked: str, draw: bytes) -> str:
        names = [self._labels[draw[1] % len(self._labels)]] if self._labels and draw[2] % 2 else []
        quote = asked.strip()[-12:]
        return json.dumps({
            "answer": text,
            "steps": dict(zip(STEPS, sentences, strict=True)),
            "distortions": [{"name": name, "evidence": quote} for name in names],
            "risk": "none",
        }, ensure_ascii=False)


ECHO_WORDS: Final = "echo"
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
        return ECHO_WORDS
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        known = [one for one in choices if one is not None]
        draw = hashlib.sha256(asked.encode("utf-8", "replace")).digest()
        return known[draw[0] % len(known)]
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        return {key: _filled(part, f"{key}\0{asked}") for key, part in properties.items()}
    return [] if schema.get("type") == "array" else ECHO_WORDS
