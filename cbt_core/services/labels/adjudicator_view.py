"""What an adjudicator's browser receives: a page of the queue and one case, as plain JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from time import time_ns
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from cbt_core.domain.people import Person
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import Invalid
from cbt_core.services import guard
from cbt_core.services.desk.frame import study_view
from cbt_core.services.desk.requests import Request, read
from cbt_core.services.desk.span_marker import scheme_view
from cbt_core.services.labels import adjudication, adjudication_queue
from cbt_core.services.labels.adjudication import Case
from cbt_core.services.labels.adjudication_queue import PER_PAGE, Queue, Show
from cbt_core.services.studies.contents import setup_for
from db.engine import Database

MOST_SEARCHED: Final = 100

View = dict[str, object]


class CaseRequest(Request):
    """Show a case of a study, or (none named) the first of the page."""

    study: str
    task: str | None = None


class PlaceRequest(Request):
    """Where in the queue the browser is."""

    show: Show = "waiting"
    search: Annotated[str, StringConstraints(max_length=MOST_SEARCHED)] = ""
    start: Annotated[int, Field(ge=0, lt=2**31)] = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the queue the person is."""

    show: Show = "waiting"
    search: str = ""
    start: int = 0

    @classmethod
    def of(cls, body: Mapping[str, object]) -> "Place":
        """Return the place a browser sent.

        Raises:
            Invalid: something in it has the wrong form.
        """
        sent = read(PlaceRequest, body, lambda _: Invalid("rating.malformed"))
        return cls(sent.show, sent.search, sent.start)


def open_view(
    database: Database, person: Person, *, slug: str, item: str | None, place: Place,
    now: datetime, after: str | None = None,
) -> View:
    """Return a page of the queue and the named case, or the first of the page.

    `after` names a case just decided: the one behind it on the page comes next.
    """
    with guard.as_lead(database, person, study=slug, act="open_view", now=now).steps():
        setup = setup_for(database, person, slug=slug, now=now)
        found = _queue(database, person, slug, place, now)
        chosen = item or _next([row.item for row in found.rows], after)
        case = None
        if chosen is not None:
            case = adjudication.open_case(database, person, slug=slug, item=chosen, now=now)
    return {
        "sequence": time_ns() // 1000,
        "state": "done" if case is None else "task",
        "study": study_view(setup, person),
        "progress": {"done": found.decided, "total": found.decided + found.waiting},
        "queue": {**asdict(found), "show": place.show, "search": place.search,
                  "per_page": PER_PAGE},
        "scheme": scheme_view(setup.scheme, setup.protocol.language),
        "task": None if case is None else _task(setup, case, place),
    }


def decide_view(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> View:
    """Store a decision; return its receipt and the next case."""
    slug, item = task_of(body)
    place = Place.of(body)
    with guard.as_lead(database, person, study=slug, act="decide_view", now=now).steps():
        done = adjudication.decide(
            database, person, slug=slug, body={**body, "item": item}, now=now
        )
        view = open_view(
            database, person, slug=slug, item=None, place=place, now=now, after=done.item
        )
    return {
        "saved": {"task": body.get("task"), "revision": done.revision, "at": now.isoformat(),
                  "repeated": done.repeated},
        "view": view,
    }


def task_of(body: Mapping[str, object]) -> tuple[str, str]:
    """Return study and item of a case's name: short name, slash, item id.

    Raises:
        Invalid: it is no such name.
    """
    name = body.get("task")
    slug, slash, item = name.partition("/") if isinstance(name, str) else ("", "", "")
    if not slash or not item:
        raise Invalid("rating.malformed")
    return slug, item


def _queue(
    database: Database, person: Person, slug: str, place: Place, now: datetime
) -> Queue:
    def page(start: int) -> Queue:
        return adjudication_queue.queue(
            database, person, slug=slug, show=place.show, search=place.search, start=start,
            now=now,
        )

    found = page(place.start)
    if found.rows or not found.total:
        return found
    return page((found.total - 1) // PER_PAGE * PER_PAGE)  # the last of the page was decided


def _next(items: Sequence[str], after: str | None) -> str | None:
    if after in items:  # decided items stay where all or the decided ones are listed
        behind = items[items.index(after) + 1 :]
        return behind[0] if behind else after
    return items[0] if items else None


def _task(setup: StudySetup, case: Case, place: Place) -> View:
    name = f"{setup.study.slug}/{case.item}"
    return {
        **asdict(case),
        "task": name,
        "revision": len(case.decisions),
        "corrects": True,  # every decision needs its reason
        "entries": _entries(case),
        "draft_sequence": 0,
        "echo": {"seen": case.seen, **asdict(place)},
    }


def _entries(case: Case) -> View | None:
    """Return what to begin with: the decision as it stands, else nothing."""
    if not case.decisions:
        return None
    last = case.decisions[-1]
    return {
        "labels": list(last.whole),
        "spans": [asdict(one) for one in last.spans],
        "verdict": None if last.outcome == "labelled" else last.outcome,
        "reason": "",
    }
