"""Simulated raters at work: for a study marked as a demonstration, and for no other.

Scores come from people alone. Whoever wants to see the way from ratings to the report makes a
study that says of itself that nothing in it was collected, and lets this go through its tasks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from random import Random
from typing import Final

from cbt_core.demo.drawn_scores import Shown, drawn_entries, drawn_seconds
from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.services import joining, own_work, rating, studies
from cbt_core.services.studies import StudySetup
from db import audit, people, results, seats, tasks
from db.engine import Connection, Database

ACT: Final = "demonstration.simulate"


@dataclass(frozen=True, slots=True)
class Simulated:
    """How many tasks were gone through, by rater's code."""

    tasks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Worker:
    """One simulated rater in one study."""

    person: Person
    setup: StudySetup
    seed: int

    @property
    def slug(self) -> str:
        """Return the study's short name."""
        return self.setup.study.slug


def simulate_ratings(
    database: Database, person: Person, *, slug: str, raters: Sequence[str], seed: int,
    now: datetime,
) -> Simulated:
    """Let raters of a demonstration go through every task they still have to do.

    The draw is noted in the audit chain. Calling it again does what is left, and nothing twice.

    Raises:
        Refused: the person does not lead the study.
        StudyError: the study is no demonstration, or a code has no tasks in it.
    """
    study = studies.led_by(database, person, slug, act="simulate", now=now)
    if not study.demonstration:
        raise StudyError("simulating.not_a_demonstration", slug=slug)
    with database.reading() as connection:
        setup = studies.current(connection, study.id)
        workers = [_worker(connection, setup, code, seed) for code in raters]
    with database.writing(study.id) as connection:
        audit.append(
            connection, study_id=study.id, actor=person.code, action=ACT,
            payload={"raters": sorted(raters), "seed": seed}, now=now,
        )
    return Simulated({one.person.code: _work(database, one, now) for one in workers})


def _worker(connection: Connection, setup: StudySetup, code: str, seed: int) -> _Worker:
    """Return a rater who has tasks in the study.

    Raises:
        StudyError: nobody has this code, or the person was assigned nothing.
    """
    missing = StudyError("simulating.no_tasks", rater=code, slug=setup.study.slug)
    account = people.by_code(connection, code)
    if account is None:
        raise missing
    seat = seats.find(connection, study_id=setup.study.id, person_id=account.id)
    if seat is None or seat.total == 0:
        raise missing
    roles = {setup.study.id: frozenset({Role.RATER})}
    return _Worker(
        Person(account.id, account.code, demonstration=account.demonstration, roles=roles),
        setup, seed,
    )


def _work(database: Database, worker: _Worker, now: datetime) -> int:
    """Go through a rater's tasks, the closing questions included; return how many there were."""
    waiting = _waiting(database, worker)
    if not waiting:
        return 0
    _enter(database, worker, now)
    for token, shown in waiting:
        rating.open_task(database, worker.person, slug=worker.slug, token=token, now=now)
        rating.save(database, worker.person, body=_press(worker, token, shown), now=now)
    _close(database, worker, now)
    return len(waiting)


def _enter(database: Database, worker: _Worker, now: datetime) -> None:
    joining.accept_consent(database, worker.person, slug=worker.slug, now=now)
    joining.answer_profile(database, worker.person, slug=worker.slug, answers={}, now=now)
    joining.finish_guide(database, worker.person, slug=worker.slug, now=now)


def _waiting(database: Database, worker: _Worker) -> list[tuple[str, Shown]]:
    """Return the tasks still to do, in the rater's order: token, and what is shown."""
    study_id, code = worker.setup.study.id, worker.person.code
    with database.reading() as connection:
        slots = results.slots(connection, study_id)
        mine = [line for line in results.tasks(connection, study_id)
                if line.rater == code and line.state in tasks.PENDING]
        return [
            (tasks.token_of(connection, line.task_id),
             Shown(str(line.repeat_of is not None), line.item, code,
                   {slot.slot: str(slot.answer_id) for slot in slots[line.task_id]}))
            for line in sorted(mine, key=lambda one: one.order)
        ]


def _press(worker: _Worker, token: str, shown: Shown) -> dict[str, object]:
    return {
        "task": token,
        "token": blake2b(token.encode(), digest_size=16).hexdigest(),
        "base_revision": 0,
        "entries": drawn_entries(shown, worker.setup.instrument, worker.seed),
        "meta": {"layout": "side-by-side", "input": "keyboard",
                 "lang": worker.setup.protocol.language,
                 "active_seconds": drawn_seconds(shown, worker.seed)},
    }


def _close(database: Database, worker: _Worker, now: datetime) -> None:
    """Make the scores final and guess, at random, which answer came from what."""
    own_work.confirm_final(database, worker.person, slug=worker.slug, now=now)
    chance = Random(f"{worker.seed}/guess/{worker.person.code}")
    again = own_work.shown_again(database, worker.person, slug=worker.slug)
    own_work.guess(
        database, worker.person, slug=worker.slug, now=now,
        answers={one.task: (_guessed(one, chance.choice), "") for one in again},
    )


def _guessed(one: own_work.ShownAgain, choose: Callable[[Sequence[str]], str]) -> str:
    return choose([*(slot for slot, _ in one.slots), own_work.DONT_KNOW])
