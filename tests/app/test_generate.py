"""The screen for generating: who may open it, what it says before a start and after."""

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.people import roster
from cbt_core.services.runs import browser_run
from cbt_core.settings import Settings
from db import studies
from db.engine import Database
from pages.ui import session
from pages.ui.words import LANGUAGES
from tests import making
from tests.app.desk import Enter, cold, press, show, words

PATIENCE_SECONDS = 120
ROWS = "".join(
    json.dumps({"id": f"Q{n}", "question": f"第{n}题：睡不好", "source": "own"}, ensure_ascii=False)
    + "\n" for n in range(6)
)


@pytest.fixture
def newcomer(database: Database, enter: Enter) -> Person:
    """Return somebody who may create studies and has none."""
    issued = roster.add_person(database, TERMINAL, code="L09", now=session.now(), role=Role.LEAD)
    return enter("L09", issued.secret or "")


def filled(backend: str = "echo") -> AppTest:
    screen = show("generate")
    screen.selectbox(key="gen-backend").set_value(backend)
    screen = screen.run()
    screen.file_uploader(key="gen-upload").upload("mine.jsonl", ROWS.encode(), "application/json")
    screen.text_input(key="gen-system").set_value("cbt-model")
    return screen.run()


def wait(database: Database, who: Person) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while any(one.active for one in browser_run.watch(database, who, now=session.now())):
        assert time.monotonic() < end, "the run never ended"
        time.sleep(0.1)


def test_opened_cold_it_shows_nothing_to_a_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "token", lambda: None)
    screen = cold("generate")
    assert not screen.exception
    assert words(screen) == ""


@pytest.mark.parametrize("words_of", LANGUAGES)
def test_it_opens_in_both_languages(words_of: str, database: Database, newcomer: Person) -> None:
    sessions.set_language(database, newcomer, language=words_of, now=session.now())
    screen = show("generate")
    assert not screen.exception
    assert screen.title


def test_a_lead_who_may_not_create_studies_is_told_so(
    database: Database, enter: Enter, newcomer: Person
) -> None:
    with database.writing() as connection:
        study_id = studies.add(
            connection, slug="s", title="s", stage="draft", language="zh", demonstration=0,
            created_at="2026-11-23T08:00:00.000000Z", created_by=None)
    making.enrol(database, "L77", study_id, Role.LEAD, session.now())
    issued = roster.reset(database, TERMINAL, code="L77", now=session.now())
    enter("L77", issued.secret or "")
    screen = show("generate")
    assert "Only those who may create studies" in words(screen)
    assert not screen.button


def test_it_says_what_a_run_takes_then_starts_it_and_shows_its_rows(
    database: Database, newcomer: Person
) -> None:
    screen = press(filled(), "Show what it takes")
    told = words(screen)
    assert "this server only" in told
    assert "own: 6 texts, stay on this server" in told
    screen = press(screen, "Start")
    assert not screen.exception
    wait(database, newcomer)
    screen = screen.run()
    told = words(screen)
    assert "6 of 6 answered" in told
    assert "Q0 · 第0题：睡不好" in told
    assert "听得出来" in told


def test_with_no_host_allowed_and_no_model_there_the_screen_says_who_can_help(
    newcomer: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONCORD_MODELS", str(tmp_path / "none"))
    assert "no model in the server's folder" in words(filled("transformers"))
    assert "This server allows no host" in words(filled("openai"))


def test_an_address_that_is_not_allowed_is_refused_in_words(
    database: Database, newcomer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        session, "settings",
        lambda: Settings(database=database.url, allowed_hosts=("models.example",)))
    screen = filled("openai")
    assert screen.text_input(key="gen-address").value == "https://models.example/v1"
    screen.text_input(key="gen-address").set_value("http://127.0.0.1:9/v1")
    screen.text_input(key="gen-model-name").set_value("m")
    screen = press(screen.run(), "Show what it takes")
    assert "is not on this server" in "".join(one.value for one in screen.error).replace("\\", "")
    assert "Start" not in [one.label for one in screen.button]


def test_without_prices_the_cost_is_said_to_be_unknown(
    database: Database, newcomer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        session, "settings",
        lambda: Settings(database=database.url, allowed_hosts=("models.example",)))
    screen = filled("openai")
    screen.text_input(key="gen-model-name").set_value("m")
    told = words(press(screen.run(), "Show what it takes")).replace("\\", "")
    assert "unknown" in told
    assert "models.example" in told
    assert "own: 6 texts, may go to the hosts listed" in told
