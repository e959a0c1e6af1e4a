"""The lead's screens, and the account: each guards itself and shows only what it may."""

from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.people import roster
from cbt_core.services.studies import lifecycle
from db.engine import Database
from pages.ui import session
from tests import making
from tests.app.desk import Enter, cold, show, words
from tests.making import Made

LEAD_SCREENS = (
    "studies", "import_study", "design", "people", "progress", "escalations", "results", "export",
)
SCREENS = (*LEAD_SCREENS, "account")


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
    enter: Enter,
) -> None:
    enter("R01", roster.reset(database, TERMINAL, code="R01", now=moment).secret or "")
    screen = cold(name)
    assert not screen.exception
    assert words(screen) == ""


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_screen_opens_for_a_lead_in_both_languages(
    name: str, language: str, database: Database, lead: Person
) -> None:
    sessions.set_language(database, lead, language=language, now=session.now())
    screen = show(name)
    assert not screen.exception
    assert screen.title


@pytest.mark.parametrize("name", LEAD_SCREENS)
def test_no_screen_names_a_system_before_the_unblinding(name: str, lead: Person) -> None:
    assert "zebra" not in words(show(name)).casefold()


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
    enter: Enter,
) -> None:
    made = making.make_study(database, tmp_path, moment)
    for rater in made.raters.values():
        making.rate_all(database, rater, made.slug, moment, 2)
    issued = roster.add_person(
        database, TERMINAL, code="L02", now=moment, role=Role.LEAD, study_id=made.study_id
    )
    enter("L02", issued.secret or "")
    assert "all ratings are equal" in words(show("results"))


def test_a_lead_who_rates_sees_no_results_before_the_lock(
    database: Database, study: Made, lead: Person, moment: datetime
) -> None:
    roster.add_person(
        database, TERMINAL, code="L01", now=moment, role=Role.RATER, study_id=study.study_id
    )
    screen = show("results")
    assert not screen.dataframe
    assert "You rate in this study yourself" in words(screen)
