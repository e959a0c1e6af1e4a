"""What a label study costs at corpus scale: create, assign, open, save, queue, own work, export.

    python -m benchmarks.labels [--items 100,22327] [--saves 200]

Two annotators. `--saves` texts of each are labelled through the service, as the span marker does;
the others are filled into the tables in bulk, so that every list is as long as it will ever be.
CPU is the process's own; a target follows the figures of the larger study where one is set.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import uuid4

from sqlalchemy import insert, select, update

from benchmarks.make_corpus import SITUATIONS
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import desk_task, own_work
from cbt_core.services.export import study_export
from cbt_core.services.labels import adjudication, adjudication_queue
from cbt_core.services.results.study_rows import gold_of
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from db import migrate
from db.columns import stamp
from db.engine import Connection, Database
from db.tables.desk import seat, task
from db.tables.labels import label, label_submission, span
from tests.label_study import open_next, prepare, press
from tests.making import enrol, lead, person

SLUG = "corpus"
CODES = ("N01", "N02")
NAMES = ("mind-reading", "fortune-telling", "self-blame", "labeling", "magnification")
CHUNK = 5_000


def main() -> None:
    """Run the benchmark and print its table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--items", default="100,22327")
    options.add_argument("--saves", type=int, default=200)
    chosen = options.parse_args()
    for count in (int(part) for part in chosen.items.split(",")):
        with tempfile.TemporaryDirectory() as place:
            one_size(Path(place), count, min(chosen.saves, count // 2))


def one_size(folder: Path, items: int, saves: int) -> None:
    """Measure a label study of one size."""
    print(f"\n== {items:,} items, {len(CODES)} annotators")
    now = datetime.now(UTC)
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    file, protocol = corpus(folder, items), folder / "protocol.toml"
    protocol.write_text('[labels]\nmode = "blind"\n', "utf-8")
    cpu("create", lambda: creation.create_study(
        database, TERMINAL, slug=SLUG, title="Corpus", files=StudyFiles(study_file=file),
        protocol=protocol, now=now))
    study_id = 1
    for code in CODES:
        enrol(database, code, study_id, Role.ANNOTATOR, now)
    cpu("assign", lambda: task_draw.assign(
        database, TERMINAL, slug=SLUG, annotators=CODES, now=now))
    people = [person(database, code, study_id, Role.ANNOTATOR) for code in CODES]
    for one in people:
        prepare(database, one, SLUG, now)
    for one in people:
        label_some(database, one, saves, now)
    with database.writing() as connection:
        fill(connection, study_id, now)
    judge = lead(database, study_id, now)
    lists(database, judge, people[0], items, now)
    export(database, study_id, folder, now)
    database.close()


def corpus(folder: Path, items: int) -> Path:
    """Write a study file of synthetic questions, about 200 characters each."""
    draw, file = Random(1), folder / "study.jsonl"
    rows = (
        {"id": f"Q{number:05d}", "question": draw.choice(SITUATIONS) + f"，第{number}次了",
         "description": "，".join(draw.choices(SITUATIONS, k=15)), "risk": "none"}
        for number in range(1, items + 1)
    )
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return file


def label_some(database: Database, who: Person, saves: int, now: datetime) -> None:
    """Label some texts as the marker does; tell what opening and saving one costs."""
    draw, opened, saved = Random(who.code), [], []
    for _ in range(saves):
        began = time.process_time()
        view = open_next(database, who, SLUG, now)
        if view["state"] == "break":
            view = dict(desk_task.open_task(
                database, who, slug=SLUG, token=None, work=Work.LABEL, now=now, rested=True))
        opened.append(time.process_time() - began)
        start = draw.randrange(100)
        body = press(view, spans=[{"field": "description", "start": start, "end": start + 12,
                                   "label": draw.choice(NAMES)}])
        began = time.process_time()
        desk_task.save(database, who, body=body, work=Work.LABEL, now=now)
        saved.append(time.process_time() - began)
    told("open a text", opened)
    told("save a text", saved)


def fill(connection: Connection, study_id: int, now: datetime) -> None:
    """Label everything that is left, in bulk: a span each, about half the items alike."""
    draw = Random(2)
    rows = connection.execute(
        select(task.c.id, task.c.person_id, task.c.item_id)
        .where(task.c.study_id == study_id, task.c.work == "label", task.c.state != "done")
    ).all()
    for begin in range(0, len(rows), CHUNK):
        part = rows[begin : begin + CHUNK]
        connection.execute(insert(label_submission), [
            {"task_id": row.id, "study_id": study_id, "person_id": row.person_id,
             "round": "blind", "revision": 1, "token": uuid4().hex, "digest": "x",
             "outcome": "labelled", "at": stamp(now)} for row in part])
        ids = connection.execute(
            select(label_submission.c.id, label_submission.c.task_id)
            .where(label_submission.c.task_id.in_([row.id for row in part]))
        ).all()
        items = {row.id: row.item_id for row in part}
        marks = [(row.id, Random(items[row.task_id]).choice(NAMES) if draw.random() < 0.7
                  else draw.choice(NAMES), draw.randrange(100)) for row in ids]
        connection.execute(insert(label), [
            {"submission_id": key, "label": name, "whole": 0} for key, name, _ in marks])
        connection.execute(insert(span), [
            {"submission_id": key, "field": "description", "start": at, "end": at + 12,
             "label": name, "quote": "x" * 12} for key, name, at in marks])
    connection.execute(
        update(task).where(task.c.study_id == study_id, task.c.work == "label")
        .values(state="done", revision=1))
    connection.execute(update(seat).values(done=seat.c.total))


def lists(
    database: Database, judge: Person, annotator: Person, items: int, now: datetime
) -> None:
    """Tell what the lists cost: queue, one case with its decision, own work."""
    def queue(start: int = 0, search: str = "") -> Callable[[], object]:
        return lambda: adjudication_queue.queue(
            database, judge, slug=SLUG, start=start, search=search, now=now)

    def work(start: int) -> Callable[[], object]:
        return lambda: own_work.done_tasks(
            database, annotator, slug=SLUG, start=start, count=25, role=Role.ANNOTATOR)

    cpu("queue, reckoned anew", queue())
    wall("queue, first page", queue(), "≤ 100 ms")
    wall("queue, last page", queue(max(0, items - 25)))
    wall("queue, search", queue(search=f"{items:05d}"))
    first = adjudication_queue.queue(database, judge, slug=SLUG, now=now).rows[0].item
    wall("open a case", lambda: adjudication.open_case(
        database, judge, slug=SLUG, item=first, now=now))
    spent = []
    for row in adjudication_queue.queue(database, judge, slug=SLUG, now=now).rows[:20]:
        began = time.perf_counter()
        decide(database, judge, row.item, now)
        spent.append(time.perf_counter() - began)
    told("decide a case", spent)
    wall("own work, first page", work(0))
    wall("own work, last page", work(max(0, items - 25)))


def decide(database: Database, judge: Person, item: str, now: datetime) -> None:
    """Decide a case: no distortion."""
    case = adjudication.open_case(database, judge, slug=SLUG, item=item, now=now)
    body = {"item": item, "token": uuid4().hex, "seen": case.seen, "base_revision": 0,
            "entries": {"verdict": "none", "reason": "benchmark"}}
    adjudication.decide(database, judge, slug=SLUG, body=body, now=now)


def export(database: Database, study_id: int, folder: Path, now: datetime) -> None:
    """Tell what gold and the whole export cost."""
    with database.reading() as connection:
        cpu("gold labels", lambda: gold_of(connection, study_id))
    cpu("export (csv)", lambda: study_export.export_study(
        database, TERMINAL, slug=SLUG, folder=folder / "out", now=now), "a few CPU-s")


def cpu(name: str, work: Callable[[], object], target: str = "") -> None:
    """Print the CPU seconds of one act."""
    began = time.process_time()
    work()
    print(f"{name:24}{time.process_time() - began:9.2f} CPU-s   {target}")


def wall(name: str, work: Callable[[], object], target: str = "") -> None:
    """Print the median wall time of ten calls."""
    spent = []
    for _ in range(10):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    told(name, spent, target)


def told(name: str, seconds: list[float], target: str = "") -> None:
    """Print median and greatest value in milliseconds."""
    median, most = statistics.median(seconds) * 1000, max(seconds) * 1000
    print(f"{name:24}{median:9.1f} ms   max {most:7.1f} ms   {target}")


if __name__ == "__main__":
    main()
