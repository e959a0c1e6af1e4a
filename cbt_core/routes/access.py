"""Signing in and out: the routes that hand out and take back the session cookie.

People wait in one line while their secrets are checked.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Conflict, Invalid, Refused, StudyError
from cbt_core.routes.common import (
    COOKIE,
    Body,
    Call,
    call_route,
    guarded,
    in_thread,
    json_route,
    plain_refusal,
)
from cbt_core.routes.request import (
    address_of,
    content_type,
    language_of,
    read_body,
    require_own_origin,
)
from cbt_core.services.access import sessions
from cbt_core.services.access.sessions import Lasting, SignedIn
from cbt_core.settings import Settings
from cbt_core.words import LANGUAGES
from db.engine import Database

AT_ONCE: Final = 2
"""Secrets are checked by two threads of their own: sign-ins never hold up a save."""

WAITING: Final = 40
"""So many may wait for those threads (8 s of work); more are asked to come back."""

COME_BACK_SECONDS: Final = 5


class Crowd:
    """How many people wait for their secret to be checked."""

    def __init__(self, most: int) -> None:
        """Let `most` people wait."""
        self._places = threading.BoundedSemaphore(most)
        self._workers = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sign-in")

    async def run(self, work: Callable[[], SignedIn]) -> SignedIn:
        """Do the work when its turn comes.

        Raises:
            Refused: too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise Refused("access.wait", retry_seconds=COME_BACK_SECONDS)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        finally:
            self._places.release()


@cache
def crowd() -> Crowd:
    """Return the one line of this process."""
    return Crowd(WAITING)


LARGEST_FORM: Final = 8 * 1024
LARGEST_FIELD: Final = 256
_REFUSED_AS: Final[Mapping[str, str]] = {
    "access.wait": "wait",
    "access.disabled": "disabled",
    "access.no_demonstration": "closed",
}

Form = Mapping[str, str]


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the routes of signing in and out, of language and passphrase."""
    doors = _Doors(database, settings)
    forms = {
        "/sign-in": doors.sign_in,
        "/sign-in/demonstration": doors.sign_in_to_demonstration,
        "/sign-in/verified": doors.sign_in_verified,
        "/sign-out": doors.sign_out,
        "/sign-out-everywhere": doors.sign_out_everywhere,
    }
    made: list[BaseRoute] = [
        Route(f"{settings.base_path}{path}", guarded(endpoint), methods=["POST"])
        for path, endpoint in forms.items()
    ]
    made.append(json_route("/api/language", _language, database=database, settings=settings))
    made.append(call_route("/api/passphrase", _passphrase, database=database, settings=settings))
    return made


class _Doors:
    """The form routes of one server."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def sign_in(self, request: Request) -> Response:
        """Exchange code and secret for a cookie."""
        return await self._enter(request, self._by_secret)

    async def sign_in_to_demonstration(self, request: Request) -> Response:
        """Give the cookie of a demonstration person, where they are offered."""
        return await self._enter(request, self._by_role)

    async def sign_out(self, request: Request) -> Response:
        """End this session and drop the cookie."""
        return await self._leave(request, sessions.sign_out)

    async def sign_out_everywhere(self, request: Request) -> Response:
        """End every session of the person and drop the cookie."""
        return await self._leave(request, _out_everywhere)

    async def _enter(
        self, request: Request, work: Callable[[Request, Form], SignedIn]
    ) -> Response:
        try:
            form = await self._form(request)
            signed_in = await crowd().run(partial(work, request, form))
        except (Refused, Conflict, Invalid) as refusal:
            if refusal.code == "access.foreign_origin":
                return plain_refusal(refusal, language_of(request))
            return self._back(_why(refusal))
        except StudyError as error:  # too large, no form, or the storage is closed to writes
            return plain_refusal(error, language_of(request))
        return self._with_cookie(signed_in.token)

    async def _leave(
        self, request: Request, work: Callable[[Database, str | None, datetime], None]
    ) -> Response:
        try:
            require_own_origin(request, self._settings)
            token = request.cookies.get(COOKIE)
            await in_thread(partial(work, self._database, token, datetime.now(UTC)))
        except StudyError as error:
            return plain_refusal(error, language_of(request))
        response = self._back({})
        response.delete_cookie(COOKIE, path=self._path)
        return response

    async def _form(self, request: Request) -> Form:
        require_own_origin(request, self._settings)
        if content_type(request) != "application/x-www-form-urlencoded":
            raise StudyError("access.not_a_form")
        raw = await read_body(request, LARGEST_FORM)
        try:
            fields = parse_qsl(raw.decode("ascii"), max_num_fields=8, errors="strict")
        except ValueError:
            raise StudyError("access.unreadable") from None
        return {name: value[:LARGEST_FIELD] for name, value in fields}

    def _by_secret(self, request: Request, form: Form) -> SignedIn:
        return sessions.sign_in(
            self._database,
            code=form.get("code", ""),
            secret=form.get("secret", ""),
            address=address_of(request, self._settings),
            now=datetime.now(UTC),
            lasting=Lasting.of(self._settings),
            language=_chosen(request, form),
        )

    def _by_role(self, request: Request, form: Form) -> SignedIn:
        role = form.get("role", "")
        if role not in set(Role):
            raise Refused("access.no_demonstration")
        return sessions.demonstration_sign_in(
            self._database, role=Role(role), settings=self._settings, now=datetime.now(UTC),
            language=_chosen(request, form),
        )

    async def sign_in_verified(self, request: Request) -> Response:
        """Turn the session that the sign-in screen started after OIDC into a cookie."""
        try:
            token = (await self._form(request)).get("token", "")
            work = partial(sessions.person_of, self._database, token, datetime.now(UTC))
            if await in_thread(work) is None:
                raise Refused("access.signed_out")
        except StudyError as error:
            return plain_refusal(error, language_of(request))
        return self._with_cookie(token)

    @property
    def _path(self) -> str:
        return self._settings.base_path or "/"

    def _back(self, why: Mapping[str, str]) -> RedirectResponse:
        query = f"?{urlencode(why)}" if why else ""
        return RedirectResponse(
            f"{self._settings.base_path}/{query}", 303, headers={"Cache-Control": "no-store"}
        )

    def _with_cookie(self, token: str) -> Response:
        response = self._back({})
        response.set_cookie(
            COOKIE,
            token,
            max_age=self._settings.absolute_hours * 3600,
            path=self._path,
            httponly=True,
            samesite="lax",
            secure=self._settings.secure_cookie
            or self._settings.public_origin.startswith("https://"),
        )
        return response


def _out_everywhere(database: Database, token: str | None, now: datetime) -> None:
    person = sessions.person_of(database, token, now)
    if person is not None:
        sessions.sign_out_everywhere(database, person, now)


def _language(
    database: Database, person: Person, body: Body, now: datetime
) -> Mapping[str, object]:
    language = _text(body, "language")
    sessions.set_language(database, person, language=language, now=now)
    return {"language": language}


def _passphrase(
    database: Database, person: Person, body: Body, call: Call, now: datetime
) -> Mapping[str, object]:
    sessions.change_passphrase(
        database, person, old=_text(body, "old"), new=_text(body, "new"), now=now,
        token=call.token, address=call.address,
    )
    return {"changed": True}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > LARGEST_FIELD:
        raise Invalid("access.unreadable")
    return value


def _chosen(request: Request, form: Form) -> str:
    """Return the language of the sign-in page, else that of the browser."""
    language = form.get("language", "")
    return language if language in LANGUAGES else language_of(request)


def _why(refusal: StudyError) -> dict[str, str]:
    """Return the query of the way back: a code, never a word of what was typed."""
    why = {"refused": _REFUSED_AS.get(refusal.code, "wrong")}
    if why["refused"] == "wait":
        why["seconds"] = str(refusal.values["retry_seconds"])
    return why
