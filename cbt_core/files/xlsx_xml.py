"""One pass over a part of a workbook, in chunks, with what makes XML dangerous refused.

The plain expat parser is used because it streams 100 MB in about a second. A document type is
refused outright: without one there are no entities, inner or outer, to expand.
"""

from collections.abc import Callable, Iterator
from typing import IO, Final
from xml.parsers.expat import ExpatError, ParserCreate

from cbt_core.files.limits import XML_TOKEN_BYTES

CHUNK: Final = 1 << 18

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def walk(stream: IO[bytes], start: Start, end: End, text: Text) -> Iterator[None]:
    """Feed a part to the handlers; yields after each chunk so that the caller may take rows.

    Element names come without their prefix.

    Raises:
        ExpatError: not well-formed, a document type, or one tag of several MB.
    """
    parser = ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = CHUNK
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler = lambda name, found: start(local(name), found)
    parser.EndElementHandler = lambda name: end(local(name))
    parser.CharacterDataHandler = text
    fed = 0
    while chunk := stream.read(CHUNK):
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


def elements(stream: IO[bytes], take: Start) -> None:
    """Call `take` with each element of a small part."""
    for _ in walk(stream, take, ignore, ignore):
        pass


def _no_document_type(*_: object) -> None:
    raise ExpatError("a document type")
