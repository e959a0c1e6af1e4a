"""The rating sheet: one task, all its scores, saved to the routes beside this app.

It is a face of the task kit (`task/`); its folder holds what only a sheet has.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NotRequired, TypedDict

import streamlit as st

from cbt_core.words import say
from pages.ui.components.task import loader
from pages.ui.words import LANGUAGES

HERE: Final = Path(__file__).parent


class Links(TypedDict, total=False):
    """Where the sheet's ways out lead; a way without an address is not shown."""

    home: str
    work: str
    closing: str


class SheetData(TypedDict):
    """What the page hands to the sheet. It holds no text of a task: the sheet fetches its own.

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
    """Return what the component runs: it fetches the sheet's modules."""
    return loader("rating_sheet")


def style() -> str:
    """Return the sheet's style sheet."""
    return (HERE / "sheet.css").read_text("utf-8")


def whole(data: SheetData) -> dict[str, object]:
    """Return what the script is given: the data and, in each language, the choice "cannot rate"."""
    cannot_rate = {
        lang: {
            "label": say("sheet.cannot_rate", lang),
            "anchor": say("sheet.cannot_rate_anchor", lang),
        }
        for lang in LANGUAGES
    }
    return {**data, "words": dict(data["words"]), "cannot_rate": cannot_rate}


HTML: Final = "<main></main>"

mount = st.components.v2.component("concord_rating_sheet", html=HTML, css=style(), js=script())


def rating_sheet(*, key: str, data: SheetData) -> None:
    """Show the sheet; with a constant `key` element, draft and focus survive a rerun."""
    mount(key=key, data=whole(data))
