"""A report written: one self-contained HTML page, LaTeX and CSV tables, figures, checklists."""

import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.files.writer import EPOCH, Column, Table, csv_bytes
from cbt_core.files.writer import Cell as Plain
from cbt_core.report.blocks import (
    EMPTY,
    MINUS,
    NO_BREAK,
    Block,
    Cell,
    Drawing,
    Figure,
    Grid,
    Head,
    Points,
    Report,
    Section,
    Subhead,
    Words,
    footnotes,
    in_words,
    limits,
    number,
    told,
)
from cbt_core.report.sheet import Json
from cbt_core.words import say

STYLE: Final = Path(__file__).with_name("style.css")
SHORT: Final = 18
"""Rows up to which a table is kept on one page."""

LOCALES: Final = {"zh": "zh-CN", "en": "en"}


def page(report: Report) -> str:
    """Return the whole file."""
    language = report.language
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{LOCALES[language]}">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">",
        f"<title>{escape(report.title)}</title>",
        f"<style>\n{_style(report)}</style>", "</head>", "<body>",
        _heading(report), _contents(report), "<main>",
        *(_section(section, place, language)
          for place, section in enumerate(report.sections, start=1)),
        "</main>", "</body>", "</html>",
    ]
    return "\n".join(parts) + "\n"


@cache
def _sheet() -> str:
    return STYLE.read_text("utf-8")


def _style(report: Report) -> str:
    running = report.footer.replace("\\", " ").replace('"', "'").replace("<", " ")
    page_word = say("report.page_of", report.language)
    before, _, after = page_word.partition("#")
    return _sheet().replace("%RUNNING%", running).replace("%BEFORE%", before).replace(
        "%AFTER%", after
    )


def _heading(report: Report) -> str:
    facts = "".join(
        f"<dt>{escape(words)}</dt><dd>{escape(value)}</dd>" for words, value in report.facts
    )
    notices = "".join(f"<p>{escape(one)}</p>" for one in report.notices)
    return (
        f'<header><p class="kicker">{escape(report.kicker)}</p><h1>{escape(report.title)}</h1>'
        f'<dl class="facts">{facts}</dl><div class="notices">{notices}</div></header>'
    )


def _contents(report: Report) -> str:
    rows = "".join(
        f'<li><a href="#{section.id}">{escape(section.title)}</a></li>'
        for section in report.sections
    )
    words = escape(say("report.contents", report.language))
    return f'<nav aria-label="{words}"><h2>{words}</h2><ol>{rows}</ol></nav>'


def _section(section: Section, place: int, language: str) -> str:
    mark = escape(say(f"report.mark_{section.mark}", language))
    head = (
        f'<h2><span class="number">{place}</span> {escape(section.title)} '
        f'<span class="mark {section.mark}">{mark}</span></h2>'
    )
    blocks = "\n".join(_block(block, language) for block in section.blocks)
    return f'<section id="{section.id}">\n{head}\n{blocks}\n</section>'


def _block(block: Block, language: str) -> str:
    if isinstance(block, Grid):
        return _grid(block, language)
    if isinstance(block, Drawing):
        return _drawing(block)
    if isinstance(block, Points):
        rows = "".join(f"<li>{escape(one)}</li>" for one in block.sentences)
        return f'<ul class="fine">{rows}</ul>' if block.is_fine else f"<ul>{rows}</ul>"
    if isinstance(block, Subhead):
        return f"<h3>{escape(block.text)}</h3>"
    return _words(block)


def _words(block: Words) -> str:
    lang = f' lang="{LOCALES[block.lang]}"' if block.lang else ""
    text = escape(block.text)
    if block.kind == "code":
        return f"<pre{lang}>{text}</pre>"
    kind = "" if block.kind == "text" else f' class="{block.kind}"'
    return f"<p{kind}{lang}>{text}</p>"


def _drawing(block: Drawing) -> str:
    return (
        f'<figure id="figure-{block.name}">{block.svg}'
        f"<figcaption>{escape(block.title)}</figcaption></figure>"
    )


def _grid(grid: Grid, language: str) -> str:
    heads = "".join(_head(head) for head in grid.heads)
    letters = footnotes(grid)
    rows = "".join(
        f'<tr{_rule(grid, place)}>'
        + "".join(
            _cell(cell, head, letters, first=column == 0, language=language)
            for column, (cell, head) in enumerate(zip(row, grid.heads, strict=True))
        )
        + "</tr>"
        for place, row in enumerate(grid.rows)
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in grid.notes)
    notes += "".join(
        f'<p class="note"><sup>{letter}</sup> {escape(in_words(reason, language))}</p>'
        for reason, letter in letters.items()
    )
    return (
        f'<div class="{_size(grid)}" id="table-{grid.name}"><table>'
        f"<caption>{escape(grid.title)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{notes}</div>"
    )


def _size(grid: Grid) -> str:
    """Return the class of a table; a short one is not broken over two pages."""
    return "grid short" if len(grid.rows) <= SHORT else "grid"


def _rule(grid: Grid, place: int) -> str:
    return ' class="rule"' if place in grid.lines else ""


def _head(head: Head) -> str:
    kind = ' class="n"' if head.numeric else ""
    return f'<th scope="col"{kind}>{escape(head.words)}</th>'


def _cell(
    cell: Cell, head: Head, letters: Mapping[str, str], *, first: bool, language: str
) -> str:
    kind = "n" if head.numeric else ""
    if isinstance(cell, Figure) and cell.value is None:
        words = in_words(cell.reason or "", language) or EMPTY
        return f'<td class="{kind} none">{escape(words)}</td>'
    if isinstance(cell, Figure) and cell.low is not None and cell.high is not None:
        main = escape(number(cell, cell.value or 0.0))
        body = f'{main} <span class="limits">{escape(limits(cell).strip())}</span>'
    else:
        body = escape(told(cell, language)) + _why(cell, letters)
        if head.numeric and isinstance(cell, str):
            kind = "n none"
    tag = "th" if first else "td"
    scope = ' scope="row"' if first else ""
    return f'<{tag}{scope}{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{body}</{tag}>'


def _why(cell: Cell, letters: Mapping[str, str]) -> str:
    """Return the letter of the footnote that says why a figure has no limits."""
    letter = letters.get(cell.reason or "") if isinstance(cell, Figure) else None
    return f"<sup>{letter}</sup>" if letter else ""


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
    columns = _latex_columns(grid)
    heads = " & ".join(_latex_head(head) for head in grid.heads)
    lines = [
        HEADER.rstrip("\n"), "\\begin{table}[htbp]", "\\centering", "\\small",
        f"\\caption{{{escaped(grid.title)}}}", f"\\label{{tab:{grid.name.replace('_', '-')}}}",
        _open(grid), f"\\begin{{tabular}}{{{columns}}}", "\\toprule", f"{heads} \\\\", "\\midrule",
        *_rows(grid, language), "\\bottomrule", "\\end{tabular}", _close(grid),
        *_notes(grid, language), "\\end{table}", "",
    ]
    return "\n".join(line for line in lines if line != _NOTHING)


_NOTHING: Final = "%%"


def _latex_head(head: Head) -> str:
    words = escaped(head.words)
    return f"\\multicolumn{{1}}{{r}}{{{words}}}" if head.numeric else words


def _open(grid: Grid) -> str:
    """Return what shrinks a table wider than the page."""
    return "\\resizebox{\\linewidth}{!}{%" if len(grid.heads) > MOST_COLUMNS else _NOTHING


def _close(grid: Grid) -> str:
    return "}" if len(grid.heads) > MOST_COLUMNS else _NOTHING


def _latex_columns(grid: Grid) -> str:
    return "".join(_column(grid, place) for place in range(len(grid.heads)))


def _column(grid: Grid, place: int) -> str:
    if grid.heads[place].numeric:
        return "r"
    longest = max((len(str(row[place])) for row in grid.rows if isinstance(row[place], str)),
                  default=0)
    return "p{6.5cm}" if longest > LONG else "l"


def _rows(grid: Grid, language: str) -> list[str]:
    lines, letters = [], footnotes(grid)
    for place, row in enumerate(grid.rows):
        if place in grid.lines:
            lines.append("\\midrule")
        lines.append(" & ".join(_latex_cell(cell, letters, language) for cell in row) + r" \\")
    return lines


def _latex_cell(cell: Cell, letters: Mapping[str, str], language: str) -> str:
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


NUMBER: Final = "number"
TEXT: Final = "text"
DIGITS: Final = 10
"""Digits kept: more than anybody reads, fewer than where machines differ."""


def csv(grid: Grid) -> bytes:
    """Return a table as CSV with a BOM; a figure is value, low, high and reason.

    Empty names of groups are filled in, so that every row stands on its own.
    """
    kinds = [_has(grid, place) for place in range(len(grid.heads))]
    columns = tuple(
        column for head, kind in zip(grid.heads, kinds, strict=True)
        for column in _columns(head.key, kind)
    )
    rows = [
        [one for cell, kind in zip(row, kinds, strict=True) for one in _cells(cell, kind)]
        for row in _filled((*grid.rows, *grid.rest))
    ]
    return csv_bytes(Table(grid.name, columns, rows))


def _has(grid: Grid, place: int) -> str:
    """Return what a column holds: `limits`, `figure` or `plain`."""
    rows = (*grid.rows, *grid.rest)
    figures = [row[place] for row in rows if isinstance(row[place], Figure)]
    if any(isinstance(one, Figure) and one.low is not None for one in figures):
        return "limits"
    return "figure" if figures else "plain"


def _columns(key: str, kind: str) -> Iterator[Column]:
    yield Column(key, TEXT if kind == "plain" else NUMBER)
    if kind == "limits":
        yield Column(f"{key}_low", NUMBER)
        yield Column(f"{key}_high", NUMBER)
    if kind != "plain":
        yield Column(f"{key}_reason", TEXT)


def _cells(cell: Cell, kind: str) -> Sequence[Plain]:
    if kind == "plain":
        return [cell if isinstance(cell, str | int) else None]
    if isinstance(cell, Figure):
        limits = [_exact(cell.low), _exact(cell.high)] if kind == "limits" else []
        return [_exact(cell.value), *limits, cell.reason]
    empty: list[Plain] = [None, None] if kind == "limits" else []
    if isinstance(cell, int):
        return [cell, *empty, None]
    return [None, *empty, cell]


def _exact(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _filled(rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows with the first column's empty names taken from the row above."""
    name: Cell = ""
    for row in rows:
        if row and row[0] == "":
            yield (name, *row[1:])
        else:
            name = row[0] if row else ""
            yield row


PNG_SCALE: Final = 2.0
OWN: Final = "report.json"
"""The file by which a folder is known to hold a report, which may then be replaced."""

Files = Mapping[str, bytes]


def files(report: Report, analysis: Json, checklists: Mapping[str, Json]) -> dict[str, bytes]:
    """Return every file of a report by its path in the folder."""
    by_path = {"report.html": page(report).encode(), OWN: _json(analysis)}
    by_path |= {f"{name}.json": _json(one) for name, one in checklists.items()}
    for grid in report.grids():
        by_path[f"tables/{grid.name}.csv"] = csv(grid)
        by_path[f"tables/{grid.name}.tex"] = fragment(grid, report.language).encode()
    by_path["tables/all.tex"] = whole(report.grids(), report.title, report.language).encode()
    for drawing in report.drawings():
        by_path[f"figures/{drawing.name}.svg"] = drawing.svg.encode()
        by_path[f"figures/{drawing.name}.png"] = _png(drawing)
    return dict(sorted(by_path.items()))


def write(by_path: Files, folder: Path) -> None:
    """Put the files into a folder; an earlier report there is replaced, anything else is not.

    Raises:
        StudyError: the folder holds other files, or cannot be written.
    """
    refuse_taken(folder)
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        for name, content in by_path.items():
            file = part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if folder.exists():
            old = folder.with_name(f".{folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
            part.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StudyError("export.cannot_write", file=folder) from error


def archive(by_path: Files, slug: str) -> bytes:
    """Return the files as one zip without any time in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in by_path.items():
            entry = zipfile.ZipInfo(f"{slug}-report/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            made.writestr(entry, content)
    return out.getvalue()


def refuse_taken(folder: Path) -> None:
    """Refuse a place that holds something other than an earlier report.

    Raises:
        StudyError: a file, a folder with other files, or a place that cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError("export.folder_taken", folder=folder)
    try:
        taken = folder.is_dir() and any(folder.iterdir()) and not (folder / OWN).is_file()
    except OSError as error:
        raise StudyError("export.cannot_write", file=folder) from error
    if taken or not folder.name:
        raise StudyError("report.folder_holds_others", folder=folder)


def _json(content: Json) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _png(drawing: Drawing) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(drawing.svg, scale=PNG_SCALE))
