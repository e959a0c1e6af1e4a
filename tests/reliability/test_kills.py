"""kill -9 of processes that save: nothing acknowledged is lost, doubled or made up."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cbt_core.services.desk import desk_task
from tests import making
from tests.conftest import NOW
from tests.reliability.counts import KILLS, keep
from tests.reliability.desk import SLUG, Desk, prepared
from tests.reliability.journal import History, Try, read, wait_for_told
from tests.reliability.judge import judge
from tests.reliability.nursery import Nursery
from tests.reliability.writer import Plan

RATERS = 4
WRITERS = 6
"""Two of them share a rater with another one, as two open tabs do."""

EVERYBODY_AT = 3
"""Every third time all writers die at once: the next one to open the file must recover it."""


def plans(desk: Desk, folder: Path, *, early: bool = False) -> list[Plan]:
    codes = list(desk.raters)
    return [
        Plan(desk.database.url, desk.raters[code], desk.tasks[code],
             folder / f"writer-{number}.journal", folder / "stop", seed=number, early=early)
        for number, code in ((number, codes[number % RATERS]) for number in range(WRITERS))
    ]


def journals(chosen: Sequence[Plan]) -> History:
    return read(*(plan.journal for plan in chosen))


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_writers_are_killed(tmp_path: Path) -> None:
    desk, dice, doubtful = prepared(tmp_path, raters=RATERS), random.Random(7), 0
    chosen = plans(desk, tmp_path)
    with Nursery() as nursery:
        alive = {plan: nursery.bear(plan) for plan in chosen}
        for number in range(1, KILLS + 1):
            wait_for_told([plan.journal for plan in chosen], 2 * number)
            time.sleep(dice.uniform(0.05, 0.6))
            dying = chosen if number % EVERYBODY_AT == 0 else [dice.choice(chosen)]
            nursery.kill(*(alive[plan] for plan in dying))
            doubtful += sum(len(read(plan.journal).in_doubt()) for plan in dying)
            alive |= {plan: nursery.bear(plan) for plan in dying}
        (tmp_path / "stop").touch()
        nursery.wait(*alive.values(), seconds=60)
    history = journals(chosen)
    verdict = judge(desk.database, history)
    keep("kills", kills=KILLS, writers=WRITERS, acknowledged=verdict.acknowledged,
         in_doubt=doubtful, refused=len(history.refused), lost=len(verdict.lost),
         duplicated=len(verdict.duplicated), phantom=len(verdict.phantom),
         faults=list(verdict.faults))
    assert verdict.is_clean, verdict
    assert verdict.acknowledged > KILLS
    assert doubtful > 0, "no kill met a save under way: the test showed nothing"
    assert history.in_doubt() == []
    assert set(history.refused.values()) <= {"rating.changed_elsewhere"}


@pytest.mark.slow
def test_a_writer_that_acknowledges_before_the_commit_is_found_out(tmp_path: Path) -> None:
    desk = prepared(tmp_path, raters=RATERS)
    plan = plans(desk, tmp_path, early=True)[0]
    with Nursery() as nursery:
        for round_ in range(1, 31):
            pid = nursery.bear(plan)
            while len(journals([plan]).told) < round_:
                time.sleep(0.001)
            nursery.kill(pid)
            if judge(desk.database, journals([plan])).lost:
                break
    assert judge(desk.database, journals([plan])).lost


def tried(body: dict[str, object], mark: str) -> Try:
    return Try(str(body["token"]), mark, str(body["task"]), 1, body)


def test_a_press_stored_twice_is_found_out(tmp_path: Path) -> None:
    desk = prepared(tmp_path, raters=1)
    rater, history = desk.raters["R01"], History()
    for more in ({}, {"reason": "sent again under a new token"}):
        view = dict(desk_task.open_task(
            desk.database, rater, slug=SLUG, token=desk.tasks["R01"][0], now=NOW))
        body = making.press(view, entries=making.entries(view, comment="press 1", **more))
        saved = desk_task.save(desk.database, rater, body=body, now=NOW)["saved"]
        history.tries[body["token"]] = tried(body, "press 1")
        history.told[body["token"]] = [saved["revision"]]  # type: ignore[index]
    assert judge(desk.database, history).duplicated == ("press 1",)


def test_a_row_nobody_sent_is_found_out(tmp_path: Path) -> None:
    desk = prepared(tmp_path, raters=1)
    body = making.press(making.open_next(desk.database, desk.raters["R01"], SLUG, NOW))
    desk_task.save(desk.database, desk.raters["R01"], body=body, now=NOW)
    assert judge(desk.database, History()).phantom == (body["token"],)
    assert not judge(desk.database, History()).faults
