"""Tables of the terminal: aligned over wide characters, plain in a pipe, folded on a screen."""

import os
import pty
import subprocess
import sys
from unicodedata import east_asian_width

import pytest

from cbt_core.commands.common import table
from cbt_core.settings import ROOT

HEADERS = ("研究", "标题", "n")
ROWS = (("sleep", "失眠与担忧", 120), ("a", "x", 7), ("[b]m[/b]", "text " * 40 + "end", None))


def shown_width(text: str) -> int:
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def test_a_pipe_gets_one_plain_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    table(HEADERS, ROWS)
    head, first, second, third = capsys.readouterr().out.splitlines()
    assert "\x1b" not in head
    assert third.endswith("end")
    assert third.startswith("[b]m[/b]  text ")
    for line, word in ((first, "失眠与担忧"), (second, "x")):
        assert shown_width(line[: line.index(word)]) == shown_width(head[: head.index("标题")])
    assert len(head) == len(head.rstrip())


def test_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    table(("code", "tasks"), [("R1", 7), ("R2", 120)])
    assert capsys.readouterr().out == "code  tasks\nR1        7\nR2      120\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo terminals")
def test_a_terminal_gets_cells_folded_to_its_width() -> None:
    ours, theirs = pty.openpty()
    code = f"from cbt_core.commands.common import table; table({HEADERS!r}, {ROWS!r})"
    environment = {**os.environ, "COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=theirs, check=True,
                   env=environment)
    os.close(theirs)
    text = os.read(ours, 100_000).decode()
    os.close(ours)
    plain = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in text.splitlines()]
    assert len(plain) > 1 + len(ROWS)
    assert all(shown_width(line) <= 60 for line in plain)
    assert "失眠与担忧" in text
