"""The screen of adjudication guards itself; own work lists labels too, and opens them again."""

from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.services.access import sessions
from cbt_core.services.desk import desk_task
from cbt_core.services.people import roster
from db.engine import Database
from pages.ui import session
from tests.app.desk import Enter, cold, press, show, words
from tests.label_study import LabelStudy, make_label_study, open_next
from tests.label_study import press as pressed
from tests.making import Made, enrol


@pytest.fixture
def labelled(database: Database, tmp_path: Path, moment: datetime) -> LabelStudy:
    """Return a label study in which one text is labelled."""
    study = make_label_study(database, tmp_path, moment, mode="blind")
    who = study.annotators["N01"]
    view = open_next(database, who, study.slug, moment)
    desk_task.save(database, who, body=pressed(view, verdict="none"), work=Work.LABEL, now=moment)
    return study


def sign_in(enter: Enter, database: Database, code: str, moment: datetime) -> Person:
    return enter(code, roster.reset(database, TERMINAL, code=code, now=moment).secret or "")


def test_the_screen_shows_nothing_to_a_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "token", lambda: None)
    screen = cold("adjudicate")
    assert not screen.exception
    assert words(screen) == ""


def test_the_screen_shows_nothing_to_raters_and_annotators(
    database: Database, study: Made, labelled: LabelStudy, moment: datetime, enter: Enter
) -> None:
    for code in ("R01", "N01"):
        sign_in(enter, database, code, moment)
        assert words(cold("adjudicate")) == ""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_screen_opens_for_a_lead_in_both_languages(
    database: Database, lead: Person, language: str
) -> None:
    sessions.set_language(database, lead, language=language, now=session.now())
    screen = show("adjudicate")
    assert not screen.exception
    assert screen.title[0].value == {"zh": "裁定", "en": "Adjudicate"}[language]
    assert "zebra" not in str(screen._tree).casefold()


def test_an_annotator_finds_labelled_texts_and_opens_one_again(
    database: Database, labelled: LabelStudy, moment: datetime, enter: Enter
) -> None:
    sign_in(enter, database, "N01", moment)
    screen = show("my_work")
    assert not screen.exception
    assert any("搬到新城市" in one.value for one in screen.text)
    again = press(screen, next(one.label for one in screen.button))
    assert not again.exception
    assert again.session_state["study"] == labelled.slug


def test_who_rates_and_labels_chooses_which_work_to_see(
    database: Database, study: Made, labelled: LabelStudy, moment: datetime, enter: Enter
) -> None:
    enrol(database, "N01", study.study_id, Role.RATER, moment)
    sign_in(enter, database, "N01", moment)
    assert len(show("my_work").radio) == 1
