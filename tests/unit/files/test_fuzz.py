"""Valid files damaged at random: taken or refused, never anything else.

CONCORD_FUZZ sets how many files are tried (default 1,000); the seed is fixed.
"""

import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cbt_core.files.problems import ImportProblems
from cbt_core.files.screen_words import screen
from cbt_core.files.study import read_study
from tests.unit.files.cases_text import entry
from tests.unit.files.samples import answers, lines, questions, record, sheet, table

COUNT = int(os.environ.get("CONCORD_FUZZ", "1000"))
SEED = 20261123
PIECES = (
    *(b"\0", b"\xff", b"\xc0\x80", b"\xef\xbb\xbf", b"\n", b"\r", b'"', b'""', b",", b";", b"\t"),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"\\",
        b"\\ud83d",
        b"\\u0000",
        b"null",
        b"true",
        b"NaN",
        b"1e999",
    ),
    *(b"9" * 400, b"-1", b"0", b"=1+1", b"<", b">", b"&#0;", b"<!DOCTYPE a>", b"<f>1</f>", b"<v>"),
    *(b'r="A0"', b't="s"', b"A1048577", "睡".encode(), "\u200b".encode(), "\u202e".encode()),
    *(b"PK\x03\x04", b"PK\x05\x06", b"[" * 3000, b'{"a":' * 3000, b"answer:", b"id", b"sep=;\n"),
)

Dice = random.Random
Change = Callable[[bytes, Dice], bytes]


def flip(content: bytes, dice: Dice) -> bytes:
    """Change some bytes."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def cut(content: bytes, dice: Dice) -> bytes:
    """Leave a stretch out."""
    start, end = sorted((dice.randrange(len(content)), dice.randrange(len(content) + 1)))
    return content[:start] + content[end:]


def repeat(content: bytes, dice: Dice) -> bytes:
    """Put a stretch in again."""
    start, end = sorted((dice.randrange(len(content)), dice.randrange(len(content) + 1)))
    return content[:end] + content[start:end] * dice.randint(1, 5) + content[end:]


def splice(content: bytes, dice: Dice) -> bytes:
    """Put telling pieces in."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(content) + 1)
        content = content[:at] + dice.choice(PIECES) + content[at:]
    return content


def wide(content: bytes, dice: Dice) -> bytes:
    """Change the encoding."""
    text = content.decode("utf-8", errors="replace")
    return text.encode(dice.choice(("utf-16", "utf-16-le", "gb18030", "utf-7")), errors="replace")


def unpacked(content: bytes, dice: Dice) -> bytes:
    """Change one part of a workbook and pack it again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        chosen = dice.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(
                name, dice.choice((flip, cut, splice))(part, dice) if name == chosen else part
            )
    return buffer.getvalue()


CHANGES: tuple[Change, ...] = (flip, cut, repeat, splice)
STUDY = lines(*(record(number) for number in range(3)))
FILES = (
    ("s.jsonl", STUDY),
    ("s.json", json.dumps({"data": [record(1), record(2)]}, ensure_ascii=False).encode()),
    ("s.json", json.dumps([entry(1), entry(2)], ensure_ascii=False).encode()),
    ("s.csv", table('n1,"多\n行",,红,"蓝 ""x"""', "2,b,,r,s")["s.csv"]),
    ("s.csv", table("n1,最近总是睡不着,我是这样的,红,蓝")["s.csv"].decode().encode("gb18030")),
    ("s.xlsx", sheet([1, "甲", "乙", "红", "蓝"], ["n2", "a", None, "r", "b"])["s.xlsx"]),
    ("noname", STUDY),
)


def damaged(content: bytes, dice: Dice) -> bytes:
    """Return a file with one or two changes."""
    special = unpacked if content.startswith(b"PK") else wide
    content = dice.choice((special, *CHANGES))(content, dice)
    if content and dice.random() < 0.4:
        content = dice.choice(CHANGES)(content, dice)
    return content


def outcome(folder: Path, files: dict[str, bytes]) -> str:
    """Read a study and return what was said of it; any other exception goes through."""
    paths = [folder / name for name in files]
    for path in paths:
        path.write_bytes(files[path.name])
    first, *others = paths
    try:
        study = read_study(questions=first, answers=others)
    except ImportProblems as refusal:
        return "".join((*refusal.lines("zh"), *refusal.lines("en")))
    screen(study)
    return "taken" + "".join(item.question for item in study.items)


@pytest.mark.parametrize("part", range(10))
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(part: int, tmp_path: Path) -> None:
    dice = Dice(SEED + part)
    for _ in range(max(COUNT // 10, 1)):
        name, content = dice.choice(FILES)
        assert outcome(tmp_path, {name: damaged(content, dice)}).encode()


def test_damaged_answers_are_taken_or_refused_and_nothing_else(tmp_path: Path) -> None:
    dice = Dice(SEED)
    sound = answers(("n1", "red"), ("n2", "red"), ("n1", "blue"), ("n2", "blue"))
    for _ in range(max(COUNT // 10, 1)):
        files = {"q.jsonl": questions("n1", "n2"), "a.jsonl": damaged(sound, dice)}
        assert outcome(tmp_path, files).encode()
