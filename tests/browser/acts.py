"""What people do in the browser, in one place: sign in, rate by keyboard or by mouse."""

from playwright.sync_api import Browser, BrowserContext, Page

from cbt_core.domain.people import TERMINAL
from cbt_core.services.people import roster
from db.engine import Database
from tests.browser.conftest import Served
from tests.conftest import NOW

SHEET = "fieldset.scale"


def secret_of(database: Database, code: str) -> str:
    """Return a fresh secret of a person."""
    issued = roster.reset(database, TERMINAL, code=code, now=NOW)
    assert issued.secret is not None
    return issued.secret


def enter(
    browser: Browser, served: Served, code: str, secret: str, *, language: str = "zh"
) -> tuple[BrowserContext, Page]:
    """Open a browser of one's own and sign in."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 768},
        locale="zh-CN" if language == "zh" else "en-US",
    )
    page = context.new_page()
    page.goto(served.url)
    page.fill("input[name=code]", code)
    page.fill("input[name=secret]", secret)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-testid=stHeader] a, [data-testid=stTopNavLink]")
    return context, page


def settled(page: Page) -> None:
    """Wait until Streamlit has drawn the screen to its end."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def wait_for_item(page: Page, number: int) -> None:
    """Wait until the sheet shows the n-th item of the sequence."""
    page.get_by_text(f"第 {number} 题").or_(page.get_by_text(f"Item {number} of")).first.wait_for()
