"""What a lead does on the screens: lock, unblind, invite, assign, answer an escalation."""

from datetime import datetime
from pathlib import Path

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.desk import desk_task
from cbt_core.services.people import roster
from cbt_core.services.studies import contents, lifecycle
from db.engine import Database
from tests import making
from tests.app.desk import Enter, press, show, words
from tests.making import Made


def stage_of(database: Database, person: Person, moment: datetime) -> str:
    return contents.setup_for(database, person, slug="trial", now=moment).study.stage


def test_the_lock_button_locks(database: Database, lead: Person, moment: datetime) -> None:
    screen = press(show("studies"), "Lock the study")
    assert stage_of(database, lead, moment) == "open"
    screen = press(screen, "Yes, lock now")
    assert stage_of(database, lead, moment) == "locked"
    assert "The study is locked" in words(screen)


def test_unblinding_needs_the_short_name_and_a_reason(
    database: Database, lead: Person, moment: datetime
) -> None:
    lifecycle.lock(database, lead, slug="trial", now=moment)
    screen = press(show("studies"), "Begin the unblinding")
    screen.text_input(key="unblind-slug").set_value("other")
    screen.text_area(key="unblind-reason").set_value("planned")
    screen = press(screen, "Unblind now")
    assert stage_of(database, lead, moment) == "locked"
    screen.text_input(key="unblind-slug").set_value("trial")
    screen.text_area(key="unblind-reason").set_value("")
    screen = press(screen, "Unblind now")
    assert stage_of(database, lead, moment) == "locked"
    screen.text_area(key="unblind-reason").set_value("planned")
    screen = press(screen, "Unblind now")
    assert stage_of(database, lead, moment) == "unblinded"
    assert "zebra-lora" in words(screen)


def test_a_secret_is_shown_once_and_kept_nowhere(lead: Person) -> None:
    screen = show("people")
    screen.text_input(key="invite-code").set_value("R09")
    screen = press(screen, "Invite")
    secret = next(one.value for one in screen.code if one.value.count("-") == 3)
    assert secret not in str(screen.session_state._state.filtered_state)
    screen = screen.run()
    assert secret not in words(screen)


def test_a_bad_address_invites_nobody(
    database: Database, study: Made, lead: Person, moment: datetime
) -> None:
    screen = show("people")
    screen.text_input(key="invite-code").set_value("R09")
    screen.text_input(key="invite-address").set_value("somewhere")
    screen = press(screen, "Invite")
    assert screen.error
    found = roster.list_people(database, lead, now=moment, study_id=study.study_id)
    assert "R09" not in {one.code for one in found}


def test_the_balance_is_shown_before_anything_is_drawn(
    database: Database, study: Made, lead: Person, moment: datetime
) -> None:
    roster.add_person(
        database, lead, code="R04", now=moment, role=Role.RATER, study_id=study.study_id
    )
    screen = press(show("design"), "Show the balance")
    status = lifecycle.status(database, lead, slug="trial", now=moment)
    assert "R04" not in {row.code for row in status.raters}
    assert "Main tasks per rater" in words(screen)
    assert any(one.label == "Draw these tasks" for one in screen.button)


def test_the_design_warns_without_an_ethics_record(lead: Person) -> None:
    assert "ethics committee" in words(show("design"))


def test_progress_shows_no_score(lead: Person) -> None:
    told = words(show("progress"))
    assert "24 / 24" in told
    assert "mean" not in told.casefold()


def test_a_serious_flag_is_read_and_handled(
    database: Database, tmp_path: Path, moment: datetime,
    enter: Enter,
) -> None:
    made = making.make_study(database, tmp_path, moment)
    rater = made.raters["R01"]
    view = making.open_next(database, rater, made.slug, moment)
    raised = [{"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "",
               "start": None, "end": None}]
    body = making.press(view, entries=making.entries(view, flags=raised))
    desk_task.save(database, rater, body=body, now=moment)
    issued = roster.add_person(
        database, TERMINAL, code="L03", now=moment, role=Role.LEAD, study_id=made.study_id
    )
    enter("L03", issued.secret or "")
    screen = press(show("escalations"), "Read")
    assert view["task"]["question"] in words(screen)
    screen.text_area(key="case-text").set_value("item withdrawn")
    screen = press(screen, "Mark as handled")
    assert "0 open, 1 in all" in words(screen)
