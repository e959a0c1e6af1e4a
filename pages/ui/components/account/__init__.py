"""Language, passphrase and signing out: plain forms that post past Streamlit to the routes.

What is typed as a passphrase reaches no script run, no session state and no websocket.
"""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
mount = st.components.v2.component(
    "concord_account",
    html="<main></main>",
    css=(HERE / "account.css").read_text("utf-8"),
    js=(HERE / "account.js").read_text("utf-8"),
)


def account_forms(
    *, base: str, words: Mapping[str, str], language: str, code: str, has_secret: bool
) -> None:
    """Show the forms; without a secret (demonstration) there is no passphrase to choose."""
    mount(
        key="account",
        data={"base": base, "words": dict(words), "language": language, "code": code,
              "secret": has_secret},
    )
