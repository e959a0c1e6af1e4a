"""Who is looking: this connection's cookie, looked up in the database, never cached."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import streamlit as st
from streamlit.errors import StreamlitAPIException

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.services.access import sessions
from cbt_core.settings import Settings, language_of
from db.engine import Database
from db.engine import database as opened

COOKIE = "concord_session"


@cache
def settings() -> Settings:
    """Return the server's settings, read once."""
    return Settings.from_environment()


def require_settings() -> None:
    """End the server's start with one sentence when a variable says what it cannot."""
    try:
        settings()
    except StudyError as error:
        sys.exit(error.say(language_of(os.environ)))


def database() -> Database:
    """Return the database of this server."""
    return opened(settings().database)


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def token() -> str | None:
    """Return the session token of this connection; the one seam that tests replace."""
    cookie = st.context.cookies.get(COOKIE)
    return cookie if isinstance(cookie, str) else None  # AppTest hands out a truthy Mock


def signed_in() -> Person | None:
    """Return the person behind the token; None when signed out, expired or disabled."""
    session_token = token()
    person = sessions.person_of(database(), session_token, now()) if session_token else None
    if person is not None and person.language:
        st.session_state["language"] = person.language
    return person


def require(fits: Callable[[Person], bool]) -> Person:
    """Return the person if they fit; otherwise nothing below this call runs."""
    person = signed_in()
    if person is not None and fits(person):
        return person
    try:
        st.switch_page("app.py")  # a cold server: hand over to the gate
    except StreamlitAPIException:  # app.py is no page once st.navigation has run, nor in AppTest
        st.stop()


def require_role(*roles: Role) -> Person:
    """Return the person if they hold one of the roles in any study."""
    return require(
        lambda person: any(held.intersection(roles) for held in person.roles.values())
    )


def require_person() -> Person:
    """Return whoever is signed in."""
    return require(lambda _: True)


def require_lead() -> Person:
    """Return the person if they lead a study or may create one."""
    return require(
        lambda person: person.may_create_studies
        or any(Role.LEAD in held for held in person.roles.values())
    )
