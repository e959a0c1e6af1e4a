"""Figures as text: two decimals, limits beside them, reasons in words where there is no figure."""

from typing import Final

from cbt_core.services.reporting.blocks import Cell, Figure
from cbt_core.stats.reasons import translated

MINUS: Final = "\u2212"
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
        return translated(cell.reason or "", language) or EMPTY
    return number(cell, cell.value) + limits(cell)


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
    if figure.form == "share":
        low = low.removesuffix(" %")
    return f" [{low}, {high}]"


def p_value(value: float) -> str:
    """Return a p value with 3 decimals."""
    return "< 0.001" if value < SMALLEST_P else f"{value:.3f}"


def undefined_interval(cell: Cell) -> bool:
    """Tell whether a figure stands without limits for a reason."""
    return isinstance(cell, Figure) and cell.value is not None and bool(cell.reason)
