"""The rating sheet by itself in Chromium: keys, drafts, saving, bad connections."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from pages.ui.components.rating_sheet import style
from tests.browser import sheet_samples as samples
from tests.browser.sheet_page import Sheet, opened
from tests.browser.sheet_server import Desk

pytestmark = pytest.mark.browser

BARE: dict[str, object] = {"preference": "off", "confidence": False}
SIX = "2 1 1 2 0 1"
SCORES = {
    "A": {"relevance": 2, "structure": 1, "helpfulness": 1},
    "B": {"relevance": 2, "structure": 0, "helpfulness": 1},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield one Chromium for all tests of this file."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=os.environ.get("CONCORD_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox"],
        )
        yield made
        made.close()


@pytest.fixture
def sheet(browser: Browser) -> Iterator[Sheet]:
    """Yield a pair with three scales and nothing else."""
    with opened(browser, Desk(options=BARE)) as made:
        yield made


def stored(desk: Desk) -> list[dict[str, object]]:
    """Return the entries of every stored submission."""
    return [one["entries"] for one in desk.saved if isinstance(one["entries"], dict)]


# ------------------------------------------------------------------- keyboard


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


# ---------------------------------------------------------------------- words


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


# --------------------------------------------------------------------- saving


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


# --------------------------------------------------------------------- drafts


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
        assert sheet.desk.drafts["t1"]["entries"]["scores"] == {"A": SCORES["A"]}  # type: ignore[index]


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
    sheet.page.wait_for_timeout(900)
    assert sheet.desk.drafts["t1"]["sequence"] == 91
    assert sheet.desk.drafts["t1"]["entries"]["scores"]["A"]["structure"] == 1  # type: ignore[index]


# ---------------------------------------------------------------------- flags


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
    flag = stored(sheet.desk)[0]["flags"][0]  # type: ignore[index]
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
    flag = sheet.desk.drafts["t1"]["entries"]["flags"][0]  # type: ignore[index]
    assert (flag["start"], flag["end"]) == (text.index("小实验"), text.index("小实验") + 3)
    assert sheet.page.locator("mark").inner_text() == "小实验"


# ------------------------------------------------------------ other instruments


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
        assert list(stored(sheet.desk)[0]["scores"]) == list("ABCD"[:slots])  # type: ignore[call-overload]


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


# -------------------------------------------------------------- risk and rest


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
    seconds = "() => document.querySelector('#host').shadowRoot.concordSheet.seconds"
    sheet.page.get_by_role("button", name="暂停").click()
    before = sheet.page.evaluate(seconds)
    sheet.page.wait_for_timeout(1300)
    assert sheet.page.evaluate(seconds) == before
    sheet.keys("2 Enter")
    assert sheet.chosen() == {}
    sheet.page.wait_for_timeout(1300)
    assert sheet.page.evaluate(seconds) > before


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


# ------------------------------------------------------------------------ room


INSIDE = """all => all.every((one) => { const box = one.getBoundingClientRect();
  return box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth && box.height > 0; })"""


def test_two_answers_of_400_characters_and_six_scores_share_one_screen(sheet: Sheet) -> None:
    page = sheet.page
    assert page.eval_on_selector_all(".block .scale, .text, .actions .primary", INSIDE)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    hidden = page.eval_on_selector_all(
        ".text", "all => Math.max(...all.map(one => one.scrollHeight - one.clientHeight))")
    assert hidden == 0


@pytest.mark.parametrize("characters", [600, 1500])
def test_a_long_answer_scrolls_in_itself(browser: Browser, characters: int) -> None:
    with opened(browser, Desk(characters=characters)) as sheet:
        assert sheet.page.eval_on_selector_all(".block .scale, .actions .primary", INSIDE)
        sheet.keys("PageDown")
        assert sheet.page.locator(".text").first.evaluate("one => one.scrollTop") > 0


@pytest.mark.parametrize(("size", "lang"), [
    ((683, 384), "zh"), ((683, 384), "en"), ((390, 844), "zh"), ((820, 1180), "en"),
    ((1024, 768), "en"), ((1366, 768), "en")])
def test_nothing_runs_out_of_the_page(
    browser: Browser, size: tuple[int, int], lang: str
) -> None:
    with opened(browser, Desk(lang=lang), size=size) as sheet:
        page = sheet.page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        clipped = page.eval_on_selector_all(
            ".face, .name, button",
            "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)")
        assert clipped == []


def test_targets_are_44_pixels_on_a_tablet(browser: Browser) -> None:
    with opened(browser, Desk(), size=(1024, 768), touch=True) as sheet:
        heights = sheet.page.eval_on_selector_all(
            ".choice, button:not([hidden])", "all => all.map(one => one.getBoundingClientRect().height)")
        assert min(heights) >= 44


def test_every_field_set_has_a_legend_and_every_choice_a_name(sheet: Sheet) -> None:
    group = sheet.page.get_by_role("group", name="回答 A · 切题程度")
    expect(group.get_by_role("radio", name="紧扣问题")).to_have_count(1)
    described = group.get_by_role("radio").first.evaluate(
        "one => one.getRootNode().getElementById(one.getAttribute('aria-describedby')).textContent")
    assert described.startswith("没有回应")


# ---------------------------------------------------------------------- colour


def luminance(colour: str) -> float:
    """Return the relative luminance of a #rrggbb or #rgb colour (WCAG 2.2, definitions)."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * one for one in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["main {", 'main[data-theme="dark"] {'])
def test_text_and_controls_have_contrast_aa(theme: str) -> None:
    block = style().split(f"\n{theme}", 1)[1].split("}", 1)[0]
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", block))
    for ink in ("ink", "soft", "accent", "accent-strong", "risk"):
        for ground in ("ground", "wash", "accent-wash"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert contrast(colours["risk"], colours["risk-wash"]) >= 4.5
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for line in ("edge", "accent"):
        assert contrast(colours[line], colours["ground"]) >= 3
