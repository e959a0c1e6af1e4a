"""Who rates what: draw tasks, show the balance first, take newcomers in and let leavers go."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from random import Random

from cbt_core.domain.assignment.balance import Balance, balance_table
from cbt_core.domain.assignment.planner import plan
from cbt_core.domain.assignment.planner import release as plan_release
from cbt_core.domain.assignment.tasks import Demand, PlannedTask
from cbt_core.domain.people import Person
from cbt_core.domain.study import SLOTS, Kind, Role, Stage
from cbt_core.domain.study_setup import StudyRow, StudySetup
from cbt_core.domain.submission import Work
from cbt_core.errors import Refused, StudyError
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import assignment, audit, people, seats, studies, tasks
from db.assignment import Given
from db.engine import Connection, Database
from db.tasks import NewTask


@dataclass(frozen=True, slots=True)
class Assigned:
    """What an assignment gives: how many new tasks, the balance of all of them, warnings.

    `warnings` are codes of `cbt_core.words`; `codes` maps person id to code.
    """

    added: int
    balance: Balance
    warnings: tuple[str, ...]
    codes: Mapping[int, str]
    annotator_tasks: int = 0


@dataclass(frozen=True, slots=True)
class _Draft:
    """A plan before it is stored."""

    setup: StudySetup
    given: Given
    planned: tuple[PlannedTask, ...]
    kept: tuple[PlannedTask, ...]
    replaced: bool
    raters: tuple[int, ...]
    overlap: int
    seed: int


def preview(
    database: Database,
    person: Person,
    *,
    slug: str,
    raters: Sequence[str],
    annotators: Sequence[str] = (),
    overlap: int | None = None,
    seed: int | None = None,
    now: datetime,
) -> Assigned:
    """Return what `assign` would do, without doing it."""
    lead = guard.as_lead(database, person, study=slug, act="preview_assignment", now=now)
    with lead.reading() as (connection, study):
        draft = _draft(connection, study.id, raters, overlap, seed)
        items, new = _label_tasks(connection, study.id, annotators)
        return replace(_told(connection, draft), annotator_tasks=len(items) * len(new))


def assign(
    database: Database,
    person: Person,
    *,
    slug: str,
    raters: Sequence[str] = (),
    annotators: Sequence[str] = (),
    overlap: int | None = None,
    seed: int | None = None,
    now: datetime,
) -> Assigned:
    """Draw and store tasks; called again it adds raters or overlap.

    A task somebody has opened is never touched. When somebody new joins, the tasks nobody has
    opened yet are drawn again over everybody, so that the newcomer gets a fair share.

    Raises:
        StudyError: unknown person, too few raters, or a study past its lock.
    """
    lead = guard.as_lead(database, person, study=slug, act="assign", now=now)
    with lead.writing() as (connection, study):
        _require_unlocked(study)
        _join(connection, study.id, raters, Role.RATER, now)
        _join(connection, study.id, annotators, Role.ANNOTATOR, now)
        labelled = _assign_labels(connection, study.id, person, annotators, seed, now)
        draft = _draft(connection, study.id, raters, overlap, seed)
        _store(connection, study.id, draft)
        if study.stage == Stage.DRAFT and (draft.planned or labelled):
            studies.set_stage(connection, study.id, "open")
        summary = replace(_told(connection, draft), annotator_tasks=labelled)
        _note(connection, study.id, person, draft, summary, now)
        return summary


def release(
    database: Database, person: Person, *, slug: str, rater: str, now: datetime,
    reason: str = "",
) -> Assigned:
    """Let a rater go: unopened tasks go to the others under the same bounds.

    What anybody has opened or done stays; who takes tasks over gets the unopened part of the
    sequence drawn anew. The leaver's membership ends.
    """
    lead = guard.as_lead(database, person, study=slug, act="release", now=now)
    with lead.writing() as (connection, study):
        _require_unlocked(study)
        leaver = people.by_code(connection, rater.strip().upper())
        if leaver is None:
            raise StudyError("assignment.unknown_person", who=rater)
        setup = current(connection, study.id)
        standing = assignment.given(connection, study.id)
        others = _active(connection, study.id) - {leaver.id}
        demand = _demand(connection, setup, tuple(sorted(others)), None, None)
        moved = plan_release(demand, standing.tasks, leaver.id)
        redrawn = {leaver.id, *(one.rater for one in moved.removed)}
        dropped = assignment.drop_waiting(
            connection, study.id, work=Work.RATE, person_ids=sorted(redrawn)
        )
        for person_id, count in dropped.items():
            seats.add_total(
                connection, study_id=study.id, person_id=person_id, work=Work.RATE, by=-count
            )
        people.leave(
            connection, study_id=study.id, person_id=leaver.id, role=Role.RATER, now=now
        )
        kept = tuple(t for t in standing.tasks if t.rater not in redrawn or t.opened)
        draft = _Draft(
            setup, standing, moved.added, kept, False, demand.raters, demand.overlap, demand.seed
        )
        _store(connection, study.id, draft)
        summary = _told(connection, draft)
        audit.append(
            connection, study_id=study.id, actor=person.code, action="release",
            payload={"rater": leaver.code, "removed": len(moved.removed),
                     "added": len(moved.added), "digest": _digest(moved.added),
                     "reason": reason}, now=now,
        )
        return summary


def _draft(
    connection: Connection,
    study_id: int,
    codes: Sequence[str],
    overlap: int | None,
    seed: int | None,
) -> _Draft:
    setup = current(connection, study_id)
    named = _persons(connection, codes)
    standing = assignment.given(connection, study_id)
    at_work = assignment.with_tasks(connection, study_id, Work.RATE)
    raters = tuple(sorted((_active(connection, study_id) & at_work) | set(named)))
    overlap = max(overlap or setup.protocol.design.overlap, _held(standing.tasks))
    demand = _demand(connection, setup, raters, overlap, seed)
    joins = bool(at_work) and bool(set(named) - at_work)
    kept = tuple(t for t in standing.tasks if t.opened) if joins else standing.tasks
    planned = plan(demand, kept) if raters else ()
    return _Draft(
        setup, standing, planned, kept, joins, raters, demand.overlap, demand.seed
    )


def _demand(
    connection: Connection,
    setup: StudySetup,
    raters: tuple[int, ...],
    overlap: int | None,
    seed: int | None,
) -> Demand:
    design = setup.protocol.design
    systems = studies.systems(connection, setup.study.id)
    baseline = next((row.id for row in systems if row.baseline), None)
    if baseline is None and len(systems) == 2:  # a pair is a pair either way
        baseline = systems[0].id
    items = {
        item: found
        for item, found in assignment.item_systems(connection, setup.study.id).items()
        if found
    }
    return Demand(
        items=items,
        raters=raters,
        panel=design.panel,
        baseline=baseline,
        overlap=overlap or design.overlap,
        seed=design.seed if seed is None else seed,
        repeats=design.repeats,
        repeat_gap_tasks=design.repeat_gap_tasks,
        checks=tuple(assignment.item_systems(connection, setup.study.id, "check")),
        calibrations=tuple(assignment.item_systems(connection, setup.study.id, "calibration")),
        recalibrate_every=setup.protocol.raters.recalibrate_every,
    )


def _store(connection: Connection, study_id: int, draft: _Draft) -> None:
    if draft.replaced:
        dropped = assignment.drop_waiting(connection, study_id, work=Work.RATE)
        for person_id, count in dropped.items():
            seats.add_total(
                connection, study_id=study_id, person_id=person_id, work=Work.RATE, by=-count
            )
    answers = assignment.answer_ids(connection, study_id)
    panels = dict(draft.given.panels)
    calibrations = assignment.calibration_answers(connection, study_id)
    new = [_new_task(study_id, one, answers, panels, calibrations) for one in draft.planned]
    tasks.insert_many(connection, new)
    _point_repeats(connection, study_id, draft.planned)
    for rater in sorted({one.rater for one in draft.planned}):
        count = sum(one.rater == rater for one in draft.planned)
        seats.add_total(connection, study_id=study_id, person_id=rater, work=Work.RATE, by=count)


def _new_task(
    study_id: int,
    planned: PlannedTask,
    answers: Mapping[tuple[int, int], int],
    panels: dict[tuple[int, tuple[int, ...]], str],
    calibrations: Mapping[int, Sequence[int]],
) -> NewTask:
    key = (planned.item, planned.panel)
    # Drawn, not hashed: nobody can try out which systems a panel's name stands for.
    panel = panels.setdefault(key, secrets.token_hex(5))
    return NewTask(
        token=secrets.token_urlsafe(15),
        study_id=study_id,
        person_id=planned.rater,
        item_id=planned.item,
        position=planned.position,
        slots=_slots(planned, answers, calibrations),
        kind=planned.kind.value,
        panel=panel,
    )


def _slots(
    planned: PlannedTask,
    answers: Mapping[tuple[int, int], int],
    calibrations: Mapping[int, Sequence[int]],
) -> dict[str, int]:
    if planned.kind is Kind.CALIBRATION:  # as its author wrote them: A, B, …
        return dict(zip(SLOTS, calibrations[planned.item], strict=False))
    return {
        SLOTS[place]: answers[(planned.item, system)]
        for place, system in enumerate(planned.slots)
    }


def _point_repeats(
    connection: Connection, study_id: int, planned: Sequence[PlannedTask]
) -> None:
    repeats = [one for one in planned if one.repeat_of is not None]
    if not repeats:
        return
    ids = assignment.task_ids(connection, study_id, Work.RATE)
    assignment.set_repeats(
        connection,
        [(ids[(one.rater, one.position)], ids[(one.rater, one.repeat_of or 0)])
         for one in repeats],
    )


def _assign_labels(
    connection: Connection,
    study_id: int,
    person: Person,
    codes: Sequence[str],
    seed: int | None,
    now: datetime,
) -> int:
    """Give every annotator every item, in an order of their own; return the new tasks."""
    setup = current(connection, study_id)
    items, new = _label_tasks(connection, study_id, codes)
    added = 0
    for person_id in new:
        order = list(items)
        chosen = setup.protocol.design.seed if seed is None else seed
        Random(f"{chosen}/label/{person_id}").shuffle(order)  # a stored seed, no secret
        tasks.insert_many(
            connection,
            [
                NewTask(token=secrets.token_urlsafe(15), study_id=study_id, person_id=person_id,
                        item_id=item, position=place, slots={}, work=Work.LABEL)
                for place, item in enumerate(order, start=1)
            ],
        )
        seats.add_total(
            connection, study_id=study_id, person_id=person_id, work=Work.LABEL, by=len(order)
        )
        added += len(order)
    if added:
        audit.append(
            connection, study_id=study_id, actor=person.code, action="assign-labels",
            payload={"annotators": sorted(codes), "tasks": added}, now=now,
        )
    return added


def _label_tasks(
    connection: Connection, study_id: int, codes: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Return the items that are labelled, and who of these annotators has no task yet."""
    had = assignment.with_tasks(connection, study_id, Work.LABEL)
    new = [one for one in _persons(connection, codes) if one not in had]
    return list(assignment.item_systems(connection, study_id)), new


def _told(connection: Connection, draft: _Draft) -> Assigned:
    everything = (*draft.kept, *draft.planned)
    design = draft.setup.protocol.design
    balance = balance_table(everything, raters=draft.raters, repeats=design.repeats)
    codes = {
        row.id: row.code
        for row in assignment.raters(connection, draft.setup.study.id, Role.RATER.value)
    }
    for rater in draft.raters:
        if rater not in codes:
            account = people.by_id(connection, rater)
            codes[rater] = account.code if account else "?"
    warnings = () if draft.setup.protocol.ethics.recorded else ("assignment.no_ethics",)
    return Assigned(len(draft.planned), balance, warnings, codes)


def _note(
    connection: Connection,
    study_id: int,
    person: Person,
    draft: _Draft,
    summary: Assigned,
    now: datetime,
) -> None:
    audit.append(
        connection, study_id=study_id, actor=person.code, action="assign",
        payload={
            "raters": [summary.codes[rater] for rater in draft.raters], "overlap": draft.overlap,
            "seed": draft.seed, "added": summary.added, "redrawn": draft.replaced,
            "protocol": draft.setup.digests.protocol, "digest": _digest(draft.planned),
        },
        now=now,
    )


def _digest(planned: Sequence[PlannedTask]) -> str:
    """Return the SHA-256 of the canonical rows of a plan."""
    rows = sorted(
        f"{t.rater}|{t.position}|{t.item}|{t.slots}|{t.kind}|{t.repeat_of}" for t in planned
    )
    return sha256("\n".join(rows).encode()).hexdigest()


def _held(given: Sequence[PlannedTask]) -> int:
    """Return the overlap already drawn: raters added later must not lower it."""
    counts: dict[tuple[int, tuple[int, ...]], int] = {}
    for task in given:
        if task.kind is Kind.MAIN:
            counts[(task.item, task.panel)] = counts.get((task.item, task.panel), 0) + 1
    return max(counts.values(), default=1)


def _active(connection: Connection, study_id: int) -> set[int]:
    rows = assignment.raters(connection, study_id, Role.RATER.value)
    return {row.id for row in rows if row.active}


def _persons(connection: Connection, codes: Sequence[str]) -> dict[int, str]:
    persons: dict[int, str] = {}
    for code in codes:
        account = people.by_code(connection, code.strip().upper())
        if account is None or account.is_disabled:
            raise StudyError("assignment.unknown_person", who=code.strip())
        persons[account.id] = account.code
    return persons


def _join(
    connection: Connection, study_id: int, codes: Sequence[str], role: Role, now: datetime
) -> None:
    for person_id in _persons(connection, codes):
        people.join(
            connection, study_id=study_id, person_id=person_id, role=role, now=now
        )


def _require_unlocked(study: StudyRow) -> None:
    if study.stage.is_closed:
        raise Refused("assignment.locked")
