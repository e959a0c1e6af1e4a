"""What the product says, in Chinese and English: terminal, server and screens in one tree.

One TOML file per noun and language (``{zh,en}/assignment.toml``); the first part of a code is the
file, the second the key. The words of one screen stand under the screen's own name. Both
languages hold the same keys, and every code the program names is there (tests).
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
    return {
        f"{file.stem}.{key}": sentence
        for file in sorted((FOLDER / language).glob("*.toml"))
        for key, sentence in tomllib.loads(file.read_text("utf-8")).items()
    }


def section(name: str, language: str) -> dict[str, str]:
    """Return one section without its prefix: what a component is given as its words."""
    start = f"{name}."
    return {
        code.removeprefix(start): sentence
        for code, sentence in sentences(language).items()
        if code.startswith(start)
    }


def say(code: str, language: str = "en", /, **values: object) -> str:
    """Return the sentence of a code with its values put in.

    Raises:
        KeyError: no sentence has this code (a programming mistake).
    """
    chosen = language if language in LANGUAGES else "en"
    return sentences(chosen)[code].format(**values)
