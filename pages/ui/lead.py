"""What a lead's screens share: the study chosen, its heading, tables, notices, acts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.services.studies.contents import StudyLine, listing
from pages.ui.session import database, now
from pages.ui.widgets import literal, plain
from pages.ui.words import language, t

STUDY: Final = "lead_study"
NOTICE: Final = "lead_notice"

Row = Mapping[str, object]
Columns = Mapping[str, str | ColumnConfig]


def dress() -> None:
    """Apply the style of a lead's screens; the file uploader, English by itself, says our words."""
    st.html(
        f"""<style>
:root {{ --upload: "{t("lead.upload")}"; --upload-about: "{t("lead.upload_about")}"; }}
[class*="st-key-facts-"] td {{ vertical-align: top; padding: 0.22rem 0.4rem !important; }}
[class*="st-key-facts-"] td:first-child {{ width: 11rem; min-width: 8rem; opacity: 0.72; }}
[class*="st-key-case-row-"] {{ border-bottom: 1px solid #7d8b9855; padding: 0.1rem 0 0.45rem; }}
[class*="st-key-case-row-"] [data-testid="stVerticalBlock"],
.st-key-stages [data-testid="stColumn"] [data-testid="stVerticalBlock"] {{ gap: 0; }}
[data-testid="stFileUploaderDropzone"] button p,
[data-testid="stFileUploaderDropzoneInstructions"] span {{ font-size: 0; }}
[data-testid="stFileUploaderDropzone"] button p::after {{
  content: var(--upload); font-size: 0.875rem; }}
[data-testid="stFileUploaderDropzoneInstructions"] span::after {{
  content: var(--upload-about); font-size: 0.875rem; }}
</style>"""
    )


def heading(person: Person, title: str) -> StudyLine:
    """Draw the title and the study picker; return the study in hand.

    Somebody who leads no study yet is shown the way to one, and the run ends here.
    """
    dress()
    every = listing(database(), person, now=now())
    lines = [line for line in every if Role.LEAD in line.roles]
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.title(title)
    if not lines:
        nothing_yet(person)
        st.stop()
    with right:
        line = _pick(lines)
    study = line.study
    plain(f"{study.slug} · {t(f'lead.stage_{study.stage}')}", look="small", key="lead-study")
    show_notice()
    return line


def nothing_yet(person: Person) -> None:
    """Say that there is no study, and how one begins."""
    st.info(t("lead.none"))
    if person.may_create_studies:
        way_to("import_study", t("lead.import_first"))


def _pick(lines: Sequence[StudyLine]) -> StudyLine:
    by_slug = {line.study.slug: line for line in lines}
    slugs = list(by_slug)
    standing = st.session_state.get(STUDY)
    chosen = st.selectbox(
        t("lead.study"), slugs, index=slugs.index(standing) if standing in by_slug else 0,
        format_func=lambda slug: by_slug[slug].study.title, key="lead-study-pick",
        label_visibility="collapsed",
    )
    st.session_state[STUDY] = chosen
    return by_slug[chosen]


def act(work: Callable[[], object], done: str) -> None:
    """Do something; then draw the screen anew with `done`, or say why it was not done."""
    try:
        work()
    except StudyError as error:
        sorry(error)
        return
    tell(done)
    st.rerun()


def tell(message: str) -> None:
    """Keep a sentence for the top of the next screen."""
    st.session_state[NOTICE] = message


def show_notice() -> None:
    """Show, once, the sentence that was kept."""
    message = st.session_state.pop(NOTICE, "")
    if message:
        st.success(literal(message))


def sorry(error: StudyError) -> None:
    """Say why something was not done; what was typed may stand in it, so nothing is Markdown."""
    st.error(literal(error.say(language())))


def facts(rows: Sequence[tuple[str, str]], *, key: str) -> None:
    """Show names and values under one another; both stand exactly as they are.

    A key that starts with `long-` leaves room for long names.
    """
    with st.container(key=key if key.startswith("long-") else f"facts-{key}"):
        st.table(
            [{"name": _cell(name), "value": _cell(value)} for name, value in rows],
            border="horizontal", hide_header=True, hide_index=True,
        )


def way_to(screen: str, label: str = "") -> None:
    """Offer the way to another screen."""
    st.page_link(f"pages/{screen}.py", label=f"{label or t(f'nav.{screen}')} →")


def rows_table(rows: Sequence[Row], *, columns: Columns, alt: str) -> None:
    """Show a table of data; `columns` gives every column its title (hidden ones do not exist)."""
    shown = [{key: row[key] for key in columns} for row in rows]
    st.dataframe(
        shown, column_config={**columns}, hide_index=True, width="stretch", alt=alt,
        placeholder="—",
        height="content" if len(shown) <= LONGEST_WHOLE else 420,
    )


LONGEST_WHOLE: Final = 14
"""Rows a table may have before it scrolls."""


def _cell(text: str) -> str:
    return literal(" ".join(text.split())) or "—"


def day(moment: datetime | str | None) -> str:
    """Return a date, or a dash; stored text begins with it."""
    if not moment:
        return "—"
    return moment[:10] if isinstance(moment, str) else f"{moment:%Y-%m-%d}"


def minute(moment: datetime | str | None) -> str:
    """Return date and time to the minute in UTC, or a dash."""
    if not moment:
        return "—"
    if isinstance(moment, str):
        return f"{moment[:10]} {moment[11:16]}"
    return f"{moment:%Y-%m-%d %H:%M}"
