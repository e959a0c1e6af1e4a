"""Rate the next task: its answers side by side, in slots, without names."""

import streamlit as st

from cbt_core.domain.study import Role
from cbt_core.services.desk.admission import my_studies
from cbt_core.words import section
from pages.ui import chrome
from pages.ui.components.rating_sheet import Links, rating_sheet
from pages.ui.session import database, now, require_role, settings
from pages.ui.widgets import chosen_study
from pages.ui.words import language, t

BEFORE = ("consent", "profile", "guide", "practice", "held")
OPEN = ("work", "guess", "done", "closed")


def device() -> str:
    """Return what the browser says it runs on: desktop, tablet or phone."""
    agent = st.context.headers.get("User-Agent", "")
    agent = agent if isinstance(agent, str) else ""
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        return "tablet"
    return "phone" if "Mobile" in agent else "desktop"


person = require_role(Role.RATER)
mine = [one for one in my_studies(database(), person, now=now()) if one.role is Role.RATER]
asked = st.session_state.pop("task", None)
study = chosen_study(mine, steps=OPEN if asked else ("work",)) or chosen_study(mine, steps=OPEN)
if study is None:
    if chosen_study(mine, steps=BEFORE) is not None:
        st.switch_page("pages/begin.py")
    st.info(t("home.nothing"))
    st.stop()
if device() not in study.setup.protocol.raters.devices:
    allowed = " / ".join(t(f"rate.{one}") for one in study.setup.protocol.raters.devices)
    st.info(t("rate.other_device", allowed=allowed))
    st.stop()
base = settings().base_path
chrome.give_room_to_the_sheet()
rating_sheet(
    key="sheet",  # constant: another key would rebuild the sheet and lose the focus
    data={
        "api": base,
        "study": study.slug,
        "task": asked,
        "lang": language(),
        "words": section("sheet", language()),
        "theme": "dark" if st.context.theme.type == "dark" else "light",
        "links": Links(home=f"{base}/", work=f"{base}/my-work", closing=f"{base}/closing"),
        "owner": person.code,
    },
)
