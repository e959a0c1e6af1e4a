"""The span marker's routes: open a text, keep a draft, save, skip."""

from collections.abc import Mapping
from datetime import datetime

from starlette.routing import BaseRoute

from cbt_core.domain.people import Person
from cbt_core.errors import Invalid
from cbt_core.routes.common import Body, json_route
from cbt_core.services.desk import label_task
from cbt_core.settings import Settings
from db.engine import Database

Answer = Mapping[str, object]


def open_task(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Give the named task, or the next one."""
    slug, token = body.get("study"), body.get("task")
    if not isinstance(slug, str) or not isinstance(token, str | None):
        raise Invalid("rating.malformed")
    view = label_task.open_task(
        database, person, slug=slug, token=token, now=now, rested=body.get("rested") is True
    )
    return {"view": view}


def draft(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Keep unsaved marks."""
    return {"sequence": label_task.keep_draft(database, person, body=body, now=now)}


def save(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Store labels; give the machine's proposals if they come now, else the next task."""
    return label_task.save(database, person, body=body, now=now)


def skip(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Skip a task with a reason and give the next one."""
    return label_task.skip(database, person, body=body, now=now)


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the marker's routes."""
    handlers = {"open": open_task, "draft": draft, "save": save, "skip": skip}
    return [
        json_route(f"/api/marker/{name}", handler, database=database, settings=settings)
        for name, handler in handlers.items()
    ]
