"""Escalations: seen by the study's lead alone, answered by rows that are only ever added."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.errors import Refused, StudyError
from cbt_core.services.desk import admission, desk_task, escalations
from cbt_core.services.studies import contents, lifecycle, protocols
from db import audit
from db.engine import Database
from tests import making
from tests.making import Made

LIVE = """
[study]
source_kind = "live"
[escalation]
owner = "Dr Li, 8 a.m. to 8 p.m."
within_hours = 24
"""


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return making.make_study(database, tmp_path, now)


@pytest.fixture
def lead(database: Database, study: Made, now: datetime) -> Person:
    return making.lead(database, study.study_id, now)


def flag(severity: str = "serious", **more: object) -> dict[str, object]:
    return {"slot": "B", "kind": "unsafe_advice", "severity": severity, "quote": "", "start": None,
            "end": None, **more}


def save(
    database: Database, study: Made, now: datetime, *flags: dict[str, object], code: str = "R01",
    comment: str = "",
) -> dict[str, object]:
    """Rate the next task of a rater with these flags; return its view."""
    rater = study.raters[code]
    view = making.open_next(database, rater, study.slug, now)
    entries = making.entries(view, flags=list(flags), comment=comment)
    desk_task.save(database, rater, body=making.press(view, entries=entries), now=now)
    return view


def only_case(database: Database, lead: Person, now: datetime) -> int:
    return escalations.queue(database, lead, slug="trial", now=now).cases[0].id


def read(database: Database, lead: Person, now: datetime) -> escalations.Case:
    return escalations.read(
        database, lead, slug="trial", case_id=only_case(database, lead, now), now=now
    )


def test_only_serious_flags_stand_in_the_queue(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag("minor"))
    save(database, study, now, flag("serious"))
    found = escalations.queue(database, lead, slug="trial", now=now)
    assert [case.cause for case in found.cases] == ["flag:unsafe_advice"]
    assert found.waiting == 1
    assert not found.reachable  # archived texts: nobody can be reached


def test_a_case_shows_the_answers_in_the_slots_in_which_the_rater_saw_them(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    view = save(database, study, now, flag(), comment="看到了")
    case = read(database, lead, now)
    shown = view["task"]
    assert isinstance(shown, dict)
    assert [(one.slot, one.text) for one in case.slots] == [
        (one["slot"], one["text"]) for one in shown["slots"]
    ]
    assert case.row.question == shown["question"]
    assert case.row.comment == "看到了"
    assert [(one.slot, one.severity) for one in case.flags] == [("B", "serious")]


def test_a_case_names_no_system(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    assert "zebra" not in repr(read(database, lead, now))
    assert "'S1'" not in repr(read(database, lead, now))


def test_notes_are_added_and_the_newest_decision_counts(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    act = {"slug": "trial", "case_id": only_case(database, lead, now), "now": now}
    escalations.note(database, lead, text="asked the rater", **act)  # type: ignore[arg-type]
    assert read(database, lead, now).row.state == "open"
    escalations.handle(database, lead, text="item withdrawn", **act)  # type: ignore[arg-type]
    assert read(database, lead, now).row.state == "handled"
    escalations.reopen(database, lead, text="again", **act)  # type: ignore[arg-type]
    case = read(database, lead, now)
    assert case.row.state == "open"
    assert [one.action for one in case.notes] == ["noted", "handled", "reopened"]
    assert case.notes[1].note == "item withdrawn"


def test_a_decision_that_stands_already_is_refused(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    case = only_case(database, lead, now)
    with pytest.raises(StudyError, match="open already"):
        escalations.reopen(database, lead, slug="trial", case_id=case, text="why", now=now)
    escalations.handle(database, lead, slug="trial", case_id=case, text="done", now=now)
    with pytest.raises(StudyError, match="handled already"):
        escalations.handle(database, lead, slug="trial", case_id=case, text="done", now=now)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4001])
def test_a_note_without_words_or_with_too_many_is_refused(
    text: str, database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    case = only_case(database, lead, now)
    with pytest.raises(StudyError):
        escalations.note(database, lead, slug="trial", case_id=case, text=text, now=now)
    assert not read(database, lead, now).notes


def test_cases_can_be_handled_after_the_lock(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    lifecycle.lock(database, lead, slug="trial", now=now)
    case = only_case(database, lead, now)
    escalations.handle(database, lead, slug="trial", case_id=case, text="done", now=now)
    assert escalations.queue(database, lead, slug="trial", now=now).waiting == 0


def test_the_chain_notes_the_act_without_a_word_of_the_note(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    case = only_case(database, lead, now)
    escalations.handle(database, lead, slug="trial", case_id=case, text="private words", now=now)
    with database.reading() as connection:
        last = audit.entries(connection, study.study_id)[-1]
    assert last.action == "escalation.handled"
    assert "private" not in last.payload


def test_nobody_but_the_lead_sees_or_answers_a_case(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    case = only_case(database, lead, now)
    rater = study.raters["R01"]
    with pytest.raises(Refused):
        escalations.queue(database, rater, slug="trial", now=now)
    with pytest.raises(Refused):
        escalations.read(database, rater, slug="trial", case_id=case, now=now)
    with pytest.raises(Refused):
        escalations.handle(database, rater, slug="trial", case_id=case, text="x", now=now)


def test_a_case_of_another_study_is_unknown(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    save(database, study, now, flag())
    (tmp_path / "other").mkdir()
    other = making.make_study(
        database, tmp_path / "other", now, raters=("X1", "X2", "X3"), slug="other"
    )
    mine = making.lead(database, study.study_id, now)
    theirs = making.lead(database, other.study_id, now, code="L09")
    case = only_case(database, mine, now)
    with pytest.raises(StudyError, match="no such case"):
        escalations.read(database, theirs, slug="other", case_id=case, now=now)


def test_a_correction_leaves_the_case_and_says_so(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    view = save(database, study, now, flag())
    rater, shown = study.raters["R01"], view["task"]
    assert isinstance(shown, dict)
    again = dict(desk_task.open_task(
        database, rater, slug="trial", token=str(shown["task"]), now=now
    ))
    entries = making.entries(again, reason="marked by mistake")
    desk_task.save(database, rater, body=making.press(again, entries=entries), now=now)
    case = read(database, lead, now)
    assert case.row.corrected
    assert [one.kind for one in case.flags] == ["unsafe_advice"]


@pytest.fixture
def live(database: Database, tmp_path: Path, now: datetime) -> Made:
    return making.make_study(database, tmp_path, now, protocol=LIVE)


def test_live_texts_have_somebody_who_answers_in_time(
    database: Database, live: Made, now: datetime
) -> None:
    save(database, live, now, flag())
    judge = making.lead(database, live.study_id, now)
    found = escalations.queue(database, judge, slug="trial", now=now + timedelta(hours=23))
    assert found.reachable
    assert (found.owner, found.within_hours) == ("Dr Li, 8 a.m. to 8 p.m.", 24)
    assert list(found.due.values()) == ["2026-11-24T08:00:00.000000Z"]
    assert not found.overdue


def test_what_is_late_stands_first_the_longest_waiting_at_the_top(
    database: Database, live: Made, now: datetime
) -> None:
    for hours in (0, 1, 40):
        save(database, live, now + timedelta(hours=hours), flag())
    judge = making.lead(database, live.study_id, now)

    def seen(hours: int) -> escalations.Queue:
        return escalations.queue(
            database, judge, slug="trial", now=now + timedelta(hours=hours)
        )

    newest, second, first = (case.id for case in seen(2).cases)
    assert seen(24).overdue == frozenset()  # at the limit is in time
    late = seen(41)
    assert [case.id for case in late.cases] == [first, second, newest]
    assert late.overdue == {first, second}
    act = {"slug": "trial", "case_id": first, "now": now + timedelta(hours=41)}
    escalations.handle(database, judge, text="called", **act)  # type: ignore[arg-type]
    assert seen(41).overdue == {second}
    escalations.reopen(database, judge, text="no answer", **act)  # type: ignore[arg-type]
    assert seen(41).overdue == {first, second}


def test_archived_texts_know_no_time_limit(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    found = escalations.queue(database, lead, slug="trial", now=now + timedelta(days=900))
    assert (found.owner, found.due, found.overdue) == ("", {}, frozenset())


def test_an_amendment_can_say_that_the_texts_are_live(
    database: Database, study: Made, lead: Person, tmp_path: Path, now: datetime
) -> None:
    setup = contents.setup_for(database, TERMINAL, slug="trial", now=now)
    assert setup.study.source_kind == "archived"
    assert "存档" in admission.content_notice(setup).zh
    file = tmp_path / "live.toml"
    file.write_text(LIVE, "utf-8")
    protocols.amend(
        database, TERMINAL, slug="trial", protocol=file, reason="the forum is open", now=now
    )
    setup = contents.setup_for(database, TERMINAL, slug="trial", now=now)
    assert setup.study.source_kind == "live"
    for text in (admission.content_notice(setup), admission.consent_text(setup)):
        assert "存档" not in text.zh
        assert "archived" not in text.en
    assert escalations.queue(database, lead, slug="trial", now=now).owner.startswith("Dr Li")


def test_a_study_of_live_texts_is_stored_as_one(
    database: Database, live: Made, now: datetime
) -> None:
    setup = contents.setup_for(database, TERMINAL, slug="trial", now=now)
    assert (setup.study.source_kind, setup.protocol.is_live) == ("live", True)
