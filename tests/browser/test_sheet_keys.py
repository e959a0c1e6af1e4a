"""The rating sheet alone: the keyboard, input methods, and texts that stay texts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from cbt_core.routes import kit
from cbt_core.words import section
from tests.browser.sheet_page import BARE, SCORES, SIX, Sheet, opened, stored
from tests.browser.sheet_server import Desk

pytestmark = pytest.mark.browser

@pytest.fixture
def sheet(browser: Browser) -> Iterator[Sheet]:
    """Yield a pair with three scales and nothing else."""
    with opened(browser, Desk(options=BARE)) as made:
        yield made


def test_six_scores_and_save_take_seven_keys(sheet: Sheet) -> None:
    sheet.keys(f"{SIX} S")
    sheet.item(2)
    assert stored(sheet.desk)[0]["scores"] == SCORES
    assert sheet.focused() == "score:A:relevance"


def test_with_preference_and_confidence_nine_keys(browser: Browser) -> None:
    with opened(browser, Desk()) as sheet:
        sheet.keys(f"{SIX} A 3 S")
        sheet.item(2)
        assert stored(sheet.desk)[0]["preference"] == "A"
        assert stored(sheet.desk)[0]["confidence"] == 3


def test_letters_numeric_pad_and_cannot_rate_are_keys_too(sheet: Sheet) -> None:
    sheet.keys("l K Numpad1 j x Numpad2")
    chosen = sheet.chosen()
    assert list(chosen.values()) == ["2", "1", "1", "0", "cannot_rate", "2"]


def test_back_and_arrows_walk_without_scoring(sheet: Sheet) -> None:
    sheet.keys("2 1 B")
    assert sheet.focused() == "score:A:structure"
    sheet.keys("ArrowDown ArrowDown ArrowUp")
    assert sheet.focused() == "score:A:helpfulness"
    assert len(sheet.chosen()) == 2
    sheet.keys("ArrowRight")
    assert sheet.chosen()["score:A:helpfulness"] == "1"


def test_preference_key_leads_to_the_preference_and_tie_is_a_choice(browser: Browser) -> None:
    with opened(browser, Desk()) as sheet:
        sheet.keys("P")
        assert sheet.focused() == "preference"
        sheet.keys("T")
        assert sheet.chosen()["preference"] == "tie"


def test_a_held_key_scores_once(sheet: Sheet) -> None:
    for _ in range(4):
        sheet.page.keyboard.down("2")  # Playwright marks the second and later as repeats
    sheet.page.keyboard.up("2")
    assert len(sheet.chosen()) == 1


def test_keys_still_work_after_a_click_on_the_text(sheet: Sheet) -> None:
    sheet.page.locator(".question h1").click()
    sheet.keys("2")
    assert sheet.chosen() == {"score:A:relevance": "2"}


def test_help_names_the_keys_and_escape_gives_the_focus_back(sheet: Sheet) -> None:
    sheet.keys("1 ?")
    expect(sheet.page.get_by_role("dialog")).to_contain_text("无法判断")
    sheet.keys("2 Escape")
    expect(sheet.page.get_by_role("dialog")).to_have_count(0)
    assert sheet.chosen() == {"score:A:relevance": "1"}
    assert sheet.focused() == "score:A:structure"


COMPOSE = """(init) => {
  const root = document.querySelector("#host").shadowRoot;
  const event = new KeyboardEvent("keydown",
    { key: "2", code: "Digit2", bubbles: true, composed: true, cancelable: true, ...init });
  if (init.keyCode) Object.defineProperty(event, "keyCode", { value: init.keyCode });
  root.activeElement.dispatchEvent(event);
}"""


@pytest.mark.parametrize("init", [{"isComposing": True}, {"keyCode": 229}])
def test_nothing_is_scored_while_an_input_method_composes(
    sheet: Sheet, init: dict[str, object]
) -> None:
    sheet.page.evaluate(COMPOSE, init)
    assert sheet.chosen() == {}


def test_letters_and_digits_in_a_comment_are_only_text(sheet: Sheet) -> None:
    sheet.keys("C")
    sheet.page.keyboard.type("2 s 两个 jkl")
    assert sheet.chosen() == {}
    sheet.keys("Escape")
    sheet.keys(SIX)
    sheet.keys("C")
    sheet.page.keyboard.type("!")
    sheet.keys("Control+S")
    sheet.item(2)
    assert stored(sheet.desk)[0]["comment"] == "2 s 两个 jkl!"


def test_markup_in_a_text_stays_text(browser: Browser) -> None:
    desk = Desk(extra="<img src=x onerror=alert(1)><b>粗</b>")
    with opened(browser, desk) as sheet:
        assert "<b>粗</b>" in sheet.page.locator(".description").inner_text()
        assert sheet.page.locator(".question img").count() == 0


def test_the_interface_language_changes_without_losing_entries(sheet: Sheet) -> None:
    sheet.keys("2 1")
    sheet.page.evaluate(
        "async () => { const page = await (await fetch('/?lang=en')).text();"
        "const data = JSON.parse(page.match(/window.data = (.*);/)[1]); window.mount(data); }")
    expect(sheet.page.locator(".actions .primary")).to_contain_text("Save")
    assert len(sheet.chosen()) == 2
    assert sheet.page.evaluate("document.documentElement.lang") == "en"
    assert sheet.page.locator(".cards").get_attribute("lang") == "zh"


def test_a_rerun_with_the_same_data_changes_nothing(sheet: Sheet) -> None:
    sheet.keys("2 1")
    sheet.page.evaluate("window.mount({ ...window.data })")
    assert len(sheet.chosen()) == 2
    assert sheet.focused() == "score:A:helpfulness"


def test_a_rerun_that_names_no_task_keeps_the_reopened_one(browser: Browser) -> None:
    with opened(browser, Desk(options=BARE), query="?task=t5") as sheet:
        sheet.keys("2")
        sheet.page.evaluate("window.mount({ ...window.data, task: null })")
        sheet.page.wait_for_timeout(200)
        sheet.item(5)
        assert len(sheet.chosen()) == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_word_the_script_says_stands_in_the_list(lang: str) -> None:
    modules = [kit.modules()[name].decode() for name in kit.needed("rating_sheet/face.js")]
    words = set(re.findall(r'say\(sheet, "(\w+)"', "\n".join(modules)))
    assert words - set(section("sheet", lang)) == set()
