"""The span marker: one text, its labels and spans, saved by the browser to the routes beside.

Its script is plain JavaScript in small files joined here: no build step, nothing to install.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NotRequired, TypedDict

import streamlit as st

from pages.ui.components.scripts import joined

HERE: Final = Path(__file__).parent

PARTS: Final = (
    "dom", "entries", "marks", "history", "units", "routes", "net", "storage", "draft", "save",
    "clock", "selection", "travel", "text", "labels", "proposals", "list", "frame", "closing",
    "drawer", "veil", "screens", "focus", "keys", "marker",
)
"""The files of js/ in the order they are joined; `marker` holds the one export."""


class Links(TypedDict, total=False):
    """Where the marker's ways out lead; a way without an address is not shown."""

    home: str
    work: str


class MarkerData(TypedDict):
    """What the page hands to the marker. It holds no text of a task: the marker fetches its own.

    `api` is the path prefix of the server ("" at the root), `task` an opaque token or None for
    the next task, `owner` a pseudonymous code whose change empties what the tab has kept.
    """

    api: str
    study: str
    task: str | None
    lang: str
    words: Mapping[str, str]
    theme: Literal["light", "dark"]
    links: NotRequired[Links]
    owner: NotRequired[str]


def script() -> str:
    """Return the marker's script as one ES module."""
    return joined(HERE / "js", PARTS)


def style() -> str:
    """Return the marker's style sheet."""
    return (HERE / "marker.css").read_text("utf-8")


HTML: Final = "<main></main>"

mount = st.components.v2.component("concord_span_marker", html=HTML, css=style(), js=script())


def span_marker(*, key: str, data: MarkerData) -> None:
    """Show the marker; with a constant `key` element, marks and focus stay on a rerun."""
    mount(key=key, data={**data, "words": dict(data["words"])})
