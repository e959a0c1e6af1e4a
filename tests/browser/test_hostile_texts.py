"""Hostile texts in every place that takes text: shown literally, nothing runs or is fetched."""

import json
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.assignment import task_draw
from cbt_core.services.people import roster
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from cbt_core.words import section
from tests import making
from tests.browser.acts import enter, settled, wait_for_item
from tests.browser.conftest import Served
from tests.browser.hostile import CRAFTED_NAME, EVIL, PAYLOADS
from tests.making import enrol

pytestmark = pytest.mark.browser

PER_ITEM = 4
ITEMS = len(PAYLOADS) // PER_ITEM
SLUG = "hostile"
TITLE = "<img src=x onerror=alert(90)>[t](javascript:alert(91)) **t** $x$"
COMMENT = "<svg onload=alert(92)> ![c](http://evil.example/c.png)"
NAME = "<script>alert(93)</script> [n](javascript:alert(94))"
LEADS_PAGES = ("studies", "import-study", "design", "people", "progress", "escalations", "results",
               "export", "account", "")


@dataclass
class Watched:
    """A browser that is watched: what it opened, asked for, and what was read on its pages."""

    dialogs: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext, home: str) -> None:
        """Note dialogs and stop requests to other hosts."""

        def asked(url: str) -> bool:
            parts = urlsplit(url)
            if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != home:
                self.foreign.append(url)
                return True
            return False

        context.route(asked, lambda route: route.abort())
        context.on("dialog", lambda dialog: (self.dialogs.append(dialog.message),
                                             dialog.dismiss()))

    def read(self, page: Page) -> None:
        """Keep the text of a page as a person reads it, inside components too."""
        self.shown.append(page.evaluate(ALL_TEXT))


ALL_TEXT = """() => {
  const texts = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
    if (["SCRIPT", "STYLE"].includes(node.nodeName)) return;
    if (node.nodeName === "INPUT" || node.nodeName === "TEXTAREA") texts.push(node.value);
    if (node.shadowRoot) walk(node.shadowRoot);
    node.childNodes.forEach(walk);
  };
  walk(document.body);
  return texts.join("\\n");
}"""


def study(served: Served, folder: Path) -> int:
    """Make a study whose every text is a payload."""
    groups = [PAYLOADS[at : at + PER_ITEM] for at in range(0, ITEMS * PER_ITEM, PER_ITEM)]
    rows = [
        {"id": f"Q{number}", "question": question, "description": description,
         "answers": {"one": one, "two": two}}
        for number, (question, description, one, two) in enumerate(groups, start=1)
    ]
    file, protocol = folder / "study.jsonl", folder / "protocol.toml"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    protocol.write_text(
        '[design]\noverlap = 1\nrepeats = 0.0\n[sheet]\npreference = "off"\n'
        "[rater]\nbreak_after_risk_items = 0\n", "utf-8")
    now = datetime.now(UTC)
    made = creation.create_study(
        served.database, TERMINAL, slug=SLUG, title=TITLE, files=StudyFiles(study_file=file),
        now=now, protocol=protocol)
    enrol(served.database, "R01", made.study_id, Role.RATER, now)
    enrol(served.database, "L01", made.study_id, Role.LEAD, now)
    roster.add_person(served.database, TERMINAL, code="L01", role=Role.LEAD, now=now)
    roster.set_identity(
        served.database, TERMINAL, code="R01", name=NAME, email="a@b.c", now=now)
    task_draw.assign(served.database, TERMINAL, slug=SLUG, raters=["R01"], now=now)
    rater = making.person(served.database, "R01", made.study_id, Role.RATER)
    making.prepare(served.database, rater, SLUG, now)
    return made.study_id


def open_for(browser: Browser, served: Served, watched: Watched, code: str) -> Page:
    """Sign a person in, in a watched browser."""
    secret = roster.reset(served.database, TERMINAL, code=code, now=datetime.now(UTC)).secret
    context, page = enter(browser, served, code, secret or "")
    watched.watch(context, urlsplit(served.url).netloc)
    return page


def rate(page: Page, served: Served, watched: Watched) -> None:
    """Read and rate everything; comment and flag the first one as serious."""
    page.goto(f"{served.url}/rate")
    for number in range(1, ITEMS + 1):
        wait_for_item(page, number)
        page.wait_for_timeout(150)
        watched.read(page)
        if number == 1:
            flag_and_comment(page)
        else:
            for key in "211201s":
                page.keyboard.press(key)
    page.locator("fieldset.scale").first.wait_for(state="detached")
    for path in ("my-work", "closing", "guide", "account", ""):
        visit(page, served, watched, path)


def flag_and_comment(page: Page) -> None:
    """Save the first task through its route with a comment and a flag, as the sheet would."""
    view = page.evaluate("""async (slug) => (await (await fetch("/api/sheet/open", {method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({study: slug, task: null})})).json()).view""", SLUG)
    flag = {"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "x",
            "start": 0, "end": 3}
    body = making.press(view, entries=making.entries(view, comment=COMMENT, flags=[flag]))
    saved = page.evaluate("""async (body) => (await fetch("/api/sheet/save", {method: "POST",
      headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})).status""", body)
    assert saved == 200
    page.reload()


def visit(page: Page, served: Served, watched: Watched, path: str) -> None:
    """Open a screen and read it."""
    page.goto(f"{served.url}/{path}")
    page.locator("h1, main").first.wait_for()
    settled(page)
    page.wait_for_timeout(1200)  # time for what must not come
    watched.read(page)


def upload(page: Page, served: Served, watched: Watched) -> None:
    """Look at a file with a crafted name and wrong content on the import page."""
    words = section("import_study", "zh")
    page.goto(f"{served.url}/import-study")
    page.locator("input[type=file]").first.set_input_files({
        "name": CRAFTED_NAME, "mimeType": "application/json",
        "buffer": json.dumps({"id": PAYLOADS[0], "question": PAYLOADS[2],
                              PAYLOADS[4]: 1}).encode()})
    page.get_by_role("button", name=words["check"], exact=True).click()
    page.wait_for_timeout(2500)  # time for what must not come
    settled(page)
    watched.read(page)


@pytest.fixture(scope="module")
def watched(
    browser: Browser, served: Served, tmp_path_factory: pytest.TempPathFactory
) -> Watched:
    """Return what a rater's and a lead's browser did with the hostile study."""
    found = Watched()
    study(served, tmp_path_factory.mktemp("hostile"))
    page = open_for(browser, served, found, "R01")
    rate(page, served, found)
    page.context.close()
    page = open_for(browser, served, found, "L01")
    for path in LEADS_PAGES:
        visit(page, served, found, path)
    upload(page, served, found)
    page.context.close()
    return found


def test_no_dialog_opened_and_no_other_host_was_asked(watched: Watched) -> None:
    assert watched.dialogs == []
    assert watched.foreign == []


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_payload_is_shown_letter_by_letter(watched: Watched, payload: str) -> None:
    assert any(squeezed(payload) in squeezed(text) for text in watched.shown)


@pytest.mark.parametrize("text", [TITLE, CRAFTED_NAME], ids=["title", "file name"])
def test_a_crafted_name_is_shown_letter_by_letter(watched: Watched, text: str) -> None:
    assert any(text in shown for shown in watched.shown)


def test_the_set_is_large_enough() -> None:
    assert len(PAYLOADS) >= 40
    assert len(PAYLOADS) == ITEMS * PER_ITEM


def test_the_watch_sees_a_dialog_and_a_foreign_request(browser: Browser, served: Served) -> None:
    found = Watched()
    context = browser.new_context()
    found.watch(context, urlsplit(served.url).netloc)
    page = context.new_page()
    page.goto(f"{served.url}/healthz")
    with page.expect_event("requestfailed"):
        page.evaluate(f"() => {{ new Image().src = 'http://{EVIL}/x.png'; alert('seen'); }}")
    assert found.dialogs == ["seen"]
    assert found.foreign == [f"http://{EVIL}/x.png"]
    context.close()


def test_a_crashed_screen_says_so_plainly_and_leaves_no_text_in_the_log(
    watched: Watched, browser: Browser, served: Served
) -> None:
    page = open_for(browser, served, watched, "R01")
    rename(served, "submission", "submission_gone")
    try:
        page.goto(f"{served.url}/my-work")
        page.get_by_role("alert").first.wait_for()
        watched.read(page)
    finally:
        rename(served, "submission_gone", "submission")
    page.context.close()
    log = served.log.read_text("utf-8", "replace")
    assert "OperationalError" in log
    for told in (log, watched.shown[-1]):
        assert "Traceback" not in told
        assert "SELECT" not in told
    assert not any(mark in log for mark in ("onerror", "alert(", EVIL))


def rename(served: Served, before: str, after: str) -> None:
    """Take a table away behind the server's back, or put it back."""
    raw = sqlite3.connect(served.database.path)
    raw.execute("PRAGMA legacy_alter_table=ON")
    raw.execute(f"ALTER TABLE {before} RENAME TO {after}")
    raw.commit()
    raw.close()
