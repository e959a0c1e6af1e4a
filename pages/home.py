"""Start: the person's studies, where they stand, and the one thing to do next."""

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.services.desk.admission import MyStudy, my_studies
from cbt_core.services.studies import lifecycle
from cbt_core.services.studies.contents import StudyLine, listing
from pages.ui import chrome, lead
from pages.ui.session import database, now, require_person
from pages.ui.study_stages import next_step
from pages.ui.widgets import hours_words, literal, plain
from pages.ui.words import t

SHOWN = 8
"""Studies a lead sees here at most; all of them stand under Studies."""

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


def led(person: Person) -> None:
    """List the studies the person leads, newest first: stage, what is done, what comes next."""
    st.header(t("home.lead"))
    lines = [one for one in listing(database(), person, now=now()) if Role.LEAD in one.roles]
    if not lines:
        lead.nothing_yet(person)
    for study_line in reversed(lines[-SHOWN:]):
        led_card(person, study_line)
    if len(lines) > SHOWN:
        lead.way_to("studies", t("home.all_studies", count=len(lines)))


def led_card(person: Person, line: StudyLine) -> None:
    """Draw one study that is led: title, stage, tasks done, and the way to the next step."""
    study = line.study
    status = lifecycle.status(database(), person, slug=study.slug, now=now())
    step = next_step(line, status)
    with st.container(border=True, key=f"card-led-{study.slug}"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        with left:
            plain(study.title, look="strong", key=f"led-{study.slug}")
            details = [literal(study.slug), t(f"lead.stage_{study.stage}")]
            if status.total:
                details.append(t("home.tasks", done=f"{status.done:,}", total=f"{status.total:,}"))
            st.caption(" · ".join(details))
            st.text(t(step.words))
        with right:
            for screen in (step.screens[0], "studies"):
                if st.button(
                    t(f"nav.{screen}"), width="stretch", key=f"led-{screen}-{study.slug}"
                ):
                    st.session_state[lead.STUDY] = study.slug
                    st.switch_page(f"pages/{screen}.py")


person = require_person()
chrome.reading_width()
st.title(t("home.title"))
mine = my_studies(database(), person, now=now())
for one in mine:
    card(one)
leads = person.may_create_studies or any(Role.LEAD in held for held in person.roles.values())
if leads:
    led(person)
if not mine and not leads:
    st.info(t("home.nothing"))
st.caption(t("common.not_clinical"))
