"""What makes a workbook dangerous is refused: its zip before anything is unpacked, then its XML.

The zip is judged by its directory. Then every part is walked once by the plain expat parser, in
chunks, before the reader sees it. A document type is refused outright: without one there are no
entities, inner or outer, to expand. On the way is noted what the reader does not tell: merged
cells, hidden rows and columns, texts with formatting inside.
"""

import stat
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Final
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from cbt_core.files.problems import (
    COLUMNS,
    SHEET_ELEMENTS,
    SHEET_PLACES,
    SHEET_ROWS,
    WHOLE_FILE,
    XML_TOKEN_BYTES,
    ZIP_DIRECTORY_BYTES,
    ZIP_ENTRIES,
    ZIP_RATIO,
    ZIP_SMALL_BYTES,
    ZIP_UNPACKED_BYTES,
    Place,
    shown,
)

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
    SyntaxError,
    TypeError,
    AttributeError,
    ArithmeticError,
)
"""What zip, XML parsers and openpyxl raise on a damaged workbook."""


PARTS: Final = (".xml", ".rels")
"""How the parts end that hold XML; no others are opened."""


class Package(ZipFile):
    """The zip of a workbook, which gives out the parts that were inspected and no others."""

    def open(self, name: str | ZipInfo, *args: Any, **more: Any) -> IO[bytes]:  # noqa: ANN401 - zipfile's own
        """Open a part."""
        if not (name if isinstance(name, str) else name.filename).endswith(PARTS):
            raise BadZipFile("not a part with XML")
        return super().open(name, *args, **more)


def open_package(path: Path, place: Place) -> Package:
    """Return the opened zip of a workbook that is safe to read.

    Raises:
        ImportProblems: damaged, too large unpacked, or not a plain .xlsx workbook.
    """
    try:
        _judge_directory(path, place)
        package = Package(path)
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
LISTED: Final = 5
"""How many merged ranges, hidden rows and columns are listed by name."""


class TooLarge(Exception):  # noqa: N818 - told to the person as a limit
    """A workbook holds more than its size lets expect."""


@dataclass(slots=True)
class Look:
    """What stands in one part of a workbook.

    `rows` and `columns` say where its last values stand (`wide`: the first row that has one beyond
    the columns we read, 0 for none), `rich` how many texts have formatting inside.
    """

    rows: int = 0
    columns: int = 0
    wide: int = 0
    merged: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    rich: int = 0


def inspect(package: Package, size: int, place: Place) -> dict[str, Look]:
    """Walk through the XML of a workbook of `size` bytes; return what stands in each part.

    A few kilobytes can unpack to millions of empty cells, or have their values far apart.

    Raises:
        ExpatError: not well-formed, a document type, or one tag of several MB.
        TooLarge: more elements than a file of this size may hold, or too wide a field.
        ImportProblems: the strict variant of the format, which no reader of ours knows.
    """
    looks: dict[str, Look] = {}
    budget = SHEET_ELEMENTS + size
    for name in package.namelist():
        if name.endswith(PARTS):
            inspector = _Inspector(budget)
            with package.open(name) as stream:
                _walk(stream, inspector)
            if inspector.strict:
                raise place.stop(1, WHOLE_FILE, "xlsx_other_kind")
            budget = inspector.budget
            looks[name] = inspector.look
            if inspector.look.rows * inspector.look.columns > SHEET_PLACES:
                raise TooLarge
    return looks


class _Inspector:
    """Meets the elements of one part."""

    def __init__(self, budget: int) -> None:
        self.look = Look()
        self.strict = False
        self.budget = budget
        self._row = 0
        self._column = 0
        self._plain_so_far = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise TooLarge
        tag = name.rpartition(":")[2]
        if tag == "c":
            place = attributes.get("r")
            self._column = _column(place) if place else self._column + 1
        elif tag in ("v", "is", "f"):
            self._value()
            self._plain_so_far = tag == "is"
        elif tag == "row":
            self._start_row(attributes)
        elif tag == "si":
            self._plain_so_far = True
        elif tag == "r":
            self.look.rich += self._plain_so_far
            self._plain_so_far = False
        else:
            self._start_other(tag, attributes)

    def _start_other(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "mergeCell":
            _note(self.look.merged, attributes.get("ref", "")[:20])
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            column = _letters(int(attributes.get("min", "1")[:5]))
            _note(self.look.hidden, f"{column}:{column}")
        elif tag == "worksheet":
            self.strict = any("purl.oclc.org" in value for value in attributes.values())

    def _start_row(self, attributes: dict[str, str]) -> None:
        before = self._row
        self._row = int(attributes["r"]) if "r" in attributes else before + 1
        self._column = 0
        if self._row <= before:
            raise BadZipFile("rows out of order")  # the reader would drop them without a word
        if self._row > SHEET_ROWS:
            raise TooLarge
        if attributes.get("hidden") in ("1", "true"):
            _note(self.look.hidden, f"{self._row}:{self._row}")

    def _value(self) -> None:
        self.look.rows = max(self.look.rows, self._row)
        if self._column > COLUMNS:
            self.look.wide = self.look.wide or self._row
        else:
            self.look.columns = max(self.look.columns, self._column)


def _note(names: list[str], name: str) -> None:
    if len(names) < LISTED:
        names.append(name)
    elif names[-1] != "…":
        names.append("…")


def _column(place: str) -> int:
    """Return the column of ``AB12``, counted from 1."""
    column = 0
    for letter in place[:4]:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
    return column


def _letters(column: int) -> str:
    """Return the letters of a column counted from 1."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _walk(stream: IO[bytes], inspector: _Inspector) -> None:
    """Feed a part to expat, which streams 100 MB in about a second."""
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler = inspector.start
    fed = 0
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk, False)
        fed += len(chunk)
        if fed - parser.CurrentByteIndex > XML_TOKEN_BYTES:
            raise ExpatError("a tag too long")
    parser.Parse(b"", True)


def _no_document_type(*_: object) -> None:
    raise ExpatError("a document type")
