"""The guides of raters and annotators: how to work, what values and labels mean, examples."""

from typing import Final

import streamlit as st

from cbt_core.domain.instrument import Instrument, Label, Scale
from cbt_core.domain.study_setup import StudySetup
from pages.ui.widgets import plain
from pages.ui.words import t

KEYS = ("digits", "letters", "cannot", "save", "back", "comment", "flag", "preference", "help")


def show_guide(setup: StudySetup) -> None:
    """Show the whole guide of a study; anchors in the study's language."""
    st.header(t("guide.how"))
    source = "rescue_live" if setup.protocol.is_live else "rescue"
    rules = ("independent", "no_machine", "repeats", "cannot", "skip", source)
    st.markdown("\n".join(f"- {t(f'guide.{rule}')}" for rule in rules))  # our own words
    words = setup.protocol.language
    for scale in setup.instrument.scales:
        show_scale(setup.instrument, scale, words)
    show_steps(setup, words)
    st.header(t("guide.keys"))
    st.table(
        [{t("guide.key"): t(f"guide.key_{key}"), t("guide.does"): t(f"guide.does_{key}")}
         for key in KEYS],
    )


def show_scale(instrument: Instrument, scale: Scale, words: str) -> None:
    """Show one scale: question, anchors, one worked example per value."""
    with st.container(key=f"scale-{scale.id}"):
        plain(scale.name(words), look="heading", key=f"scale-{scale.id}")
        plain(scale.question(words))
        for value in scale.values:
            with st.container(border=True, key=f"anchor-{scale.id}-{value.value}"):
                plain(f"{value.value}  {value.label(words)}", look="strong",
                      key=f"anchor-{scale.id}-{value.value}")
                plain(value.anchor(words))
                show_examples(instrument, scale.id, value.value, words)


def show_examples(instrument: Instrument, scale: str, value: int, words: str) -> None:
    """Show the worked examples of one value."""
    examples = [e for e in instrument.examples if e.scale == scale and e.value == value]
    for number, example in enumerate(examples):
        place = f"{scale}-{value}-{number}"
        plain(f"{t('guide.example')}  {example.question(words)}", look="small", key=f"q-{place}")
        plain(example.answer(words), look="quote", key=f"a-{place}")
        plain(f"{t('guide.why')}  {example.reason(words)}", look="small", key=f"r-{place}")


def show_steps(setup: StudySetup, words: str) -> None:
    """Show the five steps when the checklist is part of the protocol."""
    if setup.protocol.steps == "none":
        return
    st.header(t("guide.steps"))
    for step in setup.instrument.steps:
        plain(step.name(words), look="strong", key=f"step-{step.id}")
        plain(step.definition(words))


RULES: Final = ("independent", "text_only", "several", "whole", "none", "real")
ROUNDS: Final = {"blind": (), "blind-then-model": ("second",), "correct": ("correct",)}
"""What a mode of the protocol adds to the rules."""


def show_scheme_guide(setup: StudySetup) -> None:
    """Show the whole guide of a study's label scheme; definitions in the study's language."""
    st.header(t("annotate.how"))
    rules = (*RULES, *ROUNDS[setup.protocol.label_mode], "skip")
    st.markdown("\n".join(f"- {t(f'annotate.{rule}')}" for rule in rules))  # our own words
    words = setup.protocol.language
    st.header(t("annotate.labels"))
    plain(setup.scheme.name(words), look="strong", key="scheme-name")
    if setup.scheme.source(words):
        plain(setup.scheme.source(words), look="small", key="scheme-source")
    if setup.scheme.second_hand:
        st.caption(t("annotate.second_hand"))
    for label in setup.scheme.labels:
        show_label(label, words)


def show_label(label: Label, words: str) -> None:
    """Show one label: definition, worked examples, and what it is easily confused with."""
    with st.container(border=True, key=f"anchor-label-{label.id}"):
        plain(label.name(words), look="strong", key=f"label-{label.id}")
        plain(label.definition(words))
        for number, example in enumerate(label.examples):
            plain(example(words), look="quote", key=f"label-{label.id}-{number}")
        if label.near_miss(words):
            plain(f"{t('annotate.near_miss')}  {label.near_miss(words)}", look="small",
                  key=f"near-{label.id}")
