"""Text files as they come: their encoding found with certainty or refused, CSV read row by row."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from cbt_core.files.problems import (
    BLANK_ROWS,
    CELL_CHARACTERS,
    LINE_CHARACTERS,
    WHOLE_FILE,
    Place,
    shown,
)

CHUNK: Final = 1 << 20

NAMES: Final = {
    "utf8": "utf-8-sig",
    "utf8sig": "utf-8-sig",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "cp950": "cp950",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
}
"""What ``--encoding`` may name, and the codec that reads it."""

FREQUENT: Final = frozenset("的一是不了我有在人他这们来到和你说就也都么要会对为没很自能想觉得时")
"""Some of the most frequent characters of Chinese; a fifth to a third of any running text."""

GB_PAIR: Final = re.compile(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]|[\x81-\xfe][\x40-\x7e\x80-\xfe]")
SHIFT: Final = re.compile(r"\+([A-Za-z0-9/+]*)(?:-|(?![A-Za-z0-9/+]))")
"""A run of UTF-7: plus, base64, and a minus where the next character needs it."""


@dataclass(frozen=True, slots=True)
class Found:
    """How far a file could be decoded: `offset` of the first bad byte, `row` it stands in."""

    offset: int
    row: int
    beyond_ascii: bool


def encoding(path: Path, place: Place, asked: str | None) -> str:
    """Return the codec that reads a text file.

    Raises:
        ImportProblems: the encoding is not certain, or not the one asked for.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if asked is not None:
        return _asked(path, place, asked)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise place.stop(1, WHOLE_FILE, "encoding_unknown")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _must_decode(path, place, "utf-16")
        place.warn(1, WHOLE_FILE, "encoding_read_as", encoding="UTF-16")
        return "utf-16"
    return _detected(path, place, head)


def _detected(path: Path, place: Place, head: bytes) -> str:
    wide = _wide(head)
    if wide:
        raise place.stop(1, WHOLE_FILE, "encoding_no_mark", encoding=wide)
    bad = first_bad_byte(path, "utf-8")
    if bad is None:
        if _is_utf7(head):
            raise place.stop(1, WHOLE_FILE, "encoding_utf7")
        return "utf-8-sig"
    if _is_gb(head) and first_bad_byte(path, "gb18030") is None:
        place.warn(1, WHOLE_FILE, "encoding_read_as", encoding="GB18030")
        return "gb18030"
    if bad.beyond_ascii:
        raise place.stop(bad.row, WHOLE_FILE, "encoding_bad_byte", offset=bad.offset)
    raise place.stop(bad.row, WHOLE_FILE, "encoding_unknown")


def _asked(path: Path, place: Place, asked: str) -> str:
    codec = NAMES.get(asked.lower().replace("-", "").replace("_", ""))
    if codec is None:
        raise place.stop(
            1, WHOLE_FILE, "encoding_name", name=shown(asked), names="utf-8, gb18030, big5, utf-16"
        )
    plain = codec.startswith("utf-")
    if not plain and _beyond_ascii_utf8(path):
        # UTF-8 Chinese of even length decodes as GB18030 too, to nonsense.
        raise place.stop(1, WHOLE_FILE, "encoding_is_utf8", name=shown(asked))
    _must_decode(path, place, codec)
    return codec


def _must_decode(path: Path, place: Place, codec: str) -> None:
    bad = first_bad_byte(path, codec)
    if bad is not None:
        raise place.stop(
            bad.row, WHOLE_FILE, "encoding_not_this", offset=bad.offset, encoding=codec
        )


def first_bad_byte(path: Path, codec: str) -> Found | None:
    """Return where a file stops being valid in a codec, or None. Reads it once, in chunks."""
    decoder = codecs.getincrementaldecoder(codec)()
    offset, row, beyond = 0, 1, False
    for chunk in _chunks(path):
        held = len(_held(decoder))
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = max(error.start - held, 0)
            beyond = beyond or not chunk[:at].isascii()
            return Found(offset - held + error.start, row + chunk[:at].count(b"\n"), beyond)
        offset += len(chunk)
        row += chunk.count(b"\n")
        beyond = beyond or not chunk.isascii()
    return None


def _held(decoder: codecs.IncrementalDecoder) -> bytes:
    return decoder.getstate()[0]


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a file in chunks and, last, an empty one (so that a cut-off character is seen)."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
    yield b""


def _beyond_ascii_utf8(path: Path) -> bool:
    if first_bad_byte(path, "utf-8") is not None:
        return False
    return any(not chunk.isascii() for chunk in _chunks(path))


def _wide(head: bytes) -> str:
    """Name the UTF-16 a file without a mark seems to be in, or ''."""
    sample = head[:4096]
    if len(sample) < 4 or b"\0" not in sample:
        return ""
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high > 4 * low and high * 20 > len(sample):
        return "utf-16-le"
    return "utf-16-be" if low > 4 * high and low * 20 > len(sample) else ""


def _is_gb(head: bytes) -> bool:
    """Tell whether bytes are surely Chinese in GB18030, not Big5, Korean or broken UTF-8.

    Simplified Chinese stays in the first level of GB 2312 (lead B0-D7) and its punctuation
    (A1-A3); Big5 and UTF-8 read as GB do not. Korean does, but has not the frequent characters.
    """
    pairs = GB_PAIR.findall(head)
    usual = [pair for pair in pairs if len(pair) == 2 and pair[1] >= 0xA1 and _usual(pair[0])]
    if len(pairs) < 4 or len(usual) < 0.95 * len(pairs):
        return False
    text = b"".join(usual).decode("gb18030", errors="replace")
    return sum(character in FREQUENT for character in text) >= 0.05 * len(usual)


def _usual(lead: int) -> bool:
    return 0xA1 <= lead <= 0xA3 or 0xB0 <= lead <= 0xD7


def _is_utf7(head: bytes) -> bool:
    """Tell whether an ASCII file is Chinese in UTF-7: every + opens a run that decodes to it."""
    if not head.isascii() or b"+" not in head:
        return False
    text = head[:65536].decode("ascii")
    runs = [run for run in SHIFT.findall(text) if run]
    if len(runs) < 2:
        return False
    decoded = "".join(f"+{run}-" for run in runs).encode("ascii").decode("utf-7", errors="replace")
    return len(decoded) >= 4 and all("\u3000" <= character <= "\uffef" for character in decoded)


SEPARATORS: Final = {";": "semicolon", "\t": "tab", "|": "bar"}
QUOTED: Final = re.compile(r'"[^"]*"')
DECLARED: Final = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
GUARDED: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")
"""How a guarded cell of an export starts; the apostrophe is not part of the text."""


def rows(path: Path, place: Place, codec: str) -> Iterator[tuple[int, list[object]]]:
    """Yield (line, cells) of each row that is not blank."""
    with path.open(encoding=codec, newline="") as file:
        separator, skipped = _separator(file, place)
        lines = _lines(file, place, skipped)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        row, blank = skipped + 1, 0
        try:
            for cells in reader:
                if any(cells):
                    yield row, [unguarded(cell) for cell in cells]
                else:
                    blank += 1
                    if blank > BLANK_ROWS:
                        raise place.stop(row, WHOLE_FILE, "too_many_blank", limit=BLANK_ROWS)
                row = skipped + reader.line_num + 1
        except csv.Error as error:
            raise place.stop(row, WHOLE_FILE, _reason(error), limit=CELL_CHARACTERS) from error


def unguarded(cell: str) -> str:
    """Return a text without the apostrophe our exports put before a formula sign."""
    return cell[1:] if cell.startswith(GUARDED) else cell


def _reason(error: csv.Error) -> str:
    message = str(error)
    if "field larger" in message:
        return "csv_cell_endless"
    return "csv_quote_open" if "unexpected end" in message else "csv_quote_inside"


def _lines(file: TextIO, place: Place, skipped: int) -> Iterator[str]:
    row = skipped
    while line := file.readline(LINE_CHARACTERS):
        row += 1
        if len(line) == LINE_CHARACTERS:
            raise place.stop(row, WHOLE_FILE, "record_too_long", limit=LINE_CHARACTERS)
        yield line


def _separator(file: TextIO, place: Place) -> tuple[str, int]:
    """Return the separator and how many lines to skip; leaves the file behind those."""
    first = file.readline(4096)
    declared = DECLARED.match(first)
    if declared:
        return declared.group(1), 1
    while first and not first.strip():
        first = file.readline(4096)
    file.seek(0)
    bare = QUOTED.sub("", first)
    if "," in bare:
        return ",", 0
    best = max(SEPARATORS, key=bare.count)
    if best not in bare:
        return ",", 0
    if not place.name.endswith(".tsv"):
        place.warn(1, WHOLE_FILE, "csv_separator", kind=SEPARATORS[best])
    return best, 0
