"""Design: the protocol in force, and who rates what; the balance is shown before it is drawn."""

from typing import Final

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import SLOTS, Role, Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import StudyError
from cbt_core.services.assignment import task_draw
from cbt_core.services.assignment.task_draw import Assigned
from cbt_core.services.people import roster
from cbt_core.services.studies import contents
from cbt_core.services.studies.contents import StudyLine
from cbt_core.words import say
from pages.ui import lead
from pages.ui.session import database, now, require_lead
from pages.ui.study_stages import is_label_study
from pages.ui.words import language, t

Rows = list[tuple[str, str]]


ABOUT_RATING: Final = frozenset({
    "scales", "instrument", "steps", "panel", "overlap", "repeats", "preference", "extras",
    "practice", "attention", "arm_guess", "baseline", "primary", "margin",
})  # fmt: skip
"""Rows that say nothing of a study whose texts are labelled and not rated."""


def show_protocol(setup: StudySetup, *, labels_only: bool = False) -> None:
    """Show everything that was decided, section by section.

    With `labels_only` what concerns ratings alone is left out.
    """
    protocol = setup.protocol
    sections = {
        "measures": _measures(setup),
        "plan": _plan(protocol),
        "sheet": _sheet(protocol),
        "raters": _raters(protocol),
        "ethics": _ethics(protocol),
        "analysis": _analysis(protocol),
    }
    for name, every in sections.items():
        rows = [one for one in every if not (labels_only and one[0] in ABOUT_RATING)]
        if not rows:
            continue
        st.subheader(t(f"design.section_{name}"))
        lead.facts([(t(f"design.{key}"), value) for key, value in rows], key=name)
    st.caption(t("design.hash", digest=setup.digests.protocol[:16]))


def _measures(setup: StudySetup) -> Rows:
    words = setup.protocol.language
    scales = [
        f"{scale.name(words)} ({' · '.join(str(value.value) for value in scale.values)})"
        for scale in setup.instrument.scales
    ]
    return [
        ("language", t(f"design.language_{words}")),
        ("scales", "; ".join(scales)),
        ("instrument", setup.instrument.signature),
        ("steps", _steps(setup.protocol.steps)),
        ("labels", f"{setup.scheme.name(language())} · {setup.scheme.signature}"),
        ("label_mode", t(f"design.mode_{setup.protocol.label_mode.replace('-', '_')}")),
    ]


def _steps(setting: str) -> str:
    if setting.startswith("sample:"):
        return t("design.steps_sample", share=f"{float(setting.removeprefix('sample:')):.0%}")
    return t(f"design.steps_{setting}")


def _plan(protocol: Protocol) -> Rows:
    design = protocol.design
    return [
        ("panel", t(f"design.panel_{design.panel.value.replace('-', '_')}", most=len(SLOTS))),
        ("overlap", str(design.overlap)),
        ("repeats", f"{design.repeats:.0%} · {t('design.gap', tasks=design.repeat_gap_tasks)}"),
        ("seed", str(design.seed)),
    ]


def _sheet(protocol: Protocol) -> Rows:
    sheet = protocol.sheet
    return [
        ("preference", t(f"design.preference_{sheet.preference}")),
        ("extras", " · ".join(
            t(f"design.has_{name}")
            for name, asked in (("flags", sheet.flags), ("comment", sheet.comment),
                                ("confidence", sheet.confidence)) if asked
        ) or t("design.none")),
    ]


def _raters(protocol: Protocol) -> Rows:
    raters = protocol.raters
    return [
        ("practice", t("design.practice_is", count=len(raters.practice),
                       mark=f"{raters.pass_mark:.0%}") if raters.practice else t("design.none")),
        ("attention", str(len(raters.attention)) if raters.attention else t("design.none")),
        ("breaks", t("design.breaks_are", minutes=raters.break_after_minutes,
                     items=raters.break_after_risk_items)),
        ("arm_guess", t("design.yes" if raters.arm_guess else "design.no")),
        ("support", t("design.set" if protocol.support_text else "design.support_unset")),
    ]


def _ethics(protocol: Protocol) -> Rows:
    ethics = protocol.ethics
    if ethics.exempt:
        return [("exempt", ethics.reason or t("design.unset")),
                ("consent_version", ethics.consent_version)]
    return [
        ("committee", ethics.committee or t("design.unset")),
        ("number", ethics.number or t("design.unset")),
        ("valid_until", ethics.valid_until or t("design.unset")),
        ("consent_version", ethics.consent_version),
        ("contact", ethics.contact or t("design.unset")),
    ]


def _analysis(protocol: Protocol) -> Rows:
    plan = protocol.analysis
    primary = " · ".join(part for part in (plan.primary_scale, plan.primary_system) if part)
    margin = t("design.unset") if plan.margin is None else f"{plan.margin:g}"
    return [
        ("baseline", plan.baseline or t("design.unset")),
        ("primary", primary or t("design.unset")),
        ("margin", margin),
        ("bootstrap", f"{plan.bootstrap:,}"),
        ("planned", "; ".join(plan.planned) or t("design.unset")),
    ]


SEEN = "design_preview"
NO_ETHICS = "assignment.no_ethics"
Wish = tuple[str, tuple[str, ...], tuple[str, ...], int, int]
"""Short name, raters, annotators, overlap, seed: what a balance table was computed for."""


def members(person: Person, line: StudyLine, role: Role) -> list[str]:
    """Return the codes of those who hold a role in the study and can sign in."""
    people = roster.list_people(database(), person, now=now(), study_id=line.study.id)
    return [
        one.code
        for one in people
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
    shown, preview = st.session_state.get(SEEN, (None, None))
    if isinstance(preview, Assigned) and shown == wish:
        balance(preview)
        confirm(person, wish)


def compute(person: Person, wish: Wish) -> Assigned:
    """Return what the draw would give; nothing is stored."""
    slug, raters, annotators, overlap, seed = wish
    return task_draw.preview(
        database(), person, slug=slug, raters=raters, annotators=annotators, overlap=overlap,
        seed=seed, now=now(),
    )


def balance(preview: Assigned) -> None:
    """Show the balance table, whole and per rater."""
    st.subheader(t("design.balance"))
    for code in preview.warnings:
        if code != NO_ETHICS:  # it stands above already
            st.warning(say(code, language()))
    st.text(t("design.would_add", added=preview.added + preview.annotator_tasks))
    if preview.added and preview.annotator_tasks:
        st.text(t("design.would_add_each", rated=preview.added, labelled=preview.annotator_tasks))
    if not preview.balance.raters:
        return
    if not preview.balance.connected:
        st.warning(t("design.not_connected", groups=preview.balance.groups))
    lead.facts(preview.balance.as_rows(language()), key="long-balance")
    keys = ("rater", "main", "repeats", "checks", "minutes", "slots", "halves")
    lead.rows_table(
        [{"rater": preview.codes.get(one.rater, "?"), "main": one.main, "repeats": one.repeats,
          "checks": one.checks, "minutes": round(one.minutes), "slots": one.slots,
          "halves": one.halves} for one in preview.balance.raters],
        columns={key: t(f"design.of_{key}") for key in keys},
        alt=t("design.balance_alt"),
    )


def confirm(person: Person, wish: Wish) -> None:
    """Draw and store what was shown."""
    slug, raters, annotators, overlap, seed = wish
    if annotators:
        st.text(t("design.annotators_get"))

    def draw() -> None:
        task_draw.assign(
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
        lambda: task_draw.release(
            database(), person, slug=line.study.slug, rater=who, reason=reason.strip(), now=now()
        ),
        t("design.released", rater=who),
    )


person = require_lead()
line = lead.heading(person, t("design.title"))
setup = contents.setup_for(database(), person, slug=line.study.slug, now=now())
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
