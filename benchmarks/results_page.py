"""What the results screen costs: the live page of a usual study, the disagreements of a large one.

    python -m benchmarks.results_page [--items 100] [--large 22327]

Three raters, two systems, everything rated but one task. A redraw is a run of the whole screen in
Streamlit's own test runner, figures cached. Then one task is rated, and what the screen computes
again is timed before and after the lock. CPU is the process's own, the median of a few runs.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import uuid4

from sqlalchemy import insert, select, update
from streamlit.testing.v1 import AppTest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.desk import desk_task
from cbt_core.services.people import roster
from cbt_core.services.results import disagreements, study_results
from cbt_core.services.studies import lifecycle
from cbt_core.settings import Settings
from db import migrate
from db.columns import stamp
from db.engine import Connection, Database
from db.tables.desk import score, submission, task, task_slot
from pages.ui import session
from tests import making

ROOT = Path(__file__).resolve().parents[1]
SLUG = "trial"
SCALES = ("relevance", "structure", "helpfulness")
CHUNK = 3_000
RUNS = 5


def main() -> None:
    """Run both parts and print their tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--items", type=int, default=100)
    options.add_argument("--large", type=int, default=22_327)
    chosen = options.parse_args()
    for count, measure in ((chosen.items, live), (chosen.large, listed)):
        if count:
            with tempfile.TemporaryDirectory() as place:
                print(f"\n== {count:,} items, 3 raters, 2 systems")
                database, study, lead = made(Path(place), count)
                measure(database, study, lead)
                database.close()


def made(folder: Path, items: int) -> tuple[Database, making.Made, Person]:
    """Make a study in which one task of one rater waits."""
    now = datetime.now(UTC)
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    study = making.make_study(database, folder, now, items=items)
    with database.writing() as connection:
        fill(connection, study.study_id, now)
    return database, study, making.lead(database, study.study_id, now)


def fill(connection: Connection, study_id: int, now: datetime) -> None:
    """Rate in bulk, as the sheet would store it: scores follow item and rater, with noise."""
    draw, at = Random(1), stamp(now)
    waiting = connection.execute(
        select(task.c.id, task.c.person_id, task.c.item_id)
        .where(task.c.study_id == study_id).order_by(task.c.id)
    ).all()[:-1]
    slots: dict[int, list[tuple[str, int]]] = {}
    for row in connection.execute(select(task_slot.c.task_id, task_slot.c.slot,
                                         task_slot.c.answer_id)):
        slots.setdefault(row[0], []).append((row[1], row[2]))
    for start in range(0, len(waiting), CHUNK):
        part = waiting[start:start + CHUNK]
        made_ids = connection.execute(insert(submission).returning(
            submission.c.task_id, submission.c.id), [
            {"task_id": one.id, "study_id": study_id, "person_id": one.person_id, "revision": 1,
             "token": uuid4().hex, "digest": "0", "outcome": "scored", "active_seconds": 60.0,
             "at": at} for one in part])
        ids = {row[0]: row[1] for row in made_ids}
        connection.execute(insert(score), [
            {"submission_id": ids[one.id], "slot": slot, "scale": scale, "answer_id": answer,
             "value": drawn(draw, one.item_id, answer), "missing_reason": ""}
            for one in part for slot, answer in slots[one.id] for scale in SCALES])
    connection.execute(update(task).where(task.c.id.in_(
        select(submission.c.task_id))).values(state="done", revision=1, opened_at=at))


def drawn(draw: Random, item: int, answer: int) -> int:
    """Return a score: what the answer deserves, more or less."""
    return max(0, min(2, round(1 + (item % 7 - 3) * 0.2 + (answer % 2) * 0.3
                               + draw.gauss(0, 0.6))))


def live(database: Database, study: making.Made, lead: Person) -> None:
    """Measure a redraw, the key of the data, and what one more rating makes the screen compute."""
    now = datetime.now(UTC)

    def key() -> object:
        return study_results.state(database, lead, slug=SLUG, now=now)

    def figures() -> object:
        return study_results.everything(database, lead, slug=SLUG, now=now)

    figures()  # what is imported on first use is no part of a refresh
    redraw(database, study.study_id, now)
    told("results.state", key)
    rater = study.raters["R03"]
    view = making.open_next(database, rater, SLUG, now)
    told("save the last task", lambda: desk_task.save(
        database, rater, body=making.press(view), now=now), runs=1)
    told("results.everything, open", figures, target=300)
    lifecycle.lock(database, TERMINAL, slug=SLUG, now=now)
    told("results.everything, locked", figures)
    lifecycle.unblind(database, TERMINAL, slug=SLUG, reason="planned", now=now)
    told("results.everything, unblinded", figures)


def redraw(database: Database, study_id: int, now: datetime) -> None:
    """Run the screen again and again as its lead sees it, figures cached."""
    from cbt_core.services.access import sessions

    issued = roster.add_person(
        database, TERMINAL, code="L02", now=now, role=Role.LEAD, study_id=study_id)
    entered = sessions.sign_in(
        database, code="L02", secret=issued.secret or "", address="", now=now
    )
    session.settings = lambda: Settings(database=database.url)  # type: ignore[assignment]
    session.token = lambda: entered.token
    for section in ("agreement", "items"):
        screen = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        screen.session_state["results-section"] = section
        screen.switch_page("pages/results.py").run()
        if screen.exception:
            raise SystemExit(str(screen.exception[0].value))
        told(f"redraw, section {section}", screen.run, target=300)


def listed(database: Database, study: making.Made, lead: Person) -> None:
    """Measure the list of items that split the raters: computing it, and one item of it."""
    now = datetime.now(UTC)
    found: Sequence[disagreements.Split] = ()

    def ranked() -> None:
        nonlocal found
        found = disagreements.split_items(database, lead, slug=SLUG, now=now)

    told("the whole list, computed once", ranked, runs=2)
    print(f"{'items listed':34}{len(found):10,}")
    places = iter((0, 10, len(found) // 2, len(found) - 1, 1))
    told("one item of a page", lambda: disagreements.case(
        database, lead, slug=SLUG, item=found[next(places)].key, now=now), target=300)
    told("results.state", lambda: study_results.state(database, lead, slug=SLUG, now=now))
    paged(database, study.study_id, now)


def paged(database: Database, study_id: int, now: datetime) -> None:
    """Open the list on the screen, and go to the next item: the figures are computed once."""
    from cbt_core.services.access import sessions

    issued = roster.add_person(
        database, TERMINAL, code="L02", now=now, role=Role.LEAD, study_id=study_id)
    entered = sessions.sign_in(
        database, code="L02", secret=issued.secret or "", address="", now=now
    )
    session.settings = lambda: Settings(database=database.url)  # type: ignore[assignment]
    session.token = lambda: entered.token
    screen = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600).run()
    screen.session_state["results-section"] = "items"
    told("screen opened, nothing cached", lambda: screen.switch_page(
        "pages/results.py").run(), runs=1)
    told("first page, after that", screen.run, target=300)
    told("next item", lambda: next(
        one for one in screen.button if one.key == "split-next").click().run(), target=300)


def told(name: str, work: Callable[[], object], *, runs: int = RUNS, target: int = 0) -> None:
    """Print the median CPU and wall milliseconds of some runs."""
    cpu, wall = [], []
    for _ in range(runs):
        used, began = time.process_time(), time.perf_counter()
        work()
        cpu.append(1000 * (time.process_time() - used))
        wall.append(1000 * (time.perf_counter() - began))
    aim = f"  (target {target})" if target else ""
    print(f"{name:34}{statistics.median(cpu):10,.1f} CPU-ms{statistics.median(wall):10,.1f} ms"
          f"{aim}", flush=True)


if __name__ == "__main__":
    main()
