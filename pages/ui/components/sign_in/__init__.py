"""The sign-in form: plain HTML that posts past Streamlit: a script run cannot set a cookie."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
mount = st.components.v2.component(
    "concord_sign_in",
    html="<main></main>",
    css=(HERE / "sign_in.css").read_text("utf-8"),
    js=(HERE / "sign_in.js").read_text("utf-8"),
)


def sign_in_form(
    *,
    base: str,
    words: Mapping[str, str],
    message: str,
    demonstration: bool,
    language: str,
    ticket: str = "",
) -> None:
    """Show the form; `demonstration` adds the three buttons that need no secret.

    `ticket` is a session just started for this person elsewhere (OIDC): the form hands it to the
    route that turns it into a cookie, at once.
    """
    mount(
        key="sign-in",
        data={"base": base, "words": dict(words), "message": message,
              "demonstration": demonstration, "language": language, "ticket": ticket},
    )
