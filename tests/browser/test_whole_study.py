"""A whole study in the browser: import, invite, assign, rate, correct, lock, unblind, export."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.people import roster
from tests.browser.acts import enter
from tests.browser.conftest import Served
from tests.conftest import NOW
from tests.making import study_file

pytestmark = pytest.mark.browser
SCALES = ("relevance", "structure", "helpfulness")
ITEMS = 8

Clicked = dict[tuple[str, str, str, str], int]
"""(rater, question, words of the answer, scale) to the score that was given."""


@dataclass
class Story:
    """What goes from one chapter to the next."""

    served: Served
    browser: Browser
    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)
    clicked: Clicked = field(default_factory=dict)
    open: list[BrowserContext] = field(default_factory=list)

    def enter(self, code: str, language: str) -> Page:
        """Sign a person in."""
        context, page = enter(
            self.browser, self.served, code, self.secrets[code], language=language
        )
        self.open.append(context)
        return page


@pytest.fixture
def story(browser: Browser, served: Served, tmp_path: Path) -> Iterator[Story]:
    found = Story(served, browser, tmp_path)
    issued = roster.add_person(served.database, TERMINAL, code="L01", now=NOW, role=Role.LEAD)
    assert issued.secret is not None
    found.secrets["L01"] = issued.secret
    yield found
    for context in found.open:
        context.close()


def test_the_exported_numbers_are_those_that_were_clicked(story: Story) -> None:
    lead = story.enter("L01", "en")
    import_study(story, lead)
    for code in ("R01", "R02", "R03"):
        invite(story, lead, code)
    assign(lead)
    rate(story, "R01", "zh", by_keyboard=True)
    rate(story, "R02", "en", by_keyboard=False)
    rate(story, "R03", "zh", by_keyboard=True)
    correct(story, "R01")
    lock_and_unblind(lead)
    assert exported(lead) == story.clicked
    assert len(story.clicked) == 3 * ITEMS * 2 * len(SCALES)


def to(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def import_study(story: Story, page: Page) -> None:
    to(page, "Import")
    page.locator("input[type=file]").first.set_input_files(study_file(story.folder, items=ITEMS))
    page.get_by_role("button", name="Look at the files").click()
    page.get_by_role("textbox", name="Title (raters see it)").fill("试点研究")
    page.get_by_role("textbox", name="Short name").fill("pilot")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text(f"imported with {ITEMS} items")).to_be_visible()


def invite(story: Story, page: Page, code: str) -> None:
    to(page, "People")
    page.get_by_role("textbox", name="Code", exact=True).fill(code)
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("The secret is shown this once")).to_be_visible()
    handed_out = page.locator("[data-testid=stCode]").nth(2)
    expect(handed_out).to_contain_text(code)  # the one before may still stand there
    sheet = handed_out.inner_text()
    shown = re.search(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b", sheet)
    assert shown is not None
    story.secrets[code] = shown.group()


def assign(page: Page) -> None:
    to(page, "Design")
    page.get_by_role("button", name="Show the balance").click()
    expect(page.get_by_text(f"{3 * ITEMS} new tasks would be drawn.")).to_be_visible()
    page.get_by_role("button", name="Draw these tasks").click()
    expect(page.get_by_text("The tasks are drawn")).to_be_visible()


WORDS = {
    "zh": {"go": "开始", "agree": "我已阅读以上内容", "accept": "同意并继续", "next": "继续",
           "read": "我已阅读指南", "item": "第 {n} 题", "save": "提交，下一题"},
    "en": {"go": "Begin", "agree": "I have read this and agree", "accept": "Accept and go on",
           "next": "Go on", "read": "I have read the guide", "item": "Item {n} of",
           "save": "Save, next item"},
}


def rate(story: Story, code: str, language: str, *, by_keyboard: bool) -> None:
    page, words = story.enter(code, language), WORDS[language]
    page.get_by_role("button", name=words["go"]).click()
    page.get_by_text(words["agree"]).click()
    page.get_by_role("button", name=words["accept"]).click()
    page.get_by_role("button", name=words["next"], exact=True).click()
    page.get_by_role("button", name=words["read"]).click()
    for number in range(1, ITEMS + 1):
        page.get_by_text(words["item"].format(n=number)).first.wait_for()
        scores = [(number + place + len(code) + int(code[-1])) % 3 for place in range(6)]
        note(story, code, page, scores)
        if by_keyboard:
            for score in scores:
                page.keyboard.press(str(score))
            page.keyboard.press("s")
        else:
            for place, score in enumerate(scores):
                scale = page.locator("fieldset.scale[data-target]").nth(place)
                scale.locator("label.choice").nth(score).click()
            page.get_by_role("button", name=words["save"]).click()
    page.get_by_text(words["item"].format(n=ITEMS)).first.wait_for(state="detached")


def note(story: Story, code: str, page: Page, scores: list[int]) -> None:
    """Keep what is about to be clicked: slot by slot, scale by scale."""
    question = page.locator("h2, h1").filter(has_text="题：").first.inner_text().strip()
    answers = [text.strip() for text in page.locator(".text").all_inner_texts() if "种回答" in text]
    assert len(answers) == 2
    for place, score in enumerate(scores):
        key = (code, question, answers[place // 3][:12], SCALES[place % 3])
        story.clicked[key] = score


def correct(story: Story, code: str) -> None:
    """Open the newest own task again and change the first score, with a reason."""
    page = story.enter(code, "zh")
    to(page, "我的任务")
    page.get_by_role("button", name="打开").first.click()
    page.locator("fieldset.scale[data-target]").first.wait_for()
    question = page.locator("h2, h1").filter(has_text="题：").first.inner_text().strip()
    answer = next(t for t in page.locator(".text").all_inner_texts() if "种回答" in t).strip()
    key = (code, question, answer[:12], SCALES[0])
    story.clicked[key] = (story.clicked[key] + 1) % 3
    scale = page.locator("fieldset.scale[data-target]").first
    scale.locator("label.choice").nth(story.clicked[key]).click()
    page.get_by_role("textbox", name="更正理由").fill("重读之后改判")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("第 2 版").first).to_be_visible()


def lock_and_unblind(page: Page) -> None:
    to(page, "Studies")
    page.get_by_role("button", name="Lock the study").click()
    page.get_by_role("button", name="Yes, lock now").click()
    page.get_by_role("button", name="Begin the unblinding").click()
    page.get_by_role("textbox", name="Type the study's short name").fill("pilot")
    page.get_by_role("textbox", name="Reason").last.fill("all ratings are in")
    page.get_by_role("button", name="Unblind now").click()
    expect(page.get_by_text("is unblinded; the systems' names are shown")).to_be_visible()


def exported(page: Page) -> Clicked:
    """Download the unblinded export and return its numbers under what the rater saw."""
    to(page, "Export")
    page.get_by_text("with their names").click()
    link = page.get_by_role("link", name="Download (zip)")
    expect(link).to_have_attribute("href", re.compile("unblinded=1"))
    answer = page.request.get(f"{page.url.split('/export')[0]}{link.get_attribute('href')}")
    assert answer.ok
    archive = zipfile.ZipFile(io.BytesIO(answer.body()))
    items = {row["item_id"]: row["question"] for row in table(archive, "items")}
    texts = {(row["item_id"], row["system"]): row["answer"] for row in table(archive, "answers")}
    return {
        (row["rater"], items[row["item_id"]], texts[(row["item_id"], row["system"])][:12], scale):
            int(row[scale])
        for row in table(archive, "ratings")
        for scale in SCALES
    }


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    content = archive.read(f"pilot/{name}.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))
