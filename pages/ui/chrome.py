"""The frame of every screen: page settings, style, navigation by role."""

import gc
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from pages.ui.words import language, t

ICON: Final = str(Path(__file__).parent / "icon.svg")
STYLE: Final = Path(__file__).parent / "chrome.css"
_TOP: Final = st.components.v2.component(
    "concord_top",
    html="<span></span>",
    js="""export default function ({ data, parentElement }) {
  const mark = parentElement.querySelector("span");
  if (mark.dataset.step === data.step) return;
  mark.dataset.step = data.step;
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}""",
)
_LANGUAGE: Final = st.components.v2.component(
    "concord_language",
    html="<span></span>",
    js="export default ({ data }) => { document.documentElement.lang = data.language; }",
)
logger = logging.getLogger("concord")


def freeze_start_up_objects() -> None:
    """Spare every rerun a collection over the objects of start-up (98 to 15 CPU-ms a rerun).

    Called once per process by the server's import, never by a script run.
    """
    gc.collect()
    gc.freeze()


class _WithoutText(logging.Filter):
    """Take the traceback out of a record: an exception's text may hold a person's words."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        record.exc_text = None
        return True


def keep_text_out_of_logs() -> None:
    """Make Streamlit's own error log say that something failed, not with which words."""
    logging.getLogger("streamlit.error_util").addFilter(_WithoutText())


def note_error(error: Exception) -> bool:
    """Log a crash by type and a random id, never with its text; the screen shows the id."""
    number = secrets.token_hex(4)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
    logger.error("error %s: %s at %s", number, type(error).__name__, place)
    st.error(t("common.crash", number=number))
    return True


def navigation_of(person: Person | None) -> Literal["top", "hidden"]:
    """Return where the list of screens stands: nowhere for a visitor, on top for a person."""
    return "hidden" if person is None else "top"


def dress(person: Person | None) -> None:
    """Apply the style sheet; hide Streamlit's own menu from everybody but a lead."""
    is_lead = person is not None and any(Role.LEAD in held for held in person.roles.values())
    style = STYLE.read_text("utf-8")
    if not is_lead:
        style += "[data-testid='stMainMenu'] { display: none; }"
    if person is None:
        style += "[data-testid='stHeader'] { display: none; }"
        style += "[data-testid='stMainBlockContainer'] { padding-top: 1.25rem; }"
    st.html(f"<style>{style}</style>")
    with st.container(key="language-mark"):  # Streamlit says lang="en" whatever is shown
        _LANGUAGE(key="page-language", data={"language": language()}, height="content")


def give_room_to_the_sheet() -> None:
    """Let the rating sheet use the whole window below the header."""
    st.html(
        "<style>[data-testid='stMainBlockContainer']"
        "{padding: 2.75rem 1.75rem 0; max-width: none;}</style>"
    )


def reading_width() -> None:
    """Keep a screen that is read, not worked on, to a comfortable measure."""
    st.html("<style>[data-testid='stMainBlockContainer']{max-width: 64rem;}</style>")


def start_at_top(step: str) -> None:
    """Scroll to the top when a screen goes on to its next step: Streamlit stays where it was."""
    with st.container(key="top"):
        _TOP(key="top-mark", data={"step": step}, height="content")


Wording = Callable[..., str]

HOME: Final = "pages/home.py"
RATER: Final = ("rate", "my_work", "guide")
ANNOTATOR: Final = ("annotate", "my_work", "guide")
LEAD: Final = (
    "studies", "import_study", "generate", "plan_study", "design", "people", "progress",
    "escalations", "adjudicate", "results", "label_results", "export",
)
QUIET: Final = ("begin", "closing")
"""Screens a person is led to; they are not listed."""

EVERYBODY: Final = ("account",)


def screens_for(person: Person | None, t: Wording) -> list[StreamlitPage]:
    """Return the screens to register: all of them for a visitor, so that deep links are known."""
    names = dict.fromkeys((*RATER, *ANNOTATOR, *LEAD, *QUIET, *EVERYBODY))
    listed = set(names) - set(QUIET) if person is None else _listed(person)
    home = st.Page(HOME, title=t("nav.home"), default=True)
    return [
        home,
        *(
            st.Page(
                f"pages/{name}.py",
                title=t(f"nav.{name}"),
                url_path=name.replace("_", "-"),
                visibility="visible" if name in listed else "hidden",
            )
            for name in names
        ),
    ]


def _listed(person: Person) -> set[str]:
    roles = {role for held in person.roles.values() for role in held}
    listed = set(EVERYBODY)
    if Role.RATER in roles:
        listed |= set(RATER)
    if Role.ANNOTATOR in roles:
        listed |= set(ANNOTATOR)
    if Role.LEAD in roles or person.may_create_studies:
        listed |= set(LEAD)
    if not person.may_create_studies:
        listed -= {"import_study", "generate"}
    return listed
