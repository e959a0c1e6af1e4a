"""Charts of the results: figures with intervals, and how scores are spread. Readable in grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt
import pandas as pd

from pages.ui import charts
from pages.ui.charts import ROW_HEIGHT, Rows
from pages.ui.wording import t

PANELS: Final = 3
"""Scales beside each other."""

PANEL_WIDTH: Final = 250
LABEL_LIMIT: Final = 200
TICKS: Final = 5
SHAPES: Final = ("circle", "diamond", "square", "triangle-up", "cross")
AXIS_HEIGHT, LEGEND_HEIGHT = 62, 36
"""What the height of a chart without panels holds beside its rows."""

SPARE: Final = 0.06
"""Room beyond the outermost interval, as a share of the axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of figures: `low` to `high` at least, wider where an interval is.

    `lines` stand across it (nothing, chance); `margins`, dashed, is what counts as small.
    """

    title: str
    low: float | None = None
    high: float | None = None
    lines: tuple[float, ...] = ()
    margins: tuple[float, ...] = ()
    form: str = ".2~f"


def intervals(rows: Rows, *, axis: Axis, name: str, words: str) -> None:
    """Draw figures as points with their intervals. Rows: panel, name, kind, value, low, high.

    A panel for each `panel` (a scale), a line for each `name`, a shape for each `kind`.
    """
    held = [row for row in rows if row["value"] is not None]
    if not held:
        return
    panels, kinds = _distinct(held, "panel"), _distinct(held, "kind")
    lines = max(len(_distinct([r for r in held if r["panel"] == one], "name")) for one in panels)
    high = ROW_HEIGHT * max(2, lines * max(1.0, 0.75 * len(kinds)))
    beside = AXIS_HEIGHT + LEGEND_HEIGHT * (len(kinds) > 1) if len(panels) < 2 else 0
    base = alt.Chart().encode(
        y=alt.Y("name:N", title=None, sort=_distinct(held, "name"),
                axis=alt.Axis(labelLimit=LABEL_LIMIT, labelOverlap=False)),
    )
    drawn = alt.LayerChart(
        data=_frame(held), layer=[*_rules(axis), *_marks(base, axis, held, kinds)],
        height=high + beside,
    )
    charts.figure(_by_panel(drawn, panels), words=words, name=name, rows=held)


def _rules(axis: Axis) -> list[alt.Chart]:
    """Return lines across the whole chart."""
    colours = charts.palette()
    return [
        alt.Chart().mark_rule(color=colours.middle, strokeWidth=1.5, strokeDash=dash).encode(
            x=alt.XDatum(value)
        )
        for values, dash in ((axis.lines, [1, 0]), (axis.margins, [4, 3])) for value in values
    ]  # fmt: skip


def _marks(base: alt.Chart, axis: Axis, rows: Rows, kinds: Sequence[str]) -> list[alt.Chart]:
    colours = charts.palette()
    low, high = _ends(rows, axis)
    x = alt.X("value:Q", title=axis.title,
              axis=alt.Axis(tickCount=TICKS, format=axis.form, grid=True),
              scale=alt.Scale(domain=[low, high], nice=False))
    several = len(kinds) > 1
    offset = alt.YOffset("kind:N", sort=list(kinds)) if several else alt.Undefined
    legend = alt.Legend(orient="top", title=None, labelLimit=320) if several else None
    fills = [colours.accent, colours.ink, colours.middle, colours.steps[1], colours.steps[5]]
    shape = alt.Shape("kind:N", legend=legend, sort=list(kinds),
                      scale=alt.Scale(domain=list(kinds), range=list(SHAPES[:len(kinds)])))
    colour = alt.Color("kind:N", legend=legend, sort=list(kinds),
                       scale=alt.Scale(domain=list(kinds), range=fills[:len(kinds)]))
    tips = [_tip("panel", "scale"), _tip("name", "statistic"),
            *([_tip("kind", "kind")] if several else []),
            *(_tip(key, key, ".3~f") for key in ("value", "low", "high"))]  # fmt: skip
    return [
        base.mark_rule(color=colours.ink, strokeWidth=2).encode(
            x=alt.X("low:Q", title=axis.title), x2="high:Q", yOffset=offset
        ),
        base.mark_point(filled=True, size=85, opacity=1).encode(
            x=x, yOffset=offset, shape=shape, color=colour, tooltip=tips
        ),
    ]


def _ends(rows: Rows, axis: Axis) -> tuple[float, float]:
    found = [float(str(row[key])) for row in rows for key in ("value", "low", "high")
             if row[key] is not None]
    found += [*axis.lines, *axis.margins]
    low, high = min(found), max(found)
    spare = SPARE * (high - low or 1.0)
    low = low - spare if axis.low is None or low < axis.low else axis.low
    high = high + spare if axis.high is None or high > axis.high else axis.high
    return low, high


def shares(rows: Rows, *, name: str, words: str) -> None:
    """Draw how scores are spread. Rows: panel (scale), name, label, place, count, share."""
    colours = charts.palette()
    labels, names = _distinct(rows, "label"), _distinct(rows, "name")
    last = max(1, len(labels) - 1)
    steps = [colours.steps[round(place * (len(colours.steps) - 1) / last)]
             for place in range(len(labels))]
    base = alt.Chart(_frame(rows))
    bars = base.mark_bar(height={"band": 0.7}, stroke=colours.paper, strokeWidth=1).encode(
        y=alt.Y("name:N", title=None, sort=names,
                axis=alt.Axis(labelLimit=LABEL_LIMIT, labelOverlap=False)),
        x=alt.X("share:Q", title=t("results.axis_share"), stack="zero",
                axis=alt.Axis(format=".0%", tickCount=TICKS), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("label:N", title=None, sort=labels,
                        legend=alt.Legend(orient="top", labelLimit=260),
                        scale=alt.Scale(domain=labels, range=steps)),
        order=alt.Order("place:Q"),
        tooltip=[_tip("panel", "scale"), _tip("name", "system"), _tip("label", "score"),
                 _tip("count", "count", "d"), _tip("share", "axis_share", ".0%")],
    ).properties(height=ROW_HEIGHT * max(2, len(names)))
    panels = _distinct(rows, "panel")
    if len(panels) < 2:
        beside = AXIS_HEIGHT + LEGEND_HEIGHT
        bars = bars.properties(height=ROW_HEIGHT * max(2, len(names)) + beside)
    charts.figure(_by_panel(bars, panels), words=words, name=name, rows=rows)


def _by_panel(
    chart: alt.Chart | alt.LayerChart, panels: Sequence[str]
) -> alt.Chart | alt.LayerChart | alt.FacetChart:
    if len(panels) < 2:
        return chart
    facet: alt.FacetChart = chart.properties(width=PANEL_WIDTH).facet(
        facet=alt.Facet("panel:N", title=None, sort=list(panels),
                        header=alt.Header(labelFontSize=14, labelFontWeight="bold")),
        columns=PANELS,
    )
    return facet


def _frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame([dict(row) for row in rows])


def _distinct(rows: Rows, key: str) -> list[str]:
    return list(dict.fromkeys(str(row[key]) for row in rows))


def _tip(field: str, title: str, form: str | None = None) -> alt.Tooltip:
    if form is None:
        return alt.Tooltip(f"{field}:N", title=t(f"results.{title}"))
    return alt.Tooltip(f"{field}:Q", title=t(f"results.{title}"), format=form)
