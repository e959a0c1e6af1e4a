"""The rating sheet alone: saving over good and bad connections."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.sheet_page import BARE, SCORES, SIX, Sheet, opened, stored
from tests.browser.sheet_server import Desk

pytestmark = pytest.mark.browser

@pytest.fixture
def sheet(browser: Browser) -> Iterator[Sheet]:
    """Yield a pair with three scales and nothing else."""
    with opened(browser, Desk(options=BARE)) as made:
        yield made


def test_a_double_press_is_one_request(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.page.locator(".actions .primary").dblclick()
    sheet.item(2)
    sheet.page.wait_for_timeout(200)
    assert len(sheet.desk.presses) == 1


def test_what_is_missing_gets_the_focus_and_is_named(sheet: Sheet) -> None:
    sheet.keys("2 1 1 2 S")
    assert sheet.focused() == "score:B:structure"
    expect(sheet.page.get_by_role("alert")).to_contain_text("回答 B · CBT 结构")
    assert sheet.desk.presses == []
    sheet.keys("0 1")
    expect(sheet.page.get_by_role("alert")).to_have_count(0)


def test_a_save_is_confirmed_with_its_revision_and_time(sheet: Sheet) -> None:
    sheet.keys(f"{SIX} S")
    sheet.status("已提交，第 1 版")
    assert sheet.kept() == "[]"


def test_a_lost_answer_is_asked_for_again_with_the_same_token(sheet: Sheet) -> None:
    sheet.desk.lost = 1
    sheet.keys(f"{SIX} S")
    sheet.item(2)
    assert len(sheet.desk.saved) == 1
    assert len({str(one["token"]) for one in sheet.desk.presses}) == 1
    assert len(sheet.desk.presses) == 2


def test_a_full_disk_is_told_and_the_entries_stay(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.status("草稿已保存")
    sheet.desk.failing = [503, 503]
    sheet.keys("S")
    sheet.status("未保存，内容仍在本页")
    assert len(sheet.chosen()) == 6
    sheet.item(2)
    assert len({str(one["token"]) for one in sheet.desk.presses}) == 1


def test_a_killed_server_loses_nothing(sheet: Sheet) -> None:
    sheet.served.stop()
    sheet.keys(f"{SIX} S")
    sheet.status("未连接，内容仍在本页")
    sheet.keys("0")  # frozen while the outcome is unknown
    sheet.served.start()
    sheet.page.get_by_role("button", name="立即重试").click()
    sheet.item(2)
    assert stored(sheet.desk)[0]["scores"] == SCORES
    assert len(sheet.desk.saved) == 1


def test_a_save_that_was_interrupted_keeps_its_token_over_a_reload(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.status("草稿已保存")
    sheet.desk.failing = [502] * 9
    sheet.keys("S")
    sheet.status("未连接")
    sheet.desk.failing = []
    sheet.page.reload()
    sheet.item(1)
    sheet.keys("S")
    sheet.item(2)
    assert len({str(one["token"]) for one in sheet.desk.presses}) == 1


def test_keep_editing_gives_the_sheet_back_and_takes_a_new_token(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.status("草稿已保存")
    sheet.desk.failing = [503] * 3
    sheet.keys("S")
    sheet.page.get_by_role("button", name="继续修改").click()
    sheet.desk.failing = []
    sheet.keys("B P ArrowDown")
    sheet.page.locator("[data-target='score:A:relevance'] input").first.check(force=True)
    sheet.keys("S")
    sheet.item(2)
    first, last = sheet.desk.presses[0], sheet.desk.presses[-1]
    assert first["token"] != last["token"]
    assert stored(sheet.desk)[0]["scores"] == {**SCORES, "A": {**SCORES["A"], "relevance": 0}}


def test_a_change_elsewhere_is_told_and_can_be_seen(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.status("草稿已保存")
    newer = {"scores": {slot: dict.fromkeys(given, 0) for slot, given in SCORES.items()}}
    sheet.desk.saved.append(
        {"task": "t1", "token": "other", "entries": newer, "at": "2026-11-23T08:00:00+00:00"})
    sheet.keys("S")
    expect(sheet.page.get_by_role("alert")).to_contain_text("已在别处")
    sheet.desk.drafts.clear()
    sheet.page.get_by_role("button", name="查看较新的内容").click()
    expect(sheet.page.locator(".notice")).to_contain_text("第 1 版")
    assert set(sheet.chosen().values()) == {"0"}


def test_signed_out_keeps_the_entries_and_goes_on_after_signing_in(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.status("草稿已保存")
    sheet.desk.signed_in = False
    sheet.keys("S")
    expect(sheet.page.get_by_role("alert")).to_contain_text("您已退出登录")
    assert sheet.page.get_by_role("link", name="在新标签页登录").get_attribute("target") == "_blank"
    assert len(sheet.chosen()) == 6
    sheet.desk.signed_in = True
    sheet.page.get_by_role("button", name="我已登录，继续").click()
    sheet.status("草稿已保存")
    sheet.keys("S")
    sheet.item(2)
    assert len({str(one["token"]) for one in sheet.desk.presses}) == 1


def test_a_locked_study_turns_the_sheet_read_only(sheet: Sheet) -> None:
    sheet.keys(SIX)
    sheet.status("草稿已保存")
    sheet.desk.failing = [423]
    sheet.keys("S")
    expect(sheet.page.get_by_role("alert")).to_contain_text("已锁库")
    assert sheet.page.locator(".scale input:enabled").count() == 0
    expect(sheet.page.get_by_role("button", name="下一题").first).to_be_visible()


def test_a_correction_needs_a_reason(browser: Browser) -> None:
    desk = Desk(options=BARE)
    desk.saved.append({"task": "t1", "token": "x", "entries": {"scores": SCORES},
                       "at": "2026-11-23T08:00:00+00:00"})
    with opened(browser, desk, query="?task=t1") as sheet:
        assert len(sheet.chosen()) == 6
        sheet.keys("0 S")
        expect(sheet.page.get_by_role("alert")).to_contain_text("更正理由")
        sheet.page.keyboard.type("看漏了一段")
        sheet.keys("Control+S")
        sheet.status("第 2 版")
        assert stored(desk)[1]["reason"] == "看漏了一段"


def test_skipping_asks_for_a_reason(sheet: Sheet) -> None:
    sheet.keys("N")
    sheet.page.get_by_role("button", name="跳过此题").click()
    expect(sheet.page.locator(".problem")).to_contain_text("请选择一个原因")
    sheet.page.locator(".drawer .choice", has_text="内容令我不适").click()
    sheet.page.get_by_role("button", name="跳过此题").click()
    sheet.item(2)
    assert sheet.desk.presses[0]["skip"] == {"reason": "too_distressing", "note": ""}
