"""The stages of a study on a lead's screen, and the acts between them: lock, unlock, unblind."""

from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.services import lifecycle
from cbt_core.services.lifecycle import Status
from cbt_core.services.studies import StudyLine
from pages.ui import lead
from pages.ui.next_step import is_label_study
from pages.ui.session import database, now
from pages.ui.widgets import literal, plain
from pages.ui.wording import t

LOCKING: Final = "locking"
"""Where the session keeps the study whose lock waits for its second press."""

STAGES: Final = (Stage.DRAFT, Stage.OPEN, Stage.LOCKED, Stage.UNBLINDED)


def show_stages(person: Person, line: StudyLine, status: Status) -> None:
    """Show the stages and the act that leads to the next one.

    Where there is no system there is nothing to unblind, and nothing is said of it.
    """
    study = status.study
    blinded = not is_label_study(line) or study.stage == Stage.UNBLINDED
    stages = STAGES if blinded else STAGES[:-1]
    dates = {Stage.DRAFT: study.created_at, Stage.LOCKED: study.locked_at,
             Stage.UNBLINDED: study.unblinded_at}
    reached = stages.index(Stage(study.stage))
    with st.container(key="stages"):
        columns = st.columns(len(stages))
    for place, (column, stage) in enumerate(zip(columns, stages, strict=True)):
        mark = "●" if place == reached else ("✓" if place < reached else "○")
        with column:
            plain(f"{mark} {t(f'lead.stage_{stage}')}", key=f"stage-{stage}",
                  look="strong" if place == reached else "small")
            if given := dates.get(stage):
                st.caption(lead.minute(given))
    act_of(person, status, blinded=blinded)


def act_of(person: Person, status: Status, *, blinded: bool) -> None:
    """Offer what can be done at the stage a study has reached."""
    study = status.study
    if study.stage == Stage.DRAFT:
        st.text(t("studies.lock_later"))
    elif study.stage == Stage.OPEN:
        lock(person, study.slug, status, blinded=blinded)
    elif study.stage == Stage.LOCKED:
        left, right = st.columns(2, gap="large")
        with left:
            unlock(person, study.slug, blinded=blinded)
        if blinded:
            with right:
                unblind(person, study.slug)
    else:
        st.text(t("studies.is_unblinded"))


def lock(person: Person, slug: str, status: Status, *, blinded: bool) -> None:
    """Offer the lock in two steps: it stops everybody's work."""
    st.subheader(t("studies.lock"))
    st.text(t("studies.lock_about" if blinded else "studies.lock_about_labels"))
    left = status.total - status.done
    if left:
        st.warning(t("studies.lock_unfinished", left=left, total=status.total))
    if st.session_state.get(LOCKING) != slug:
        if st.button(t("studies.lock_now"), type="primary", disabled=not status.total):
            st.session_state[LOCKING] = slug
            st.rerun()
        return
    people = len({row.code for row in status.raters})
    st.warning(t("studies.lock_warning", people=people, done=status.done, total=status.total))
    with st.container(horizontal=True):
        sure = st.button(t("studies.lock_sure"), type="primary", key="lock-sure")
        stopped = st.button(t("studies.lock_stop"), key="lock-stop")
    if sure or stopped:
        del st.session_state[LOCKING]
    if sure:
        lead.act(
            lambda: lifecycle.lock(database(), person, slug=slug, now=now()),
            t("studies.locked"),
        )
    if stopped:
        st.rerun()


def unlock(person: Person, slug: str, *, blinded: bool) -> None:
    """Offer to open a locked study again."""
    st.subheader(t("studies.unlock"))
    st.text(t("studies.unlock_about" if blinded else "studies.unlock_about_labels"))
    with st.form("unlock", enter_to_submit=False, border=False):
        reason = st.text_area(t("lead.reason"), key="unlock-reason", max_chars=2000, height=80)
        sent = st.form_submit_button(t("studies.unlock_now"))
    if sent:
        lead.act(
            lambda: lifecycle.unlock(database(), person, slug=slug, reason=reason, now=now()),
            t("studies.unlocked"),
        )


def unblind(person: Person, slug: str) -> None:
    """Offer the unblinding in two steps: it happens once and cannot be undone."""
    st.subheader(t("studies.unblind"))
    st.text(t("studies.unblind_about"))
    if st.session_state.get("unblinding") != slug:
        if st.button(t("studies.unblind_begin")):
            st.session_state["unblinding"] = slug
            st.rerun()
        return
    with st.form("unblind", enter_to_submit=False):
        st.warning(t("studies.unblind_warning"))
        typed = st.text_input(
            t("studies.unblind_type", slug=literal(slug)), key="unblind-slug", max_chars=60
        )
        reason = st.text_area(t("lead.reason"), key="unblind-reason", max_chars=2000, height=80)
        with st.container(horizontal=True):
            sent = st.form_submit_button(t("studies.unblind_now"), type="primary")
            stopped = st.form_submit_button(t("studies.unblind_stop"))
    if stopped:
        del st.session_state["unblinding"]
        st.rerun()
    if sent and typed.strip() != slug:
        st.error(t("studies.unblind_differs"))
    elif sent:
        lead.act(
            lambda: lifecycle.unblind(database(), person, slug=slug, reason=reason, now=now()),
            t("studies.unblinded"),
        )
