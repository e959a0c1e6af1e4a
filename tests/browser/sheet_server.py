"""The rating sheet alone: its own page and an in-memory server of its routes, without Streamlit.

The page mounts the component as Streamlit does: `export default` in a shadow root that holds the
component's HTML and style. `Desk` is the server's memory; a test reads it and turns its switches.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from cbt_core.routes import kit
from cbt_core.settings import Settings
from cbt_core.words import section
from pages.ui.components.rating_sheet import HTML, SheetData, script, style, whole
from tests.browser import sheet_samples as samples

Json = dict[str, object]
LETTERS: Final = "ABCD"
HEAD: Final = 44
"""Height of the page's own head in pixels, as Streamlit's is dressed."""

PAGE: Final = """<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport"
content="width=device-width"><title>sheet</title><link rel="icon" href="data:,"><style>
body{margin:0;background:BACK}nav{height:HEADpx}section{padding:0 28px;max-width:1366px;margin:auto;
box-sizing:border-box}@media(max-width:900px){section{padding:0 16px}}</style>
<nav></nav><section><div id="host"></div></section><script type="module">
import mount from "/sheet.js";
const root = document.querySelector("#host").attachShadow({ mode: "open" });
root.innerHTML = MARKUP;
window.mount = (data) => mount({ data, parentElement: root, setTriggerValue() {} });
window.leave = window.mount(DATA);
window.data = DATA;
</script></html>"""


@dataclass
class Desk:
    """What the server knows, and how it is to behave.

    `failing` gives the status of the next answers of `draft`, `save`, `skip`; `lost` lets the next
    save be stored while its answer never arrives.
    """

    lang: str = "zh"
    slots: int = 2
    characters: int = 400
    total: int = 40
    risk: Sequence[str] = ("none",)
    scales: Sequence[Json] = ()
    steps: Json | None = None
    options: Json = field(default_factory=dict)
    signed_in: bool = True
    failing: list[int] = field(default_factory=list)
    lost: int = 0
    extra: str = ""
    read_only: bool = False
    break_after: int | None = None
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: list[Json] = field(default_factory=list)
    presses: list[Json] = field(default_factory=list)
    sequence: int = 0

    def view(self, task: str | None, *, rested: bool = False) -> Json:
        """Return the named task's view, or the next one's."""
        self.sequence += 1
        done = len({one["task"] for one in self.saved})
        number = int(task[1:]) if task else done + 1
        state = "task" if number <= self.total else "done"
        if done == self.break_after and not rested and task is None:
            state = "break"
        return {
            "state": state,
            "sequence": self.sequence,
            "study": {
                "slug": "one", "title": "CBT 回答评估 · 研究一", "lang": self.lang,
                "support_text": samples.default_text("support_text", self.lang),
                "notice": samples.default_text("ai_notice", self.lang),
            },
            "progress": {"done": done, "total": self.total, "minutes_left": 28, "number": number},
            "break": {"minutes": 47, "risk_items": 3},
            "task": self._task(number) if state == "task" else None,
            "instrument": {"name": "cbt-3", "scales": self._scales(), "steps": self.steps},
            "options": {
                "preference": "required", "confidence": True, "flags": True, "comment": True,
                **samples.lists(self.lang), **self.options,
            },
        }

    def revision(self, task: str) -> int:
        """Return how often a task was saved."""
        return sum(one["task"] == task for one in self.saved)

    def missing(self, entries: Json, task: str) -> list[Json]:
        """Return what a save lacks, as the real server names it."""
        scores = entries.get("scores")
        given = scores if isinstance(scores, dict) else {}
        found: list[Json] = [
            {"slot": slot, "scale": scale["id"]}
            for slot in LETTERS[: self.slots]
            for scale in self._scales()
            if scale["level"] == "answer" and scale["id"] not in given.get(slot, {})
        ]
        if self.revision(task) and not entries.get("reason"):
            found.append({"slot": None, "scale": "reason"})
        return found

    def _scales(self) -> Sequence[Json]:
        return self.scales or samples.scales("cbt-3", self.lang)

    def _length(self) -> int:
        return self.characters * (1 if self.lang == "zh" else 2)

    def _task(self, number: int) -> Json:
        task = f"t{number}"
        stored = next((one for one in reversed(self.saved) if one["task"] == task), None)
        draft = self.drafts.get(task)
        source = draft or stored
        return {
            "task": task, "kind": "main", "revision": self.revision(task),
            "read_only": self.read_only, "risk": self.risk[(number - 1) % len(self.risk)],
            "question": samples.QUESTION[self.lang],
            "description": samples.DESCRIPTION[self.lang] + self.extra,
            "slots": [
                {"slot": slot, "text": samples.answer(
                    self.lang, structured=place % 2 == 0, characters=self._length())}
                for place, slot in enumerate(LETTERS[: self.slots])
            ],
            "entries": source["entries"] if source else None,
            "draft_sequence": draft["sequence"] if draft else 0,
            "saved_at": stored["at"] if stored else None,
        }


def refusal(status: int, code: str, missing: Sequence[Json] = ()) -> JSONResponse:
    """Answer with an error as the real routes do."""
    error = {"code": code, "message": MESSAGES.get(code, ""), "missing": list(missing)}
    return JSONResponse({"error": error}, status, {"Cache-Control": "no-store"})


MESSAGES: Final = {
    "rating.changed_elsewhere": "此题已在别处保存过新的一版。",
    "rating.not_saved": "未能保存：存储暂时不可写。您填写的内容仍在本页。",
    "rating.locked": "研究已锁库，评分不能再更改。",
    "rating.missing": "还有评分没有填写。",
}
CODES: Final = {409: "rating.changed_elsewhere", 503: "rating.not_saved", 423: "rating.locked"}


class SheetApp:
    """The routes over one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def starlette(self) -> Starlette:
        """Return the application."""
        work: dict[str, Callable[[Json], Response]] = {
            "open": self._open, "draft": self._draft, "save": self._save, "skip": self._skip,
        }
        return Starlette(routes=[
            Route("/", self._page),
            Route("/sheet.js", lambda _: Response(script(), media_type="text/javascript")),
            *kit.routes(Settings(database="")),
            *(Route(f"/api/sheet/{name}", self._guarded(name, do), methods=["POST"])
              for name, do in work.items()),
        ])

    def _page(self, request: Request) -> HTMLResponse:
        asked = request.query_params
        lang, theme = asked.get("lang", self.desk.lang), asked.get("theme", "light")
        data: SheetData = {
            "api": "", "study": "one", "task": asked.get("task"), "lang": lang,
            "theme": "dark" if theme == "dark" else "light",
            "words": section("sheet", lang), "owner": asked.get("owner", "R01"),
            "links": {"home": "/?home", "work": "/?work", "closing": "/?closing"},
        }
        markup = f"<style>{style()}</style><div>{HTML}</div>"
        page = PAGE.replace("HEAD", str(HEAD)).replace("MARKUP", json.dumps(markup))
        page = page.replace("BACK", "#14191e" if theme == "dark" else "#fff")
        return HTMLResponse(page.replace("DATA", json.dumps(whole(data), ensure_ascii=False)))

    def _guarded(self, name: str, do: Callable[[Json], Response]) -> Callable[..., object]:
        async def answer(request: Request) -> Response:
            body = await request.json()
            if not self.desk.signed_in:
                return refusal(401, "access.signed_out")
            if name in {"save", "skip"}:
                self.desk.presses.append(body)
            if name != "open" and self.desk.failing:
                status = self.desk.failing.pop(0)
                if status == 502:
                    return HTMLResponse("<h1>Bad gateway</h1>", 502)
                return refusal(status, CODES[status])
            return do(body)

        return answer

    def _open(self, body: Json) -> Response:
        task = body["task"]
        named = task if isinstance(task, str) else None
        return JSONResponse({"view": self.desk.view(named, rested=body.get("rested") is True)})

    def _draft(self, body: Json) -> Response:
        task, kept = str(body["task"]), self.desk.drafts
        if self.desk.revision(task) != body["base_revision"]:
            return refusal(409, "desk.stale_draft")
        if task not in kept or int(str(body["sequence"])) > kept[task]["sequence"]:
            kept[task] = {"entries": body["entries"], "sequence": body["sequence"]}
        return JSONResponse({"sequence": kept[task]["sequence"]})

    def _save(self, body: Json) -> Response:
        task, entries = str(body["task"]), body["entries"]
        again = any(one["token"] == body["token"] for one in self.desk.saved)
        if not again:
            if self.desk.revision(task) != body["base_revision"]:
                return refusal(409, "rating.changed_elsewhere")
            missing = self.desk.missing(entries if isinstance(entries, dict) else {}, task)
            if missing:
                return refusal(422, "rating.missing", missing)
            self._store(body)
        if self.desk.lost:
            self.desk.lost -= 1
            return HTMLResponse("gone", 502)
        return self._receipt(task, repeated=again)

    def _skip(self, body: Json) -> Response:
        self._store({**body, "entries": None})
        return self._receipt(str(body["task"]), repeated=False)

    def _store(self, body: Json) -> None:
        self.desk.saved.append({**body, "at": datetime.now(UTC).isoformat()})
        self.desk.drafts.pop(str(body["task"]), None)

    def _receipt(self, task: str, *, repeated: bool) -> JSONResponse:
        saved = {"task": task, "revision": self.desk.revision(task),
                 "at": datetime.now(UTC).isoformat(), "repeated": repeated}
        return JSONResponse({"saved": saved, "view": self.desk.view(None)})


class Served:
    """The application on a free port of loopback; it can be killed and started again."""

    def __init__(self, desk: Desk) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"
        self._app = SheetApp(desk).starlette()
        self.start()

    def start(self) -> None:
        """Serve from a thread of this process."""
        config = uvicorn.Config(self._app, host="127.0.0.1", port=self.port, log_level="error",
                                lifespan="off")
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


def main() -> None:
    """Serve a desk by hand: ``python -m tests.browser.sheet_server``."""
    served = Served(Desk(risk=("none", "possible", "high")))
    print(served.url)  # noqa: T201
    threading.Event().wait()


if __name__ == "__main__":
    main()
