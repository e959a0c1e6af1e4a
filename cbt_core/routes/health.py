"""Is the server up and its database usable? For a load balancer and for `make app`."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from cbt_core.errors import StudyError
from cbt_core.routes.common import in_thread
from cbt_core.settings import Settings
from db import migrate
from db.engine import Database


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the health route: 200 `ok`, or 503 with the reason's code."""

    async def health(_request: Request) -> Response:
        try:
            await in_thread(lambda: migrate.require_current(database))
        except StudyError as error:
            return PlainTextResponse(error.code, 503)
        return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})

    return [Route(f"{settings.base_path}/healthz", health)]
