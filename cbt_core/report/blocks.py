"""What a report is made of, before it is HTML, LaTeX or CSV, and its figures as text.

Figures have two decimals, limits beside them, reasons in words where there is no figure.
"""

from dataclasses import dataclass, field
from functools import cache
from string import ascii_lowercase
from typing import Final, Literal

from cbt_core.stats.values import Framed, translated
from cbt_core.words import say, sentences

Form = Literal["score", "share", "count", "p", "plain"]
Mark = Literal["planned", "exploratory", "descriptive"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % limits, or the reason (English, as in the JSON) why there is none.

    `form`: score (2 decimals, or `digits`), share (percent), p, count, plain (as it is).
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    form: Form = "score"
    digits: int = 2


Cell = str | int | Figure | None
"""None is an empty cell: nothing applies there."""


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its name in the CSV (lower case, English), its words, whether it holds numbers."""

    key: str
    words: str
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `name` is its file name; `rules` are rows before which a line is drawn.

    `rest` are rows that stand in the CSV only.
    """

    name: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    rules: tuple[int, ...] = ()
    rest: tuple[tuple[Cell, ...], ...] = ()

    @property
    def lines(self) -> frozenset[int]:
        """Return the rows with a line before them: none where every row would have one."""
        inner = frozenset(self.rules) - {0}
        return frozenset() if len(inner) == len(self.rows) - 1 else inner


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as SVG, with a title and a description for who cannot see it."""

    name: str
    title: str
    description: str
    svg: str


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph. `kind`: text, strong (what matters most), note, code, or paste (to copy)."""

    text: str
    kind: Literal["text", "strong", "note", "code", "paste"] = "text"
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences; `is_fine`: in small letters, for long lists."""

    sentences: tuple[str, ...]
    is_fine: bool = False


@dataclass(frozen=True, slots=True)
class Subhead:
    """A heading within a section."""

    text: str


Block = Grid | Drawing | Words | Points | Subhead


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; `mark` says whether the plan named it."""

    id: str
    title: str
    mark: Mark
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report; `facts` are the lines of the title block (words, value)."""

    language: str
    title: str
    kicker: str
    facts: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: str
    extra: tuple[Grid, ...] = field(default=())

    def grids(self) -> tuple[Grid, ...]:
        """Return every table in order, those that stand in files only at the end."""
        shown = [b for section in self.sections for b in section.blocks if isinstance(b, Grid)]
        return (*shown, *self.extra)

    def drawings(self) -> tuple[Drawing, ...]:
        """Return every drawing in order."""
        return tuple(
            b for section in self.sections for b in section.blocks if isinstance(b, Drawing)
        )


def figure(value: Framed | None, form: Form = "score", *, digits: int = 2) -> Figure:
    """Return a figure of the analysis as the report shows it; an empty one for None."""
    if value is None:
        return Figure(None, form=form, digits=digits)
    return Figure(value.value, value.low, value.high, value.reason, form, digits)


def plain(
    number: float | None, form: Form = "score", *, reason: str | None = None, digits: int = 2
) -> Figure:
    """Return a single number without limits, with the reason where it is missing."""
    return Figure(
        number, reason=reason if number is None else None, form=form, digits=digits
    )


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
    words = translated(reason, language)
    if words != reason or language == "en":
        return words
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
