"""Rating: open a task, keep a draft, save or skip, and go on to the next one.

Every function asks again who the person is to this task; the page's guard is only for the eye.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.people import Person
from cbt_core.domain.study import Kind, Risk, Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import PENDING, UNASKED, TaskState, Work
from cbt_core.errors import Invalid, Refused
from cbt_core.instruments.defaults import defaults
from cbt_core.services.desk import views
from cbt_core.services.desk.press import (
    Press,
    own_rating_task,
    rated_study,
    refuse_closed_rating,
    refuse_stale,
    repeated_rating,
    scope,
    scope_of_task,
)
from cbt_core.services.desk.sent_entries import (
    CheckedRating,
    Meta,
    RatingRules,
    check_draft,
    check_meta,
    check_rating,
)
from cbt_core.services.guard import noting
from cbt_core.services.studies.study_setup import current
from db import audit, seats, submissions, tasks
from db.engine import Connection, Database
from db.submissions import NewSubmission
from db.tasks import TaskRow

View = dict[str, object]
ESCALATED: Final = "serious"


def open_task(
    database: Database,
    person: Person,
    *,
    slug: str,
    token: str | None,
    now: datetime,
    rested: bool = False,
) -> View:
    """Return what the sheet shows: the named task, or the next one; or why there is none.

    `rested` says that the person comes back from a break.
    """
    with (
        noting(database, person, act="open_task", now=now),
        database.writing(scope(database, slug)) as connection,
    ):
        study_id = rated_study(connection, person, slug)
        if rested:
            seats.rest(connection, study_id=study_id, person_id=person.id, work=Work.RATE)
        if token is None:
            return _next(connection, person, current(connection, study_id), now)
        row = own_rating_task(connection, person, token)
        if row.study_id != study_id:
            raise Refused("rating.unknown_task")
        _refuse_hidden(connection, row)
        return _show(connection, person, row, current(connection, study_id), now)


def keep_draft(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> int:
    """Keep unsaved entries on the server, latest sequence wins; return the one that stands."""
    token, sequence = body.get("task"), body.get("sequence")
    if not isinstance(token, str) or type(sequence) is not int or not 0 <= sequence < 2**53:
        raise Invalid("rating.malformed")
    entries = check_draft(body.get("entries"))
    with (
        noting(database, person, act="keep_draft", now=now),
        database.writing() as connection,
    ):
        row = own_rating_task(connection, person, token)
        refuse_closed_rating(row)
        return tasks.keep_draft(
            connection, row.id, sequence=sequence, entries=entries, now=now
        )


def save(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> View:
    """Store all scores of a task as a new revision, or nothing; return the next view.

    A token that was already used gives the first answer again (a repeat is harmless).

    Raises:
        Invalid: entries are missing or out of range.
        Conflict: the task was saved elsewhere, or the token was used for other entries.
        Refused: the task is not the person's, or is closed.
    """
    press, meta = Press.of(body), check_meta(body.get("meta") or {})
    sent = digest_of(press.task, body.get("entries"))
    with (
        noting(database, person, act="save", now=now),
        database.writing(scope_of_task(database, press.task)) as connection,
    ):
        row = own_rating_task(connection, person, press.task)
        repeated = repeated_rating(connection, row, press, sent)
        if repeated is not None:
            return _acknowledge(connection, person, row, repeated, now, repeated=True)
        refuse_closed_rating(row)
        refuse_stale(row, press)
        setup = current(connection, row.study_id)
        rules = _rules(connection, setup, row)
        checked = check_rating(body.get("entries"), rules, is_correction=row.revision > 0)
        new = _scored(row, press, sent, meta, checked)
        _store(connection, person, row, new, now)
        return _acknowledge(
            connection, person, row, new.revision, now, repeated=False, setup=setup
        )


def skip(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> View:
    """Skip a task with a reason: no scores, no penalty, and the reason kept apart."""
    press, meta = Press.of(body), check_meta(body.get("meta") or {})
    asked = body.get("skip")
    reason, note = (asked.get("reason"), asked.get("note") or "") if isinstance(
        asked, dict) else (None, "")
    if reason not in {choice.id for choice in defaults().skip_reasons} or not isinstance(note, str):
        raise Invalid("rating.wrong_reason", missing=((None, "skip"),))
    sent = digest_of(press.task, "skip", reason, note)
    with (
        noting(database, person, act="skip", now=now),
        database.writing(scope_of_task(database, press.task)) as connection,
    ):
        row = own_rating_task(connection, person, press.task)
        repeated = repeated_rating(connection, row, press, sent)
        if repeated is not None:
            return _acknowledge(connection, person, row, repeated, now, repeated=True)
        refuse_closed_rating(row)
        refuse_stale(row, press)
        new = NewSubmission(
            task_id=row.id, study_id=row.study_id, person_id=person.id,
            revision=row.revision + 1, token=press.token, digest=sent, outcome="skipped",
            skip_reason=str(reason), note=note[:4000], layout=meta.layout, input=meta.input,
            lang=meta.lang, width=meta.width, active_seconds=meta.active_seconds,
        )
        _store(connection, person, row, new, now)
        return _acknowledge(connection, person, row, new.revision, now, repeated=False)


def _store(
    connection: Connection, person: Person, row: TaskRow, new: NewSubmission, now: datetime
) -> None:
    key = submissions.add(connection, new, now)
    causes = sorted({f"flag:{flag.kind}" for flag in new.flags if flag.severity == ESCALATED})
    submissions.escalate(
        connection, study_id=row.study_id, submission_id=key, causes=causes, now=now
    )
    state = TaskState.DONE if new.outcome == "scored" else TaskState.SKIPPED
    tasks.set_state(connection, row.id, state=state, revision=new.revision)
    is_first = row.state in PENDING
    seats.count(
        connection, study_id=row.study_id, person_id=person.id, work=row.work,
        done=int(is_first), seconds=new.active_seconds,
        risk_items=int(is_first and row.risk != Risk.NONE),
    )
    tasks.drop_draft(connection, row.id)
    audit.append(
        connection, study_id=row.study_id, actor=person.code,
        action="submission" if new.revision == 1 else "correction",
        payload=_trail(row, new), now=now,
    )


def _trail(row: TaskRow, new: NewSubmission) -> audit.Payload:
    """Return what the chain keeps: enough to rebuild the scores, but no word a person wrote."""
    return {
        "task": row.id, "revision": new.revision, "outcome": new.outcome, "digest": new.digest,
        "scores": [[s.slot, s.answer_id, s.scale, s.value, s.missing_reason] for s in new.scores],
        "flags": [[f.answer_id, f.kind, f.severity] for f in new.flags],
        "steps": [[s.answer_id, s.step, s.value] for s in new.steps],
        "preference": list(new.preference) if new.preference else None,
        "skip": new.skip_reason,
    }


def _scored(
    row: TaskRow, press: Press, sent: str, meta: Meta, checked: CheckedRating
) -> NewSubmission:
    return NewSubmission(
        task_id=row.id, study_id=row.study_id, person_id=row.person_id,
        revision=row.revision + 1, token=press.token, digest=sent, reason=checked.reason,
        comment=checked.comment, confidence=checked.confidence, layout=meta.layout,
        input=meta.input, lang=meta.lang, width=meta.width, active_seconds=meta.active_seconds,
        scores=checked.scores, flags=checked.flags, steps=checked.steps,
        preference=checked.preference,
    )


def _rules(connection: Connection, setup: StudySetup, row: TaskRow) -> RatingRules:
    return RatingRules(
        instrument=setup.instrument,
        sheet=setup.protocol.sheet,
        slots=tasks.slots(connection, row.id),
        steps_asked=views.steps_asked(setup.protocol.steps, row.token) is not None,
        flag_kinds=frozenset(choice.id for choice in defaults().flag_kinds),
        severities=frozenset(choice.id for choice in defaults().severities),
    )


def _acknowledge(
    connection: Connection, person: Person, row: TaskRow, revision: int, now: datetime,
    *, repeated: bool, setup: StudySetup | None = None,
) -> View:
    setup = setup or current(connection, row.study_id)
    view = _feedback(connection, row, setup, person) or _next(connection, person, setup, now)
    return {
        "saved": {
            "task": row.token, "revision": revision, "at": now.isoformat(), "repeated": repeated,
        },
        "view": view,
    }


def _next(connection: Connection, person: Person, setup: StudySetup, now: datetime) -> View:
    token = tasks.next_token(connection, study_id=setup.study.id, person_id=person.id)
    row = tasks.find(connection, token) if token else None
    if row is None:
        return views.sheet_finished(connection, person, setup)
    if row.stage == Stage.OPEN and views.break_is_due(row, setup.protocol.raters):
        return views.sheet_pause(row, setup, person)
    return _show(connection, person, row, setup, now)


def _feedback(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View | None:
    """Return the key and the reasons after a calibration item; None after any other."""
    if row.kind != Kind.CALIBRATION:
        return None
    practice = next(
        (p for p in setup.protocol.raters.practice if row.item_key.endswith(f":{p.id}")), None
    )
    if practice is None:
        return None
    return views.sheet_feedback(connection, row, practice, setup, person)


def _show(
    connection: Connection, person: Person, row: TaskRow, setup: StudySetup, now: datetime
) -> View:
    if row.stage == Stage.DRAFT:
        raise Refused("rating.not_open")
    if row.consent_at is None:
        raise Refused("rating.consent_first")
    if row.state == TaskState.WAITING and row.stage == Stage.OPEN:
        tasks.mark_opened(connection, row.id, now)
    return views.sheet_of(connection, row, setup, person)


def _refuse_hidden(connection: Connection, row: TaskRow) -> None:
    if row.state in UNASKED:
        raise Refused(f"rating.{row.state}")
    if row.revision and tasks.has_pending_repeat(connection, row.id):
        raise Refused("rating.repeat_pending")
