"""Tables of a report as LaTeX (booktabs), each a fragment, and one file that sets them all."""

from collections.abc import Mapping, Sequence
from typing import Final

from cbt_core.report.blocks import (
    MINUS,
    NO_BREAK,
    Cell,
    Figure,
    Grid,
    Head,
    footnotes,
    in_words,
    told,
)
from cbt_core.words import say

ESCAPES: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    MINUS: "$-$", NO_BREAK: "~",
    "–": "--", "≥": r"$\geq$", "≤": r"$\leq$", "α": r"$\alpha$", "κ": r"$\kappa$",
    "ω": r"$\omega$", "ρ": r"$\rho$", "τ": r"$\tau$", "ε": r"$\varepsilon$", "×": r"$\times$",
    "½": r"$\frac{1}{2}$", "[": "{[}", "]": "{]}", "·": r"\textperiodcentered{}",
    "*": r"\textasteriskcentered{}",
}
"""What LaTeX reads as a command, and signs that its usual fonts lack."""

MOST_COLUMNS: Final = 5
"""More columns than these are shrunk to the width of the page."""

LONG: Final = 40
"""Characters from which a column of text is set as a paragraph."""

HEADER: Final = (
    "% Needs \\usepackage{booktabs,tabularx,graphicx}. Chinese needs XeLaTeX or LuaLaTeX with\n"
    "% \\usepackage{ctex} (or xeCJK and a Chinese font); pdfLaTeX sets the English tables only.\n"
)


def escaped(text: str) -> str:
    """Return text that LaTeX sets as it is; control characters and line ends become spaces."""
    return "".join(
        ESCAPES.get(letter, letter if letter.isprintable() else " ") for letter in text
    )


def fragment(grid: Grid, language: str) -> str:
    """Return a table with caption, label, rules and notes."""
    columns = _columns(grid)
    heads = " & ".join(_head(head) for head in grid.heads)
    lines = [
        HEADER.rstrip("\n"), "\\begin{table}[htbp]", "\\centering", "\\small",
        f"\\caption{{{escaped(grid.title)}}}", f"\\label{{tab:{grid.name.replace('_', '-')}}}",
        _open(grid), f"\\begin{{tabular}}{{{columns}}}", "\\toprule", f"{heads} \\\\", "\\midrule",
        *_rows(grid, language), "\\bottomrule", "\\end{tabular}", _close(grid),
        *_notes(grid, language), "\\end{table}", "",
    ]
    return "\n".join(line for line in lines if line != _NOTHING)


_NOTHING: Final = "%%"


def _head(head: Head) -> str:
    words = escaped(head.words)
    return f"\\multicolumn{{1}}{{r}}{{{words}}}" if head.numeric else words


def _open(grid: Grid) -> str:
    """Return what shrinks a table wider than the page."""
    return "\\resizebox{\\linewidth}{!}{%" if len(grid.heads) > MOST_COLUMNS else _NOTHING


def _close(grid: Grid) -> str:
    return "}" if len(grid.heads) > MOST_COLUMNS else _NOTHING


def _columns(grid: Grid) -> str:
    return "".join(_column(grid, place) for place in range(len(grid.heads)))


def _column(grid: Grid, place: int) -> str:
    if grid.heads[place].numeric:
        return "r"
    longest = max((len(str(row[place])) for row in grid.rows if isinstance(row[place], str)),
                  default=0)
    return "p{6.5cm}" if longest > LONG else "l"


def _rows(grid: Grid, language: str) -> list[str]:
    found, letters = [], footnotes(grid)
    for place, row in enumerate(grid.rows):
        if place in grid.lines:
            found.append("\\midrule")
        found.append(" & ".join(_cell(cell, letters, language) for cell in row) + r" \\")
    return found


def _cell(cell: Cell, letters: Mapping[str, str], language: str) -> str:
    words = escaped(told(cell, language))
    if not isinstance(cell, Figure) or cell.value is None:
        return words
    letter = letters.get(cell.reason or "")
    return f"{words}\\textsuperscript{{{letter}}}" if letter else words


def _notes(grid: Grid, language: str) -> list[str]:
    notes = [escaped(note) for note in grid.notes]
    notes += [
        f"\\textsuperscript{{{letter}}} {escaped(in_words(reason, language))}"
        for reason, letter in footnotes(grid).items()
    ]
    return [
        f"\\par\\smallskip\\begin{{minipage}}{{\\linewidth}}\\footnotesize {note}\\end{{minipage}}"
        for note in notes
    ]


def whole(grids: Sequence[Grid], title: str, language: str) -> str:
    """Return a document that sets every table; Chinese through ctex."""
    language_package = "\\usepackage{ctex}" if language == "zh" else (
        "\\usepackage{iftex}\n\\ifPDFTeX\\usepackage[utf8]{inputenc}\\usepackage[T1]{fontenc}"
        "\\else\\usepackage{fontspec}\\fi"
    )
    lines = [
        f"% {say('report.latex_about', 'en')}", "\\documentclass[a4paper]{article}",
        language_package, "\\usepackage{booktabs,tabularx,graphicx}",
        "\\usepackage[margin=2cm]{geometry}", "\\usepackage{textcomp}", "\\begin{document}",
        f"\\section*{{{escaped(title)}}}",
        *(f"\\input{{{grid.name}.tex}}\n\\clearpage" for grid in grids),
        "\\end{document}", "",
    ]
    return "\n".join(lines)
