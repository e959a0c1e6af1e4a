"""What a workbook holds beside its rows: sheets, texts, number formats."""

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from zipfile import ZipFile

from cbt_core.files.limits import CELL_CHARACTERS
from cbt_core.files.xlsx_xml import Budget, Part, elements, local, walk

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")

DATE_FORMATS: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Built-in number formats that show a date or time (ECMA-376 18.8.30)."""
FORMAT_TEXT: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.')
DATE_LETTERS: Final = re.compile(r"[ymdhs]", re.IGNORECASE)
PADDED: Final = re.compile(r"0{2,}$")


@dataclass(frozen=True, slots=True)
class Package:
    """An opened workbook and the budget all its parts are read on."""

    zip: ZipFile
    budget: Budget

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """Open a part for reading."""
        with self.zip.open(name) as stream:
            yield Part(stream, self.budget)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its name, part and whether it is hidden."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Formats:
    """For each cell style whether it shows a date, or a number padded with zeros."""

    dates: frozenset[int]
    padded: frozenset[int]


def sheets(package: Package) -> tuple[list[Sheet], str]:
    """Return the worksheets in order, and the folder their parts are named from."""
    targets = _relations(package, "")
    book = next((to for kind, to in targets.values() if kind == "officeDocument"), "")
    relations = _relations(package, book)
    found: list[Sheet] = []

    def take(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            plain = {local(key): value for key, value in attributes.items()}
            kind, part = relations.get(plain.get("id", ""), ("", ""))
            if kind == "worksheet":
                hidden = plain.get("state", "visible") != "visible"
                found.append(Sheet(plain.get("name", ""), part, hidden))

    with package.part(book) as part:
        elements(part, take)
    return found, book


def _relations(package: Package, source: str) -> dict[str, tuple[str, str]]:
    """Return relation id -> (kind, part) of a part ('' for the package)."""
    folder, name = posixpath.split(source)
    found: dict[str, tuple[str, str]] = {}

    def take(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.join("/", folder, attributes.get("Target", ""))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(target).lstrip("/"))

    with package.part(posixpath.join(folder, "_rels", f"{name}.rels")) as part:
        elements(part, take)
    return found


def part_of_kind(package: Package, book: str, kind: str) -> str:
    """Return the part a workbook names for a kind (`styles`, `sharedStrings`), or ''."""
    return next((to for what, to in _relations(package, book).values() if what == kind), "")


def formats(package: Package, name: str) -> Formats:
    """Return which cell styles show dates or padded numbers."""
    reader = _StyleReader()
    if name:
        with package.part(name) as part:
            for _ in walk(part, reader.start, reader.end, lambda _: None):
                pass
    return Formats(frozenset(reader.dates), frozenset(reader.padded))


class _StyleReader:
    def __init__(self) -> None:
        self.dates: list[int] = []
        self.padded: list[int] = []
        self._codes: dict[str, str] = {}
        self._inside = False
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self._style(attributes.get("numFmtId", "0"))
            self._count += 1

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False

    def _style(self, number: str) -> None:
        code = FORMAT_TEXT.sub("", self._codes.get(number, "")[:200])
        built_in = number.isascii() and number.isdigit() and int(number[:6]) in DATE_FORMATS
        if built_in or DATE_LETTERS.search(code):
            self.dates.append(self._count)
        elif PADDED.match(code):
            self.padded.append(self._count)


class Strings:
    """Collects the texts of a workbook; `rich` counts those with formatting inside."""

    def __init__(self) -> None:
        """Start empty."""
        self.texts: list[str] = []
        self.rich = 0
        self._gather = Gather()
        self._rich = False

    def start(self, name: str, _: dict[str, str]) -> None:
        """Meet the start of an element."""
        if name == "si":
            self._gather.clear()
            self._rich = False
        elif name == "r":
            self._rich = True
        self._gather.start(name)

    def end(self, name: str) -> None:
        """Meet the end of an element."""
        self._gather.end(name)
        if name == "si":
            self.rich += self._rich
            self.texts.append(self._gather.text())

    @property
    def take(self) -> Callable[[str], None]:
        """Take the characters of a text."""
        return self._gather.take


class Gather:
    """The characters inside `t` elements, without the reading aid (`rPh`) of East Asian texts."""

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[str] = []
        self._length = 0
        self._open = False
        self._aside = False

    def clear(self) -> None:
        """Forget what was gathered."""
        self._parts, self._length = [], 0

    def start(self, name: str) -> None:
        """Open at `t`, stay shut inside `rPh`."""
        if name == "t":
            self._open = not self._aside
        elif name == "rPh":
            self._aside = True

    def end(self, name: str) -> None:
        """Shut at the end of `t`."""
        if name == "t":
            self._open = False
        elif name == "rPh":
            self._aside = False

    def take(self, text: str) -> None:
        """Keep characters while open; what is past the largest cell is dropped (and refused)."""
        if self._open and self._length <= CELL_CHARACTERS:
            self._parts.append(text)
            self._length += len(text)

    def text(self) -> str:
        """Return what was gathered; ``_x000D_`` is how a sheet writes a carriage return."""
        text = self._parts[0] if len(self._parts) == 1 else "".join(self._parts)
        return ESCAPED.sub(_unescape, text) if "_x" in text else text


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))


def strings(package: Package, name: str) -> Strings:
    """Return the texts that the cells of a workbook refer to by number."""
    found = Strings()
    if name:
        with package.part(name) as part:
            for _ in walk(part, found.start, found.end, found.take):
                pass
    return found
