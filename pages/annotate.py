"""Label the next text: its distortions, as spans or as a whole; alone first, then with a model."""

import streamlit as st

from cbt_core.domain.study import Role
from cbt_core.services.desk.admission import my_studies
from cbt_core.words import section
from pages.ui import chrome
from pages.ui.components.span_marker import Links, span_marker
from pages.ui.session import database, now, require_role, settings
from pages.ui.widgets import chosen_study
from pages.ui.words import language, t

BEFORE = ("consent", "profile", "guide")
OPEN = ("work", "done", "closed")

person = require_role(Role.ANNOTATOR)
mine = [one for one in my_studies(database(), person, now=now()) if one.role is Role.ANNOTATOR]
asked = st.session_state.pop("label_task", None)
study = chosen_study(mine, steps=OPEN if asked else ("work",)) or chosen_study(mine, steps=OPEN)
if study is None:
    if chosen_study(mine, steps=BEFORE) is not None:
        st.session_state["role"] = Role.ANNOTATOR
        st.switch_page("pages/begin.py")
    st.info(t("home.nothing"))
    st.stop()
base = settings().base_path
chrome.give_room_to_the_sheet()
span_marker(
    key="marker",  # constant: another key would rebuild the marker and lose the focus
    data={
        "api": base,
        "study": study.slug,
        "task": asked,
        "lang": language(),
        "words": section("marker", language()),
        "theme": "dark" if st.context.theme.type == "dark" else "light",
        "links": Links(home=f"{base}/", work=f"{base}/my-work"),
        "owner": person.code,
    },
)
