"""Figures with intervals on one axis: agreement, differences, preferences (forest plots)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from cbt_core.services.reporting import drawing
from cbt_core.services.reporting.blocks import Drawing, Figure
from cbt_core.services.reporting.drawing import Pen
from cbt_core.services.reporting.numbers import decimals, told

WIDTH: Final = 760
LABELS: Final = 230
PLOT: Final = 330
GAP: Final = 14
ROW: Final = 24
HEADER: Final = 28
TOP: Final = 12
AXIS: Final = 48
LEGEND: Final = 24
TICKS: Final = 6


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One line: a heading (figure None), or a label with a figure and the shape of its point."""

    label: str
    figure: Figure | None = None
    shape: str = "circle"


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis: its words, a range it must hold, and values at which a line stands.

    `strong` is the value of no difference; `thin` lines are benchmarks.
    """

    words: str
    holds: tuple[float, float]
    strong: float | None = None
    thin: tuple[float, ...] = ()
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn; `legend` maps shape to words."""

    name: str
    title: str
    rows: tuple[PlotRow, ...]
    axis: Axis
    legend: tuple[tuple[str, str], ...] = ()


def draw(plot: Plot, language: str) -> Drawing:
    """Return the drawing; its description tells every figure in words."""
    low, high, step = _range(plot)
    body: list[str] = []
    y = TOP + (LEGEND if plot.legend else 0)
    start = y
    for row in plot.rows:
        height = HEADER if row.figure is None else ROW
        body += _row(row, y + height / 2, (low, high), language)
        y += height
    lines = _lines(plot.axis, (low, high), start, y)
    axis = _axis(plot.axis, (low, high, step), y)
    legend = _legend(plot.legend)
    description = "; ".join(
        f"{row.label}: {told(row.figure, language)}" if row.figure else row.label
        for row in plot.rows
    )
    svg = drawing.canvas(
        [*lines, *axis, *legend, *body], width=WIDTH, height=round(y) + AXIS, title=plot.title,
        description=description, name=plot.name,
    )
    return Drawing(plot.name, plot.title, description, svg)


def _range(plot: Plot) -> tuple[float, float, float]:
    """Return the ends of the axis, which are ticks, and the step between ticks."""
    ends = list(plot.axis.holds)
    for row in plot.rows:
        if row.figure is not None:
            ends += [one for one in (row.figure.value, row.figure.low, row.figure.high)
                     if one is not None]
    low, high = min(ends), max(ends)
    step = _step((high - low) / TICKS)
    top = ceil(round(high / step, 6)) * step
    most = plot.axis.most
    return floor(round(low / step, 6)) * step, top if most is None else min(top, most), step


def _step(rough: float) -> float:
    power: float = 10 ** floor(log10(rough)) if rough > 0 else 1.0
    return next(power * one for one in (1.0, 2.0, 2.5, 5.0, 10.0) if power * one >= rough * 0.999)


def _place(value: float, ends: tuple[float, float]) -> float:
    return LABELS + PLOT * (value - ends[0]) / (ends[1] - ends[0])


def _row(row: PlotRow, y: float, ends: tuple[float, float], language: str) -> list[str]:
    if row.figure is None:
        return [drawing.text(0, y + 6, drawing.shortened(row.label, WIDTH), Pen(weight=600))]
    label = drawing.text(12, y + 4.5, drawing.shortened(row.label, LABELS - 24))
    words = drawing.shortened(told(row.figure, language), WIDTH - LABELS - PLOT - GAP)
    parts = [label, drawing.text(LABELS + PLOT + GAP, y + 4.5, words)]
    value, low, high = row.figure.value, row.figure.low, row.figure.high
    if value is None:
        return parts
    if low is not None and high is not None:
        left, right = _place(low, ends), _place(high, ends)
        parts.append(drawing.line(left, y, right, y, width=1.8))
        parts += [drawing.line(x, y - 4, x, y + 4, width=1.8) for x in (left, right)]
    return [*parts, drawing.point(_place(value, ends), y, row.shape)]


def _lines(axis: Axis, ends: tuple[float, float], top: float, bottom: float) -> list[str]:
    found = [
        drawing.line(_place(one, ends), top, _place(one, ends), bottom, colour=drawing.SOFT,
                     dash="2 3")
        for one in axis.thin if ends[0] < one < ends[1]
    ]
    if axis.strong is not None:
        x = _place(axis.strong, ends)
        found.append(drawing.line(x, top, x, bottom, colour=drawing.INK, width=1.2))
    return found


def _axis(axis: Axis, ends: tuple[float, float, float], y: float) -> list[str]:
    low, high, step = ends
    digits = max(0, ceil(-log10(step) - 1e-9)) + (1 if f"{step:.3g}".endswith("25") else 0)
    count = round((high - low) / step)
    parts = [drawing.line(LABELS, y, LABELS + PLOT, y)]
    for place in range(count + 1):
        x = _place(low + place * step, (low, high))
        parts += [
            drawing.line(x, y, x, y + 5),
            drawing.text(x, y + 19, decimals(low + place * step, digits), Pen("middle", 12)),
        ]
    words = drawing.shortened(axis.words, WIDTH - LABELS)
    return [*parts, drawing.text(LABELS + PLOT / 2, y + 39, words, Pen("middle", 12))]


def _legend(legend: Sequence[tuple[str, str]]) -> list[str]:
    parts, x = [], float(LABELS)
    for shape, words in legend:
        parts += [drawing.point(x, TOP, shape), drawing.text(x + 12, TOP + 4.5, words)]
        x += drawing.width_of(words) + 48
    return parts
