"""Which screens there are for whom. Titles and paths reach the browser: screens only, no data."""

from collections.abc import Callable
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role

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
