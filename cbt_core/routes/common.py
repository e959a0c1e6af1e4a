"""What every route shares: who asks, where the work is done, and how a refusal is told."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cbt_core.domain.people import Person
from cbt_core.errors import Conflict, Invalid, NotSaved, Refused, StudyError
from cbt_core.routes.request import address_of, language_of, read_json, require_own_origin
from cbt_core.services.access import sessions
from cbt_core.settings import Settings
from cbt_core.words import say
from db.engine import Database

COOKIE: Final = "concord_session"
STATUS: Final[Mapping[str, int]] = {  # what a kind of error alone does not tell
    "access.signed_out": 401,
    "access.foreign_origin": 403,
    "access.too_large": 413,
    "access.not_json": 415,
    "access.not_a_form": 415,
    "access.wait": 429,
    "rating.unknown_study": 404,
    "rating.unknown_task": 404,
    "rating.locked": 423,
    "rating.final": 423,
}
KINDS: Final[tuple[tuple[type[StudyError], int], ...]] = (
    (Refused, 403), (Invalid, 422), (Conflict, 409), (NotSaved, 503), (StudyError, 400),
)

Result = TypeVar("Result")

_log: Final = logging.getLogger("concord.http")

Body = Mapping[str, object]
"""The JSON object a browser sent: nothing in it has been checked but its form and size."""

Handler = Callable[[Database, Person, Body, datetime], Mapping[str, object]]
"""A service behind a route; it runs in a thread and may block."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a handler may need it beyond its body."""

    token: str | None
    address: str


CallHandler = Callable[[Database, Person, Body, Call, datetime], Mapping[str, object]]


@cache
def workers() -> ThreadPoolExecutor:
    """Return the threads in which routes do their work.

    Our own: Starlette's run_in_threadpool shares a limiter that Streamlit sets for static files.
    """
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="concord")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Run blocking work away from the event loop, where it would stop everybody's screen."""
    return await asyncio.get_running_loop().run_in_executor(workers(), work)


def json_route(path: str, handler: Handler, *, database: Database, settings: Settings) -> Route:
    """Return a POST route that takes and gives a JSON object, for a signed-in person only."""

    def plain(
        database: Database, person: Person, body: Body, _call: Call, now: datetime
    ) -> Mapping[str, object]:
        return handler(database, person, body, now)

    return call_route(path, plain, database=database, settings=settings)


def call_route(
    path: str, handler: CallHandler, *, database: Database, settings: Settings
) -> Route:
    """Return a `json_route` whose handler is also told the session token and the address."""

    async def answer(request: Request) -> Response:
        require_own_origin(request, settings)
        body = await read_json(request)
        call = Call(request.cookies.get(COOKIE), address_of(request, settings))
        return await in_thread(partial(_serve, database, handler, body, call, language_of(request)))

    return Route(f"{settings.base_path}{path}", guarded(answer), methods=["POST"])


def guarded(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint with its errors told as JSON; nothing else of them leaves the server."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except ClientDisconnect:  # nobody is left to be told
            return Response(status_code=400)
        except Exception as error:
            return error_response(error, language_of(request))

    return endpoint


def error_response(error: Exception, language: str) -> JSONResponse:
    """Return the answer to an error: an expected one by its sentence, a fault by a code alone."""
    if isinstance(error, StudyError):
        body: dict[str, object] = {"code": error.code, "message": error.say(language)}
        if isinstance(error, Invalid):
            body["missing"] = [{"slot": slot, "scale": scale} for slot, scale in error.missing]
        if isinstance(seconds := error.values.get("retry_seconds"), int):
            body["retry_seconds"] = seconds
        return _json({"error": body}, status_of(error))
    fault = secrets.token_hex(4)
    _log.error("fault %s: %s", fault, type(error).__name__)  # no text: it may hold a person's words
    message = say("access.fault", language, id=fault)
    return _json({"error": {"code": "access.fault", "message": message, "id": fault}}, 500)


def status_of(error: StudyError) -> int:
    """Return the HTTP status of an expected error."""
    by_kind = next(status for kind, status in KINDS if isinstance(error, kind))
    return STATUS.get(error.code, by_kind)


def plain_refusal(error: StudyError, language: str) -> Response:
    """Return a refusal as a sentence, for a form that is no page's script."""
    return PlainTextResponse(
        error.say(language), status_of(error), headers={"Cache-Control": "no-store"}
    )


def _serve(
    database: Database, handler: CallHandler, body: Body, call: Call, language: str
) -> Response:
    now = datetime.now(UTC)
    person = None
    try:
        person = sessions.person_of(database, call.token, now)
        if person is None:
            raise Refused("access.signed_out")
        return _json(handler(database, person, body, call, now), 200)
    except Exception as error:
        return error_response(error, person.language if person else language)


def _json(content: Mapping[str, object], status: int) -> JSONResponse:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})
