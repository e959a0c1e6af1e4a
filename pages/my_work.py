"""My work: what was rated or labelled and when; open again and correct until the lock."""

from collections.abc import Sequence

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.services.desk.admission import MyStudy, my_studies
from cbt_core.services.desk.own_work import DoneTask, done_tasks
from pages.ui import chrome
from pages.ui.session import database, now, require_role
from pages.ui.widgets import hours_words, local_minute, plain, study_picker
from pages.ui.words import t

PER_PAGE = 25
OPENS = {
    Role.RATER: ("task", "pages/rate.py"),
    Role.ANNOTATOR: ("label_task", "pages/annotate.py"),
}
"""Where a task is opened again, and the key under which that screen is told which one."""


def show(person: Person, study: MyStudy) -> None:
    """List finished tasks, newest first, a page at a time."""
    st.caption(t("my_work.summary", done=study.done, total=study.total,
                 spent=hours_words(study.minutes)))
    page = int(st.session_state.get("my_work_page", 0))
    rows, total = done_tasks(
        database(), person, slug=study.slug, now=now(), start=page * PER_PAGE, count=PER_PAGE,
        role=study.role,
    )
    if not rows:
        is_rating = study.role is Role.RATER
        st.info(t("my_work.nothing" if is_rating else "my_work.nothing_labelled"))
    for row in rows:
        line(row, study)
    turn_pages(page, total)


def line(row: DoneTask, study: MyStudy) -> None:
    """Draw one finished task with the button that opens it again."""
    number, text, when, action = st.columns([0.5, 4.4, 3.6, 1.4], vertical_alignment="center")
    number.text(str(row.number))
    text.text(row.question)
    state = t(f"my_work.state_{row.state}")
    revised = t("my_work.revised", revision=row.revision) if row.revision > 1 else ""
    when.caption(f"{state} · {local_minute(row.saved_at)} {revised}".rstrip())
    label = t("my_work.open") if study.step != "closed" else t("my_work.read")
    if not row.openable:
        action.caption(t("my_work.later"))
    elif action.button(label, key=f"open-{row.task}", width="stretch"):
        key, screen = OPENS[study.role]
        st.session_state[key] = row.task
        st.session_state["study"] = study.slug
        st.switch_page(screen)


def turn_pages(page: int, total: int) -> None:
    """Offer the neighbouring pages when one is not enough."""
    last = max(0, (total - 1) // PER_PAGE)
    if last == 0:
        return
    back, middle, forth = st.columns([1, 2, 1], vertical_alignment="center")
    middle.caption(t("my_work.page", page=page + 1, pages=last + 1))
    if back.button(t("my_work.newer"), disabled=page == 0):
        st.session_state["my_work_page"] = page - 1
        st.rerun()
    if forth.button(t("my_work.older"), disabled=page >= last):
        st.session_state["my_work_page"] = page + 1
        st.rerun()


def role_shown(studies: Sequence[MyStudy]) -> Role | None:
    """Return whose work is listed; somebody who rates and labels chooses."""
    roles = [role for role in OPENS if any(one.role is role for one in studies)]
    if len(roles) < 2:
        return roles[0] if roles else None
    names = {Role.RATER: t("my_work.rated"), Role.ANNOTATOR: t("my_work.labelled")}
    return st.radio(
        t("my_work.which"), roles, horizontal=True, key="my-work-role",
        format_func=names.__getitem__, label_visibility="collapsed",
    )


person = require_role(Role.RATER, Role.ANNOTATOR)
chrome.reading_width()
st.title(t("my_work.title"))
every = my_studies(database(), person, now=now())
role = role_shown(every)
mine = [one for one in every if one.role is role]
study = study_picker(mine, key="my-work-study")
if study is not None:
    if len(mine) == 1:  # else the title stands in the choice
        plain(study.title, look="small", key="study-title")
    show(person, study)
