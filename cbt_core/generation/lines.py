"""The lines of a run's journal, and what replies took."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """A line for the journal: a finished row, or (with a cause) a request without one."""

    key: str
    data: bytes
    body: Mapping[str, object]
    cause: str = ""


def row_line(key: str, row: Mapping[str, object]) -> Line:
    """Return the line of a finished row."""
    data = encoded(f'{{"key":{ENCODER.encode(key)},"row":{ENCODER.encode(row)}}}\n')
    return Line(key, data, row)


def failed_line(key: str, failed: Mapping[str, object]) -> Line:
    """Return the line of a request that got no usable reply; `failed` names its cause."""
    data = encoded(f'{{"key":{ENCODER.encode(key)},"failed":{ENCODER.encode(failed)}}}\n')
    return Line(key, data, failed, str(failed["cause"]))


def encoded(text: str) -> bytes:
    """Return text as bytes of a file."""
    # Half of a surrogate pair (a reply cut inside an emoji) becomes "?": UTF-8 has no form for it.
    return text.encode("utf-8", "replace")


@dataclass(slots=True)
class Spent:
    """What the replies of all sessions took; `cost` stays None until one had a price."""

    prompt_tokens: int = 0
    reply_tokens: int = 0
    cost: float | None = None

    def add(self, entry: Mapping[str, object]) -> None:
        """Add what a row or a failure says it took."""
        self.prompt_tokens += _number(entry.get("prompt_tokens"), int)
        self.reply_tokens += _number(entry.get("reply_tokens"), int)
        if isinstance(entry.get("cost"), int | float):
            self.cost = (self.cost or 0.0) + _number(entry.get("cost"), float)


Number = TypeVar("Number", int, float)


def _number(value: object, kind: type[Number]) -> Number:
    return kind(value) if isinstance(value, int | float) else kind(0)
