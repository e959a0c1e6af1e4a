"""Design: the protocol in force, and who rates what; the balance is shown before it is drawn."""

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.errors import StudyError
from cbt_core.services import assigning, people, studies
from cbt_core.services.assigning import Assigned
from cbt_core.services.studies import StudyLine, StudySetup
from cbt_core.wording import say
from pages.ui import lead
from pages.ui.next_step import is_label_study
from pages.ui.protocol import show_protocol
from pages.ui.session import database, now, require_lead
from pages.ui.wording import language, t

SEEN = "design_preview"
NO_ETHICS = "assigning.no_ethics"
Wish = tuple[str, tuple[str, ...], tuple[str, ...], int, int]
"""Short name, raters, annotators, overlap, seed: what a balance table was computed for."""


def members(person: Person, line: StudyLine, role: Role) -> list[str]:
    """Return the codes of those who hold a role in the study and can sign in."""
    found = people.list_people(database(), person, now=now(), study_id=line.study.id)
    return [
        one.code
        for one in found
        if one.disabled_at is None
        and any(m.study_id == line.study.id and m.role is role and m.left_at is None
                for m in one.memberships)
    ]


def ask(line: StudyLine, setup: StudySetup, raters: list[str], annotators: list[str]) -> Wish:
    """Ask who takes part, how often each panel is rated, and for the seed.

    A label study has nothing to rate: raters and overlap are not asked for.
    """
    slug, design = line.study.slug, setup.protocol.design
    chosen, overlap = [], design.overlap
    if not is_label_study(line):
        chosen = st.multiselect(
            t("design.raters"), raters, default=raters, key=f"design-raters-{slug}",
            placeholder=t("design.nobody"),
        )
    labelling = st.multiselect(
        t("design.annotators"), annotators, default=annotators, key=f"design-annotators-{slug}",
        placeholder=t("design.nobody"),
    )
    left, right = st.columns(2)
    if not is_label_study(line):
        overlap = left.number_input(
            t("design.overlap"), min_value=1, max_value=100, value=design.overlap, step=1,
            key="design-overlap", help=t("design.overlap_help"),
        )
    seed = (left if is_label_study(line) else right).number_input(
        t("design.seed"), min_value=0, max_value=2**31 - 1, value=design.seed, step=1,
        key="design-seed", help=t("design.seed_help"),
    )
    return slug, tuple(chosen), tuple(labelling), int(overlap), int(seed)


def assignment(person: Person, line: StudyLine, setup: StudySetup) -> None:
    """Choose people, look at the balance, then draw."""
    raters = members(person, line, Role.RATER)
    annotators = members(person, line, Role.ANNOTATOR)
    if not raters and not annotators:
        st.info(t("design.nobody_yet"))
        lead.way_to("people")
        return
    wish = ask(line, setup, raters, annotators)
    if st.button(t("design.preview"), type="primary", disabled=not (wish[1] or wish[2])):
        try:
            st.session_state[SEEN] = (wish, compute(person, wish))
        except StudyError as error:
            st.session_state.pop(SEEN, None)
            lead.sorry(error)
    shown, told = st.session_state.get(SEEN, (None, None))
    if isinstance(told, Assigned) and shown == wish:
        balance(told)
        confirm(person, wish)


def compute(person: Person, wish: Wish) -> Assigned:
    """Return what the draw would give; nothing is stored."""
    slug, raters, annotators, overlap, seed = wish
    return assigning.preview(
        database(), person, slug=slug, raters=raters, annotators=annotators, overlap=overlap,
        seed=seed, now=now(),
    )


def balance(told: Assigned) -> None:
    """Show the balance table, whole and per rater."""
    st.subheader(t("design.balance"))
    for code in told.warnings:
        if code != NO_ETHICS:  # it stands above already
            st.warning(say(code, language()))
    st.text(t("design.would_add", added=told.added + told.annotator_tasks))
    if told.added and told.annotator_tasks:
        st.text(t("design.would_add_each", rated=told.added, labelled=told.annotator_tasks))
    if not told.balance.raters:
        return
    if not told.balance.connected:
        st.warning(t("design.not_connected", groups=told.balance.groups))
    lead.facts(told.balance.as_rows(language()), key="long-balance")
    keys = ("rater", "main", "repeats", "checks", "minutes", "slots", "halves")
    lead.rows_table(
        [{"rater": told.codes.get(one.rater, "?"), "main": one.main, "repeats": one.repeats,
          "checks": one.checks, "minutes": round(one.minutes), "slots": one.slots,
          "halves": one.halves} for one in told.balance.raters],
        columns={key: t(f"design.of_{key}") for key in keys},
        alt=t("design.balance_alt"),
    )


def confirm(person: Person, wish: Wish) -> None:
    """Draw and store what was shown."""
    slug, raters, annotators, overlap, seed = wish
    if annotators:
        st.text(t("design.annotators_get"))

    def draw() -> None:
        assigning.assign(
            database(), person, slug=slug, raters=raters, annotators=annotators,
            overlap=overlap, seed=seed, now=now(),
        )
        st.session_state.pop(SEEN, None)

    if st.button(t("design.confirm"), type="primary", key="design-confirm"):
        lead.act(draw, t("design.drawn"))
    st.caption(t("design.confirm_about"))


def release(person: Person, line: StudyLine) -> None:
    """Let a rater go; what is unopened goes to the others."""
    raters = members(person, line, Role.RATER)
    if not raters:
        return
    st.header(t("design.release"))
    st.text(t("design.release_about"))
    with st.form("release", enter_to_submit=False, border=False):
        who = st.selectbox(
            t("design.release_who"), raters, index=None, key="release-who",
            placeholder=t("design.choose"),
        )
        reason = st.text_area(t("lead.reason"), key="release-reason", max_chars=2000, height=80)
        sent = st.form_submit_button(t("design.release_now"))
    if not sent:
        return
    if who is None or not reason.strip():
        st.error(t("design.release_missing"))
        return
    lead.act(
        lambda: assigning.release(
            database(), person, slug=line.study.slug, rater=who, reason=reason.strip(), now=now()
        ),
        t("design.released", rater=who),
    )


person = require_lead()
line = lead.heading(person, t("design.title"))
setup = studies.setup_for(database(), person, slug=line.study.slug, now=now())
if not setup.protocol.ethics.recorded and not line.study.demonstration:
    st.warning(t("design.no_ethics"))
left, right = st.columns([5, 6], gap="large")
with left:
    st.header(t("design.protocol"))
    show_protocol(setup, labels_only=is_label_study(line))
with right:
    st.header(t("design.assignment"))
    if line.study.stage in {Stage.DRAFT, Stage.OPEN}:
        assignment(person, line, setup)
        release(person, line)
    else:
        st.info(t("design.closed"))
