"""The open sheet as a person meets it: press, read, wait. Playwright looks into the shadow root."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT_MS
from tests.browser.sheet_server import Desk, Served

SELECT: str = """([slot, start, end]) => {
  const root = document.querySelector("#host").shadowRoot;
  const text = root.querySelector(`.text[data-slot="${slot}"]`).firstChild;
  const offset = (points) => Array.from(text.data).slice(0, points).join("").length;
  document.getSelection().setBaseAndExtent(text, offset(start), text, offset(end));
}"""


BARE: dict[str, object] = {"preference": "off", "confidence": False}
"""Options of a sheet that asks for nothing but its scales."""

SIX = "2 1 1 2 0 1"
SCORES = {
    "A": {"relevance": 2, "structure": 1, "helpfulness": 1},
    "B": {"relevance": 2, "structure": 0, "helpfulness": 1},
}
"""The keys of six scores, and what they mean."""


def stored(desk: Desk) -> list[dict[str, Any]]:
    """Return the entries of every stored submission."""
    return [one["entries"] for one in desk.saved if isinstance(one["entries"], dict)]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page with the sheet in it, and the server behind it."""

    page: Page
    desk: Desk
    served: Served

    def keys(self, pressed: str) -> None:
        """Press keys one after another; they are separated by spaces."""
        for one in pressed.split():
            self.page.keyboard.press(one)

    def status(self, text: str) -> None:
        """Wait until the line of the saved state says this."""
        expect(self.page.locator(".status")).to_contain_text(text)

    def item(self, number: int) -> None:
        """Wait until this item stands."""
        expect(self.page.locator(".item")).to_contain_text(f"第 {number} 题")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that the page does not show."""
        end = time.monotonic() + WAIT_MS / 1000
        while not holds():
            assert time.monotonic() < end, "it never came to hold"
            self.page.wait_for_timeout(20)

    def focused(self) -> str:
        """Return the target that has the focus."""
        return str(self.page.evaluate(
            "() => document.querySelector('#host').shadowRoot.activeElement"
            "?.closest('.scale')?.dataset.target ?? ''"))

    def chosen(self) -> dict[str, str]:
        """Return what is chosen, by target."""
        return dict(self.page.eval_on_selector_all(
            ".scale input:checked", "all => all.map(one => [one.name, one.value])"))

    def kept(self) -> str:
        """Return all this tab keeps of drafts, as text."""
        return str(self.page.evaluate(
            "() => JSON.stringify(Object.entries(sessionStorage)"
            ".filter(([name]) => name.startsWith('concord.sheet.draft')))"))

    def select(self, slot: str, start: int, end: int) -> None:
        """Select a part of an answer, in code points."""
        self.page.evaluate(SELECT, [slot, start, end])


@contextmanager
def opened(
    browser: Browser, desk: Desk, *, query: str = "", size: tuple[int, int] = (1366, 768),
    touch: bool = False,
) -> Iterator[Sheet]:
    """Serve a desk and open its sheet."""
    served = Served(desk)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=touch)
    page = context.new_page()
    crashes: list[str] = []
    page.on("pageerror", lambda error: crashes.append(str(error)))
    page.goto(served.url + query)
    page.wait_for_selector("main[data-screen]:not([data-screen=loading])")
    try:
        yield Sheet(page, desk, served)
    finally:
        context.close()
        served.stop()
    if crashes:
        raise AssertionError(crashes)
