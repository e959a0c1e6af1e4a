"""LaTeX: every brace closed, every row as wide as the table, everything people wrote escaped."""

import re

from cbt_core.report import writers
from tests.unit.report.report_samples import HOSTILE, grid


def rows(text: str) -> list[str]:
    body = text.split("\\toprule")[1].split("\\bottomrule")[0]
    return [line for line in body.splitlines() if line.endswith("\\\\")]


def balanced(text: str) -> bool:
    plain = re.sub(r"(?m)^%.*$", "", text).replace("\\{", "").replace("\\}", "")
    depth = 0
    for letter in plain:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            return False
    return depth == 0


def test_a_table_is_balanced_and_its_rows_are_as_wide_as_its_head() -> None:
    text = writers.fragment(grid(), "en")
    assert balanced(text)
    assert text.count("\\begin{") == text.count("\\end{")
    widths = [len(re.findall(r"(?<!\\)&", row)) for row in rows(text)]
    assert widths == [1, 1, 1, 1]
    assert "\\begin{tabular}{p{6.5cm}r}" in text


def test_everything_latex_reads_as_a_command_is_escaped() -> None:
    found = writers.escaped(HOSTILE)
    assert balanced(found)
    assert not re.search(r"(?<!\\)[&%$#_]", found)
    assert "\\textbackslash{}" in found
    assert "\\textasciicircum{}" in found


def test_a_line_end_in_a_text_cannot_end_a_row() -> None:
    assert writers.escaped("a\n\n\\\\b\r\tc") == (
        "a  \\textbackslash{}\\textbackslash{}b  c"
    )


def test_the_whole_file_sets_every_table_and_says_what_chinese_needs() -> None:
    text = writers.whole([grid("one"), grid("two")], HOSTILE, "zh")
    assert balanced(text)
    assert text.count("\\input{") == 2
    assert "\\usepackage{ctex}" in text
    assert "booktabs" in text
