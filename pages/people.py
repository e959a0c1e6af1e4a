"""People of a study: invite, issue a new secret, let in after practice, end a role."""

from functools import partial

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.errors import StudyError
from cbt_core.services.desk import admission
from cbt_core.services.people import invitation, roster
from cbt_core.services.people.roster import Issued
from cbt_core.services.studies import overview
from cbt_core.services.studies.contents import StudyLine
from cbt_core.services.studies.overview import Watch
from pages.ui import lead
from pages.ui.session import database, now, require_lead, settings
from pages.ui.widgets import literal, plain
from pages.ui.words import LANGUAGES, t

ROLES = (Role.RATER, Role.ANNOTATOR, Role.LEAD)


def table(person: Person, line: StudyLine, seen: Watch) -> None:
    """List everybody who belongs or belonged to the study: codes, never names."""
    everyone = roster.list_people(database(), person, now=now(), study_id=line.study.id)
    work = {(one.code, one.work): f"{one.done} / {one.total}" for one in seen.people}
    rows = []
    for entry in everyone:
        own_seats = [m for m in entry.memberships if m.study_id == line.study.id]
        held = [m.role for m in own_seats if m.left_at is None]
        state = "disabled" if entry.disabled_at else ("active" if held else "left")
        rows.append({
            "code": entry.code,
            "roles": " · ".join(t(f"lead.role_{role}") for role in held) or "—",
            "state": t(f"people.state_{state}"),
            "done": work.get((entry.code, Work.RATE)) or work.get((entry.code, Work.LABEL)) or "—",
            "seen": lead.minute(entry.last_seen_at),
            "secret": t("people.own" if entry.has_own_passphrase else "people.issued"),
            "since": lead.day(min((m.joined_at for m in own_seats), default=None)),
        })
    lead.rows_table(
        rows, columns={key: t(f"people.col_{key}") for key in rows[0]} if rows else {},
        alt=t("people.table_alt"),
    )


def invite(person: Person, line: StudyLine) -> None:
    """Ask for a code and roles; show code and secret once, with the sheet to hand out."""
    with st.form("invite", enter_to_submit=False, border=False):
        left, middle, right = st.columns([2, 3, 4], vertical_alignment="bottom")
        code = left.text_input(
            t("people.code"), max_chars=40, key="invite-code", placeholder="R01",
            help=t("people.code_help"),
        )
        role = middle.radio(
            t("people.role"), ROLES, horizontal=True, key="invite-role",
            format_func={one: t(f"lead.role_{one}") for one in ROLES}.__getitem__,
        )
        address = right.text_input(
            t("people.address"), value=own_address(), max_chars=300, key="invite-address"
        )
        contact = st.text_input(
            t("people.contact"), max_chars=200, key="invite-contact",
            placeholder=t("people.contact_about"),
        )
        sent = st.form_submit_button(t("people.invite_now"), type="primary")
    st.caption(t("people.invite_about"))
    if not sent:
        return
    try:
        invitation.invitation(code="", secret="", address=address, language="en")
        issued = roster.add_person(
            database(), person, code=code, now=now(), role=role, study_id=line.study.id
        )
    except StudyError as error:
        lead.sorry(error)
        return
    tell(issued, line, address=address, contact=contact, role=role)


def own_address() -> str:
    """Return the address at which browsers find this server, as far as it is known."""
    desk = settings()
    return f"{desk.public_origin or f'http://127.0.0.1:{desk.port}'}{desk.base_path}/"


def tell(
    issued: Issued, line: StudyLine, *, address: str, contact: str, role: Role | None = None
) -> None:
    """Show a secret in this run alone: the next one knows nothing of it."""
    if issued.secret is None:
        key = "people.joined" if issued.joined else "people.nothing_new"
        st.info(literal(t(key, person=issued.code)))
        return
    st.success(t("people.shown_once"))
    left, right = st.columns(2)
    with left:
        st.caption(t("people.code"))
        st.code(issued.code, language=None)
    with right:
        st.caption(t("people.secret"))
        st.code(issued.secret, language=None)
    for column, language in zip(st.columns(2), LANGUAGES, strict=True):
        sheet = invitation.invitation(
            code=issued.code, secret=issued.secret, address=address, language=language,
            study=line.study.title, contact=contact.strip(), role=role,
        )
        with column:
            st.download_button(
                t(f"people.sheet_{language}"), invitation.as_html(sheet), mime="text/html",
                file_name=f"{issued.code}-{language}.html", on_click="ignore",
                key=f"sheet-{language}", width="stretch",
            )
            st.code(invitation.as_text(sheet), language=None, wrap_lines=True, height=260)


def reset(person: Person, line: StudyLine, codes: list[str]) -> None:
    """Issue a new secret; the old one and every session end."""
    st.text(t("people.reset_about"))
    with st.form("reset", enter_to_submit=False, border=False):
        left, right = st.columns([2, 4])
        who = left.selectbox(
            t("people.who"), codes, index=None, key="reset-who", placeholder=t("people.choose")
        )
        address = right.text_input(
            t("people.address"), value=own_address(), max_chars=300, key="reset-address"
        )
        sent = st.form_submit_button(t("people.reset_now"))
    if not sent:
        return
    if who is None:
        st.error(t("people.choose_first"))
        return
    try:
        invitation.invitation(code="", secret="", address=address, language="en")
        issued = roster.reset(database(), person, code=who, now=now())
    except StudyError as error:
        lead.sorry(error)
        return
    tell(issued, line, address=address, contact="")


def let_in(person: Person, line: StudyLine, seen: Watch) -> None:
    """Open the study to raters who did not reach the pass mark: the lead decides."""
    held = [one for one in seen.practice if one.state == "held"]
    st.text(t("people.let_in_about"))
    if not held:
        st.caption(t("people.nobody_held"))
    for rater in held:
        who, action = st.columns([4, 1], vertical_alignment="center")
        who.text(t("people.held", person=rater.code, right=rater.right, asked=rater.asked))
        if action.button(t("people.let_in"), key=f"let-in-{rater.code}", width="stretch"):
            lead.act(
                partial(admission.let_in, database(), person, slug=line.study.slug, code=rater.code,
                        now=now()),
                t("people.is_in", person=rater.code),
            )


def leave(person: Person, line: StudyLine, codes: list[str]) -> None:
    """End a role; work done stays."""
    st.text(t("people.leave_about"))
    lead.way_to("design", t("people.leave_rater"))
    with st.form("leave", enter_to_submit=False, border=False):
        left, right = st.columns([2, 4])
        who = left.selectbox(
            t("people.who"), codes, index=None, key="leave-who", placeholder=t("people.choose")
        )
        role = right.radio(
            t("people.role"), ROLES, horizontal=True, key="leave-role",
            format_func={one: t(f"lead.role_{one}") for one in ROLES}.__getitem__,
        )
        sent = st.form_submit_button(t("people.leave_now"))
    if not sent:
        return
    if who is None:
        st.error(t("people.choose_first"))
        return
    try:
        ended = roster.leave_study(
            database(), person, code=who, role=role, study_id=line.study.id, now=now()
        )
    except StudyError as error:
        lead.sorry(error)
        return
    lead.tell(t("people.left" if ended else "people.not_held", person=who))
    st.rerun()


person = require_lead()
line = lead.heading(person, t("people.title"))
top = st.container()  # drawn last, so that it shows who was just invited
parts = ["invite", "reset", "practice", "leave"]
tabs = st.tabs([t(f"people.tab_{part}") for part in parts])
with tabs[0]:
    invite(person, line)
seen = overview.watch(database(), person, slug=line.study.slug, now=now())
everybody = roster.list_people(database(), person, now=now(), study_id=line.study.id)
codes = [one.code for one in everybody if one.code != person.code]
with tabs[1]:
    reset(person, line, codes)
with tabs[2]:
    let_in(person, line, seen)
with tabs[3]:
    leave(person, line, codes)
with top:
    table(person, line, seen)
    plain(t("people.names_apart"), look="small", key="names-apart")
    if line.study.stage.is_closed:
        st.caption(t("people.locked"))
