"""The protocol in force, as a person reads it."""

from typing import Final

import streamlit as st

from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import SLOTS
from cbt_core.services.studies import StudySetup
from pages.ui import lead
from pages.ui.wording import language, t

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
