"""Records of a JSON file: one per line, or one list."""

import json
import re
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Final, TextIO

from cbt_core.files.problems import (
    BLANK_ROWS,
    COLUMNS,
    LINE_CHARACTERS,
    NESTING,
    WHOLE_FILE,
    Place,
    shown,
)

LIST_IN_OBJECT: Final = re.compile(r'\s*\{\s*"data"\s*:\s*\[')
SPACE: Final = re.compile(r"[ \t\r\n]*")

Rows = Iterator[tuple[int, dict[str, object]]]


class NotARecord(ValueError):  # noqa: N818 - a finding, not a fault of ours
    """JSON that Python would read and we refuse; `code` names the sentence."""

    def __init__(self, code: str, field: str = "", **values: object) -> None:
        """Keep what to say."""
        super().__init__(code)
        self.code = code
        self.field = field
        self.values = values


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise NotARecord("json_key_twice", shown(name))
            seen.add(name)
    if len(record) > COLUMNS:
        raise NotARecord("too_many_columns", limit=COLUMNS)
    return record


def _constant(name: str) -> object:
    raise NotARecord("json_not_a_number", value=name)


def _float(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise NotARecord("json_number_too_large")
    return number


def _int(digits: str) -> int:
    if len(digits) > 19 or not -(2**63) <= int(digits) < 2**63:
        raise NotARecord("json_number_too_large")
    return int(digits)


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
)


def records(path: Path, place: Place, codec: str) -> Rows:
    """Yield (row, record): the line of a JSONL file, the number in a list."""
    with path.open(encoding=codec, newline="\n") as file:
        head = file.read(4096)
        file.seek(0)
        if SPACE.sub("", head, count=1).startswith("["):
            yield from _list(file.read(), place, in_object=False)
        elif LIST_IN_OBJECT.match(head):
            yield from _list(file.read(), place, in_object=True)
        else:
            yield from _lines(file, place)


def _lines(file: TextIO, place: Place) -> Rows:
    """Yield one record per line; a broken one is noted and the next read."""
    good = 0
    for row, line in _written(file, place):
        try:
            value, end = DECODER.raw_decode(line)
            if end < len(line):
                raise NotARecord("json_after_record")
        except (ValueError, RecursionError) as error:
            if good == 0 and _unfinished(line, error):
                raise place.stop(row, WHOLE_FILE, "json_over_lines") from error
            _refuse(place, row, error)
            continue
        good += 1
        record = _checked(place, row, value)
        if record is not None:
            yield row, record


def _written(file: TextIO, place: Place) -> Iterator[tuple[int, str]]:
    """Yield (row, line) of lines not blank, cut at line feeds only (U+2028 may be in a text)."""
    row, blank = 0, 0
    while line := file.readline(LINE_CHARACTERS):
        row += 1
        if len(line) == LINE_CHARACTERS:
            raise place.stop(row, WHOLE_FILE, "record_too_long", limit=LINE_CHARACTERS)
        line = line.strip(" \t\r\n")
        if line:
            yield row, line
        elif (blank := blank + 1) > BLANK_ROWS:
            raise place.stop(row, WHOLE_FILE, "too_many_blank", limit=BLANK_ROWS)


def _unfinished(line: str, error: Exception) -> bool:
    """Tell whether a line is the start of a record written over several lines."""
    return (
        isinstance(error, json.JSONDecodeError)
        and line.startswith("{")
        and line.endswith(("{", ",", "["))
        and error.pos >= len(line) - 1
    )


def _refuse(place: Place, row: int, error: Exception) -> None:
    """Say what is wrong with a record; the text of the parser's own error is not shown."""
    if isinstance(error, NotARecord):
        place.refuse(row, error.field or WHOLE_FILE, error.code, **error.values)
    elif isinstance(error, RecursionError):
        place.refuse(row, WHOLE_FILE, "json_too_deep", limit=NESTING)
    elif isinstance(error, json.JSONDecodeError):
        place.refuse(row, WHOLE_FILE, "json_broken", character=error.pos + 1)
    else:
        place.refuse(row, WHOLE_FILE, "json_number_too_large")


def _checked(place: Place, row: int, value: object) -> dict[str, object] | None:
    if isinstance(value, dict):
        return value
    place.refuse(row, WHOLE_FILE, "json_not_an_object", kind=kind_of(value))
    return None


def kind_of(value: object) -> str:
    """Name the kind of a JSON value as JSON does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "truth"
    names = {dict: "object", list: "list", str: "string", int: "number", float: "number"}
    return names.get(type(value), "value")


def _list(text: str, place: Place, *, in_object: bool) -> Rows:
    """Yield (number, record) of a list that is in memory as a whole."""
    start = LIST_IN_OBJECT.match(text) if in_object else None
    at = _following(text, start.end() if start else text.index("[") + 1)
    row, mark = 0, "]" if text[at : at + 1] == "]" else ","
    while mark == ",":
        row += 1
        value, at = _element(text, at, place, row)
        record = _checked(place, row, value)
        if record is not None:
            yield row, record
        mark = text[at : at + 1]
        if mark not in (",", "]"):
            raise place.stop(row, WHOLE_FILE, "json_list_broken")
        at = _following(text, at + 1) if mark == "," else at
    end = _following(text, at + 1)
    if in_object:
        end = _following(text, end + 1) if text[end : end + 1] == "}" else -1
    if end != len(text):
        raise place.stop(max(row, 1), WHOLE_FILE, "json_list_broken")


def _element(text: str, at: int, place: Place, row: int) -> tuple[object, int]:
    """Return the record that begins at a place, and where what follows it begins."""
    try:
        value, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        _refuse(place, row, error)
        raise place.findings.problems() from error
    return value, _following(text, end)


def _following(text: str, at: int) -> int:
    """Return the next place that is not white space."""
    match = SPACE.match(text, at)
    return match.end() if match else at
