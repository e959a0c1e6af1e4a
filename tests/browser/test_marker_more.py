"""The span marker: schemes with more labels than keys, and own work opened again in the app."""

from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from db.engine import Database
from tests.browser.acts import enter, secret_of
from tests.browser.conftest import Served as ServedApp
from tests.browser.marker_server import Served, opened
from tests.browser.test_marker import DULL, Marker
from tests.label_study import make_label_study

pytestmark = pytest.mark.browser


def long_scheme(folder: Path, labels: int) -> str:
    """Write a scheme with so many labels; return its name as a protocol writes it."""
    rows = "\n".join(
        f'[[labels]]\nid = "kind-{number}"\n'
        f'name = {{ zh = "类别{number}", en = "Kind {number}" }}\n'
        f'definition = {{ zh = "第{number}类。", en = "Kind {number}." }}\n'
        for number in range(1, labels + 1))
    (folder / "long.toml").write_text(
        f'id = "long"\nversion = 1\nname = {{ zh = "长表", en = "Long" }}\n{rows}', "utf-8")
    return "long.toml"


def test_labels_beyond_the_single_keys_have_two(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(
        database, tmp_path, now, mode="blind", scheme=long_scheme(tmp_path, 50))
    served = Served(database, study.slug)
    with opened(browser, served, study.annotators["N01"]) as page:
        marker = Marker(page, database, study, tmp_path, now)
        assert page.locator(".label[data-label] kbd").count() == 50
        marker.to(DULL)
        marker.keys("o")
        marker.keys("p")
        expect(page.locator(".label.awaited")).to_have_count(22)
        marker.keys("1 h 2 Escape p Escape 3")
        assert marker.listed() == ["O 类别22 " + DULL, "P1 类别23 " + DULL, "H2 类别46 " + DULL,
                                   "3 类别3 整题"]
        expect(page.locator(".label.awaited")).to_have_count(0)
        marker.save()
        cut, _ = marker.exported()
    served.stop()
    assert cut == [DULL] * 3


def test_own_work_is_opened_again_and_corrected(
    browser: Browser, served: ServedApp, tmp_path: Path, now: datetime
) -> None:
    make_label_study(served.database, tmp_path, now, mode="blind")
    context, page = enter(browser, served, "N01", secret_of(served.database, "N01"))
    page.goto(f"{served.url}/annotate")
    page.locator("main[data-screen=task]").wait_for()
    page.keyboard.press("0")
    page.keyboard.press("s")
    expect(page.locator(".item")).to_contain_text("第 2 题")
    page.goto(f"{served.url}/my-work")
    page.get_by_role("button", name="打开").first.click()
    expect(page.locator(".notice")).to_contain_text("正在更正")
    expect(page.locator(".item")).to_contain_text("第 1 题")
    context.close()
