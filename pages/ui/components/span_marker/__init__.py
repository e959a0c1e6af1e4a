"""The span marker: one text, its labels and spans, saved by the browser to the routes beside.

It is a face of the task kit (`task/`); its folder holds what only marking needs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NotRequired, TypedDict

import streamlit as st

from pages.ui.components.task import loader

HERE: Final = Path(__file__).parent


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
    """Return what the component runs: it fetches the marker's modules."""
    return loader("span_marker")


def style() -> str:
    """Return the marker's style sheet."""
    return (HERE / "marker.css").read_text("utf-8")


HTML: Final = "<main></main>"

mount = st.components.v2.component("concord_span_marker", html=HTML, css=style(), js=script())


def span_marker(*, key: str, data: MarkerData) -> None:
    """Show the marker; with a constant `key` element, marks and focus stay on a rerun."""
    mount(key=key, data={**data, "words": dict(data["words"])})
