"""Drawing SVG by hand: few shapes, one font stack, lightness instead of colour."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

INK: Final = "#1f2933"
SOFT: Final = "#56626d"
LINE: Final = "#b9c2ca"
ACCENT: Final = "#0f4745"
LIGHT: Final = "#7d8b98"
FONT: Final = (
    "'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', 'Segoe UI', Arial, "
    "sans-serif"
)
SIZE: Final = 13
WIDE, NARROW = 1.0, 0.56
"""Width of a letter in ems: Chinese, and the usual Latin one of these fonts."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a text stands: anchor start, middle or end; size in px; weight."""

    anchor: str = "start"
    size: int = SIZE
    weight: int = 400
    fill: str = INK


def canvas(
    body: Sequence[str], *, width: int, height: int, title: str, description: str, name: str
) -> str:
    """Return a whole SVG with a title and a description, on white."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" font-family="{FONT}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        + "".join(body) + "</svg>"
    )


def text(x: float, y: float, words: str, pen: Pen | None = None) -> str:
    """Return a line of text whose baseline starts, centres or ends at a point."""
    how = pen or Pen()
    weight = f' font-weight="{how.weight}"' if how.weight != Pen().weight else ""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{how.size}" fill="{how.fill}" '
        f'text-anchor="{how.anchor}"{weight}>{escape(words)}</text>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, colour: str = INK, width: float = 1,
    dash: str = "",
) -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{colour}" '
        f'stroke-width="{_n(width)}"{dashed}/>'
    )


def box(x: float, y: float, width: float, height: float, *, dashed: bool = False) -> str:
    """Return an empty box with thin edges."""
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="3" '
        f'fill="#ffffff" stroke="{INK}"{dash}/>'
    )


def arrow(x: float, y1: float, y2: float) -> str:
    """Return an arrow down."""
    head = f"M{_n(x - 4)} {_n(y2 - 6)}L{_n(x)} {_n(y2)}L{_n(x + 4)} {_n(y2 - 6)}Z"
    return line(x, y1, x, y2 - 4) + f'<path d="{head}" fill="{INK}"/>'


def point(x: float, y: float, shape: str) -> str:
    """Return a mark: circle, diamond (hollow) or square."""
    if shape == "diamond":
        path = f"M{_n(x - 6)} {_n(y)}L{_n(x)} {_n(y - 6)}L{_n(x + 6)} {_n(y)}L{_n(x)} {_n(y + 6)}Z"
        return f'<path d="{path}" fill="#ffffff" stroke="{INK}" stroke-width="1.6"/>'
    if shape == "square":
        return f'<rect x="{_n(x - 4.5)}" y="{_n(y - 4.5)}" width="9" height="9" fill="{LIGHT}"/>'
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="5" fill="{ACCENT}"/>'


def width_of(words: str, size: int = SIZE) -> float:
    """Return about how wide a text is, in px."""
    ems = sum(WIDE if unicodedata.east_asian_width(one) in "WF" else NARROW for one in words)
    return ems * size


def wrapped(words: str, width: float, size: int = SIZE) -> list[str]:
    """Return a text in lines of at most a width; Chinese breaks anywhere, others at spaces."""
    lines, current = [], ""
    for part in _parts(words):
        if current and width_of((current + part).rstrip(), size) > width:
            lines.append(current.rstrip())
            current = part.lstrip()
        else:
            current += part
    return [*lines, current.rstrip()] if current.strip() else lines


def shortened(words: str, width: float, size: int = SIZE) -> str:
    """Return a text cut to a width, with an ellipsis where something is left out."""
    if width_of(words, size) <= width:
        return words
    kept = words
    while kept and width_of(kept + "…", size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _parts(words: str) -> list[str]:
    found: list[str] = []
    for letter in words:
        wide = unicodedata.east_asian_width(letter) in "WF"
        starts = not found or wide or found[-1].endswith(" ") or _is_wide(found[-1])
        no_break = wide and letter in "，。；：、）％"
        if starts and not (no_break and found):
            found.append(letter)
        else:
            found[-1] += letter
    return found


def _is_wide(part: str) -> bool:
    return unicodedata.east_asian_width(part[-1]) in "WF"


def _n(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
