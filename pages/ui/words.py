"""Interface wording: t("rate.save") in the language of the person who looks."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

LANGUAGES: Final = ("zh", "en")
FOLDER: Final = Path(__file__).parent / "text"


@cache
def texts(language: str) -> dict[str, str]:
    """Return every text of a language by its full key, e.g. ``rate.save``."""
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.toml")):
        for key, text in tomllib.loads(file.read_text("utf-8")).items():
            found[f"{file.stem}.{key}"] = text
    return found


def section(name: str, language: str) -> dict[str, str]:
    """Return one section without its prefix: what a component is given as its words."""
    start = f"{name}."
    return {
        key.removeprefix(start): text
        for key, text in texts(language).items()
        if key.startswith(start)
    }


def language() -> str:
    """Return the language of this screen: the person's choice, else the browser's."""
    chosen = st.session_state.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    found = st.context.locale
    return "zh" if not isinstance(found, str) or found.lower().startswith("zh") else "en"


def t(key: str, **values: object) -> str:
    """Return a text in the language of this screen with its values put in.

    Raises:
        KeyError: no text has this key (a programming mistake).
    """
    return texts(language())[key].format(**values)
