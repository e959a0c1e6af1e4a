"""The results in a real browser: sections, the next disagreement, a figure saved to a file."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.people import roster
from tests import making
from tests.browser.acts import enter
from tests.browser.conftest import Served
from tests.conftest import NOW

pytestmark = pytest.mark.browser


def test_a_lead_reads_disagreements_and_saves_a_figure(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    made = making.make_study(served.database, tmp_path, NOW, items=3)
    for code, value in (("R01", 0), ("R02", 1), ("R03", 2)):
        making.rate_all(served.database, made.raters[code], made.slug, NOW, value)
    issued = roster.add_person(
        served.database, TERMINAL, code="L01", now=NOW, role=Role.LEAD, study_id=made.study_id
    )
    context, page = enter(browser, served, "L01", issued.secret or "")
    page.goto(f"{served.url}/results")
    page.get_by_text("Krippendorff").first.wait_for()
    page.get_by_text("保存图").first.click()
    with page.expect_download() as saved:
        page.get_by_text("存为 SVG").first.click()
    assert Path(saved.value.path()).read_text("utf-8").lstrip().startswith("<svg")
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="分歧题目").or_(
        page.get_by_role("button", name="分歧题目")
    ).first.click()
    page.get_by_text("题目 Q001").wait_for()
    page.get_by_role("button", name="下一题").click()
    page.get_by_text("题目 Q002").wait_for()
    assert "zebra" not in page.content()
    context.close()
