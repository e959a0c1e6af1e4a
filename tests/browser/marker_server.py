"""The span marker on its own page, before its real routes and a real database, without Streamlit.

The page mounts the component as Streamlit does: `export default` in a shadow root that holds the
component's HTML and style.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import uvicorn
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from cbt_core.domain.people import Person
from cbt_core.routes import desk, kit
from cbt_core.routes.common import COOKIE
from cbt_core.settings import Settings
from cbt_core.words import section
from db import sessions
from db.engine import Database
from pages.ui.components.span_marker import HTML, script, style

PAGE: Final = """<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport"
content="width=device-width"><title>marker</title><link rel="icon" href="data:,"><style>
body{margin:0;background:BACK}nav{height:44px}
section{padding:0 28px;max-width:1366px;margin:auto;box-sizing:border-box}
@media(max-width:900px){section{padding:0 16px}}</style>
<nav></nav><section><div id="host"></div></section><script type="module">
import mount from "/marker.js";
const root = document.querySelector("#host").attachShadow({ mode: "open" });
root.innerHTML = MARKUP;
window.mount = (data) => mount({ data, parentElement: root, setTriggerValue() {} });
window.leave = window.mount(DATA);
</script></html>"""


class Served:
    """The marker's routes and page on a free port of loopback."""

    def __init__(self, database: Database, slug: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self._database, self._slug = database, slug
        app = Starlette(routes=[
            Route("/", self._page),
            Route("/marker.js", lambda _: Response(script(), media_type="text/javascript")),
            *kit.routes(Settings(database="")),
            *desk.routes(database, Settings(database="")),
        ])
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        """Go away without a word."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)

    def enter(self, annotator: Person) -> dict[str, str]:
        """Sign a person in; return the cookie a browser would hold."""
        token, day = secrets.token_urlsafe(32), timedelta(days=1)
        with self._database.writing() as connection:
            sessions.start(
                connection, token_hash=sha256(token.encode()).hexdigest(),
                person_id=annotator.id, idle=day, absolute=day, now=datetime.now(UTC),
            )
        return {"name": COOKIE, "value": token, "url": self.url}

    def _page(self, request: Request) -> HTMLResponse:
        asked = request.query_params
        lang, theme = asked.get("lang", "zh"), asked.get("theme", "light")
        data = {
            "api": "", "study": self._slug, "task": None, "lang": lang, "theme": theme,
            "words": section("marker", lang), "owner": "N01", "links": {"home": "/?home"},
        }
        markup = f"<style>{style()}</style><div>{HTML}</div>"
        page = PAGE.replace("MARKUP", json.dumps(markup))
        page = page.replace("BACK", "#14191e" if theme == "dark" else "#fff")
        return HTMLResponse(page.replace("DATA", json.dumps(data, ensure_ascii=False)))


@contextmanager
def opened(
    browser: Browser,
    served: Served,
    annotator: Person,
    *,
    size: tuple[int, int] = (1366, 768),
    query: str = "",
    touch: bool = False,
) -> Iterator[Page]:
    """Yield the open marker of a signed-in annotator; its own errors fail the test."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=touch, locale="zh-CN"
    )
    context.add_cookies([served.enter(annotator)])  # type: ignore[list-item]
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{served.url}/{query}")
    page.wait_for_selector("main[data-screen]:not([data-screen=loading])")
    yield page
    context.close()
    assert faults == []
