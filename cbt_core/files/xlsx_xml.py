"""One pass over a part of a workbook, in chunks, with what makes XML dangerous refused.

The plain expat parser is used because it streams 100 MB in about a second. A document type is
refused outright: without one there are no entities, inner or outer, to expand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Final
from xml.parsers.expat import ExpatError, ParserCreate

from cbt_core.files.limits import FILE_BYTES, SHEET_ELEMENTS, XML_TOKEN_BYTES

CHUNK: Final = 1 << 18


class TooLarge(Exception):  # noqa: N818 - told to the person as a limit
    """A workbook holds more than its size lets expect."""


class Budget:
    """How many elements and characters may still be met in a workbook of `size` bytes.

    A few kilobytes can unpack to millions of empty cells, or refer to one long text as often.
    """

    def __init__(self, size: int) -> None:
        """Start with what a file of this size may hold."""
        self._elements = SHEET_ELEMENTS + size
        self._characters = FILE_BYTES

    def element(self) -> None:
        """Meet one more element."""
        self._elements -= 1
        if self._elements < 0:
            raise TooLarge

    def text(self, characters: int) -> None:
        """Meet a text in a cell."""
        self._characters -= characters
        if self._characters < 0:
            raise TooLarge


@dataclass(frozen=True, slots=True)
class Part:
    """An opened part of a workbook and the budget it is read on."""

    stream: IO[bytes]
    budget: Budget


Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def walk(part: Part, start: Start, end: End, text: Text) -> Iterator[None]:
    """Feed a part to the handlers; yields after each chunk so that the caller may take rows.

    Element names come without their prefix.

    Raises:
        ExpatError: not well-formed, a document type, or one tag of several MB.
        TooLarge: more elements than the budget allows.
    """
    meet = part.budget.element

    def begin(name: str, found: dict[str, str]) -> None:
        meet()
        start(local(name), found)

    parser = ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = CHUNK
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda name: end(local(name))
    parser.CharacterDataHandler = text
    fed = 0
    while chunk := part.stream.read(CHUNK):
        parser.Parse(chunk, False)
        fed += len(chunk)
        if fed - parser.CurrentByteIndex > XML_TOKEN_BYTES:
            raise ExpatError("a tag too long")
        yield
    parser.Parse(b"", True)
    yield


def local(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2] if ":" in name else name


def ignore(_: str) -> None:
    """Take no notice of a text or of an element's end."""


def elements(part: Part, take: Start) -> None:
    """Call `take` with each element of a small part."""
    for _ in walk(part, take, ignore, ignore):
        pass


def _no_document_type(*_: object) -> None:
    raise ExpatError("a document type")
