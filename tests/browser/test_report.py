"""The report in a real browser: read at a desk, printed to A4, downloaded by its lead."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from cbt_core.domain.people import TERMINAL
from cbt_core.services.operations import demo_study
from cbt_core.services.report.study_report import Wish, write_report
from cbt_core.services.studies import lifecycle
from db import migrate
from db.engine import Database
from tests import making
from tests.browser.acts import enter, secret_of
from tests.browser.conftest import Served
from tests.conftest import NOW

pytestmark = pytest.mark.browser

A4 = "595 842"
"""Width and height of a page in points, rounded."""


@dataclass
class Opened:
    """The report open from its file; what it asked the network for."""

    page: Page
    asked: list[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the unblinded demonstration, in both languages."""
    place = tmp_path_factory.mktemp("report")
    database = Database(f"sqlite:///{place / 'concord.db'}")
    migrate.upgrade(database)
    demo_study.load_demonstration(database, now=NOW)
    lifecycle.lock(database, TERMINAL, slug="demo", now=NOW)
    lifecycle.unblind(database, TERMINAL, slug="demo", reason="report", now=NOW)
    for language in ("zh", "en"):
        write_report(
            database, TERMINAL, slug="demo", folder=place / language, now=NOW,
            wish=Wish(language, 100),
        )
    database.close()
    return place


@pytest.fixture(params=["zh", "en"])
def opened(
    browser: Browser, folder: Path, request: pytest.FixtureRequest
) -> Iterator[Opened]:
    """Open the report at the size of a desk."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto((folder / request.param / "report.html").as_uri())
    yield Opened(page, asked)
    context.close()


def test_it_asks_the_network_for_nothing(opened: Opened) -> None:
    assert len(opened.asked) == 1
    assert opened.asked[0].startswith("file://")


@pytest.mark.parametrize("width", [1366, 820])
def test_nothing_reaches_over_the_side(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    clipped = opened.page.evaluate(
        "[...document.querySelectorAll('svg text')].filter(t => {"
        " const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();"
        " return a.left < b.left - 2 || a.right > b.right + 2 }).map(t => t.textContent)"
    )
    assert clipped == []


def test_texts_of_a_drawing_do_not_lie_on_one_another(opened: Opened) -> None:
    overlapping = opened.page.evaluate(
        "[...document.querySelectorAll('svg')].flatMap(svg => {"
        " const all = [...svg.querySelectorAll('text')].map(t => [t.textContent,"
        " t.getBoundingClientRect()]);"
        " return all.flatMap(([a, r], i) => all.slice(i + 1).filter(([b, s]) =>"
        " Math.min(r.right, s.right) - Math.max(r.left, s.left) > 2 &&"
        " Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top) > 4)"
        ".map(([b]) => a + ' / ' + b)) })"
    )
    assert overlapping == []


def test_every_entry_of_the_contents_leads_to_its_section(opened: Opened) -> None:
    links = opened.page.locator("nav a")
    assert links.count() == opened.page.locator("main section").count()
    for place in range(links.count()):
        target = str(links.nth(place).get_attribute("href"))
        assert opened.page.locator(f"section{target}").count() == 1


def test_headings_go_down_one_level_at_a_time(opened: Opened) -> None:
    levels = opened.page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_and_drawing_has_words_for_who_cannot_see_it(opened: Opened) -> None:
    page = opened.page
    assert page.locator("table").count() == page.locator("table > caption").count()
    assert page.locator("th:not([scope])").count() == 0
    for drawn in page.locator("figure svg").all():
        names = str(drawn.get_attribute("aria-labelledby")).split()
        assert all(page.locator(f"#{name}").text_content() for name in names)


def test_it_prints_to_a4_and_no_table_or_figure_is_wider_than_the_page(opened: Opened) -> None:
    content = opened.page.pdf(prefer_css_page_size=True)
    sizes = {
        f"{round(float(width))} {round(float(height))}"
        for width, height in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    }
    assert sizes == {A4}
    opened.page.emulate_media(media="print")
    opened.page.set_viewport_size({"width": 673, "height": 1000})  # 210 mm less the margins
    wide = opened.page.evaluate(
        "[...document.querySelectorAll('table, figure, pre')].filter("
        "e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.parentElement.id)"
    )
    assert wide == []


def test_a_lead_downloads_it_from_the_export_page(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    study = making.make_study(served.database, tmp_path, NOW, items=3)
    for rater in study.raters.values():
        making.rate_all(served.database, rater, study.slug, NOW)
    making.lead(served.database, study.study_id, NOW)
    context, page = enter(browser, served, "L01", secret_of(served.database, "L01"))
    page.goto(f"{served.url}/export")
    button = page.get_by_role("link", name="下载报告（zip）")
    button.wait_for()
    answer = context.request.get(f"{served.url}{button.get_attribute('href')}")
    assert answer.status == 200
    with zipfile.ZipFile(io.BytesIO(answer.body())) as archive:
        report = archive.read("trial-report/report.html").decode()
    assert "研究仍在进行" in report
    context.close()
