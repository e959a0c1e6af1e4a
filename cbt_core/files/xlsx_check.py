"""What makes a workbook dangerous is refused: its zip before anything is unpacked, then its XML.

The zip is judged by its directory.

Parts are walked in one pass, in chunks. The plain expat parser is used because it streams 100 MB in
about a second. A document type is refused outright: without one there are no entities, inner or
outer, to expand.
"""

import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from cbt_core.files.limits import (
    FILE_BYTES,
    SHEET_ELEMENTS,
    XML_TOKEN_BYTES,
    ZIP_DIRECTORY_BYTES,
    ZIP_ENTRIES,
    ZIP_RATIO,
    ZIP_SMALL_BYTES,
    ZIP_UNPACKED_BYTES,
)
from cbt_core.files.problems import WHOLE_FILE, Place, shown

END: Final = b"PK\x05\x06"
END64: Final = b"PK\x06\x06"
LOCATOR64: Final = b"PK\x06\x07"
LOCAL_HEADER_BYTES: Final = 30

BROKEN: Final = (
    BadZipFile,
    zlib.error,
    ExpatError,
    struct.error,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""What the zip and XML readers of Python raise on a damaged workbook."""


def open_package(path: Path, place: Place) -> ZipFile:
    """Return the opened zip of a workbook that is safe to read.

    Raises:
        ImportProblems: damaged, too large unpacked, or not a plain .xlsx workbook.
    """
    try:
        _judge_directory(path, place)
        package = ZipFile(path)
        _judge_entries(package.infolist(), place)
        _judge_kind({entry.filename for entry in package.infolist()}, place)
    except BROKEN as error:
        raise place.stop(1, WHOLE_FILE, "xlsx_broken") from error
    return package


def _judge_directory(path: Path, place: Place) -> None:
    """Refuse a directory of entries that would itself be too large to read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = max(size - 65_557, 0)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(END)
        if at < 0 or len(tail) < at + 22:
            raise place.stop(1, WHOLE_FILE, "xlsx_broken")
        entries, length = struct.unpack_from("<HL", tail, at + 10)
        if at >= 20 and tail[at - 20 : at - 16] == LOCATOR64:
            entries, length = _directory64(file, struct.unpack_from("<Q", tail, at - 12)[0])
    if entries > ZIP_ENTRIES or length > ZIP_DIRECTORY_BYTES:
        raise place.stop(1, WHOLE_FILE, "xlsx_entries", limit=ZIP_ENTRIES)


def _directory64(file: BinaryIO, offset: int) -> tuple[int, int]:
    """Return (entries, bytes) of a 64-bit directory; raises BadZipFile when it is not there."""
    file.seek(offset)
    record = file.read(56)
    if len(record) < 56 or record[:4] != END64:
        raise BadZipFile("no directory")
    entries, length = struct.unpack_from("<QQ", record, 32)
    return int(entries), int(length)


def _judge_entries(entries: list[ZipInfo], place: Place) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    bomb = unpacked > ZIP_SMALL_BYTES and unpacked > ZIP_RATIO * packed
    if unpacked > ZIP_UNPACKED_BYTES or bomb:
        raise place.stop(1, WHOLE_FILE, "xlsx_bomb", size=unpacked // 1024**2)
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or _overlap(entries):
        raise place.stop(1, WHOLE_FILE, "xlsx_entry", name="")
    for entry in entries:
        if _unsafe(entry):
            raise place.stop(1, WHOLE_FILE, "xlsx_entry", name=shown(entry.filename))


def _unsafe(entry: ZipInfo) -> bool:
    """Tell whether an entry leaves its folder, is a link, encrypted or oddly packed."""
    name = entry.filename
    leaves = name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
    linked = stat.S_ISLNK(entry.external_attr >> 16)
    odd = entry.flag_bits & 1 or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED)
    return bool(leaves or linked or odd)


def _overlap(entries: list[ZipInfo]) -> bool:
    """Tell whether two entries share bytes (one stream unpacked many times)."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + LOCAL_HEADER_BYTES + entry.compress_size
    return False


def _judge_kind(names: set[str], place: Place) -> None:
    if "xl/vbaProject.bin" in names or "xl/workbook.bin" in names:
        raise place.stop(1, WHOLE_FILE, "xlsx_other_kind")
    if "[Content_Types].xml" not in names or "_rels/.rels" not in names:
        raise place.stop(1, WHOLE_FILE, "not_a_text_file", kind="ZIP")


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
