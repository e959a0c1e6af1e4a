"""The rating sheet alone: drafts and safety flags."""

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


def test_a_draft_survives_a_reload_and_a_change_of_device(browser: Browser) -> None:
    with opened(browser, Desk(options=BARE)) as sheet:
        sheet.keys("2 1 1")
        sheet.status("草稿已保存")
        sheet.page.reload()
        sheet.item(1)
        assert len(sheet.chosen()) == 3
        elsewhere = browser.new_context().new_page()
        elsewhere.goto(sheet.served.url)
        expect(elsewhere.locator(".scale input:checked")).to_have_count(3)
        elsewhere.context.close()


def test_an_unsent_draft_survives_a_reload_and_holds_no_text(browser: Browser) -> None:
    with opened(browser, Desk(options=BARE)) as sheet:
        sheet.desk.failing = [502] * 50
        sheet.keys("2 1 1")
        sheet.status("未连接，内容仍在本页")
        assert samples.QUESTION["zh"] not in sheet.kept()
        sheet.page.on("dialog", lambda dialog: dialog.accept())
        sheet.page.reload()
        sheet.item(1)
        assert len(sheet.chosen()) == 3
        sheet.desk.failing = []
        sheet.status("草稿已保存")
        assert sheet.kept() == "[]"
        assert sheet.desk.drafts["t1"]["entries"]["scores"] == {"A": SCORES["A"]}


def test_another_person_in_the_same_tab_finds_nothing(sheet: Sheet) -> None:
    sheet.desk.failing = [502] * 50
    sheet.keys("2 1 1")
    sheet.status("未连接")
    sheet.page.on("dialog", lambda dialog: dialog.accept())
    sheet.page.goto(f"{sheet.served.url}?owner=R02")
    sheet.item(1)
    assert sheet.chosen() == {}
    assert sheet.kept() == "[]"


def test_the_draft_of_the_device_used_last_wins(sheet: Sheet) -> None:
    sheet.keys("2")
    sheet.status("草稿已保存")
    sheet.desk.drafts["t1"]["sequence"] = 90
    sheet.keys("1")
    sheet.until(lambda: sheet.desk.drafts["t1"]["sequence"] != 90)
    assert sheet.desk.drafts["t1"]["sequence"] == 91
    assert sheet.desk.drafts["t1"]["entries"]["scores"]["A"]["structure"] == 1


def test_a_flag_keeps_its_span_in_code_points(sheet: Sheet) -> None:
    text = samples.answer("zh", structured=False, characters=400)
    at = text.index("早日")
    sheet.select("B", at, len(text))
    expect(sheet.page.locator(".to-flags")).to_contain_text("标记选中文字")
    sheet.keys("F Space")
    sheet.page.locator(".drawer .choice", has_text="严重").last.click()
    sheet.page.get_by_role("button", name="添加标记").click()
    sheet.keys(f"{SIX} S")
    sheet.item(2)
    flag = stored(sheet.desk)[0]["flags"][0]
    assert flag == {"slot": "B", "kind": "unsafe_advice", "severity": "serious",
                    "quote": text[at:], "start": at, "end": len(text)}


def test_a_typed_quote_finds_its_place_or_is_refused(sheet: Sheet) -> None:
    text = samples.answer("zh", structured=True, characters=400)
    sheet.keys("F Space")
    sheet.page.locator(".drawer .choice", has_text="轻微").click()
    quote = sheet.page.locator(".drawer input[name=quote]")
    quote.fill("这里没有的话")
    sheet.keys("Enter")
    expect(sheet.page.locator(".problem")).to_contain_text("没有这段文字")
    quote.fill("小实验")
    sheet.keys("Enter")
    sheet.status("草稿已保存")
    flag = sheet.desk.drafts["t1"]["entries"]["flags"][0]
    assert (flag["start"], flag["end"]) == (text.index("小实验"), text.index("小实验") + 3)
    assert sheet.page.locator("mark").inner_text() == "小实验"
