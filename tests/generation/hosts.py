"""A loopback host whose replies are written by the test, from what it is asked."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.generation.loopback import Host, reply

Says = Callable[[str, int], str]
"""From the last message and the number of its call (from 1) to the content of the reply."""


@dataclass
class TalkingHost(Host):
    """An OpenAI-compatible host; `says` writes the content of every completion."""

    says: Says = field(default=lambda asked, call: "{}")

    async def _chat(self, asked: dict[str, Any]) -> bytes:
        self.bodies.append(asked)
        question = asked["messages"][-1]["content"]
        self.calls[question] += 1
        await asyncio.sleep(self.delay)
        return reply(200, {
            "id": "c", "object": "chat.completion", "created": 0, "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {
                "role": "assistant", "content": self.says(question, self.calls[question])}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 20, "total_tokens": 40},
        })

    def sent(self) -> str:
        """Return everything that was sent to this host."""
        return json.dumps(self.bodies, ensure_ascii=False)
