"""Results: agreement and raters at any time, everything by system from the lock on."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from cbt_core.errors import StudyError
from pages.ui import lead
from pages.ui.results.agreement import agreement, raters
from pages.ui.results.checks import checks, distributions, safety
from pages.ui.results.comparison import comparison
from pages.ui.results.metrics import judges, metrics
from pages.ui.results.split_items import items
from pages.ui.results.view import View, load, word
from pages.ui.session import require_lead
from pages.ui.widgets import literal
from pages.ui.words import language, t

SECTIONS: Final[dict[str, Callable[[View], None]]] = {
    "agreement": agreement, "raters": raters, "items": items, "comparison": comparison,
    "scores": distributions, "checks": checks, "metrics": metrics, "safety": safety,
    "judges": judges,
}  # fmt: skip
"""What can be looked at; only the chosen one is drawn and sent."""


def choose() -> str:
    """Ask for a section; the first one to begin with."""
    names = {one: word(f"section_{one}") for one in SECTIONS}
    return str(st.segmented_control(
        t("results.section"), list(SECTIONS), default=next(iter(SECTIONS)), required=True,
        key="results-section", label_visibility="collapsed", wrap=True,
        format_func=names.__getitem__,
    ))  # fmt: skip


person = require_lead()
line = lead.heading(person, word("title"))
try:
    view = load(person, line.study.slug)
    st.caption(word(f"stage_{view.analysis.stage}"))
    SECTIONS[choose()](view)
except StudyError as error:
    st.info(literal(error.say(language())))
    st.stop()
st.caption(word("signature"))
st.code(view.analysis.signature, language=None, wrap_lines=True)
