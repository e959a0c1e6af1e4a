"""What comes back from an OpenAI-compatible host, as replies and failures."""

import re
from collections.abc import Mapping
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend import Cause, Failure, Finish, Reply

FINISHES: Final[Mapping[str, Finish]] = {
    "stop": "stop", "length": "length", "content_filter": "filter",
}
CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
KEPT_CHARACTERS: Final = 20_000
"""How much of an unusable reply is kept in the run's own file."""

NO_CREDIT: Final = frozenset({"insufficient_quota", "insufficient_balance"})
FILTERED: Final = frozenset({
    "content_filter", "data_inspection_failed", "content_policy_violation",
})
"""Codes of hosts (OpenAI, Azure, DashScope) that will not answer this text, asked again or not."""


def from_completion(key: str, completion: object) -> Reply | Failure:
    """Return the reply in what the client gives; nothing about its form is taken for granted."""
    if isinstance(completion, str):  # 200 with another content type: the client returns the body
        return Failure(key, "not_json", "200 without JSON", completion[:KEPT_CHARACTERS])
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return Failure(key, "wrong_schema", "200 without choices")
    message = getattr(choices[0], "message", None)
    refusal, content = getattr(message, "refusal", None), getattr(message, "content", None)
    finish = FINISHES.get(str(getattr(choices[0], "finish_reason", "")), "unknown")
    if (isinstance(refusal, str) and refusal) or (finish == "filter" and not content):
        said = refusal[:KEPT_CHARACTERS] if isinstance(refusal, str) else ""
        return Failure(key, "refused_by_host", "refused", said, passing=False)
    if not isinstance(content, str):
        return Failure(key, "wrong_schema", "200 without content")
    if not content.strip():
        return Failure(key, "empty", f"empty, {finish}")
    usage = getattr(completion, "usage", None)
    model = getattr(completion, "model", None)
    return Reply(
        key=key, text=content, finish=finish, model=model if isinstance(model, str) else "",
        prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        reply_tokens=_count(getattr(usage, "completion_tokens", None)),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def from_status(key: str, status: int, code: str, host: str) -> Failure:
    """Return the failure that an HTTP status stands for.

    Raises:
        StudyError: no request can succeed: the key, the model or the credit is refused.
    """
    if code in NO_CREDIT or status == 402:
        raise StudyError("generating.no_credit", host=host)
    if status in {401, 403}:
        raise StudyError("generating.not_authorised", host=host, status=status)
    if status == 404:
        raise StudyError("generating.not_there", host=host)
    if code in FILTERED:
        return Failure(key, "refused_by_host", f"{status} {code}", passing=False)
    detail = f"{status} {code}".strip()
    passing = status in {408, 409, 429} or status >= 500
    return Failure(key, _cause(status), detail, passing=passing)


def _cause(status: int) -> Cause:
    if status == 429:
        return "rate_limited"
    if status == 408:
        return "timed_out"
    return "server_error" if status >= 500 or status == 409 else "bad_request"


def code_of(error: object) -> str:
    """Return the host's code for an error if it is one word, else '': never its message."""
    for name in ("code", "type"):
        value = getattr(error, name, None)
        if isinstance(value, str) and CODE.fullmatch(value):
            return value
    return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a host asks to wait, or None."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:  # absent, or a date: hosts of models give seconds
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None
