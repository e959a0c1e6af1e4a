"""Figures as text: two decimals, limits beside them, reasons in words where there is no figure."""

from functools import cache
from string import ascii_lowercase
from typing import Final

from cbt_core.services.reporting.blocks import Cell, Figure, Grid
from cbt_core.stats.reasons import translated
from cbt_core.wording import say, sentences

MINUS: Final = "\u2212"
NO_BREAK: Final = "\u00a0"
EMPTY: Final = "–"
SMALLEST_P: Final = 0.001


def told(cell: Cell, language: str) -> str:
    """Return a cell as text: value and limits, or the reason why there is no value."""
    if cell is None:
        return EMPTY
    if isinstance(cell, int):
        return f"{cell:,}" if cell >= 0 else f"{MINUS}{-cell:,}"
    if isinstance(cell, str):
        return cell
    if cell.value is None:
        return in_words(cell.reason or "", language) or EMPTY
    return number(cell, cell.value) + limits(cell)


def footnotes(grid: Grid) -> dict[str, str]:
    """Return why figures of a table have no limits: reason to the letter of its footnote."""
    reasons = dict.fromkeys(
        cell.reason for row in grid.rows for cell in row
        if isinstance(cell, Figure) and cell.value is not None and cell.reason
    )
    return {reason: letter for reason, letter in zip(reasons, ascii_lowercase, strict=False)
            if reason}


def in_words(reason: str, language: str) -> str:
    """Return a reason of the JSON (English) in a language; an unknown one as it is."""
    found = translated(reason, language)
    if found != reason or language == "en":
        return found
    return _label_reasons(language).get(reason, reason)


@cache
def _label_reasons(language: str) -> dict[str, str]:
    """Return why figures of labels are undefined, by the English words."""
    return {
        sentence: say(code, language) for code, sentence in sentences("en").items()
        if code.startswith("labels.why_")
    }


def number(figure: Figure, value: float) -> str:
    """Return a value in the form of its figure, with a true minus sign."""
    if figure.form == "p":
        return p_value(value)
    if figure.form == "share":
        return f"{100 * value:.1f} %".replace("-", MINUS)
    if figure.form == "count":
        return f"{value:,.0f}".replace("-", MINUS)
    return decimals(value, figure.digits)


def decimals(value: float, digits: int = 2) -> str:
    """Return a rounded number; what rounds to nothing has no sign."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def limits(figure: Figure) -> str:
    """Return ` [low, high]`, nothing where there are no limits."""
    if figure.low is None or figure.high is None:
        return ""
    low, high = number(figure, figure.low), number(figure, figure.high)
    if figure.form == "share":  # the value before them has the sign
        low, high = low.removesuffix(" %"), high.removesuffix(" %")
    return f" [{low},{NO_BREAK}{high}]"


def p_value(value: float) -> str:
    """Return a p value with 3 decimals."""
    return "< 0.001" if value < SMALLEST_P else f"{value:.3f}"
