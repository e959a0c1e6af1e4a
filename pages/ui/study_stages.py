"""Where a study stands and what comes next: lock, unlock and unblind, each asked twice.

What a lead does next, and on which screens, is said on Start and on Studies.
"""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.services.studies import lifecycle
from cbt_core.services.studies.contents import StudyLine
from cbt_core.services.studies.lifecycle import Status
from pages.ui.lead import act, minute
from pages.ui.session import database, now
from pages.ui.widgets import literal, plain
from pages.ui.words import t


@dataclass(frozen=True, slots=True)
class NextStep:
    """`words` is a key of section studies; `screens` are where it is done, the first one first."""

    words: str
    screens: tuple[str, ...]


def is_label_study(line: StudyLine) -> bool:
    """Tell whether a study has texts alone: nothing to rate, no system to unblind."""
    return line.systems == 0


def next_step(line: StudyLine, status: Status) -> NextStep:
    """Return what comes next in a study."""
    key, screens = _step(line, status)
    suffix = "_labels" if is_label_study(line) else ""
    return NextStep(f"studies.next_{key}{suffix}", screens)


def _step(line: StudyLine, status: Status) -> tuple[str, tuple[str, ...]]:
    stage = status.study.stage
    results = "label_results" if is_label_study(line) else "results"
    if stage == Stage.DRAFT:
        return "people", ("people", "design")
    if stage == Stage.OPEN:
        skipped = sum(row.skipped for row in status.raters)
        is_over = status.total and status.done + skipped >= status.total
        return ("lock", (results,)) if is_over else ("watch", ("progress",))
    if stage == Stage.LOCKED:
        return "locked", (results, "export") if is_label_study(line) else (results,)
    return "unblinded", ("export",)


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
                st.caption(minute(given))
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
        act(
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
        act(
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
        act(
            lambda: lifecycle.unblind(database(), person, slug=slug, reason=reason, now=now()),
            t("studies.unblinded"),
        )
