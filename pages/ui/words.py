"""Words of the screens: t("rate.save") in the language of the person who looks."""

from typing import Final

import streamlit as st

from cbt_core.words import say

LANGUAGES: Final = ("zh", "en")
"""In the order in which a screen offers them."""


def language() -> str:
    """Return the language of this screen: the person's choice, else the browser's."""
    chosen = st.session_state.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    locale = st.context.locale
    return "zh" if not isinstance(locale, str) or locale.lower().startswith("zh") else "en"


def t(key: str, **values: object) -> str:
    """Return a text in the language of this screen with its values put in.

    Raises:
        KeyError: no text has this key (a programming mistake).
    """
    return say(key, language(), **values)
