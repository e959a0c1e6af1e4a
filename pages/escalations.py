"""Escalations: what raters flagged as serious, with the answers as they saw them."""

from functools import partial

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.instruments.shipped import defaults
from cbt_core.services.desk import escalations
from cbt_core.services.desk.escalations import Case, CaseRow, Queue
from pages.ui import lead
from pages.ui.session import database, now, require_lead
from pages.ui.widgets import plain
from pages.ui.words import language, t

OPENED = "escalation"
SHOW = ("open", "handled", "all")
PER_PAGE = 20
ACTS = {"note": escalations.note, "handle": escalations.handle, "reopen": escalations.reopen}


def cause_words(cause: str) -> str:
    """Return why a case stands in the queue: the flag's kind."""
    kind = cause.removeprefix("flag:")
    names = {one.id: one.name(language()) for one in defaults().flag_kinds}
    return names.get(kind, kind)


def state_words(queue: Queue, case: CaseRow) -> str:
    """Return whether a case is open or handled, and for live texts by when it is due."""
    state = t(f"escalations.is_{case.state}")
    if case.id not in queue.due:
        return state
    key = "is_overdue" if case.id in queue.overdue else "is_due"
    return f"{state} · {t(f'escalations.{key}', at=lead.minute(queue.due[case.id]))}"


def source(queue: Queue) -> None:
    """Say where the texts come from; of live ones, who answers and what is late."""
    if not queue.reachable:
        plain(t("escalations.archived"), look="small", key="source")
        return
    plain(t("escalations.live", owner=queue.owner, hours=queue.within_hours), look="small",
          key="source")
    if queue.overdue:
        st.error(t("escalations.overdue", count=len(queue.overdue), hours=queue.within_hours))


def listed(queue: Queue) -> None:
    """List the cases; one is opened by its button."""
    wanted = st.radio(
        t("escalations.show"), SHOW, horizontal=True, key="escalations-show",
        format_func={one: t(f"escalations.show_{one}") for one in SHOW}.__getitem__,
        label_visibility="collapsed",
    )
    cases = [one for one in queue.cases if wanted in {"all", one.state}]
    if not cases:
        st.info(t("escalations.nothing"))
    for case in cases[:PER_PAGE]:
        with st.container(key=f"case-row-{case.id}"):
            words, action = st.columns([4, 1.2], vertical_alignment="center")
            with words:
                plain(f"{cause_words(case.cause)} · {case.item}", look="strong",
                      key=f"case-{case.id}")
                plain(f"{case.rater} · {lead.minute(case.at)} · {state_words(queue, case)}",
                      look="small", key=f"case-{case.id}")
            is_open = st.session_state.get(OPENED) == case.id
            if action.button(t("escalations.read"), key=f"read-{case.id}", width="stretch",
                             disabled=is_open):
                st.session_state[OPENED] = case.id
                st.rerun()
    if len(cases) > PER_PAGE:
        st.caption(t("escalations.more", count=len(cases) - PER_PAGE))


def opened(person: Person, slug: str, case: Case) -> None:
    """Show one case whole: question, answers in their slots, flags, notes."""
    row = case.row
    st.header(f"{cause_words(row.cause)} · {t(f'escalations.is_{row.state}')}")
    plain(t("escalations.where", item=row.item, rater=row.rater, at=lead.minute(row.at)),
          look="small", key="case-where")
    if row.corrected:
        st.info(t("escalations.corrected"))
    severities = {one.id: one.name(language()) for one in defaults().severities}
    for place, flag in enumerate(case.flags):
        plain(f"{t('escalations.answer')} {flag.slot} · {cause_words('flag:' + flag.kind)} · "
              f"{severities.get(flag.severity, flag.severity)}", look="strong", key=f"flag-{place}")
        if flag.quote:
            plain(flag.quote, look="quote", key=f"flag-{place}")
    if row.comment:
        plain(t("escalations.comment"), look="small", key="case-comment")
        plain(row.comment, look="quote", key="case-comment")
    st.subheader(t("escalations.question"))
    plain(row.question, look="strong", key="case-question")
    if row.description:
        st.text(row.description)
    for column, slot in zip(st.columns(max(1, len(case.slots))), case.slots, strict=False):
        with column, st.container(border=True, key=f"case-slot-{slot.slot}"):
            plain(f"{t('escalations.answer')} {slot.slot}", look="strong",
                  key=f"case-slot-{slot.slot}")
            st.text(slot.text)
    history(case)
    decide(person, slug, case)


def history(case: Case) -> None:
    """Show what was done about the case, first to last."""
    st.subheader(t("escalations.history"))
    if not case.notes:
        st.text(t("escalations.no_notes"))
    for place, note in enumerate(case.notes):
        plain(f"{t(f'escalations.did_{note.action}')} · {note.actor} · {lead.minute(note.at)}",
              look="small", key=f"note-{place}")
        plain(note.note, look="quote", key=f"note-{place}")


def decide(person: Person, slug: str, case: Case) -> None:
    """Take a note, and with it mark the case as handled or open it again."""
    acts = ("note", "handle") if case.row.state == "open" else ("note", "reopen")
    with st.form("case-note", enter_to_submit=False, clear_on_submit=False):
        text = st.text_area(t("escalations.words"), key="case-text", max_chars=4000, height=100)
        with st.container(horizontal=True):
            pressed = [act for act in acts
                       if st.form_submit_button(t(f"escalations.{act}"), key=f"case-{act}",
                                                type="primary" if act != "note" else "secondary")]
        st.caption(t("escalations.kept"))
    for act in pressed:
        lead.act(
            partial(ACTS[act], database(), person, slug=slug, case_id=case.row.id, text=text,
                    now=now()),
            t(f"escalations.done_{act}"),
        )


person = require_lead()
line = lead.heading(person, t("escalations.title"))
slug = line.study.slug
found = escalations.queue(database(), person, slug=slug, now=now())
st.text(t("escalations.waiting", waiting=found.waiting, all=len(found.cases)))
source(found)
left, right = st.columns([2, 3], gap="large")
with left:
    listed(found)
with right:
    chosen = next((c.id for c in found.cases if c.id == st.session_state.get(OPENED)), None)
    if chosen is not None:
        opened(person, slug,
               escalations.read(database(), person, slug=slug, case_id=chosen, now=now()))
    elif found.cases:
        st.text(t("escalations.choose"))
