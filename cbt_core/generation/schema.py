"""The form of a JSON reply: what a host is asked to enforce and what the parser requires."""

from collections.abc import Mapping
from typing import Final

STEPS: Final = ("validation", "key_thought", "challenge", "strategy", "encouragement")
"""The five steps in order; numbers 1 to 5 of the checklist of instrument `cbt-3`."""

RISKS: Final = ("none", "possible", "high")

TEXT: Final[Mapping[str, object]] = {"type": "string"}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    """Return an object schema with every key required: hosts that enforce schemas ask for that."""
    return {
        "type": "object", "properties": dict(properties), "required": list(properties),
        "additionalProperties": False,
    }


REPLY: Final[Mapping[str, object]] = _object({
    "answer": TEXT,
    "steps": _object(dict.fromkeys(STEPS, TEXT)),
    "distortions": {"type": "array", "items": _object({"name": TEXT, "evidence": TEXT})},
    "risk": {"type": "string", "enum": list(RISKS)},
})
"""JSON schema of a reply to the `cbt` prompt.

Names of distortions are not listed: a name outside the scheme is to be seen, not suppressed.
"""
