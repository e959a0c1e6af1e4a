"""A rater as a process: opens own tasks, saves through the real service, notes what it is told."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.services.desk import desk_task
from db.engine import Database
from tests.making import entries
from tests.reliability.desk import SLUG
from tests.reliability.journal import Journal, Try, read

Save = Callable[[Mapping[str, Any]], int]
Open = Callable[[str], dict[str, Any]]


@dataclass(frozen=True, eq=False)  # by identity: the roles in it have no hash
class Plan:
    """What a writer does: `most` presses on `tasks` until `stop` exists.

    `early` is the control that must fail: it notes the acknowledgement before the save.
    """

    url: str
    person: Person
    tasks: Sequence[str]
    journal: Path
    stop: Path
    seed: int
    most: int = 1_000_000
    early: bool = False


def write(plan: Plan) -> None:
    """Do a plan with a database object of one's own, as a process of its own does."""
    database = Database(plan.url)
    work(plan, *doors(database, plan.person))
    database.close()


def doors(database: Database, person: Person) -> tuple[Open, Save]:
    """Return how a task is opened and saved by the services themselves."""

    def open_task(task: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return dict(desk_task.open_task(database, person, slug=SLUG, token=task, now=now))

    def save(body: Mapping[str, Any]) -> int:
        saved = desk_task.save(database, person, body=body, now=datetime.now(UTC))["saved"]
        return int(saved["revision"])  # type: ignore[index]

    return open_task, save


def work(plan: Plan, open_task: Open, save: Save) -> None:
    """Send again what is in doubt, then press save until told to stop."""
    history = read(plan.journal)
    dice = random.Random(f"{plan.seed}/{len(history.tries)}")
    with Journal(plan.journal) as journal:
        for one in history.in_doubt():
            for _ in range(2):  # the same token twice: still one revision
                _send(one, journal, save)
        for number in range(len(history.tries), plan.most):
            if plan.stop.exists():
                return
            one = _press(open_task(dice.choice(plan.tasks)), f"{plan.seed}/{number}", dice)
            journal.tried(one)
            if plan.early:
                journal.told(one.token, one.body["base_revision"] + 1, 0.0)
            _send(one, journal, save)


def _send(one: Try, journal: Journal, save: Save) -> None:
    began = time.monotonic()
    try:
        revision = save(one.body)
    except StudyError as error:
        journal.refused(one.token, error.code)
    else:
        journal.told(one.token, revision, time.monotonic() - began)


def _press(view: Mapping[str, Any], mark: str, dice: random.Random) -> Try:
    revision, value = view["task"]["revision"], dice.randrange(3)
    given = entries(view, value, comment=mark, **({"reason": "again"} if revision else {}))
    token = uuid4().hex
    body = {
        "task": view["task"]["task"], "token": token, "base_revision": revision,
        "entries": given, "meta": {"layout": "side-by-side", "input": "keyboard",
                                   "active_seconds": 1.0, "lang": "zh", "width": 1366},
    }
    return Try(token, mark, body["task"], value, body)


def in_threads(plans: Sequence[Plan], database: Database) -> None:
    """Do plans at the same time in threads of this process, on one database object."""
    threads = [
        threading.Thread(target=work, args=(plan, *doors(database, plan.person))) for plan in plans
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
