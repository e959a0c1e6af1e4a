"""Everybody saves at once: all are acknowledged, nobody hears that the database is locked."""

import threading
import time
from pathlib import Path

import pytest

from tests.reliability.counts import (
    BURST_PROCESSES,
    BURST_SAVES,
    BURST_THREAD_SAVES,
    BURST_THREADS,
    CROWD,
    CROWD_SAVES,
    IDLE_MACHINE,
    at_share,
    keep,
)
from tests.reliability.desk import Desk, prepared, sign_in
from tests.reliability.http_desk import Browser, served_desk
from tests.reliability.journal import History, read
from tests.reliability.judge import judge
from tests.reliability.nursery import Nursery
from tests.reliability.writer import Plan, in_threads, work

LONGEST_SECONDS = 5.0


def plans(desk: Desk, folder: Path, saves: int) -> list[Plan]:
    return [
        Plan(desk.database.url, who, desk.tasks[code], folder / f"{code}.journal",
             folder / "stop", seed=number, most=saves)
        for number, (code, who) in enumerate(desk.raters.items())
    ]


def settle(name: str, desk: Desk, chosen: list[Plan], expected: int) -> History:
    """Judge a burst, keep its figures, and return what the writers were told."""
    history = read(*(plan.journal for plan in chosen))
    verdict = judge(desk.database, history)
    keep(name, writers=len(chosen), acknowledged=verdict.acknowledged, expected=expected,
         refused=len(history.refused), p50_ms=round(at_share(history.waits, 0.5) * 1000, 1),
         p99_ms=round(at_share(history.waits, 0.99) * 1000, 1),
         longest_ms=round(max(history.waits) * 1000, 1))
    assert history.refused == {}
    assert verdict.is_clean, verdict
    assert verdict.acknowledged == expected
    return history


def judge_waiting(history: History, p99_seconds: float) -> None:
    """Judge how long people waited, on a machine that does nothing else."""
    if IDLE_MACHINE:
        assert at_share(history.waits, 0.99) <= p99_seconds
        assert max(history.waits) <= LONGEST_SECONDS


@pytest.mark.slow
def test_threads_of_one_server_all_save(tmp_path: Path) -> None:
    desk = prepared(tmp_path, raters=BURST_THREADS)
    chosen = plans(desk, tmp_path, BURST_THREAD_SAVES)
    in_threads(chosen, desk.database)
    history = settle("burst-threads", desk, chosen, BURST_THREADS * BURST_THREAD_SAVES)
    judge_waiting(history, 0.3)


@pytest.mark.slow
def test_processes_all_save(tmp_path: Path) -> None:
    desk = prepared(tmp_path, raters=BURST_PROCESSES)
    chosen = plans(desk, tmp_path, BURST_SAVES)
    with Nursery() as nursery:
        alive = [nursery.bear(plan) for plan in chosen]
        nursery.wait(*alive, seconds=60 + BURST_SAVES * 4)
    history = settle("burst-processes", desk, chosen, BURST_PROCESSES * BURST_SAVES)
    judge_waiting(history, 1.0)


@pytest.mark.slow
def test_fifty_raters_save_at_the_same_moment_through_the_app(tmp_path: Path) -> None:
    desk = prepared(tmp_path, raters=CROWD, items=4)
    chosen = plans(desk, tmp_path, CROWD_SAVES)
    with served_desk(desk.database, tmp_path) as served:
        start = threading.Barrier(CROWD)

        def rate(plan: Plan, token: str) -> None:
            doors = Browser(served.port, token).doors()
            start.wait(30)
            work(plan, *doors)

        threads = [
            threading.Thread(target=rate, args=(plan, sign_in(desk.database, plan.person.id)))
            for plan in chosen
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        history = settle("crowd", desk, chosen, CROWD * CROWD_SAVES)
        assert b"locked" not in served.log.read_bytes()
    keep("crowd-time", seconds=round(took, 1), raters=CROWD, saves=CROWD * CROWD_SAVES)
    judge_waiting(history, LONGEST_SECONDS)
