"""The guide, to be read again at any time."""

import streamlit as st

from cbt_core.domain.study import Role
from cbt_core.services.desk.admission import my_studies
from pages.ui import chrome
from pages.ui.guides import show_guide, show_scheme_guide
from pages.ui.session import database, now, require_person
from pages.ui.widgets import plain, study_picker
from pages.ui.words import t

person = require_person()
chrome.reading_width()
st.title(t("guide.title"))
mine = my_studies(database(), person, now=now())
study = study_picker(mine, key="guide-study")
if study is None:
    st.info(t("home.nothing"))
else:
    if len(mine) == 1:  # else the title stands in the choice
        plain(study.title, look="small", key="study-title")
    if study.role is Role.ANNOTATOR:
        show_scheme_guide(study.setup)
    else:
        show_guide(study.setup)
