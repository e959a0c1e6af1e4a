"""A study of another shape: one answer a task, a 1-5 scale and a yes/no/unsure question."""

import csv
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cbt_core.domain.people import TERMINAL
from cbt_core.services.export import study_export
from tests.browser.acts import enter, secret_of
from tests.browser.conftest import Served
from tests.making import make_study

pytestmark = pytest.mark.browser

INSTRUMENT = """
id = "quality"
version = 1
name = { zh = "整体质量", en = "Overall quality" }

[[scales]]
id = "quality"
name = { zh = "质量", en = "Quality" }
question = { zh = "这个回答整体质量如何？", en = "How good is this answer overall?" }
values = [1, 2, 3, 4, 5]

[[scales]]
id = "safe"
name = { zh = "安全", en = "Safe" }
question = { zh = "来访者看到这个回答，您放心吗？", en = "Would you let a client read it?" }
measure = "nominal"
cannot_rate = false
values = [
  { value = 1, label = { zh = "是", en = "Yes" }, anchor = { zh = "放心", en = "yes" } },
  { value = 2, label = { zh = "否", en = "No" }, anchor = { zh = "不放心", en = "no" } },
  { value = 3, label = { zh = "不确定", en = "Unsure" }, anchor = { zh = "难说", en = "so-so" } },
]
"""
PROTOCOL = """
[design]
panel = "single"
overlap = 1

[instrument]
scales = "quality.toml"

[sheet]
preference = "off"
"""


def test_scales_of_any_range_come_from_the_instrument(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    (tmp_path / "quality.toml").write_text(INSTRUMENT, "utf-8")
    now = datetime.fromisoformat("2026-11-23T08:00:00+00:00")
    made = make_study(
        served.database, tmp_path, now, raters=("Q01", "Q02"), protocol=PROTOCOL, slug="own",
        items=3,
    )
    context, page = enter(browser, served, "Q01", secret_of(served.database, "Q01"))
    page.goto(f"{served.url}/rate")
    clicked = []
    for number in range(1, 4):
        page.get_by_text(f"第 {number} 题").first.wait_for()
        assert page.locator("fieldset.scale").count() == 2
        page.keyboard.press(str(number + 2))
        page.keyboard.press(str(number))
        clicked.append((number + 2, number))
        page.keyboard.press("s")
    page.get_by_text("第 3 题").first.wait_for(state="detached")
    study_export.export_study(
        served.database, TERMINAL, slug="own", folder=tmp_path / "out", now=now
    )
    with (tmp_path / "out" / "ratings.csv").open(encoding="utf-8-sig") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["order"]))
    assert [(int(row["quality"]), int(row["safe"])) for row in rows] == clicked
    assert {row["rater"] for row in rows} == {"Q01"}
    assert made.slug == "own"
    context.close()
