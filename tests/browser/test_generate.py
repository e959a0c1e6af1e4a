"""A lead lets echo answer five questions, goes away, comes back, reads, and makes a study."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.people import roster
from db import runs
from tests.browser.acts import enter
from tests.browser.conftest import Served
from tests.conftest import NOW

pytestmark = pytest.mark.browser
COUNT = 5


def questions(folder: Path) -> Path:
    file = folder / "questions.jsonl"
    rows = (
        {"id": f"Q{number}", "question": f"第{number}题：最近总觉得自己做得不够好",
         "description": "领导说了一句话，我想了一整夜，觉得自己什么都做不好。"}
        for number in range(1, COUNT + 1)
    )
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def to_runs(page: Page) -> None:
    page.get_by_role("link", name="Generate", exact=True).first.click()
    page.get_by_role("radio", name="Runs").or_(page.get_by_text("Runs", exact=True)).first.click()


def ask(page: Page, file: Path, system: str) -> None:
    page.get_by_role("link", name="Generate", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("textbox", name="Name of the system").fill(system)
    page.get_by_role("combobox", name="What answers").click()
    page.get_by_role("option", name="echo (a dry run)").click()
    page.get_by_role("button", name="Show what it takes").click()
    expect(page.get_by_text("this server only")).to_be_visible()


def test_a_run_outlives_the_page_and_becomes_a_study(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    issued = roster.add_person(served.database, TERMINAL, code="L01", now=NOW, role=Role.LEAD)
    secret, file = issued.secret or "", questions(tmp_path)
    for system in ("echo-one", "echo-two"):
        context, page = enter(browser, served, "L01", secret, language="en")
        ask(page, file, system)
        page.get_by_role("button", name="Start", exact=True).dblclick()
        expect(page.get_by_text("You can close the page").or_(
            page.get_by_text(f"{system} ·")).first).to_be_visible()
        context.close()
    with served.database.reading() as connection:
        assert len(runs.listed(connection)) == 2, "a double click started a run twice"
    context, page = enter(browser, served, "L01", secret, language="en")
    to_runs(page)
    expect(page.get_by_text(f"{COUNT} of {COUNT} answered").first).to_be_visible()
    expect(page.get_by_text("Q1 · 第1题")).to_be_visible()
    page.get_by_role("combobox", name="Run, or two runs").click()
    page.get_by_role("option", name="echo-one").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("echo-one · no distortion").or_(
        page.get_by_text("echo-one ·")).first).to_be_visible()
    page.get_by_role("button", name="See what the study would hold").click()
    expect(page.get_by_text(f"{COUNT} items, {2 * COUNT} answers")).to_be_visible()
    page.get_by_role("textbox", name="Title (raters see it)").fill("Echo study")
    page.get_by_role("textbox", name="Short name").fill("echo-study")
    page.get_by_role("button", name="Make the study").click()
    expect(page.get_by_text(f"imported with {COUNT} items")).to_be_visible()
    context.close()
    assert "最近总觉得" not in served.log.read_text("utf-8")
