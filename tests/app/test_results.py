"""The results screen: sections by stage, in both languages, and figures that can be saved."""

from datetime import datetime
from xml.etree import ElementTree

import altair as alt
import pytest
from streamlit.testing.v1 import AppTest

from cbt_core import palette
from cbt_core.domain.people import Person
from cbt_core.services.access import sessions
from cbt_core.services.studies import lifecycle
from db.engine import Database
from pages.ui import charts, session
from tests.app.desk import ROOT, cold, show, words
from tests.making import Made

SECTIONS = (
    "agreement", "raters", "items", "comparison", "scores", "checks", "metrics", "safety", "judges",
)
BY_SYSTEM = ("comparison", "metrics", "safety", "judges")


def section(name: str) -> AppTest:
    """Open the screen at a section: AppTest cannot press a segmented control once it is drawn."""
    door = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    door.session_state["results-section"] = name
    return door.switch_page("pages/results.py").run()


def lock(database: Database, lead: Person, moment: datetime) -> None:
    lifecycle.lock(database, lead, slug="trial", now=moment)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_opens_once_unblinded(
    name: str, language: str, database: Database, lead: Person, moment: datetime
) -> None:
    lock(database, lead, moment)
    lifecycle.unblind(database, lead, slug="trial", reason="planned", now=moment)
    sessions.set_language(database, lead, language=language, now=session.now())
    screen = section(name)
    assert not screen.exception
    assert screen.header


@pytest.mark.parametrize("name", SECTIONS)
def test_no_section_tells_systems_apart_before_the_lock(name: str, lead: Person) -> None:
    screen = section(name)
    assert not screen.exception
    told = words(screen)
    for forbidden in ("zebra", "baseline", "S1", "S2"):
        assert forbidden not in told


def test_agreement_is_read_by_system_once_systems_may_be_told_apart(
    database: Database, lead: Person, moment: datetime
) -> None:
    assert " · S1" not in words(section("agreement"))
    lock(database, lead, moment)
    told = words(section("agreement"))
    for system in ("S1", "S2"):
        assert f" · {system}" in told


@pytest.mark.parametrize("name", BY_SYSTEM)
def test_a_withheld_section_says_why(name: str, lead: Person) -> None:
    assert "closed until the study is locked" in words(section(name))


@pytest.mark.parametrize("name", SECTIONS)
def test_locked_systems_bear_masked_names(
    name: str, database: Database, lead: Person, moment: datetime
) -> None:
    lock(database, lead, moment)
    told = words(section(name))
    assert "zebra" not in told
    if name in {"agreement", "items", "comparison", "scores", "safety"}:
        assert "S2" in told


def test_a_benchmark_is_named_beside_agreement(lead: Person) -> None:
    assert "Krippendorff" in words(show("results"))


def test_the_papers_known_cells_stand_beside_ours(
    database: Database, lead: Person, moment: datetime
) -> None:
    lock(database, lead, moment)
    told = words(section("comparison"))
    assert "1.644" in told  # Na 2024, Table 5
    assert "not published here" in told
    told = words(section("metrics"))
    assert "0.2648" in told  # Na 2024, Table 4
    assert "highest; value not published here" in told


def test_the_next_item_can_be_reached(lead: Person) -> None:
    screen = section("items")
    first = next(one.value for one in screen.subheader if one.value.startswith("Item"))
    screen = next(one for one in screen.button if one.key == "split-next").click().run()
    assert not screen.exception
    assert first not in [one.value for one in screen.subheader]


def test_new_scores_are_not_hidden_by_the_cache(
    database: Database, study: Made, lead: Person, moment: datetime
) -> None:
    before = show("results").code[0].value
    lifecycle.withdraw_item(
        database, lead, slug="trial", key="Q001", reason="duplicate", now=moment
    )
    assert show("results").code[0].value != before


def test_every_chart_has_words_and_can_be_saved(
    database: Database, lead: Person, moment: datetime
) -> None:
    lock(database, lead, moment)
    screen = section("comparison")
    drawn = screen.get("vega_lite_chart")
    assert drawn
    assert all(one.proto.alt for one in drawn)
    assert len(screen.get("download_button")) == 3 * len(drawn)


def test_a_figure_is_saved_in_light_colours_as_svg_png_and_data() -> None:
    rows = [{"name": "=1+1", "value": 0.5}]
    chart = alt.Chart(alt.InlineData(values=rows)).mark_bar(color=palette.DARK.accent).encode(
        x="value:Q", y="name:N"
    )
    svg = charts.picture(chart, "svg").decode()
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert palette.LIGHT.accent in svg
    assert palette.DARK.accent not in svg
    assert charts.picture(chart, "png").startswith(b"\x89PNG")
    assert charts.data(rows, "x").decode("utf-8-sig") == "name,value\n'=1+1,0.5\n"


def test_opened_cold_it_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "token", lambda: None)
    assert words(cold("results")) == ""
