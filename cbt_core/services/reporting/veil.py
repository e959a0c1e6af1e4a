"""Taking true names of systems out of texts that people wrote, while a study is masked.

A name is replaced by the same words whichever system it is: a masked name in its place would tell
which system is which.
"""

import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Final, TypeVar

from cbt_core.wording import say

Thing = TypeVar("Thing")
WORD: Final = "A-Za-z0-9_-"
"""A name ends where these end; Chinese is written without spaces around it."""


class Veil:
    """Names that may not be told, and the words that stand in their place."""

    def __init__(self, names: Sequence[str], language: str) -> None:
        self._words = say("report.name_hidden", language)
        longest_first = sorted((name for name in names if name.strip()), key=len, reverse=True)
        self._pattern = (
            re.compile(
                "|".join(_bounded(name) for name in longest_first)
            )
            if longest_first
            else None
        )

    def text(self, text: str) -> str:
        """Return a text without the names."""
        return text if self._pattern is None else self._pattern.sub(self._words, text)

    def over(self, thing: Thing) -> Thing:
        """Return plain values, mappings and dataclasses with every text veiled."""
        if self._pattern is None:
            return thing
        return self._over(thing)  # type: ignore[return-value]

    def _over(self, thing: object) -> object:
        if isinstance(thing, str):
            return self.text(thing) if type(thing) is str else thing
        if isinstance(thing, dict):
            return {self._over(key): self._over(value) for key, value in thing.items()}
        if isinstance(thing, tuple | list):
            return type(thing)(self._over(one) for one in thing)
        if is_dataclass(thing) and not isinstance(thing, type):
            changed = {one.name: self._over(getattr(thing, one.name)) for one in fields(thing)}
            return replace(thing, **changed)
        return thing


def _bounded(name: str) -> str:
    """Return a pattern of a name that is no part of a longer word."""
    before = f"(?<![{WORD}])" if name[0].isascii() and name[0].isalnum() else ""
    after = f"(?![{WORD}])" if name[-1].isascii() and name[-1].isalnum() else ""
    return f"{before}{re.escape(name)}{after}"
