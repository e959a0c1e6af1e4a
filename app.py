"""The browser door: the server object, the sign-in gate, the screens by role."""

import streamlit as st
from starlette.middleware import Middleware

from cbt_core.http import routes
from cbt_core.routes.headers import SecurityHeaders
from pages.ui import chrome
from pages.ui.chrome import screens_for
from pages.ui.gate import show_sign_in
from pages.ui.session import database, require_settings, settings, signed_in
from pages.ui.words import t

if __name__ != "__main__":  # imported once by the server
    require_settings()
    chrome.freeze_start_up_objects()
    chrome.keep_text_out_of_logs()
    app = st.App(
        "app.py",
        routes=routes(database(), settings()),
        middleware=[Middleware(SecurityHeaders)],
        on_script_error=chrome.note_error,
    )
else:  # a script run, once per rerun of a browser
    st.set_page_config(page_title="Concord", page_icon=chrome.ICON, layout="wide")
    person = signed_in()
    chrome.dress(person)
    screen = st.navigation(screens_for(person, t), position=chrome.navigation_of(person))
    if person is None:
        show_sign_in()  # instead of the screen: every deep link stays a known page
    else:
        screen.run()
