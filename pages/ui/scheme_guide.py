"""The annotators' guide: how to label, what each label means, examples and near-misses."""

from typing import Final

import streamlit as st

from cbt_core.domain.instrument import Label
from cbt_core.services.studies import StudySetup
from pages.ui.widgets import plain
from pages.ui.wording import t

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
