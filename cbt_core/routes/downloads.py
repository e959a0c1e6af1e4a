"""Downloads: exports and reports for a study's lead, authorised by the cookie like all else.

What makes them is imported when asked for: it needs pandas and scipy, which no rater's server does.
"""

from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cbt_core.errors import Refused
from cbt_core.files.writer import FORMS
from cbt_core.routes.common import COOKIE, guarded, in_thread
from cbt_core.services.access import sessions
from cbt_core.settings import Settings
from cbt_core.words import LANGUAGES
from db.engine import Database


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the download routes."""

    async def export(request: Request) -> Response:
        form = request.query_params.get("form", "csv")
        unblinded = request.query_params.get("unblinded") == "1"
        work = partial(
            _zip, database, request.cookies.get(COOKIE), request.path_params["slug"],
            form if form in FORMS else "csv", unblinded,
        )
        content = await in_thread(work)
        name = f"{request.path_params['slug']}-{form}{'-unblinded' if unblinded else ''}.zip"
        return _attached(content, name)

    async def report(request: Request) -> Response:
        slug, language = request.path_params["slug"], request.query_params.get("lang", "")
        wanted = language if language in LANGUAGES else ""
        work = partial(_report, database, request.cookies.get(COOKIE), slug, wanted)
        return _attached(await in_thread(work), f"{slug}-report.zip")

    return [
        Route(f"{settings.base_path}/download/export/{{slug:str}}", guarded(export),
              methods=["GET"]),
        Route(f"{settings.base_path}/download/report/{{slug:str}}", guarded(report),
              methods=["GET"]),
    ]


def _attached(content: bytes, name: str) -> Response:
    return Response(
        content, media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"',
                 "Cache-Control": "no-store"},
    )


def _report(database: Database, token: str | None, slug: str, language: str) -> bytes:
    from cbt_core.services.report.study_report import Wish, report_zip

    now = datetime.now(UTC)
    person = sessions.person_of(database, token, now)
    if person is None:
        raise Refused("access.signed_out")
    return report_zip(database, person, slug=slug, now=now, wish=Wish(language))


def _zip(
    database: Database, token: str | None, slug: str, form: str, unblinded: bool
) -> bytes:
    from cbt_core.services.export import study_export

    now = datetime.now(UTC)
    person = sessions.person_of(database, token, now)
    if person is None:
        raise Refused("access.signed_out")
    return study_export.export_zip(
        database, person, slug=slug, form=form, unblinded=unblinded, now=now
    )
