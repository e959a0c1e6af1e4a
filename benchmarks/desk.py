"""What the desk costs: CPU per saved item, latency under load, memory, start, import, export.

    python -m benchmarks.desk [--items 100,22327] [--saves 400]

The app is started as it is (`streamlit run app.py`), rated through its JSON routes from another
process, and its CPU time is read from /proc. Idle CPU per second is measured first and taken off.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.assignment import task_draw
from cbt_core.services.export import study_export
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from db import migrate, sessions
from db.engine import Database
from tests.browser.conftest import Served, free_port
from tests.making import enrol, prepare, study_file
from tests.making import person as stored

ROOT = Path(__file__).resolve().parents[1]
TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run the benchmark and print its tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--items", default="100,22327")
    options.add_argument("--saves", type=int, default=400)
    options.add_argument("--raters", default="1,10,25,50")
    chosen = options.parse_args()
    print(f"{os.cpu_count()} cores; Python {sys.version.split()[0]}")
    for count in (int(part) for part in chosen.items.split(",")):
        with tempfile.TemporaryDirectory() as place:
            one_size(Path(place), count, chosen.saves, [int(n) for n in chosen.raters.split(",")])


def one_size(folder: Path, items: int, saves: int, raters: Sequence[int]) -> None:
    """Measure a study of one size."""
    print(f"\n== {items:,} items, two systems")
    now = datetime.now(UTC)
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    file = study_file(folder, items=items)
    spent = clocked(lambda: creation.create_study(
        database, TERMINAL, slug="bench", title="Benchmark",
        files=StudyFiles(study_file=file), now=now))
    print(f"import        {spent:8.2f} CPU-s")
    people = [f"R{number:02d}" for number in range(1, max(raters) + 1)]
    with database.reading() as connection:
        from db import studies
        found = studies.by_slug(connection, "bench")
    assert found is not None
    for code in people:
        enrol(database, code, found.id, Role.RATER, now)
    overlap = 3 if items >= 3 * saves else len(people)  # enough tasks for everybody
    spent = clocked(lambda: task_draw.assign(
        database, TERMINAL, slug="bench", raters=people, overlap=overlap, now=now))
    print(f"assignment    {spent:8.2f} CPU-s  ({len(people)} raters, overlap {overlap})")
    tokens = {}
    for code in people:
        who = stored(database, code, found.id, Role.RATER)
        prepare(database, who, "bench", now)
        tokens[code] = sign_in(database, who.id, now)
    served = start(folder, database)
    try:
        idle = cpu_of(served.process.pid, lambda: time.sleep(5)) / 5
        print(f"idle          {idle * 1000:8.1f} CPU-ms a second")
        measure(served, tokens, raters, saves, idle)
    finally:
        served.kill()
    spent = clocked(lambda: study_export.export_study(
        database, TERMINAL, slug="bench", folder=folder / "out", now=now))
    print(f"export (csv)  {spent:8.2f} CPU-s")
    database.close()


def start(folder: Path, database: Database) -> Served:
    """Start the app; print the CPU time to the first healthy answer."""
    port = free_port()
    served = Served(f"http://127.0.0.1:{port}", port, database, None, folder / "log")  # type: ignore[arg-type]
    began = time.monotonic()
    served.start()
    print(f"cold start    {cpu(served.process.pid):8.2f} CPU-s, {time.monotonic() - began:.1f} s "
          f"to /healthz; RSS {rss(served.process.pid)} MB")
    return served


def measure(
    served: Served, tokens: dict[str, str], raters: Sequence[int], saves: int, idle: float
) -> None:
    """Rate with growing numbers of simultaneous raters and print a line for each."""
    print(f"{'raters':>6} {'saves':>6} {'saves/s':>8} {'p50 ms':>7} {'p95 ms':>7} "
          f"{'CPU-ms/save':>12} {'errors':>6} {'RSS MB':>7}")
    for count in raters:
        codes = list(tokens)[:count]
        each = max(1, saves // count)
        times: list[float] = []
        errors: list[str] = []

        def work(code: str, each: int = each, times: list[float] = times,
                 errors: list[str] = errors) -> None:
            rate(served.port, tokens[code], each, times, errors)

        pid = served.process.pid
        before, began = cpu(pid), time.monotonic()
        threads = [threading.Thread(target=work, args=(code,)) for code in codes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.monotonic() - began
        net = cpu(pid) - before - idle * wall
        ordered = sorted(times)
        if not ordered:
            print(f"{count:6d} nothing saved: {errors[:1]}")
            continue
        p95 = ordered[int(len(ordered) * 0.95) - 1]
        print(f"{count:6d} {len(times):6d} {len(times) / wall:8.1f} "
              f"{statistics.median(ordered) * 1000:7.1f} {p95 * 1000:7.1f} "
              f"{net / len(times) * 1000:12.2f} {len(errors):6d} {rss(pid):7d}")


def rate(port: int, token: str, count: int, times: list[float], errors: list[str]) -> None:
    """Open, keep one draft and save, `count` times; note the time from save to next task."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    view = post(connection, port, token, "open", {"study": "bench", "task": None})["view"]
    for _ in range(count):
        if view["state"] == "break":
            view = post(connection, port, token, "open",
                        {"study": "bench", "task": None, "rested": True})["view"]
        if view["state"] != "task":
            return
        task = view["task"]
        scales = [scale["id"] for scale in view["instrument"]["scales"]]
        entries = {"scores": {slot["slot"]: dict.fromkeys(scales, 1) for slot in task["slots"]}}
        post(connection, port, token, "draft",
             {"task": task["task"], "sequence": 1, "base_revision": task["revision"],
              "entries": entries})
        began = time.monotonic()
        answer = post(connection, port, token, "save", {
            "task": task["task"], "token": secrets.token_hex(16),
            "base_revision": task["revision"], "entries": entries,
            "meta": {"layout": "side-by-side", "active_seconds": 1},
        })
        if "view" not in answer:
            errors.append(str(answer))
            return
        times.append(time.monotonic() - began)
        view = answer["view"]


def post(
    connection: http.client.HTTPConnection, port: int, token: str, path: str, body: object
) -> dict[str, object]:
    """POST JSON as the sheet does."""
    connection.request(
        "POST", f"/api/sheet/{path}", json.dumps(body),
        {"Content-Type": "application/json", "Cookie": f"concord_session={token}",
         "Origin": f"http://127.0.0.1:{port}"},
    )
    return json.loads(connection.getresponse().read())  # type: ignore[no-any-return]


def sign_in(database: Database, person_id: int, now: datetime) -> str:
    """Start a session without the slow hash of a secret, which is not what is measured."""
    token = secrets.token_urlsafe(32)
    with database.writing() as connection:
        sessions.start(
            connection, token_hash=sha256(token.encode()).hexdigest(), person_id=person_id,
            idle=timedelta(hours=1), absolute=timedelta(hours=2), now=now,
        )
    return token


def clocked(work: object) -> float:
    """Return the CPU seconds of a call in this process."""
    before = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - before


def cpu(pid: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_of(pid: int, work: object) -> float:
    """Return the CPU seconds a process uses during a call."""
    before = cpu(pid)
    work()  # type: ignore[operator]
    return cpu(pid) - before


def rss(pid: int) -> int:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    if subprocess.sys.platform != "linux":  # type: ignore[attr-defined]
        raise SystemExit("This benchmark reads /proc: it runs on Linux.")
    main()
