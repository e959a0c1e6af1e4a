"""Account: language, own passphrase, who one is, signing out; the same for every role."""

import streamlit as st

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.services.people import roster
from cbt_core.words import section
from pages.ui import chrome
from pages.ui.components.account import account_forms
from pages.ui.session import database, now, require_person, settings
from pages.ui.widgets import plain, refuse
from pages.ui.words import language, t


def identity(person: Person) -> None:
    """Let the person enter, change or empty name and e-mail address."""
    st.header(t("account.identity"))
    st.text(t("account.identity_about"))
    known = roster.identity_of(database(), person, code=person.code, now=now())
    with st.form("identity", enter_to_submit=False, border=False):
        name = st.text_input(t("account.name"), value=known.name, max_chars=200, key="own-name",
                             autocomplete="name")
        email = st.text_input(t("account.email"), value=known.email, max_chars=200,
                              key="own-email", autocomplete="email")
        sent = st.form_submit_button(t("account.keep"))
    if not sent:
        return
    try:
        roster.set_identity(
            database(), person, code=person.code, name=name, email=email, now=now()
        )
    except StudyError as error:
        refuse(error)
    else:
        st.success(t("account.kept"))


person = require_person()
chrome.reading_width()
st.title(t("account.title"))
roles = sorted({role for held in person.roles.values() for role in held})
held = " · ".join(t(f"account.role_{role}") for role in roles)
plain(f"{t('account.code')} {person.code}" + (f" · {held}" if held else ""),
      look="small", key="own-code")
left, right = st.columns(2, gap="large")
with left:
    account_forms(
        base=settings().base_path, words=section("account", language()), language=language(),
        code=person.code, has_secret=not person.demonstration,
    )
with right:
    if person.demonstration:
        st.text(t("account.demonstration"))
    else:
        identity(person)
