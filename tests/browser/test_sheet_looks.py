"""The rating sheet alone: room, targets, contrast."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from pages.ui.components.rating_sheet import style
from tests.browser.sheet_page import BARE, Sheet, opened
from tests.browser.sheet_server import Desk

pytestmark = pytest.mark.browser

@pytest.fixture
def sheet(browser: Browser) -> Iterator[Sheet]:
    """Yield a pair with three scales and nothing else."""
    with opened(browser, Desk(options=BARE)) as made:
        yield made


INSIDE = """all => all.every((one) => {
  const box = one.getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
})"""
CLIPPED = """all => all.filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => one.innerText)"""


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
        assert page.eval_on_selector_all(".face, .name, button", CLIPPED) == []


def test_targets_are_44_pixels_on_a_tablet(browser: Browser) -> None:
    with opened(browser, Desk(), size=(1024, 768), touch=True) as sheet:
        heights = sheet.page.eval_on_selector_all(
            ".choice, button:not([hidden])",
            "all => all.map(one => one.getBoundingClientRect().height)")
        assert min(heights) >= 44


def test_every_field_set_has_a_legend_and_every_choice_a_name(sheet: Sheet) -> None:
    group = sheet.page.get_by_role("group", name="回答 A · 切题程度")
    expect(group.get_by_role("radio", name="紧扣问题")).to_have_count(1)
    described = group.get_by_role("radio").first.evaluate(
        "one => one.getRootNode().getElementById(one.getAttribute('aria-describedby')).textContent")
    assert described.startswith("没有回应")


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
