"""The sign-in screen, drawn instead of any other screen for a visitor."""

import streamlit as st

from cbt_core.errors import StudyError
from cbt_core.services.access import sessions
from cbt_core.words import section
from pages.ui.components.sign_in import sign_in_form
from pages.ui.session import database, now, settings
from pages.ui.words import LANGUAGES, language, t


def show_sign_in() -> None:
    """Ask for code and secret; offer the demonstration's buttons where they are allowed."""
    _, right = st.columns([6, 1])
    with right:
        chosen = st.radio(
            t("sign_in.language"), LANGUAGES, index=LANGUAGES.index(language()), horizontal=True,
            format_func={"zh": "中文", "en": "English"}.__getitem__, key="visitor_language",
            label_visibility="collapsed",
        )
    if chosen != language():
        st.session_state["language"] = chosen
        st.rerun()
    ticket, refused = _institution()
    sign_in_form(
        base=settings().base_path,
        words=section("sign_in", language()),
        message=refused
        or _message(st.query_params.get("refused", ""), st.query_params.get("seconds", "")),
        ticket=ticket,
        demonstration=sessions.demonstration_offered(database(), settings=settings()),
        language=language(),
    )


def _institution() -> tuple[str, str]:
    """Offer the institution's sign-in (OIDC) where the server's owner has set one up.

    Returns the session to turn into a cookie, and a sentence when the account is not known.
    """
    if not _has_institution():
        return "", ""
    if not st.user.is_logged_in:
        if st.button(t("sign_in.institution"), key="institution"):
            st.login()
        return "", ""
    email = st.user.get("email")
    if not isinstance(email, str) or st.user.get("email_verified") is False:
        return "", t("sign_in.refused_unknown")
    try:
        sign_in = sessions.verified_sign_in(
            database(), email=email, now=now(), lasting=sessions.Lasting.of(settings())
        )
    except StudyError:
        return "", t("sign_in.refused_unknown")
    return sign_in.token, ""


def _has_institution() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:  # no secrets.toml: the usual case
        return False


def _message(refused: str, seconds: str) -> str:
    """Return why the last try was refused; only known codes are believed."""
    if refused == "wait" and seconds.isdigit():
        return t("sign_in.refused_wait", seconds=int(seconds))
    if refused in {"wrong", "disabled", "expired", "closed"}:
        return t(f"sign_in.refused_{refused}")
    return ""
