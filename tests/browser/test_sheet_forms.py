"""The rating sheet alone: other instruments, risk-marked texts, breaks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import sheet_samples as samples
from tests.browser.sheet_page import BARE, SCORES, SIX, Sheet, opened, stored
from tests.browser.sheet_server import Desk

pytestmark = pytest.mark.browser

@pytest.fixture
def sheet(browser: Browser) -> Iterator[Sheet]:
    """Yield a pair with three scales and nothing else."""
    with opened(browser, Desk(options=BARE)) as made:
        yield made


def test_one_answer_with_a_five_point_and_a_nominal_scale(browser: Browser) -> None:
    desk = Desk(slots=1, options=BARE,
                scales=[*samples.scales("overall-5", "zh")[:1], samples.nominal("zh")])
    with opened(browser, desk) as sheet:
        sheet.keys("5 3 S")
        sheet.item(2)
        assert stored(desk)[0]["scores"] == {"A": {"overall": 5, "fit": 3}}


@pytest.mark.parametrize("slots", [3, 4])
def test_more_answers_are_scored_slot_after_slot(browser: Browser, slots: int) -> None:
    with opened(browser, Desk(slots=slots, options=BARE)) as sheet:
        sheet.keys(" ".join(["2 1 0"] * slots) + " S")
        sheet.item(2)
        assert list(stored(sheet.desk)[0]["scores"]) == list("ABCD"[:slots])


def test_a_scale_of_the_whole_task_comes_after_the_answers(browser: Browser) -> None:
    scales = [*samples.scales("cbt-3", "zh")[:1], samples.nominal("zh", level="task")]
    with opened(browser, Desk(options=BARE, scales=scales)) as sheet:
        sheet.keys("2 1 2 S")
        sheet.item(2)
        assert stored(sheet.desk)[0]["task_scores"] == {"fit": 2}


@pytest.mark.parametrize(("when", "pressed"), [
    ("after", f"{SIX} 0 1 2 0 1 2 1 0 2 2"), ("before", f"0 1 2 0 1 2 1 0 2 2 {SIX}")])
def test_the_checklist_stands_before_or_after_the_scores(
    browser: Browser, when: str, pressed: str
) -> None:
    desk = Desk(options=BARE, steps=samples.steps("zh", when))
    with opened(browser, desk) as sheet:
        sheet.keys(f"{pressed} S")
        sheet.item(2)
        entries = stored(desk)[0]
        assert entries["scores"] == SCORES
        assert entries["steps"] == {"A": {"1": 0, "2": 1, "3": 2, "4": 0, "5": 1},
                                    "B": {"1": 2, "2": 1, "3": 0, "4": 2, "5": 2}}


def test_a_risk_marked_text_is_covered_until_asked_for_and_remembered(browser: Browser) -> None:
    with opened(browser, Desk(risk=("high",), options=BARE)) as sheet:
        assert samples.QUESTION["zh"] not in sheet.page.locator("main").inner_text()
        sheet.keys("2 Enter")
        expect(sheet.page.locator(".question h1")).to_be_visible()
        assert sheet.chosen() == {}
        assert sheet.focused() == "score:A:relevance"
        sheet.page.reload()
        expect(sheet.page.locator(".question h1")).to_be_visible()


def test_a_covered_text_can_be_skipped_unread(browser: Browser) -> None:
    with opened(browser, Desk(risk=("possible", "none"))) as sheet:
        sheet.keys("Tab Enter Space Enter")
        sheet.item(2)
        assert sheet.desk.presses[0]["skip"] == {"reason": "too_distressing", "note": ""}


def test_a_break_lasts_until_the_person_goes_on(browser: Browser) -> None:
    with opened(browser, Desk(break_after=0)) as sheet:
        expect(sheet.page.locator("main")).to_contain_text("47")
        sheet.keys("Enter")
        sheet.item(1)


def test_a_pause_covers_the_text_and_stops_the_clock(sheet: Sheet) -> None:
    seconds = "() => document.querySelector('#host').shadowRoot.concordTask.clock.seconds"
    sheet.page.get_by_role("button", name="暂停").click()
    before = sheet.page.evaluate(seconds)
    sheet.page.wait_for_timeout(1300)
    assert sheet.page.evaluate(seconds) == before
    sheet.keys("2 Enter")
    assert sheet.chosen() == {}
    sheet.until(lambda: sheet.page.evaluate(seconds) > before)


def test_layout_input_and_width_go_with_a_save(browser: Browser) -> None:
    with opened(browser, Desk(options=BARE), size=(820, 1180), touch=True) as sheet:
        for target in sheet.page.locator(".scale").all():
            target.locator(".choice").nth(1).tap()
        sheet.page.locator(".actions .primary").tap()
        sheet.item(2)
        meta = sheet.desk.presses[0]["meta"]
        assert isinstance(meta, dict)
        kept = {name: meta[name] for name in ("layout", "input", "lang", "width")}
        assert kept == {"layout": "stacked", "input": "touch", "lang": "zh", "width": 820}


def test_a_minute_without_a_sign_of_life_stops_the_clock(sheet: Sheet) -> None:
    own = "document.querySelector('#host').shadowRoot.concordTask.clock"
    sheet.page.evaluate(f"() => {{ {own}.lastActivity = Date.now() - 61_000; }}")
    before = sheet.page.evaluate(f"() => {own}.seconds")
    sheet.page.wait_for_timeout(1300)
    assert sheet.page.evaluate(f"() => {own}.seconds") == before
    sheet.keys("ArrowDown")
    sheet.until(lambda: sheet.page.evaluate(f"() => {own}.seconds") > before)
