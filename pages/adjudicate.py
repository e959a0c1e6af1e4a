"""Adjudicate: the texts on which annotators are apart, all labels side by side, one decision."""

import streamlit as st

from cbt_core.words import section
from pages.ui import chrome, lead
from pages.ui.components.adjudicator import adjudicator
from pages.ui.components.span_marker import Links
from pages.ui.session import require_lead, settings
from pages.ui.words import language, t

person = require_lead()
chrome.give_room_to_the_sheet()
st.html("""<style>
[data-testid="stMainBlockContainer"] h1 { font-size: 1.25rem; padding: 0.35rem 0; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.25rem; }
[data-testid="stMainBlockContainer"] [data-testid="stSelectbox"] { margin-top: 14px; }
.st-key-lead-study { display: none; }
</style>""")
line = lead.heading(person, t("adjudicate.title"))
base = settings().base_path
adjudicator(
    key="adjudicator",  # constant: another key would rebuild it and lose the focus
    data={
        "api": base,
        "study": line.study.slug,
        "task": None,
        "lang": language(),
        "words": {**section("marker", language()), **section("adjudicate", language())},
        "theme": "dark" if st.context.theme.type == "dark" else "light",
        "links": Links(home=f"{base}/"),
        "owner": person.code,
    },
)
