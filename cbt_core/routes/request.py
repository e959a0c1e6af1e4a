"""What is believed of a request before anything is done: its origin, form and size."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from cbt_core.errors import Invalid, Refused, StudyError
from cbt_core.settings import Settings

LARGEST_JSON: Final = 256 * 1024
READ_SECONDS: Final = 30
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def require_own_origin(request: Request, settings: Settings) -> None:
    """Refuse what another site's page sent: the Origin header must be this server's.

    On loopback the Host must be a loopback name too, or a name that a stranger points at 127.0.0.1
    would count as ours.

    Raises:
        Refused: the header is missing or foreign.
    """
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if settings.public_origin and origin == settings.public_origin:
        return
    name = urlsplit(f"//{host}").hostname or ""
    if settings.loopback and name not in LOOPBACK_HOSTS:
        raise Refused("access.foreign_origin")
    if not host or origin != f"{request.url.scheme}://{host}":
        raise Refused("access.foreign_origin")


async def read_json(request: Request, largest: int = LARGEST_JSON) -> Mapping[str, object]:
    """Return the JSON object of a request.

    Raises:
        StudyError: another content type, too large, or not a JSON object we could store.
    """
    if content_type(request) != "application/json":
        raise StudyError("access.not_json")
    raw = await read_body(request, largest)
    try:
        body = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise StudyError("access.unreadable") from None
    if not isinstance(body, dict):
        raise StudyError("access.unreadable")
    if (b"\\u" in raw) and _holds_unstorable(body):
        raise Invalid("access.unstorable")
    return body


def content_type(request: Request) -> str:
    """Return the media type of a request without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, largest: int) -> bytes:
    """Return the body of a request, never reading more than `largest` bytes.

    Raises:
        StudyError: it is larger, or takes too long to arrive.
    """
    too_large = StudyError("access.too_large", most=largest // 1024)
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared[:12]) > largest:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise too_large
    except TimeoutError:
        raise StudyError("access.unreadable") from None
    return bytes(body)


def language_of(request: Request) -> str:
    """Return the browser's language: what a person not yet known is spoken to in."""
    wanted = request.headers.get("accept-language", "").lower()
    return "zh" if not wanted or wanted.startswith("zh") else "en"


def address_of(request: Request, settings: Settings) -> str:
    """Return where a request comes from; empty when that is this machine or unknown.

    Behind a proxy on this machine it is the last address the proxy added.
    """
    peer = request.client.host if request.client else ""
    if peer in LOOPBACK_HOSTS:
        added = request.headers.get("x-forwarded-for", "") if settings.public_origin else ""
        return added.rpartition(",")[2].strip()[:64]
    return peer


def _no_number(_name: str) -> float:
    raise ValueError


def _holds_unstorable(body: object) -> bool:
    """Tell whether any text holds NUL or half a surrogate pair, which a database cannot keep."""
    waiting: list[object] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
                return True
        elif isinstance(value, dict):
            waiting.extend([*value.keys(), *value.values()])
        elif isinstance(value, list):
            waiting.extend(value)
    return False
