"""The task kit: what all three faces share, seen in the sheet, the marker and the real app."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from cbt_core.routes import kit
from cbt_core.services.desk import own_work
from cbt_core.words import section
from db.engine import Database
from tests.browser.acts import enter, secret_of
from tests.browser.conftest import Served as ServedApp
from tests.browser.conftest import serve
from tests.browser.marker_server import Served as ServedMarker
from tests.browser.marker_server import opened as opened_marker
from tests.browser.sheet_page import BARE, SCORES, Sheet, opened, stored
from tests.browser.sheet_server import Desk
from tests.label_study import make_label_study
from tests.making import make_study, rate_all

pytestmark = pytest.mark.browser

NEWER: dict[str, Any] = {
    "task": "t1", "token": "other", "at": "2026-11-23T08:00:00+00:00",
    "entries": {"scores": {slot: dict.fromkeys(given, 0) for slot, given in SCORES.items()}},
}
"""What another device saved of the first item meanwhile: every score is 0."""

SCORE_AND_LEAVE = """() => {
  const { activeElement } = document.querySelector("#host").shadowRoot;
  const key = { key: "2", code: "Digit2", bubbles: true, composed: true };
  activeElement.dispatchEvent(new KeyboardEvent("keydown", key));
  window.mount({ ...window.data, task: "t5" });
}"""
"""Score by key, and have the page name another task at once."""


@pytest.fixture
def sheet(browser: Browser) -> Iterator[Sheet]:
    """Yield a pair with three scales and nothing else."""
    with opened(browser, Desk(options=BARE)) as made:
        yield made


def test_another_task_is_asked_for_only_when_the_draft_has_arrived(sheet: Sheet) -> None:
    held: list[Route] = []
    asked: list[str] = []
    sheet.page.route("**/api/sheet/draft", lambda route: held.append(route))
    sheet.page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    sheet.keys("2")
    sheet.page.wait_for_timeout(700)  # the draft is under way
    sheet.page.evaluate("window.mount({ ...window.data, task: 't5' })")
    sheet.page.wait_for_timeout(300)
    assert asked == ["draft"]
    held[0].continue_()
    sheet.item(5)
    assert asked == ["draft", "open"]
    assert sheet.desk.drafts["t1"]["entries"]["scores"] == {"A": {"relevance": 2}}


def test_what_was_changed_a_moment_ago_is_sent_before_another_task_is_asked_for(
    sheet: Sheet,
) -> None:
    sheet.page.evaluate(SCORE_AND_LEAVE)
    sheet.item(5)
    assert sheet.desk.drafts["t1"]["entries"]["scores"] == {"A": {"relevance": 2}}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_stale_draft_is_told_quietly_and_what_was_saved_is_shown(
    browser: Browser, lang: str
) -> None:
    with opened(browser, Desk(options=BARE), query=f"?lang={lang}") as sheet:
        words = section("sheet", lang)
        sheet.keys("2")
        sheet.status(words["draft_saved"])
        sheet.desk.drafts.clear()
        sheet.desk.saved.append(NEWER)
        sheet.keys("1")
        told = sheet.page.get_by_role("status").filter(has_text=words["draft_stale"])
        expect(told).to_be_visible()
        expect(sheet.page.locator(".banner")).to_have_count(1)
        assert len(sheet.chosen()) == 6
        assert set(sheet.chosen().values()) == {"0"}
        assert sheet.kept() == "[]"
        assert sheet.desk.drafts == {}


def test_whoever_goes_on_after_a_stale_draft_corrects_what_was_saved(sheet: Sheet) -> None:
    sheet.desk.saved.append(NEWER)
    sheet.keys("1")
    expect(sheet.page.locator(".banner[role=status]")).to_be_visible()
    sheet.keys("2")
    sheet.status("草稿已保存")
    expect(sheet.page.locator(".banner")).to_have_count(0)
    sheet.page.locator(".reason input").fill("再看一遍")
    sheet.keys("Control+S")
    sheet.status("第 2 版")
    scores = stored(sheet.desk)[1]["scores"]
    assert scores["A"] == {"relevance": 2, "structure": 0, "helpfulness": 0}


def test_a_stale_draft_found_at_a_pause_is_told_after_it(sheet: Sheet) -> None:
    sheet.desk.saved.append(NEWER)
    sheet.keys("1")
    sheet.page.get_by_role("button", name="暂停").click()
    sheet.page.wait_for_timeout(700)
    expect(sheet.page.get_by_role("dialog")).to_be_visible()
    expect(sheet.page.locator(".banner")).to_have_count(0)
    sheet.keys("Enter")
    expect(sheet.page.locator(".banner[role=status]")).to_be_visible()
    assert set(sheet.chosen().values()) == {"0"}


def test_a_stale_draft_of_labels_is_told_quietly_and_the_saved_marks_are_shown(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind")
    served = ServedMarker(database, study.slug)
    with opened_marker(browser, served, study.annotators["N01"]) as page:
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_selector("main[data-screen=task]")
        page.keyboard.press("0")
        page.keyboard.press("s")
        expect(page.locator(".item")).to_contain_text("第 2 题")
        other.keyboard.press("3")
        told = other.get_by_role("status").filter(has_text=section("marker", "zh")["draft_stale"])
        expect(told).to_be_visible()
        expect(other.locator("[data-verdict=none]")).to_have_attribute("aria-pressed", "true")
        expect(other.locator(".mark-list .show")).to_have_count(0)
    served.stop()


def test_scores_that_can_only_be_read_are_all_shown_and_no_key_changes_them(
    browser: Browser,
) -> None:
    desk = Desk(read_only=True)
    entries = {"scores": SCORES, "preference": "A", "confidence": 3, "comment": "读过两遍"}
    desk.saved.append({"task": "t1", "token": "x", "entries": entries,
                       "at": "2026-11-23T08:00:00+00:00"})
    with opened(browser, desk, query="?task=t1") as sheet:
        before = sheet.chosen()
        assert len(before) == 8
        assert {name: value for name, value in before.items() if name.startswith("score:")} == {
            f"score:{slot}:{scale}": str(value)
            for slot, given in SCORES.items() for scale, value in given.items()
        }
        expect(sheet.page.locator(".notice")).to_contain_text("只供查看")
        assert sheet.page.locator("input:enabled").count() == 0
        expect(sheet.page.locator(".actions .primary")).to_contain_text("下一题")
        asked: list[str] = []
        sheet.page.on("request", lambda request: asked.append(request.url))
        sheet.keys("0 1 2 x Backspace c f n p s Control+s")
        sheet.page.wait_for_timeout(700)
        assert sheet.chosen() == before
        assert asked == []
        expect(sheet.page.get_by_role("dialog")).to_have_count(0)


def test_a_module_that_does_not_come_is_asked_for_again_and_said_so(browser: Browser) -> None:
    page = browser.new_page()
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if "-" in route.request.url.rsplit("/task/", 1)[0].rsplit("/", 1)[-1]:
            route.continue_()
            return
        failed.append(route.request.url)
        expect(page.locator("main .loading")).to_have_count(1)
        route.abort()

    with opened(browser, Desk(options=BARE)) as sheet:
        page.route("**/task/net.js", fail_once)
        page.goto(sheet.served.url)
        expect(page.locator("main .loading")).to_contain_text("无法连接")
        expect(page.locator("main[data-screen=task]")).to_be_visible()
        assert failed
    page.close()


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApp]:
    """Yield the real app below a path prefix."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCORD_BASE_PATH", "/desk")
        patch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "desk")
        yield from serve(tmp_path_factory.mktemp("below"), prefix="/desk")


def test_final_scores_are_read_in_the_real_app_below_a_path_prefix(
    browser: Browser, below: ServedApp, tmp_path: Path, now: datetime
) -> None:
    study = make_study(below.database, tmp_path, now)
    rater = study.raters["R01"]
    posted = rate_all(below.database, rater, "trial", now)
    own_work.confirm_final(below.database, rater, slug="trial", now=now)
    context, page = enter(browser, below, "R01", secret_of(below.database, "R01"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_first_of_own_work(page, below)
    expect(page.locator(".notice")).to_contain_text("只供查看")
    assert page.locator(".scale input:enabled").count() == 0
    assert page.locator(".scale input:checked").count() > 0
    modules = [url for url in asked if "/concord/kit/" in url]
    names = {url.split(f"{kit.path()}/")[1] for url in modules}
    assert names == set(kit.needed("rating_sheet/face.js"))
    assert len(modules) == len(set(modules))
    assert all(url.startswith(f"{below.url}/concord/kit/") for url in modules)
    assert len(posted) == 8
    context.close()


def open_first_of_own_work(page: Page, served: ServedApp) -> None:
    page.goto(f"{served.url}/my-work")
    page.get_by_role("button", name="打开").first.click()
    page.locator("main[data-screen=task]").wait_for()
