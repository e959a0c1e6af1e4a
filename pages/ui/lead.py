"""What a lead's screens share: the study chosen, its stage and the next step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.errors import StudyError
from cbt_core.services.studies import lifecycle
from cbt_core.services.studies.contents import StudyLine, listing
from cbt_core.services.studies.lifecycle import Status
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
