"""The report as one HTML file: nothing is fetched, everything written by people is escaped."""

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from cbt_core.report.blocks import (
    EMPTY,
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
