"""The task screens' routes: open a task, keep a draft, save, skip; an adjudicator decides."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from starlette.routing import BaseRoute

from cbt_core.domain.people import Person
from cbt_core.domain.submission import Work
from cbt_core.routes.common import Body, json_route
from cbt_core.services.desk import desk_task
from cbt_core.services.desk.requests import OpenRequest, read
from cbt_core.services.labels import adjudication
from cbt_core.services.labels.adjudication import CaseRequest, Place
from cbt_core.settings import Settings
from db.engine import Database

Answer = Mapping[str, object]

SCREENS: Final[Mapping[Work, str]] = {Work.RATE: "sheet", Work.LABEL: "marker"}


def open_task(
    work: Work, database: Database, person: Person, body: Body, now: datetime
) -> Answer:
    """Give the named task, or the next one."""
    sent = read(OpenRequest, body)
    view = desk_task.open_task(
        database, person, slug=sent.study, token=sent.task, rested=bool(sent.rested), work=work,
        now=now,
    )
    return {"view": view}


def draft(work: Work, database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Keep unsaved entries."""
    sequence = desk_task.keep_draft(database, person, body=body, work=work, now=now)
    return {"sequence": sequence}


def save(work: Work, database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Store what was entered and give what comes next."""
    return desk_task.save(database, person, body=body, work=work, now=now)


def skip(work: Work, database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Skip a task with a reason and give the next one."""
    return desk_task.skip(database, person, body=body, work=work, now=now)


HANDLERS: Final[Mapping[str, Callable[[Work, Database, Person, Body, datetime], Answer]]] = {
    "open": open_task, "draft": draft, "save": save, "skip": skip,
}


def routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the routes of the sheet and of the marker."""
    return [
        json_route(
            f"/api/{screen}/{name}", partial(handler, work), database=database, settings=settings
        )
        for work, screen in SCREENS.items()
        for name, handler in HANDLERS.items()
    ]


def open_case(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Give a page of the queue and the named case, or the first."""
    sent = read(CaseRequest, body)
    item = None if sent.task is None else adjudication.task_of(body)[1]
    return {"view": adjudication.open_view(
        database, person, slug=sent.study, item=item, place=Place.of(body), now=now
    )}


def save_decision(database: Database, person: Person, body: Body, now: datetime) -> Answer:
    """Store a decision; give the next case."""
    return adjudication.decide_view(database, person, body=body, now=now)


def adjudication_routes(database: Database, settings: Settings) -> list[BaseRoute]:
    """Return the adjudicator's routes."""
    return [
        json_route(f"/api/adjudicate/{name}", handler, database=database, settings=settings)
        for name, handler in {"open": open_case, "save": save_decision}.items()
    ]
