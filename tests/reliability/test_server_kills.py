"""kill -9 of the served app while browsers save: they send again, and one revision stands."""

import random
import threading
import time
from pathlib import Path

import pytest

from tests.reliability.counts import SERVER_KILLS, keep
from tests.reliability.desk import prepared, sign_in
from tests.reliability.http_desk import Browser, served_desk
from tests.reliability.journal import read, wait_for_told
from tests.reliability.judge import judge
from tests.reliability.writer import Plan, work

RATERS = 4


@pytest.mark.slow
def test_a_killed_server_loses_and_doubles_nothing(tmp_path: Path) -> None:
    desk, dice = prepared(tmp_path, raters=RATERS), random.Random(3)
    plans = [
        Plan(desk.database.url, who, desk.tasks[code], tmp_path / f"{code}.journal",
             tmp_path / "stop", seed=number)
        for number, (code, who) in enumerate(desk.raters.items())
    ]
    with served_desk(desk.database, tmp_path) as served:
        threads = [
            threading.Thread(target=work, args=(
                plan, *Browser(served.port, sign_in(desk.database, plan.person.id)).doors()))
            for plan in plans
        ]
        for thread in threads:
            thread.start()
        journals = [plan.journal for plan in plans]
        for number in range(1, SERVER_KILLS + 1):
            wait_for_told(journals, 11 * number)
            time.sleep(dice.uniform(0.5, 2.0))
            served.kill()
            served.start()
        wait_for_told(journals, 11 * (SERVER_KILLS + 1))
        (tmp_path / "stop").touch()
        for thread in threads:
            thread.join()
        verdict = judge(desk.database, read(*journals))
    keep("server-kills", kills=SERVER_KILLS, acknowledged=verdict.acknowledged,
         lost=len(verdict.lost), duplicated=len(verdict.duplicated),
         phantom=len(verdict.phantom), faults=list(verdict.faults))
    assert verdict.is_clean, verdict
    assert verdict.acknowledged > 10 * SERVER_KILLS
