"""One task at the desk: open it, keep a draft, save or skip it, and go on to the next one.

The same for both kinds of work; what only one of them has is its `Face`. Every function asks again
who the person is to this task; the page's guard is only for the eye.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from cbt_core.canonical import digest_of
from cbt_core.domain.people import Person
from cbt_core.domain.study import Risk, Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import PENDING, UNASKED, Skip, Submission, TaskState, Work
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.instruments.shipped import defaults
from cbt_core.services import guard
from cbt_core.services.desk import rating_sheet, span_marker
from cbt_core.services.desk.frame import View, break_is_due, pause
from cbt_core.services.desk.requests import (
    MAX_TEXT,
    DraftRequest,
    Json,
    PressRequest,
    SaveRequest,
    SkipRequest,
    circumstances,
    read,
)
from cbt_core.services.studies.study_setup import current
from db import audit, seats, tasks
from db.engine import Connection, Database
from db.submissions import Known
from db.tasks import TaskRow


class Face(Protocol):
    """What only one kind of work has: its rules, its tables and its view."""

    def known(self, connection: Connection, token: str) -> Known | None:
        """Return what a press's token was used for before."""

    def check(
        self, connection: Connection, row: TaskRow, setup: StudySetup, entries: Json
    ) -> Any:  # noqa: ANN401 - the content is the face's own
        """Return entries as they may be stored."""

    def round_of(self, connection: Connection, row: TaskRow, setup: StudySetup) -> str:
        """Return the round a task is in."""

    def store(
        self, connection: Connection, row: TaskRow, new: Submission[Any], setup: StudySetup,
        now: datetime,
    ) -> TaskState:
        """Store a submission; return the state of the task after it."""

    def trail(self, new: Submission[Any]) -> tuple[str, audit.Payload]:
        """Return the act and what the chain keeps of it."""

    def task_view(
        self, connection: Connection, row: TaskRow, setup: StudySetup, person: Person
    ) -> View:
        """Return a task as the person sees it."""

    def around(
        self, connection: Connection, row: TaskRow, setup: StudySetup, person: Person
    ) -> View:
        """Return the view of a task without the task."""

    def after(
        self, connection: Connection, row: TaskRow, setup: StudySetup, person: Person
    ) -> View | None:
        """Return what follows a save before the next task, if anything does."""

    def finished(self, connection: Connection, setup: StudySetup, person: Person) -> View:
        """Return what is left when no task waits."""


FACES: Final[Mapping[Work, Face]] = {Work.RATE: rating_sheet, Work.LABEL: span_marker}


def open_task(
    database: Database,
    person: Person,
    *,
    slug: str,
    token: str | None,
    now: datetime,
    rested: bool = False,
    work: Work = Work.RATE,
) -> View:
    """Return what the screen shows: the named task, or the next one; or why there is none.

    `rested` says that the person comes back from a break.

    Raises:
        Refused: the study or the task is not the person's, or may not be opened.
    """
    worker = guard.as_worker(
        database, person, study=slug, role=work.role, act="open_task", now=now
    )
    with worker.writing() as (connection, study):
        if rested:
            seats.rest(connection, study_id=study.id, person_id=person.id, work=work)
        setup = current(connection, study.id)
        if token is None:
            return _next(connection, person, setup, work, now)
        row = guard.own_task(connection, person, token, work)
        if row.study_id != study.id:
            raise Refused(guard.UNKNOWN_TASK)
        if row.state in UNASKED:
            raise Refused(f"rating.{row.state}")
        if row.revision and tasks.has_pending_repeat(connection, row.id):
            raise Refused("rating.repeat_pending")
        return _show(connection, person, row, setup, now)


def keep_draft(
    database: Database, person: Person, *, body: Json, now: datetime, work: Work = Work.RATE
) -> int:
    """Keep unsaved entries on the server, latest sequence wins; return the one that stands.

    Raises:
        Invalid: the request has not the shape of a draft, or is far larger than any task.
        Conflict: the task was saved meanwhile, so that these entries belong to what it was before.
        Refused: the task is not the person's, or is closed.
    """
    sent = read(DraftRequest, body)
    entries = json.dumps(sent.entries, ensure_ascii=False, separators=(",", ":"))
    if len(entries) > 10 * MAX_TEXT:
        raise Invalid("rating.too_long")
    door = guard.at_task(database, person, task=sent.task, work=work, act="keep_draft", now=now)
    with door.writing() as (connection, row):
        _refuse_closed(row)
        _refuse_stale(row, sent.base_revision)
        return tasks.keep_draft(
            connection, row.id, sequence=sent.sequence, entries=entries, now=now
        )


def save(
    database: Database, person: Person, *, body: Json, now: datetime, work: Work = Work.RATE
) -> View:
    """Store everything entered in a task as a new revision, or nothing; return the next view.

    A token that was already used gives the first answer again (a repeat is harmless).

    Raises:
        Invalid: entries are missing, unknown or out of range.
        Conflict: the task was saved elsewhere, or the token was used for other entries.
        Refused: the task is not the person's, or is closed.
    """
    sent = read(SaveRequest, body)

    def content(connection: Connection, row: TaskRow, setup: StudySetup) -> object:
        return FACES[work].check(connection, row, setup, sent.entries)

    digest = digest_of(sent.task, sent.entries)
    door = guard.at_task(database, person, task=sent.task, work=work, act="save", now=now)
    with door.writing() as (connection, row):
        return _press(connection, person, row, sent, digest, content, now)


def skip(
    database: Database, person: Person, *, body: Json, now: datetime, work: Work = Work.RATE
) -> View:
    """Skip a task with a reason: nothing entered, no penalty, and the reason kept apart.

    Raises:
        Invalid: the reason is none of those offered.
        Conflict: the task was saved elsewhere, or the token was used for something else.
        Refused: the task is not the person's, or is closed.
    """
    wrong = Invalid("rating.wrong_reason", missing=((None, "skip"),))
    sent = read(
        SkipRequest, body,
        lambda place: wrong if place[0] == "skip" and place[-1] != "too_long" else None,
    )
    why = Skip(reason=sent.skip.reason, note=sent.skip.note or "")
    if why.reason not in {choice.id for choice in defaults().skip_reasons}:
        raise wrong
    digest = digest_of(sent.task, "skip", why.reason, why.note)
    door = guard.at_task(database, person, task=sent.task, work=work, act="skip", now=now)
    with door.writing() as (connection, row):
        return _press(connection, person, row, sent, digest, lambda *_: why, now)


def _press(
    connection: Connection,
    person: Person,
    row: TaskRow,
    sent: PressRequest,
    digest: str,
    content: Callable[[Connection, TaskRow, StudySetup], Any],
    now: datetime,
) -> View:
    """Store what a press of save or skip holds, once; return its receipt and what comes next."""
    face = FACES[row.work]
    known = face.known(connection, sent.token)
    if known is not None and (known.task_id != row.id or known.digest != digest):
        raise Conflict("rating.token_reused")
    setup = current(connection, row.study_id)
    if known is None:
        _refuse_closed(row)
        _refuse_stale(row, sent.base_revision)
        _store(connection, person, row, setup, Submission(
            task_id=row.id, study_id=row.study_id, person_id=person.id,
            revision=row.revision + 1, token=sent.token, digest=digest,
            circumstances=circumstances(sent.meta),
            content=content(connection, row, setup),
            round=face.round_of(connection, row, setup),
        ), now)
    view = face.after(connection, row, setup, person) or _next(
        connection, person, setup, row.work, now
    )
    revision = row.revision + 1 if known is None else known.revision
    return {
        "saved": {
            "task": row.token, "revision": revision, "at": now.isoformat(),
            "repeated": known is not None,
        },
        "view": view,
    }


def _store(
    connection: Connection, person: Person, row: TaskRow, setup: StudySetup,
    new: Submission[Any], now: datetime,
) -> None:
    face = FACES[row.work]
    state = face.store(connection, row, new, setup, now)
    tasks.set_state(connection, row.id, state=state, revision=new.revision)
    is_counted = row.state in PENDING and state not in PENDING  # once, after the last round
    seats.count(
        connection, study_id=row.study_id, person_id=person.id, work=row.work,
        done=int(is_counted), seconds=new.circumstances.active_seconds,
        risk_items=int(is_counted and row.risk != Risk.NONE),
    )
    tasks.drop_draft(connection, row.id)
    action, payload = face.trail(new)
    audit.append(
        connection, study_id=row.study_id, actor=person.code, action=action, payload=payload,
        now=now,
    )


def _refuse_closed(row: TaskRow) -> None:
    """Refuse a change to a task that may only be read, with the reason the person is told."""
    if row.stage != Stage.OPEN:
        raise Refused("rating.locked" if row.stage.is_closed else "rating.not_open")
    if row.final_at is not None:
        raise Refused("rating.final")
    if row.state in UNASKED:
        raise Refused(f"rating.{row.state}")
    if row.consent_at is None:
        raise Refused("rating.consent_first")


def _refuse_stale(row: TaskRow, base_revision: int) -> None:
    """Refuse what was made of an older revision: somebody saved a newer one."""
    if row.revision != base_revision:
        raise Conflict("rating.changed_elsewhere")


def _next(
    connection: Connection, person: Person, setup: StudySetup, work: Work, now: datetime
) -> View:
    face = FACES[work]
    token = tasks.next_token(
        connection, study_id=setup.study.id, person_id=person.id, work=work
    )
    row = tasks.find(connection, token) if token else None
    # after the lock a rater may still read what was never rated; a text to label is over
    if row is None or (work is Work.LABEL and row.stage.is_closed):
        return face.finished(connection, setup, person)
    is_new = row.stage == Stage.OPEN and not row.revision
    if is_new and break_is_due(row, setup.protocol.raters):
        return {**face.around(connection, row, setup, person), **pause(row)}
    return _show(connection, person, row, setup, now)


def _show(
    connection: Connection, person: Person, row: TaskRow, setup: StudySetup, now: datetime
) -> View:
    if row.stage == Stage.DRAFT:
        raise Refused("rating.not_open")
    if row.consent_at is None:
        raise Refused("rating.consent_first")
    if row.state == TaskState.WAITING and row.stage == Stage.OPEN:
        tasks.mark_opened(connection, row.id, now)
    return FACES[row.work].task_view(connection, row, setup, person)
