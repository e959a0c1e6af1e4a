"""Escalations: seen by the study's lead alone, answered by rows that are only ever added."""

from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import Person
from cbt_core.errors import Refused, StudyError
from cbt_core.services import escalating, lifecycle, rating
from db import audit
from db.engine import Database
from tests import making
from tests.making import Made


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
    rating.save(database, rater, body=making.press(view, entries=entries), now=now)
    return view


def only_case(database: Database, lead: Person, now: datetime) -> int:
    return escalating.queue(database, lead, slug="trial", now=now).cases[0].id


def read(database: Database, lead: Person, now: datetime) -> escalating.Case:
    return escalating.read(
        database, lead, slug="trial", case_id=only_case(database, lead, now), now=now
    )


def test_only_serious_flags_stand_in_the_queue(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag("minor"))
    save(database, study, now, flag("serious"))
    found = escalating.queue(database, lead, slug="trial", now=now)
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
    escalating.note(database, lead, text="asked the rater", **act)  # type: ignore[arg-type]
    assert read(database, lead, now).row.state == "open"
    escalating.handle(database, lead, text="item withdrawn", **act)  # type: ignore[arg-type]
    assert read(database, lead, now).row.state == "handled"
    escalating.reopen(database, lead, text="again", **act)  # type: ignore[arg-type]
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
        escalating.reopen(database, lead, slug="trial", case_id=case, text="why", now=now)
    escalating.handle(database, lead, slug="trial", case_id=case, text="done", now=now)
    with pytest.raises(StudyError, match="handled already"):
        escalating.handle(database, lead, slug="trial", case_id=case, text="done", now=now)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4001])
def test_a_note_without_words_or_with_too_many_is_refused(
    text: str, database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    case = only_case(database, lead, now)
    with pytest.raises(StudyError):
        escalating.note(database, lead, slug="trial", case_id=case, text=text, now=now)
    assert not read(database, lead, now).notes


def test_cases_can_be_handled_after_the_lock(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    lifecycle.lock(database, lead, slug="trial", now=now)
    case = only_case(database, lead, now)
    escalating.handle(database, lead, slug="trial", case_id=case, text="done", now=now)
    assert escalating.queue(database, lead, slug="trial", now=now).waiting == 0


def test_the_chain_notes_the_act_without_a_word_of_the_note(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    save(database, study, now, flag())
    case = only_case(database, lead, now)
    escalating.handle(database, lead, slug="trial", case_id=case, text="private words", now=now)
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
        escalating.queue(database, rater, slug="trial", now=now)
    with pytest.raises(Refused):
        escalating.read(database, rater, slug="trial", case_id=case, now=now)
    with pytest.raises(Refused):
        escalating.handle(database, rater, slug="trial", case_id=case, text="x", now=now)


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
        escalating.read(database, theirs, slug="other", case_id=case, now=now)


def test_a_correction_leaves_the_case_and_says_so(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    view = save(database, study, now, flag())
    rater, shown = study.raters["R01"], view["task"]
    assert isinstance(shown, dict)
    again = dict(rating.open_task(
        database, rater, slug="trial", token=str(shown["task"]), now=now
    ))
    entries = making.entries(again, reason="marked by mistake")
    rating.save(database, rater, body=making.press(again, entries=entries), now=now)
    case = read(database, lead, now)
    assert case.row.corrected
    assert [one.kind for one in case.flags] == ["unsafe_advice"]
