"""The adjudicator's routes: a page of the queue with a case, and its decision."""

from collections.abc import Mapping
from datetime import datetime

from starlette.routing import BaseRoute

from cbt_core.domain.people import Person
from cbt_core.routes.common import Body, json_route
from cbt_core.services.desk.requests import read
from cbt_core.services.labels import adjudicator_view
from cbt_core.services.labels.adjudicator_view import CaseRequest, Place
from cbt_core.settings import Settings
from db.engine import Database

Answer = Mapping[str, object]


def open_case(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Give a page of the queue and the named case, or the first."""
    sent = read(CaseRequest, body)
    item = None if sent.task is None else adjudicator_view.task_of(body)[1]
    return {"view": adjudicator_view.open_view(
        database, person, slug=sent.study, item=item, place=Place.of(body), now=now
    )}


def save(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Store a decision; give the next case."""
    return adjudicator_view.decide_view(database, person, body=body, now=now)


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the adjudicator's routes."""
    return [
        json_route(f"/api/adjudicate/{name}", handler, database=database, settings=settings)
        for name, handler in {"open": open_case, "save": save}.items()
    ]
