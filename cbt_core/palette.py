"""The colours of every chart, on screens and in reports: quiet, and readable in a grey print."""

from dataclasses import dataclass
from typing import Final

FONT: Final = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
"""Fonts with Chinese letters, one of which most machines have."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme: lightness alone tells them apart, so that they survive a grey print.

    `soft` is for lines and words that stand back, `paper` the page, `empty` a cell with nothing in
    it; `steps` go from little to much.
    """

    accent: str
    middle: str
    soft: str
    faint: str
    ink: str
    paper: str
    empty: str
    steps: tuple[str, ...]

    @property
    def strong(self) -> str:
        """Return the colour of the most: what a chart is about."""
        return self.steps[-1]


LIGHT: Final = Palette(
    "#1f6f6b", "#7d8b98", "#56626d", "#dfe4e9", "#1f2933", "#ffffff", "#f4f6f8",
    ("#dfe4e9", "#b3cfcc", "#7eb0ac", "#4a8f8a", "#1f6f6b", "#0f4745"),
)
DARK: Final = Palette(
    "#5cb8b1", "#7b8794", "#9aa7b3", "#323c46", "#e4e9ee", "#12181f", "#1c242c",
    ("#323c46", "#3d5a5c", "#437a78", "#4a9994", "#5cb8b1", "#a5dcd7"),
)
