"""Sentences the terminal and the server say, in Chinese and English.

One TOML file per section and language; both languages hold the same keys (a test).
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("en", "zh")
FOLDER: Final = Path(__file__).parent


@cache
def sentences(language: str) -> dict[str, str]:
    """Return every sentence of a language by code, e.g. ``access.wrong_secret``."""
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.toml")):
        for key, sentence in tomllib.loads(file.read_text("utf-8")).items():
            found[f"{file.stem}.{key}"] = sentence
    return found


def say(code: str, language: str = "en", /, **values: object) -> str:
    """Return the sentence of a code with its values put in.

    Raises:
        KeyError: no sentence has this code (a programming mistake).
    """
    chosen = language if language in LANGUAGES else "en"
    return sentences(chosen)[code].format(**values)
