"""Reading a TOML file key by key, with one clear sentence for whatever is wrong in it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

from cbt_core.domain.instrument import Text
from cbt_core.errors import StudyError

LANGUAGES: Final = ("zh", "en")
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
LARGEST_FILE: Final = 2_000_000
"""Bytes; an instrument is a few kilobytes, so more is the wrong file."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a TOML file and where it stands, for the messages.

    `file` is the name as typed; `at` the dotted place, entries of lists counted from 1, e.g.
    ``scales[2].values[1]``, empty at the top.
    """

    file: str
    at: str
    content: Mapping[str, object]

    def place(self, key: str) -> str:
        """Return the dotted name of a key of this table."""
        return ".".join(part for part in (self.at, key) if part)

    def refusal(self, key: str, code: str, **values: object) -> StudyError:
        """Return the error that names file and key; `code` is a sentence of `wording`."""
        return StudyError(code, file=self.file, key=self.place(key), **values)

    def has(self, key: str) -> bool:
        """Tell whether the key is written in the file."""
        return key in self.content

    def only(self, *known: str) -> None:
        """Refuse keys nobody reads: a misspelt key must not silently do nothing.

        Raises:
            StudyError: the first unknown key, with the nearest known one.
        """
        for key in self.content:
            if key in known:
                continue
            near = get_close_matches(key, known, n=1)
            if near:
                raise self.refusal(key, "instruments.unknown_key_near", near=near[0])
            raise self.refusal(key, "instruments.unknown_key", known=", ".join(known))

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text without outer white space; `default` None means it must be there.

        Raises:
            StudyError: missing, not a text, or empty although needed.
        """
        if key not in self.content:
            return self._default(key, default)
        value = self.content[key]
        if not isinstance(value, str):
            raise self.refusal(key, "instruments.not_text")
        text = tidy(value)
        if not text and default is None:
            raise self.refusal(key, "instruments.empty")
        return text

    def identifier(self, key: str, default: str | None = None) -> str:
        """Return a name that may become a column: letters, digits, ``_ . -``, at most 40."""
        identifier = self.text(key, default)
        if not IDENTIFIER.fullmatch(identifier):
            raise self.refusal(key, "instruments.bad_id")
        return identifier

    def words(self, key: str, default: Text | None = None) -> Text:
        """Return words in both languages; a plain text stands for both.

        Raises:
            StudyError: missing, of another kind, or written in one of two named languages.
        """
        if key not in self.content:
            return self._default(key, default)
        if isinstance(self.content[key], str):
            plain = self.text(key, None if default is None else "")
            return Text(plain, plain)
        if not isinstance(self.content[key], dict):
            raise self.refusal(key, "instruments.not_words")
        return self._both_languages(key)

    def _both_languages(self, key: str) -> Text:
        table = self.child(key)
        table.only(*LANGUAGES)
        for language in LANGUAGES:
            if not table.has(language):
                raise table.refusal(language, "instruments.missing_language")
        return Text(zh=table.text("zh"), en=table.text("en"))

    def whole(self, key: str, default: int | None = None, *, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        if key not in self.content:
            return self._default(key, default)
        value = self.content[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refusal(key, "instruments.not_whole", low=low, high=high)
        return value

    def number(self, key: str, default: float | None = None, *, low: float, high: float) -> float:
        """Return a number from low to high, both included, as a float."""
        if key not in self.content:
            return self._default(key, default)
        value = self.content[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and low <= float(str(value)) <= high:
            return float(str(value))
        raise self.refusal(key, "instruments.not_number", low=f"{low:g}", high=f"{high:g}")

    def yes_no(self, key: str, default: bool) -> bool:
        """Return true or false, written as such."""
        value = self.content.get(key, default)
        if not isinstance(value, bool):
            raise self.refusal(key, "instruments.not_yes_no")
        return value

    def choice(self, key: str, options: Sequence[str], default: str) -> str:
        """Return one of the options."""
        value = self.content.get(key, default)
        if not isinstance(value, str) or value not in options:
            raise self.refusal(key, "instruments.not_option", options=", ".join(options))
        return value

    def strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts, none of them empty."""
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.refusal(key, "instruments.not_texts")
        texts = tuple(tidy(one) for one in value)
        if "" in texts:
            raise self.refusal(key, "instruments.empty")
        return texts

    def child(self, key: str) -> "Table":
        """Return a table inside this one; an empty one where the key is absent."""
        value = self.content.get(key, {})
        if not isinstance(value, dict):
            raise self.refusal(key, "instruments.not_table")
        return Table(self.file, self.place(key), value)

    def children(self, key: str) -> tuple["Table", ...]:
        """Return a list of tables (``[[key]]``); none where the key is absent."""
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.refusal(key, "instruments.not_tables")
        return tuple(
            Table(self.file, f"{self.place(key)}[{number}]", one)
            for number, one in enumerate(value, start=1)
        )

    def _default(self, key: str, default: Value | None) -> Value:
        if default is None:
            raise self.refusal(key, "instruments.missing")
        return default


def tidy(words: str) -> str:
    """Return words with Unix line ends and no outer white space: layout is not wording."""
    return words.replace("\r\n", "\n").replace("\r", "\n").strip()


def refuse_repeats(table: Table, key: str, ids: Sequence[object]) -> None:
    """Refuse a list in which an id or a value stands twice.

    Raises:
        StudyError: names the first that is repeated.
    """
    for number, entry in enumerate(ids):
        if entry in ids[:number]:
            raise table.refusal(key, "instruments.repeated", value=entry)


def parse_toml(text: str, name: str) -> Table:
    """Return the top table of a TOML text; `name` is what messages call the file.

    Raises:
        StudyError: the text is not TOML; the line is named.
    """
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return Table(name, "", tomllib.loads(clean))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        where = re.search(r"at line (\d+)", str(error))
        line = int(where.group(1)) if where else clean.count("\n") + 1
        raise StudyError("instruments.not_toml", file=name, line=line) from error


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file (a byte order mark is dropped).

    Raises:
        StudyError: no such file, not readable, larger than 2 MB, or not UTF-8.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise StudyError("instruments.no_file", file=name) from error
    except (OSError, ValueError) as error:
        raise StudyError("instruments.unreadable", file=name) from error
    if len(raw) > LARGEST_FILE:
        raise StudyError("instruments.too_large", file=name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError("instruments.not_utf8", file=name) from error
