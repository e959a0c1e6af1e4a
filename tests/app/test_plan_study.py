"""The planning screen: before there is a study, in both languages, with refusals in words."""

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.people import roster
from db.engine import Database
from pages.ui import session
from pages.ui.words import LANGUAGES
from tests.app.desk import Enter, cold, press, show, words


@pytest.fixture
def newcomer(database: Database, enter: Enter) -> Person:
    """Return somebody who may create studies and has none."""
    issued = roster.add_person(database, TERMINAL, code="L09", now=session.now(), role=Role.LEAD)
    return enter("L09", issued.secret or "")


def test_it_opens_before_there_is_a_study(newcomer: Person) -> None:
    screen = show("plan_study")
    assert not screen.exception
    told = words(screen)
    assert "We plan 100 items, 5 raters and 3 raters per item." in told
    assert "本研究计划使用 100 道题目" in told
    assert "±" in told


@pytest.mark.parametrize("words_of", LANGUAGES)
def test_it_opens_in_both_languages(words_of: str, database: Database, newcomer: Person) -> None:
    sessions.set_language(database, newcomer, language=words_of, now=session.now())
    screen = show("plan_study")
    assert not screen.exception
    assert len(screen.metric) == 4


def test_what_is_asked_is_what_is_simulated(newcomer: Person) -> None:
    screen = show("plan_study")
    screen.number_input(key="plan-items").set_value(60)
    screen.number_input(key="plan-raters").set_value(3)
    screen.number_input(key="plan-sd_rater_system").set_value(0.0)
    told = words(press(screen, "Simulate"))
    assert "We plan 60 items, 3 raters" in told
    assert "set beforehand where marked as given: SD rater × system" in told


def test_a_difference_beyond_the_scale_is_refused_in_words(newcomer: Person) -> None:
    screen = show("plan_study")
    screen.number_input(key="plan-difference").set_value(3.0)
    screen = press(screen, "Simulate")
    assert not screen.exception
    assert "does not fit on it" in "".join(one.value for one in screen.error).replace("\\", "")


def test_own_shares_that_are_no_shares_are_refused_in_words(newcomer: Person) -> None:
    screen = show("plan_study")
    screen.selectbox(key="plan-skew").set_value("own")
    screen.text_input(key="plan-shares").set_value("many")
    screen = press(screen, "Simulate")
    assert not screen.exception
    assert screen.error


def test_opened_cold_it_shows_nothing_to_a_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "token", lambda: None)
    screen = cold("plan_study")
    assert not screen.exception
    assert words(screen) == ""
