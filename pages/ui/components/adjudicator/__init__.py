"""The adjudicator: a queue, the annotators' marks in place and side by side, and the decision.

It marks as the span marker does and shares its parts; its own files stand before the shared ones.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypedDict

import streamlit as st

from pages.ui.components import span_marker
from pages.ui.components.scripts import SHARED

HERE: Final = Path(__file__).parent

PARTS: Final = (
    "dom", "entries", "marks", "history", "units", "routes", "net", "storage", "draft", "save",
    "clock", "selection", "travel", "text", "labels", "candidates", "list", "queue", "frame",
    "closing", "veil", "screens", "focus", "keys", "commands", "marker",
)
"""The files in the order they are joined: an own one, else the span marker's, else a shared one."""

FOLDERS: Final = (HERE / "js", span_marker.HERE / "js", SHARED)


class AdjudicatorData(TypedDict):
    """What the page hands over: no text of a study, for the component fetches its own."""

    api: str
    study: str
    task: str | None
    lang: str
    words: Mapping[str, str]
    theme: Literal["light", "dark"]
    links: span_marker.Links
    owner: str


def script() -> str:
    """Return the component's script as one ES module."""
    return "\n".join(_file(part).read_text("utf-8") for part in PARTS)


def _file(part: str) -> Path:
    return next(file for folder in FOLDERS if (file := folder / f"{part}.js").exists())


def style() -> str:
    """Return the span marker's style sheet with what differs here."""
    return span_marker.style() + (HERE / "adjudicator.css").read_text("utf-8")


HTML: Final = "<main></main>"

mount = st.components.v2.component("concord_adjudicator", html=HTML, css=style(), js=script())


def adjudicator(*, key: str, data: AdjudicatorData) -> None:
    """Show the adjudicator; with a constant `key` the case and the focus stay on a rerun."""
    mount(key=key, data={**data, "words": dict(data["words"])})
