"""Labelling: open a text, keep a draft, save or skip; alone first, then with the machine's labels.

Every function asks again who the person is to this task; the page's guard is only for the eye.
A task has one or two rounds (`marker_view.standing`); the seat counts it once, after the last.
"""

from collections.abc import Mapping
from datetime import datetime

from cbt_core.canonical import digest_of
from cbt_core.domain.people import Person
from cbt_core.domain.study import Risk, Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import PENDING, UNASKED, TaskState, Work
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.instruments.defaults import defaults
from cbt_core.services.desk import sent_entries, views
from cbt_core.services.desk.press import (
    Press,
    labelled_study,
    own_label_task,
    refuse_closed_labels,
    refuse_stale,
    repeated_labels,
    scope,
    scope_of_task,
)
from cbt_core.services.desk.sent_entries import (
    FIELDS,
    CheckedLabels,
    LabelRules,
    Meta,
    check_draft,
    check_meta,
)
from cbt_core.services.desk.views import Standing, break_is_due, standing
from cbt_core.services.studies.study_setup import current
from db import audit, labels, seats, tasks
from db.engine import Connection, Database
from db.labels import NewLabels
from db.tasks import TaskRow

View = dict[str, object]


def open_task(
    database: Database,
    person: Person,
    *,
    slug: str,
    token: str | None,
    now: datetime,
    rested: bool = False,
) -> View:
    """Return what the marker shows: the named task, or the next one; or why there is none.

    `rested` says that the person comes back from a break.
    """
    with database.writing(scope(database, slug)) as connection:
        study_id = labelled_study(connection, person, slug)
        if rested:
            seats.rest(connection, study_id=study_id, person_id=person.id, work=Work.LABEL)
        if token is None:
            return _next(connection, person, study_id, now)
        row = own_label_task(connection, person, token)
        if row.study_id != study_id:
            raise Refused("rating.unknown_task")
        if row.state in UNASKED:
            raise Refused(f"rating.{row.state}")
        return _show(connection, person, row, now)


def keep_draft(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> int:
    """Keep unsaved marks on the server, latest sequence wins; return the one that stands.

    Raises:
        Conflict: the task was saved meanwhile, so that these marks belong to an earlier round.
    """
    token, sequence, base = (body.get(name) for name in ("task", "sequence", "base_revision"))
    if not isinstance(token, str) or type(base) is not int:
        raise Invalid("rating.malformed")
    if type(sequence) is not int or not 0 <= sequence < 2**53:
        raise Invalid("rating.malformed")
    entries = check_draft(body.get("entries"))
    with database.writing() as connection:
        row = own_label_task(connection, person, token)
        refuse_closed_labels(row)
        if row.revision != base:
            raise Conflict("rating.changed_elsewhere")
        return tasks.keep_draft(connection, row.id, sequence=sequence, entries=entries, now=now)


def save(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> View:
    """Store all labels of a task as a new revision, or nothing; return the next view.

    A token that was already used gives the first answer again (a repeat is harmless).

    Raises:
        Invalid: labels are missing, unknown or out of range.
        Conflict: the task was saved elsewhere, or the token was used for other labels.
        Refused: the task is not the person's, or is closed.
    """
    press, meta = Press.of(body), check_meta(body.get("meta") or {})
    sent = digest_of(press.task, body.get("entries"))
    with database.writing(scope_of_task(database, press.task)) as connection:
        row = own_label_task(connection, person, press.task)
        repeated = repeated_labels(connection, row, press, sent)
        if repeated is not None:
            return _acknowledge(connection, person, row, repeated, now, repeated=True)
        refuse_closed_labels(row)
        refuse_stale(row, press)
        setup = current(connection, row.study_id)
        here = standing(connection, row, setup.protocol.label_mode)
        checked = sent_entries.check_labels(body.get("entries"), _rules(setup, row, here))
        new = _labelled(row, press, sent, meta, checked, here.round)
        _store(connection, person, row, new, setup, now)
        return _acknowledge(connection, person, row, new.revision, now, repeated=False)


def skip(
    database: Database, person: Person, *, body: Mapping[str, object], now: datetime
) -> View:
    """Skip a task with a reason: no labels, no penalty, and the reason kept apart."""
    press, meta = Press.of(body), check_meta(body.get("meta") or {})
    reason, note = _skip_of(body)
    sent = digest_of(press.task, "skip", reason, note)
    with database.writing(scope_of_task(database, press.task)) as connection:
        row = own_label_task(connection, person, press.task)
        repeated = repeated_labels(connection, row, press, sent)
        if repeated is not None:
            return _acknowledge(connection, person, row, repeated, now, repeated=True)
        refuse_closed_labels(row)
        refuse_stale(row, press)
        setup = current(connection, row.study_id)
        here = standing(connection, row, setup.protocol.label_mode)
        new = NewLabels(
            task_id=row.id, study_id=row.study_id, person_id=person.id, round=here.round,
            revision=row.revision + 1, token=press.token, digest=sent, outcome="skipped",
            skip_reason=reason, note=note, layout=meta.layout, input=meta.input,
            lang=meta.lang, width=meta.width, active_seconds=meta.active_seconds,
        )
        _store(connection, person, row, new, setup, now)
        return _acknowledge(connection, person, row, new.revision, now, repeated=False)


def _skip_of(body: Mapping[str, object]) -> tuple[str, str]:
    asked = body.get("skip")
    given = asked if isinstance(asked, dict) else {}
    reason, note = given.get("reason"), given.get("note") or ""
    known = {choice.id for choice in defaults().skip_reasons}
    if not isinstance(reason, str) or reason not in known or not isinstance(note, str):
        raise Invalid("rating.wrong_reason", missing=((None, "skip"),))
    return reason, sent_entries.checked_text(given, "note")


def _store(
    connection: Connection,
    person: Person,
    row: TaskRow,
    new: NewLabels,
    setup: StudySetup,
    now: datetime,
) -> None:
    labels.add(connection, new, now)
    state = _state_after(connection, row, new, setup)
    tasks.set_state(connection, row.id, state=state, revision=new.revision)
    is_counted = row.state in PENDING and state not in PENDING
    seats.count(
        connection, study_id=row.study_id, person_id=person.id, work=row.work,
        done=int(is_counted), seconds=new.active_seconds,
        risk_items=int(is_counted and row.risk != Risk.NONE),
    )
    tasks.drop_draft(connection, row.id)
    audit.append(
        connection, study_id=row.study_id, actor=person.code, action="labels",
        payload=_trail(row, new), now=now,
    )


def _state_after(
    connection: Connection, row: TaskRow, new: NewLabels, setup: StudySetup
) -> TaskState:
    """Return `opened` while a round is still to come, else `done` or `skipped`."""
    if new.outcome == "skipped":
        blind = labels.newest(connection, row.id, "blind")
        was_labelled = blind is not None and blind.outcome != "skipped"
        return TaskState.DONE if was_labelled else TaskState.SKIPPED
    after = standing(connection, row, setup.protocol.label_mode)
    return TaskState.DONE if after.round == new.round else TaskState.OPENED


def _trail(row: TaskRow, new: NewLabels) -> audit.Payload:
    """Return what the chain keeps: enough to rebuild the labels, but no word of a person."""
    return {
        "task": row.id, "round": new.round, "revision": new.revision, "outcome": new.outcome,
        "digest": new.digest, "certainty": new.certainty, "skip": new.skip_reason or None,
        "labels": [[one.label, one.whole, one.origin] for one in new.labels],
        "spans": [[s.field, s.start, s.end, s.label, s.origin] for s in new.spans],
        "answers": [[a.proposal_id, a.answer, a.label] for a in new.answers],
    }


def _labelled(
    row: TaskRow, press: Press, sent: str, meta: Meta, checked: CheckedLabels, round_name: str
) -> NewLabels:
    return NewLabels(
        task_id=row.id, study_id=row.study_id, person_id=row.person_id, round=round_name,
        revision=row.revision + 1, token=press.token, digest=sent, outcome=checked.outcome,
        certainty=checked.certainty, note=checked.note, reason=checked.reason,
        layout=meta.layout, input=meta.input, lang=meta.lang, width=meta.width,
        active_seconds=meta.active_seconds, labels=checked.labels, spans=checked.spans,
        answers=checked.answers,
    )


def _rules(setup: StudySetup, row: TaskRow, here: Standing) -> LabelRules:
    return LabelRules(
        labels=frozenset(one.id for one in setup.scheme.labels),
        texts=dict(zip(FIELDS, (row.question, row.description), strict=True)),
        proposals=here.proposals,
        is_correction=here.is_correction,
    )


def _acknowledge(
    connection: Connection, person: Person, row: TaskRow, revision: int, now: datetime,
    *, repeated: bool,
) -> View:
    saved = {"task": row.token, "revision": revision, "at": now.isoformat(), "repeated": repeated}
    after = tasks.find(connection, row.token)
    if after is not None and after.state == TaskState.OPENED and after.revision:
        return {"saved": saved, "view": _show(connection, person, after, now)}
    return {"saved": saved, "view": _next(connection, person, row.study_id, now)}


def _next(connection: Connection, person: Person, study_id: int, now: datetime) -> View:
    token = tasks.next_token(connection, study_id=study_id, person_id=person.id, work=Work.LABEL)
    row = tasks.find(connection, token) if token else None
    setup = current(connection, study_id)
    if row is None or row.stage.is_closed:
        return views.marker_finished(connection, person, setup)
    if row.stage == Stage.OPEN and not row.revision and break_is_due(row, setup.protocol.raters):
        return views.marker_pause(connection, row, setup, person)
    return _show(connection, person, row, now)


def _show(connection: Connection, person: Person, row: TaskRow, now: datetime) -> View:
    if row.stage == Stage.DRAFT:
        raise Refused("rating.not_open")
    if row.consent_at is None:
        raise Refused("rating.consent_first")
    if row.state == TaskState.WAITING and row.stage == Stage.OPEN:
        tasks.mark_opened(connection, row.id, now)
    return views.marker_of(connection, row, current(connection, row.study_id), person)
