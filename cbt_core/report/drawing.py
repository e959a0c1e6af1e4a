"""Drawing SVG by hand: few shapes, one font stack, lightness instead of colour (decision 0010).

Two figures are drawn: the flow of items, raters and tasks (boxes down, what was left out between
them), and figures with intervals on one axis (agreement, differences, preferences: forest plots).
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

from cbt_core.analysis.parts import Flow
from cbt_core.instruments.shipped import defaults
from cbt_core.palette import LIGHT
from cbt_core.report.blocks import Drawing, Figure, decimals, told
from cbt_core.words import say

INK: Final = LIGHT.ink
SOFT: Final = LIGHT.soft
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
        f'<rect width="{width}" height="{height}" fill="{LIGHT.paper}"/>'
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
        f'fill="{LIGHT.paper}" stroke="{INK}"{dash}/>'
    )


def arrow(x: float, y1: float, y2: float) -> str:
    """Return an arrow down."""
    head = f"M{_n(x - 4)} {_n(y2 - 6)}L{_n(x)} {_n(y2)}L{_n(x + 4)} {_n(y2 - 6)}Z"
    return line(x, y1, x, y2 - 4) + f'<path d="{head}" fill="{INK}"/>'


def point(x: float, y: float, shape: str) -> str:
    """Return a mark: circle, diamond (hollow) or square."""
    if shape == "diamond":
        path = f"M{_n(x - 6)} {_n(y)}L{_n(x)} {_n(y - 6)}L{_n(x + 6)} {_n(y)}L{_n(x)} {_n(y + 6)}Z"
        return f'<path d="{path}" fill="{LIGHT.paper}" stroke="{INK}" stroke-width="1.6"/>'
    if shape == "square":
        corner = f'x="{_n(x - 4.5)}" y="{_n(y - 4.5)}"'
        return f'<rect {corner} width="9" height="9" fill="{LIGHT.middle}"/>'
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="5" fill="{LIGHT.strong}"/>'


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
    parts: list[str] = []
    for letter in words:
        wide = unicodedata.east_asian_width(letter) in "WF"
        starts = not parts or wide or parts[-1].endswith(" ") or _is_wide(parts[-1])
        no_break = wide and letter in "，。；：、）％"
        if starts and not (no_break and parts):
            parts.append(letter)
        else:
            parts[-1] += letter
    return parts


def _is_wide(part: str) -> bool:
    return unicodedata.east_asian_width(part[-1]) in "WF"


def _n(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


COLUMN: Final = 240
SPACE: Final = 20
BOX: Final = 46
LEAST_GAP: Final = 26
LOST_LINE: Final = 16
SMALL: Final = 12
HEAD: Final = 34
NAME: Final = "flow"


@dataclass(frozen=True, slots=True)
class Step:
    """A box: its words and count; `lost` are lines told between it and the box before."""

    words: str
    count: int
    lost: tuple[str, ...] = ()


def flow_drawing(flow: Flow, language: str) -> Drawing:
    """Return the drawing of a study's flow."""
    columns = {
        "items": _items(flow, language), "raters": _raters(flow, language),
        "tasks": _tasks(flow, language),
    }
    parts: list[str] = []
    sentences: list[str] = []
    bottom = 0.0
    for place, (name, steps) in enumerate(columns.items()):
        title = say(f"report.flow_{name}", language)
        x = place * (COLUMN + SPACE)
        drawn, y = _column(x, title, steps)
        parts += drawn
        bottom = max(bottom, y)
        sentences.append(f"{title}: " + "; ".join(_told(step) for step in steps))
    title = say("report.flow_figure", language)
    description = ". ".join(sentences)
    svg = canvas(
        parts, width=3 * COLUMN + 2 * SPACE, height=round(bottom) + 4, title=title,
        description=description, name=NAME,
    )
    return Drawing(NAME, title, description, svg)


def skips(counts: Mapping[str, int], language: str) -> str:
    """Return skipped tasks by reason in words."""
    known = {choice.id: choice.name(language) for choice in defaults().skip_reasons}
    words = (f"{known.get(reason, reason)} {count}" for reason, count in counts.items())
    return say("report.comma", language).join(words)


def reason_words(reason: str, key: str, language: str) -> str:
    """Return a stored reason in words; one without words as it is stored."""
    try:
        return say(f"report.{key}_{reason}", language)
    except KeyError:
        return reason


def _items(flow: Flow, language: str) -> list[Step]:
    items = flow.items
    lost = [
        *_lost("withdrawn", len(items.withdrawn), language),
        *_lost("excluded", len(items.excluded), language),
    ]
    return [
        Step(say("report.flow_imported", language), items.imported),
        Step(say("report.flow_assigned", language), items.assigned),
        Step(say("report.flow_rated", language), items.rated),
        Step(say("report.flow_analysed", language), items.analysed, tuple(lost)),
    ]


def _raters(flow: Flow, language: str) -> list[Step]:
    raters = flow.raters
    lost = [
        *_lost("left", len(raters.left), language),
        *_lost("excluded", len(raters.excluded), language),
    ]
    return [
        Step(say("report.flow_joined", language), raters.joined),
        Step(say("report.flow_consented", language), raters.consented),
        Step(say("report.flow_began", language), raters.began),
        Step(say("report.flow_finished", language), raters.finished),
        Step(say("report.flow_analysed", language), raters.analysed, tuple(lost)),
    ]


def _tasks(flow: Flow, language: str) -> list[Step]:
    tasks = flow.tasks
    skipped = sum(tasks.skipped.values())
    lost = [
        *_lost("not_done", tasks.not_done, language),
        *_lost("skipped", skipped, language, skips(tasks.skipped, language)),
        *_lost("released", tasks.released, language),
        *_lost("withdrawn", tasks.withdrawn, language),
    ]
    return [
        Step(say("report.flow_assigned", language), tasks.assigned),
        Step(say("report.flow_scored", language), tasks.scored, tuple(lost)),
        Step(
            say("report.flow_analysed", language), tasks.analysed,
            tuple(_lost("excluded", tasks.excluded, language)),
        ),
    ]


def _lost(key: str, count: int, language: str, why: str = "") -> list[str]:
    if not count:
        return []
    words = say(f"report.flow_lost_{key}", language, count=count)
    return [f"{words} ({why})" if why else words]


def _told(step: Step) -> str:
    lost = f" ({', '.join(step.lost)})" if step.lost else ""
    return f"{step.words} {step.count}{lost}"


def _column(x: float, title: str, steps: Sequence[Step]) -> tuple[list[str], float]:
    parts = [text(x + COLUMN / 2, 20, title, Pen("middle", 14, 600))]
    y = float(HEAD)
    for place, step in enumerate(steps):
        lines = [one for lost in step.lost for one in _reason_lines(lost)]
        if place:
            gap = max(LEAST_GAP, LOST_LINE * len(lines) + 14)
            parts.append(arrow(x + 24, y, y + gap))
            parts += [
                text(
                    x + 38, y + 16 + LOST_LINE * row, words, Pen(size=SMALL, fill=SOFT)
                )
                for row, words in enumerate(lines)
            ]
            y += gap
        parts += [
            box(x + 0.5, y, COLUMN - 1, BOX),
            text(x + 12, y + BOX / 2 + 5, step.words),
            text(x + COLUMN - 12, y + BOX / 2 + 6, f"{step.count:,}", Pen("end", 16, 600)),
        ]
        y += BOX
    return parts, y


def _reason_lines(words: str) -> list[str]:
    return wrapped(words, COLUMN - 46, SMALL)


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


def draw_intervals(plot: Plot, language: str) -> Drawing:
    """Return the drawing; its description tells every figure in words."""
    low, high, step = _range(plot)
    body: list[str] = []
    y = TOP + (LEGEND if plot.legend else 0)
    start = y
    for row in plot.rows:
        height = HEADER if row.figure is None else ROW
        body += _row(row, y + height / 2, (low, high), language)
        y += height
    lines = _guide_lines(plot.axis, (low, high), start, y)
    axis = _axis(plot.axis, (low, high, step), y)
    legend = _legend(plot.legend)
    description = "; ".join(
        f"{row.label}: {told(row.figure, language)}" if row.figure else row.label
        for row in plot.rows
    )
    svg = canvas(
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
        return [text(0, y + 6, shortened(row.label, WIDTH), Pen(weight=600))]
    label = text(12, y + 4.5, shortened(row.label, LABELS - 24))
    words = shortened(told(row.figure, language), WIDTH - LABELS - PLOT - GAP)
    parts = [label, text(LABELS + PLOT + GAP, y + 4.5, words)]
    value, low, high = row.figure.value, row.figure.low, row.figure.high
    if value is None:
        return parts
    if low is not None and high is not None:
        left, right = _place(low, ends), _place(high, ends)
        parts.append(line(left, y, right, y, width=1.8))
        parts += [line(x, y - 4, x, y + 4, width=1.8) for x in (left, right)]
    return [*parts, point(_place(value, ends), y, row.shape)]


def _guide_lines(axis: Axis, ends: tuple[float, float], top: float, bottom: float) -> list[str]:
    lines = [
        line(_place(one, ends), top, _place(one, ends), bottom, colour=SOFT,
                     dash="2 3")
        for one in axis.thin if ends[0] < one < ends[1]
    ]
    if axis.strong is not None:
        x = _place(axis.strong, ends)
        lines.append(line(x, top, x, bottom, colour=INK, width=1.2))
    return lines


def _axis(axis: Axis, ends: tuple[float, float, float], y: float) -> list[str]:
    low, high, step = ends
    digits = max(0, ceil(-log10(step) - 1e-9)) + (1 if f"{step:.3g}".endswith("25") else 0)
    count = round((high - low) / step)
    parts = [line(LABELS, y, LABELS + PLOT, y)]
    for place in range(count + 1):
        x = _place(low + place * step, (low, high))
        parts += [
            line(x, y, x, y + 5),
            text(x, y + 19, decimals(low + place * step, digits), Pen("middle", 12)),
        ]
    words = shortened(axis.words, WIDTH - LABELS)
    return [*parts, text(LABELS + PLOT / 2, y + 39, words, Pen("middle", 12))]


def _legend(legend: Sequence[tuple[str, str]]) -> list[str]:
    parts, x = [], float(LABELS)
    for shape, words in legend:
        parts += [point(x, TOP, shape), text(x + 12, TOP + 4.5, words)]
        x += width_of(words) + 48
    return parts
