"""What every source of answers has in common: a request goes in, a reply or a failure comes out.

With it the form of a JSON reply: what a host is asked to enforce and what the parser requires.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

STEPS: Final = ("validation", "key_thought", "challenge", "strategy", "encouragement")
"""The five steps in order; numbers 1 to 5 of the checklist of instrument `cbt-3`."""

RISKS: Final = ("none", "possible", "high")

TEXT: Final[Mapping[str, object]] = {"type": "string"}


def _object_schema(properties: Mapping[str, object]) -> dict[str, object]:
    """Return an object schema with every key required: hosts that enforce schemas ask for that."""
    return {
        "type": "object", "properties": dict(properties), "required": list(properties),
        "additionalProperties": False,
    }


REPLY: Final[Mapping[str, object]] = _object_schema({
    "answer": TEXT,
    "steps": _object_schema(dict.fromkeys(STEPS, TEXT)),
    "distortions": {"type": "array", "items": _object_schema({"name": TEXT, "evidence": TEXT})},
    "risk": {"type": "string", "enum": list(RISKS)},
})
"""JSON schema of a reply to the `cbt` prompt.

Names of distortions are not listed: a name outside the scheme is to be seen, not suppressed.
"""

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "filter", "unknown"]
Cause = Literal[
    "refused_by_host", "rate_limited", "server_error", "timed_out", "no_connection", "not_json",
    "wrong_schema", "empty", "bad_request", "not_authorised", "out_of_memory", "budget_spent",
]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation as the prompt sees it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a reply is drawn. `temperature` 0 is greedy; `seed` makes sampling repeatable."""

    max_new_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """One text to be answered.

    `key` is unique in a run (the question's id, with a suffix where one id is asked more than
    once). `schema` asks for a reply of this JSON schema; a backend that cannot enforce it sends
    the request all the same, and the parser decides.
    """

    key: str
    messages: tuple[Message, ...]
    decoding: Decoding = field(default_factory=Decoding)
    schema: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Tokens are those the backend counted; `cost` is in the account's currency.

    `attempts` counts the calls it took.
    """

    key: str
    text: str
    finish: Finish = "stop"
    model: str = ""
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    cost: float | None = None
    seconds: float = 0.0
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without a usable reply.

    `detail` never holds a text that was sent or received: an HTTP status, a class of error.
    `text` keeps an unusable reply for the run's own file, never for a log. `passing` tells that
    asking again later may help.
    """

    key: str
    cause: Cause
    detail: str = ""
    text: str = ""
    passing: bool = True
    attempts: int = 1


class Backend(Protocol):
    """A source of replies.

    The runner keeps up to `concurrency` batches of up to `batch_size` requests under way. `reply`
    returns one Reply or Failure for each request, in the same order, and never raises for a single
    bad reply; it raises StudyError only when no further request can succeed (no key, no model).
    """

    name: str
    model: str
    batch_size: int
    concurrency: int

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer these requests."""
        ...

    def describe(self) -> Mapping[str, object]:
        """Return what the manifest says: versions, revision, device, host; never a key."""
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...
