"""Small things several screens draw. Imported text goes through `plain`, never through Markdown."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from cbt_core.errors import StudyError
from cbt_core.services.desk.admission import MyStudy
from pages.ui.words import language, t


def plain(text: str, *, look: str = "text", key: str = "") -> None:
    """Show text exactly as it is: no Markdown, no HTML, line breaks kept.

    `look` is `text`, `strong`, `small` or `quote`; `key` tells several of one look apart.
    """
    if look == "text":
        st.text(text)
        return
    with st.container(key=f"look-{look}-{key}"):
        st.text(text)


def literal(text: str) -> str:
    """Return text for a widget's label (Streamlit reads it as Markdown) with marks escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!:$|<>~&])", r"\\\1", text)


def refuse(error: StudyError) -> None:
    """Say why something was not done."""
    st.error(error.say(language()))


def chosen_study(studies: Sequence[MyStudy], *, steps: Sequence[str] = ()) -> MyStudy | None:
    """Return the study this screen is about: the one picked last, else the first that fits."""
    fitting = [study for study in studies if not steps or study.step in steps]
    if not fitting:
        return None
    picked = st.session_state.get("study")
    return next((study for study in fitting if study.slug == picked), fitting[0])


def study_picker(studies: Sequence[MyStudy], *, key: str) -> MyStudy | None:
    """Let the person switch between studies when there are several."""
    current = chosen_study(studies)
    if current is None or len(studies) < 2:
        return current
    slugs = [study.slug for study in studies]
    titles = {study.slug: study.title for study in studies}
    slug = st.selectbox(
        t("home.study"), slugs, index=slugs.index(current.slug), key=key,
        format_func=lambda one: titles[one],
    )
    st.session_state["study"] = slug
    return next(study for study in studies if study.slug == slug)


def local_minute(stored: str) -> str:
    """Return a stored moment as date and time by the clock of the person's own computer.

    A browser that does not tell its time zone gets UTC, and is told so.
    """
    at = datetime.fromisoformat(stored)
    try:
        return f"{at.astimezone(ZoneInfo(str(st.context.timezone))):%Y-%m-%d %H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{at:%Y-%m-%d %H:%M} UTC"


def hours_words(minutes: int) -> str:
    """Return a working time in words."""
    if minutes < 60:
        return t("home.minutes", minutes=minutes)
    return t("home.hours", hours=f"{minutes / 60:.1f}")
