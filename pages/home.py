"""Start: the person's studies, where they stand, and the one thing to do next."""

import streamlit as st

from cbt_core.domain.study import Role
from cbt_core.services.joining import MyStudy, my_studies
from pages.ui import chrome
from pages.ui.session import database, require_person
from pages.ui.widgets import hours_words, plain
from pages.ui.wording import t

NEXT = {
    "consent": "pages/begin.py",
    "profile": "pages/begin.py",
    "guide": "pages/begin.py",
    "practice": "pages/begin.py",
    "work": "pages/rate.py",
    "guess": "pages/closing.py",
    "done": "pages/closing.py",
}


def card(study: MyStudy) -> None:
    """Draw one study: title, how far, and one button."""
    with st.container(border=True, key=f"card-{study.role}-{study.slug}"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            plain(study.title, look="strong", key=f"{study.role}-{study.slug}")
            st.caption(f"{t(f'home.role_{study.role}')} · {t(f'home.step_{study.step}')}")
            if study.total:
                st.progress(study.done / study.total)
                spent = hours_words(study.minutes)
                st.caption(t("home.progress", done=study.done, total=study.total, spent=spent))
        with right:
            target = target_of(study)
            if target and st.button(
                t(f"home.go_{study.step}"), type="primary", width="stretch",
                key=f"go-{study.role}-{study.slug}",
            ):
                st.session_state["study"] = study.slug
                st.session_state["role"] = study.role
                st.switch_page(target)


def target_of(study: MyStudy) -> str | None:
    """Return the screen that comes next in a study."""
    if study.role is Role.ANNOTATOR and study.step in {"work", "done"}:
        return "pages/annotate.py"
    return NEXT.get(study.step)


person = require_person()
chrome.reading_width()
st.title(t("home.title"))
mine = my_studies(database(), person)
for one in mine:
    card(one)
leads = person.may_create_studies or any(Role.LEAD in held for held in person.roles.values())
if leads:
    st.header(t("home.lead"))
    with st.container(horizontal=True):
        for screen in ("studies", "progress", "escalations", "results"):
            st.page_link(f"pages/{screen}.py", label=t(f"nav.{screen}"))
if not mine and not leads:
    st.info(t("home.nothing"))
st.caption(t("common.not_clinical"))
