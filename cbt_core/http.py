"""The third door beside pages and terminal: Starlette routes, as thin as they."""

from starlette.routing import BaseRoute

from cbt_core.routes import access, desk, downloads, health, kit
from cbt_core.settings import Settings
from db.engine import Database


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return every route that stands beside Streamlit's own."""
    return [
        *health.routes(database, settings),
        *access.routes(database, settings),
        *desk.routes(database, settings),
        *desk.adjudication_routes(database, settings),
        *downloads.routes(database, settings),
        *kit.routes(settings),
    ]
