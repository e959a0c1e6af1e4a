"""The adjudicator: a queue, the annotators' marks in place and side by side, and the decision.

It is a face of the task kit (`task/`) and marks as the span marker does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypedDict

import streamlit as st

from pages.ui.components import span_marker
from pages.ui.components.task import loader

HERE: Final = Path(__file__).parent


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
    """Return what the component runs: it fetches the adjudicator's modules."""
    return loader("adjudicator")


def style() -> str:
    """Return the span marker's style sheet with what differs here."""
    return span_marker.style() + (HERE / "adjudicator.css").read_text("utf-8")


HTML: Final = "<main></main>"

mount = st.components.v2.component("concord_adjudicator", html=HTML, css=style(), js=script())


def adjudicator(*, key: str, data: AdjudicatorData) -> None:
    """Show the adjudicator; with a constant `key` the case and the focus stay on a rerun."""
    mount(key=key, data={**data, "words": dict(data["words"])})
