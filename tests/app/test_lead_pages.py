"""The lead's screens, and the account: each guards itself, shows what it may and acts."""

import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services import access, lifecycle, people, rating, studies
from cbt_core.settings import Settings
from db.engine import Database
from pages.ui import session
from tests import making
from tests.making import Made

ROOT = Path(__file__).resolve().parents[2]
LEAD_SCREENS = (
    "studies", "import_study", "design", "people", "progress", "escalations", "results", "export",
)
SCREENS = (*LEAD_SCREENS, "account")
MINE = ("lead", *SCREENS)

Show = Callable[[str], AppTest]


@pytest.fixture
def moment() -> datetime:
    return session.now()


@pytest.fixture
def study(database: Database, tmp_path: Path, moment: datetime) -> Made:
    """Return a study of eight items, three raters, everything rated."""
    made = making.make_study(database, tmp_path, moment)
    for code, value in (("R01", 0), ("R02", 1), ("R03", 2)):
        making.rate_all(database, made.raters[code], made.slug, moment, value)
    return made


@pytest.fixture
def enter(
    database: Database, monkeypatch: pytest.MonkeyPatch, moment: datetime
) -> Callable[[str, str], Person]:
    """Return a function that signs somebody in for the screens that follow."""
    monkeypatch.setattr(session, "settings", lambda: Settings(database=database.url))

    def sign_in(code: str, secret: str) -> Person:
        found = access.sign_in(database, code=code, secret=secret, address="", now=moment)
        access.set_language(database, found.person, language="en")
        monkeypatch.setattr(session, "token", lambda: found.token)
        return found.person

    return sign_in


@pytest.fixture
def lead(
    database: Database, study: Made, moment: datetime,
    enter: Callable[[str, str], Person],
) -> Person:
    """Return the study's lead, signed in."""
    issued = people.add_person(
        database, TERMINAL, code="L01", now=moment, role=Role.LEAD, study_id=study.study_id
    )
    people.add_person(database, TERMINAL, code="L01", now=moment, role=Role.LEAD)
    return enter("L01", issued.secret or "")


def cold(name: str) -> AppTest:
    """Open a screen as a cold server would: its file alone."""
    return AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=60).run()


def show(name: str) -> AppTest:
    """Open a screen through the door."""
    door = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    return door.switch_page(f"pages/{name}.py").run()


def words(screen: AppTest) -> str:
    """Return everything a screen says, tables included."""
    kinds = (screen.title, screen.header, screen.subheader, screen.text, screen.caption,
             screen.markdown, screen.info, screen.warning, screen.error, screen.success,
             screen.code, screen.metric, screen.button)
    said = [str(getattr(one, "value", "")) + str(getattr(one, "label", ""))
            for kind in kinds for one in kind]
    said += [one.value.to_csv() for one in screen.dataframe]
    said += [one.value.to_csv() for one in screen.table]
    return "\n".join(said)


def press(screen: AppTest, label: str) -> AppTest:
    """Press the button of this label and return the screen that follows."""
    found = next(one for one in screen.button if one.label == label)
    return found.click().run()


def stage_of(database: Database, person: Person, moment: datetime) -> str:
    return studies.setup_for(database, person, slug="trial", now=moment).study.stage


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_opened_cold_shows_nothing_to_a_visitor(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "token", lambda: None)
    screen = cold(name)
    assert not screen.exception
    assert words(screen) == ""


@pytest.mark.parametrize("name", LEAD_SCREENS)
def test_a_rater_sees_nothing_of_a_leads_screen(
    name: str, database: Database, study: Made, moment: datetime,
    enter: Callable[[str, str], Person],
) -> None:
    enter("R01", people.reset(database, TERMINAL, code="R01", now=moment).secret or "")
    screen = cold(name)
    assert not screen.exception
    assert words(screen) == ""


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_screen_opens_for_a_lead_in_both_languages(
    name: str, language: str, database: Database, lead: Person
) -> None:
    access.set_language(database, lead, language=language)
    screen = show(name)
    assert not screen.exception
    assert screen.title


@pytest.mark.parametrize("name", LEAD_SCREENS)
def test_no_screen_names_a_system_before_the_unblinding(name: str, lead: Person) -> None:
    screen = show(name)
    assert "zebra" not in str(screen._tree).casefold()


def test_results_before_the_lock_hold_no_score_by_system_even_masked(lead: Person) -> None:
    told = words(show("results"))
    assert "Alpha (ordinal)" in told
    assert "S1" not in told
    assert "S2" not in told


def test_results_after_the_unblinding_hold_means_by_system(
    database: Database, lead: Person, moment: datetime
) -> None:
    lifecycle.lock(database, lead, slug="trial", now=moment)
    lifecycle.unblind(database, lead, slug="trial", reason="planned", now=moment)
    told = words(show("results"))
    assert "zebra-lora" in told


def test_an_undefined_figure_stands_with_its_reason(
    database: Database, tmp_path: Path, moment: datetime,
    enter: Callable[[str, str], Person],
) -> None:
    made = making.make_study(database, tmp_path, moment)
    for rater in made.raters.values():
        making.rate_all(database, rater, made.slug, moment, 2)
    issued = people.add_person(
        database, TERMINAL, code="L02", now=moment, role=Role.LEAD, study_id=made.study_id
    )
    enter("L02", issued.secret or "")
    assert "all ratings are equal" in words(show("results"))


def test_a_lead_who_rates_sees_no_results_before_the_lock(
    database: Database, study: Made, lead: Person, moment: datetime
) -> None:
    people.add_person(
        database, TERMINAL, code="L01", now=moment, role=Role.RATER, study_id=study.study_id
    )
    screen = show("results")
    assert not screen.dataframe
    assert "You rate in this study yourself" in words(screen)


def test_the_lock_button_locks(database: Database, lead: Person, moment: datetime) -> None:
    screen = press(show("studies"), "Lock the study")
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
    found = people.list_people(database, lead, now=moment, study_id=study.study_id)
    assert "R09" not in {one.code for one in found}


def test_the_balance_is_shown_before_anything_is_drawn(
    database: Database, study: Made, lead: Person, moment: datetime
) -> None:
    people.add_person(
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
    enter: Callable[[str, str], Person],
) -> None:
    made = making.make_study(database, tmp_path, moment)
    rater = made.raters["R01"]
    view = making.open_next(database, rater, made.slug, moment)
    raised = [{"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "",
               "start": None, "end": None}]
    body = making.press(view, entries=making.entries(view, flags=raised))
    rating.save(database, rater, body=body, now=moment)
    issued = people.add_person(
        database, TERMINAL, code="L03", now=moment, role=Role.LEAD, study_id=made.study_id
    )
    enter("L03", issued.secret or "")
    screen = press(show("escalations"), "Read")
    assert view["task"]["question"] in words(screen)
    screen.text_area(key="case-text").set_value("item withdrawn")
    screen = press(screen, "Mark as handled")
    assert "0 open, 1 in all" in words(screen)


def test_both_languages_have_the_same_words() -> None:
    for name in MINE:
        held = [
            set(tomllib.loads((ROOT / "pages/ui/text" / one / f"{name}.toml").read_text("utf-8")))
            for one in ("en", "zh")
        ]
        assert held[0] == held[1], name
