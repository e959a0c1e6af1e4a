"""A list of synonyms from a user's file: 同义词词林, or plain lines of words."""

import re
from collections.abc import Iterable
from hashlib import sha256

from cbt_core.metrics.meteor import Synonyms

CILIN = re.compile(r"[A-Z][a-z][0-9]{2}[A-Z][0-9]{2}([=#@])")
"""Code of a group in the extended 同义词词林: ``=`` synonyms, ``#`` related, ``@`` alone."""

BLANKS = re.compile(r"[\s,，、;；|]+")


def read_synonyms(lines: Iterable[str]) -> Synonyms:
    """Return the groups of each word: one group per line, words cut by blanks or commas.

    Lines of the extended 同义词词林 (``Aa01A02= 人类 生人 全人类``) count only when marked ``=``;
    in other files every line is a group. Lines that start with ``#`` are comments. Words are
    compared in lower case.
    """
    groups: dict[str, set[str]] = {}
    for number, line in enumerate(lines):
        for word in _words(line):
            groups.setdefault(word, set()).add(str(number))
    return {word: frozenset(names) for word, names in groups.items()}


def digest(synonyms: Synonyms) -> str:
    """Return a short digest of a list, for signatures."""
    told = "\n".join(f"{word} {' '.join(sorted(synonyms[word]))}" for word in sorted(synonyms))
    return sha256(told.encode()).hexdigest()[:8]


def _words(line: str) -> list[str]:
    text = line.strip().lstrip("\ufeff")
    if text.startswith("#"):
        return []
    words = [word.lower() for word in BLANKS.split(text) if word]
    code = CILIN.fullmatch(text.split(maxsplit=1)[0]) if text else None
    if code is None:
        return words if len(words) > 1 else []
    return words[1:] if code.group(1) == "=" else []
