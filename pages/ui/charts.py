"""All charts, in one palette: quiet, labelled, readable in grey; every one has words beside it.

Figures with intervals, shares of scores, progress, plans, labels and their heat maps. Shapes and
lightness tell series apart. `figure` shows a chart and lets it be saved as SVG, as PNG and as data:
Streamlit takes Vega's own menu away.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from cbt_core.files.writer import Cell, Column, Table, csv_bytes
from cbt_core.palette import DARK, FONT, LIGHT, Palette
from cbt_core.services.assignment.sample_size import KINDS, chart, rows, told_points
from cbt_core.stats.planning.plan import Plan
from cbt_core.stats.ratings import Floats, Integers
from pages.ui.words import language, t

ROW_HEIGHT: Final = 26
LEAST_HEIGHT: Final = 150
AXIS_AND_LEGEND: Final = 125
"""What a chart's height holds beside its rows."""

WIDTH_OF_FILE: Final = 640
PNG_SCALE: Final = 2.0

Rows = Sequence[Mapping[str, object]]

AXIS_STYLE: Final = {"labelFontSize": 12, "titleFontSize": 12, "gridColor": LIGHT.faint}
CONFIG: Final = {"font": FONT, "axis": AXIS_STYLE, "view": {"stroke": LIGHT.faint}}


def palette() -> Palette:
    """Return the colours of the theme the person looks at."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def figure(chart: Any, *, words: str, name: str, rows: Rows) -> None:  # noqa: ANN401
    """Show a chart with `words` for who cannot see it, and offer it as SVG, PNG and data.

    `chart` is any of altair's charts (they share no base); `name` that of its files, one of a
    kind on a screen; `rows` the data drawn. Files are made when asked for, always in light colours.
    """
    st.altair_chart(chart, width="stretch", alt=words)
    files: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("svg", "image/svg+xml", lambda: picture(chart, "svg")),
        ("png", "image/png", lambda: picture(chart, "png")),
        ("csv", "text/csv", lambda: data(rows, name)),
    )
    with st.popover(t("charts.save"), type="tertiary", key=f"figure-{name}"):
        for form, mime, make in files:
            st.download_button(
                t(f"charts.{form}"), make, file_name=f"{name}.{form}", mime=mime,
                on_click="ignore", key=f"figure-{name}-{form}", width="stretch",
            )


def picture(chart: Any, form: str) -> bytes:  # noqa: ANN401 - altair's charts share no base
    """Return a chart as `svg` or `png` on white, whatever the theme of the screen."""
    import vl_convert

    spec = chart.to_dict()
    spec.update(config=CONFIG, background=LIGHT.paper, padding=spec.get("padding", 8))
    if not {"facet", "hconcat", "vconcat"} & spec.keys():
        spec.setdefault("width", WIDTH_OF_FILE)
    text = _in_light(json.dumps(spec, ensure_ascii=False))
    if form == "svg":
        return str(vl_convert.vegalite_to_svg(text)).encode()
    return bytes(vl_convert.vegalite_to_png(text, scale=PNG_SCALE))


def data(rows: Rows, name: str) -> bytes:
    """Return the data of a chart as CSV."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(
        name, tuple(Column(one, "text") for one in columns),
        [[_cell(row.get(one)) for one in columns] for row in rows],
    )
    return csv_bytes(table)


def _cell(value: object) -> Cell:
    return value if isinstance(value, str | int | float) or value is None else str(value)


def _in_light(spec: str) -> str:
    """Return a specification with the colours of the dark theme turned into those of the light."""
    for dark, light in zip(_colours(DARK), _colours(LIGHT), strict=True):
        spec = spec.replace(dark, light)
    return spec


def _colours(theme: Palette) -> list[str]:
    *single, steps = astuple(theme)
    return [*single, *steps]


def people_chart(rows: Rows) -> None:
    """Draw everybody's tasks as bars: done, skipped, waiting. Rows: code, done, skipped, left."""
    colours = palette()
    parts = ("done", "skipped", "left")
    names = [t(f"progress.part_{part}") for part in parts]
    long = [
        {"code": row["code"], "part": name, "order": place, "count": row[part]}
        for row in rows
        for place, (part, name) in enumerate(zip(parts, names, strict=True))
    ]
    height = max(LEAST_HEIGHT, ROW_HEIGHT * len(rows) + AXIS_AND_LEGEND)
    chart = _chart(long, height=height).mark_bar(height={"band": 0.72}).encode(
        y=alt.Y("code:N", title=None, sort=[str(row["code"]) for row in rows],
                axis=alt.Axis(labelOverlap=False)),
        x=alt.X("count:Q", title=t("progress.axis_tasks"), stack="zero",
                axis=alt.Axis(tickMinStep=1, format="d")),
        color=alt.Color(
            "part:N", title=None, sort=names, legend=alt.Legend(orient="top", offset=4),
            scale=alt.Scale(domain=names, range=[colours.accent, colours.middle, colours.faint]),
        ),
        order=alt.Order("order:Q"),
        tooltip=[_tip("code", "progress.person"), _tip("part", "progress.state"),
                 _tip("count", "progress.axis_tasks", "d")],
    )
    total = sum(_number(row[part]) for row in rows for part in parts)
    done = sum(_number(row["done"]) for row in rows)
    figure(
        chart, name="tasks", rows=rows,
        words=t("progress.people_alt", people=len(rows), done=f"{done:g}", total=f"{total:g}"),
    )


def coverage_chart(counts: Mapping[int, int], asked: int) -> None:
    """Draw how many items have 0, 1, 2 … finished ratings; `asked` is the usual number wanted."""
    colours = palette()
    rows = [{"ratings": str(have), "items": counts.get(have, 0)}
            for have in range(max([asked, *counts]) + 1)]
    base = _chart(rows, height=230).encode(
        x=alt.X("ratings:N", title=t("progress.axis_ratings"), sort=None,
                axis=alt.Axis(labelAngle=0)),
        y=alt.Y("items:Q", title=t("progress.axis_items"),
                axis=alt.Axis(tickMinStep=1, format="d", tickCount=5),
                scale=alt.Scale(domainMax=1.12 * max(1, *counts.values()), nice=False)),
        tooltip=[_tip("ratings", "progress.axis_ratings"),
                 _tip("items", "progress.axis_items", "d")],
    )
    bars = base.mark_bar(width={"band": 0.6}).encode(
        color=alt.condition(
            alt.datum.ratings == str(asked), alt.value(colours.accent), alt.value(colours.middle)
        )
    )
    labels = base.mark_text(dy=-7, color=colours.ink, fontSize=13).encode(text="items:Q")
    words = t("progress.coverage_alt", full=counts.get(asked, 0), items=sum(counts.values()),
              asked=asked)
    figure(bars + labels, words=words, name="coverage", rows=rows)


def _chart(rows: Rows, *, height: float) -> alt.Chart:
    return alt.Chart(pd.DataFrame([dict(row) for row in rows])).properties(height=height)


def _tip(field: str, title: str, form: str | None = None) -> alt.Tooltip:
    if form is None:
        return alt.Tooltip(f"{field}:N", title=t(title))
    return alt.Tooltip(f"{field}:Q", title=t(title), format=form)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


PLAN_HEIGHT: Final = 340
"""With axis titles and legend."""


def plan_charts(plan: Plan) -> None:
    """Draw power and width of intervals by number of items, side by side, with words for each."""
    for column, kind in zip(st.columns(2), KINDS, strict=True):
        with column:
            drawn = chart(plan, language(), kind, palette()).properties(height=PLAN_HEIGHT)
            words = t(f"plan_study.alt_{kind}", points=told_points(plan, language(), kind))
            figure(drawn, words=words, name=f"plan-{kind}", rows=rows(plan, language(), kind))


CELL_HEIGHT: Final = 34
"""Height of a cell in pixels; its width follows from the page."""

FEWEST_ROWS: Final = 4
COLUMN_NAMES_HEIGHT: Final = 140
"""Room for the labels of the columns."""

DARK_FROM: Final = 0.55
"""From this share on the number in a cell takes the colour of the paper."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A table to be drawn: `counts` stand in the cells, `shares` (0 to 1) give their lightness."""

    counts: Integers
    shares: Floats
    rows: Sequence[str]
    columns: Sequence[str]

    def records(self) -> list[dict[str, object]]:
        """Return one record per cell."""
        return [
            {"row": row, "column": column, "count": int(self.counts[i, j]),
             "share": float(self.shares[i, j]), "shown": str(self.counts[i, j] or "")}
            for i, row in enumerate(self.rows)
            for j, column in enumerate(self.columns)
        ]


def heat_map_of_rows(
    counts: Integers, names: Sequence[str], totals: Integers | None = None
) -> HeatMap:
    """Return a square table whose cells are shares of their row's total (default: its sum)."""
    whole = counts.sum(axis=1) if totals is None else totals
    below = np.maximum(whole, 1)[:, np.newaxis]
    return HeatMap(counts, np.minimum(counts / below, 1.0), names, names)


def without_unused_labels(counts: Integers, names: Sequence[str]) -> tuple[Integers, list[str]]:
    """Drop the labels that neither side ever has: an empty cross tells nothing."""
    used = np.flatnonzero((counts.sum(axis=0) + counts.sum(axis=1)) > 0)
    return counts[np.ix_(used, used)], [names[at] for at in used.tolist()]


def heat_map(table: HeatMap, *, titles: tuple[str, str], words: str, name: str) -> None:
    """Draw a table; `titles`: what its rows and columns are; `words` say it without a picture.

    `name` is that of its files.
    """
    colours = palette()
    paper, empty = colours.paper, colours.empty
    rows = table.records()
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("row:N", title=titles[0], sort=list(table.rows), axis=_heat_map_axis(0)),
        x=alt.X("column:N", title=titles[1], sort=list(table.columns), axis=_heat_map_axis(-40)),
        tooltip=[
            alt.Tooltip("row:N", title=titles[0]), alt.Tooltip("column:N", title=titles[1]),
            alt.Tooltip("count:Q", title=t("label_results.count"), format="d"),
            alt.Tooltip("share:Q", title=t("label_results.share_of_row"), format=".0%"),
        ],
    )  # fmt: skip
    cells = base.mark_rect(stroke=paper, strokeWidth=1).encode(
        color=alt.condition(alt.datum.count > 0, _lightness(colours), alt.value(empty))
    )
    numbers = base.mark_text(fontSize=13).encode(
        text="shown:N",
        color=alt.condition(
            alt.datum.share > DARK_FROM, alt.value(paper), alt.value(colours.ink)
        ),
    )
    height = CELL_HEIGHT * max(FEWEST_ROWS, len(table.rows)) + COLUMN_NAMES_HEIGHT
    figure(
        (cells + numbers).properties(height=height, padding={"top": 10}), words=words, name=name,
        rows=rows,
    )


def _lightness(colours: Palette) -> alt.Color:
    return alt.Color(
        "share:Q", title=t("label_results.share_of_row"),
        scale=alt.Scale(domain=[0, 1], range=list(colours.steps[1:])),
        legend=alt.Legend(format=".0%", orient="right", gradientLength=120, tickCount=3),
    )


def _heat_map_axis(angle: int) -> alt.Axis:
    return alt.Axis(labelAngle=angle, labelLimit=200, labelOverlap=False, ticks=False,
                    domain=False, labelBound=False, labelFlush=False)


def label_names_and_none(labels: Mapping[str, str]) -> list[str]:
    """Return the names of labels with "none" as the last."""
    return [*labels.values(), t("label_results.none")]


LABEL_ROW_HEIGHT: Final = 27
LABEL_AXIS_HEIGHT: Final = 62
LABEL_LEGEND_HEIGHT: Final = 34
LABEL_NAME_LIMIT: Final = 230
COUNT_TICKS: Final = 6
LABEL_TICK_STEP: Final = 0.2
"""Between ticks of values; the axis begins at one, so that no whisker leaves it."""

TENTHS: Final = [tenth / 10 for tenth in range(11)]
ROOM_ABOVE: Final = {"top": 10}
"""Room above the first row, whose name would be pushed down otherwise."""


def label_intervals(rows: Rows, *, title: str, words: str) -> None:
    """Draw values with intervals, one row each. Rows: name, value, low, high."""
    held = [row for row in rows if row["value"] is not None]
    if not held:
        return
    base = _label_base(held, [str(row["name"]) for row in held])
    figure(
        (_chance_line(held) + _lines(base, title) + _points(base, held, title))
        .properties(height=LABEL_ROW_HEIGHT * len(held) + LABEL_AXIS_HEIGHT, padding=ROOM_ABOVE),
        words=words, name="label-agreement", rows=held,
    )  # fmt: skip


def label_prevalence(rows: Rows, *, paper: float, words: str) -> None:
    """Draw how often each label is given, and a dashed line where the paper has "any"."""
    colours = palette()
    base = _label_base(rows, [str(row["name"]) for row in rows])
    x = alt.X("value:Q", title=t("label_results.axis_prevalence"),
              axis=alt.Axis(format=".0%", values=TENTHS),
              scale=alt.Scale(domain=[0, 1], nice=False))
    bars = base.mark_bar(height={"band": 0.6}).encode(
        x=x, tooltip=_label_tips(percent=True),
        color=alt.condition(
            alt.datum.whole, alt.value(colours.steps[3]), alt.value(colours.steps[1])
        ),
    )
    rule = alt.Chart(pd.DataFrame([{"paper": paper}])).mark_rule(
        color=colours.ink, strokeDash=[5, 4], strokeWidth=1.5
    ).encode(x="paper:Q")
    note = alt.Chart(pd.DataFrame([{"paper": paper, "note": t("label_results.paper_line")}]))
    text = note.mark_text(align="left", dx=6, dy=-8, fontSize=12, color=colours.ink).encode(
        x="paper:Q", y=alt.value(0), text="note:N"
    )
    drawn = bars + _lines(base, t("label_results.axis_prevalence")) + rule + text
    figure(
        drawn.properties(
            height=LABEL_ROW_HEIGHT * len(rows) + LABEL_AXIS_HEIGHT, padding={"top": 18}
        ), words=words,
        name="label-prevalence", rows=rows,
    )


def beside_paper(rows: Rows, *, words: str, name: str) -> None:
    """Draw our figures with intervals and the paper's. Rows: name, value, low, high, paper."""
    colours = palette()
    names = [str(row["name"]) for row in rows]
    title = t("label_results.axis_value")
    held = [row for row in rows if row["value"] is not None]
    published = [row for row in rows if row["paper"] is not None]
    ours = _label_base(held, names)
    theirs = _label_base(published, names).mark_point(
        shape="diamond", size=130, color=colours.ink, strokeWidth=1.8, filled=False
    ).encode(x=alt.X("paper:Q", title=title),
             tooltip=[alt.Tooltip("name:N", title=t("label_results.figure")),
                      alt.Tooltip("paper:Q", title=t("label_results.paper"), format=".2f")])
    figure(
        (_lines(ours, title) + _points(ours, held, title) + theirs)
        .properties(height=LABEL_ROW_HEIGHT * len(rows) + LABEL_AXIS_HEIGHT, padding=ROOM_ABOVE),
        words=words, name=name, rows=rows,
    )  # fmt: skip


def proposal_answers(rows: Rows, *, words: str) -> None:
    """Draw what was made of proposals as bars. Rows: name, answer, order, count."""
    colours = palette()
    names = list(dict.fromkeys(str(row["name"]) for row in rows))
    kinds = list(dict.fromkeys(str(row["answer"]) for row in rows))
    chart = _label_base(rows, names).mark_bar(height={"band": 0.7}).encode(
        x=alt.X("count:Q", title=t("label_results.axis_answers"), stack="zero",
                axis=alt.Axis(tickMinStep=1, format="d", tickCount=COUNT_TICKS)),
        color=alt.Color(
            "answer:N", title=None, sort=kinds, legend=alt.Legend(orient="top", offset=4),
            scale=alt.Scale(domain=kinds, range=[colours.accent, colours.middle, colours.faint]),
        ),
        order=alt.Order("order:Q"),
        tooltip=[alt.Tooltip("name:N", title=t("label_results.label")),
                 alt.Tooltip("answer:N", title=t("label_results.answer")),
                 alt.Tooltip("count:Q", title=t("label_results.count"), format="d")],
    )
    figure(
        chart.properties(
            height=LABEL_ROW_HEIGHT * len(names) + LABEL_AXIS_HEIGHT + LABEL_LEGEND_HEIGHT
        ), words=words,
        name="label-answers", rows=rows,
    )


def _label_base(rows: Rows, names: Sequence[str]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(pd.DataFrame([dict(row) for row in rows])).encode(
        y=alt.Y("name:N", title=None, sort=list(names),
                axis=alt.Axis(labelLimit=LABEL_NAME_LIMIT, labelOverlap=False, labelBound=False,
                              labelFlush=False))
    )
    return chart


def _lines(base: alt.Chart, title: str) -> alt.Chart:
    lines: alt.Chart = base.mark_rule(color=palette().ink, strokeWidth=2).encode(
        x=alt.X("low:Q", title=title), x2="high:Q"
    )
    return lines


def _points(base: alt.Chart, rows: Rows, title: str) -> alt.Chart:
    places = label_ticks(min([0.0, *(_number(row.get("low")) for row in rows)]))
    points: alt.Chart = base.mark_point(
        filled=True, size=90, color=palette().accent, opacity=1
    ).encode(
        x=alt.X("value:Q", title=title,
                axis=alt.Axis(format=".1f", values=places),
                scale=alt.Scale(domain=[places[0], places[-1]], nice=False)),
        tooltip=_label_tips(percent=False),
    )
    return points


def label_ticks(lowest: float) -> list[float]:
    """Return the ticks of an axis up to 1 that begins at or below the lowest value."""
    first = math.floor(round(lowest / LABEL_TICK_STEP, 6))
    return [
        round(LABEL_TICK_STEP * step, 1) for step in range(first, round(1 / LABEL_TICK_STEP) + 1)
    ]


def _chance_line(rows: Rows) -> alt.Chart:
    """Draw the line of chance, where something lies below it."""
    below = any(_number(row.get("low")) < 0 for row in rows)
    frame = pd.DataFrame([{"zero": 0.0}] if below else [{"zero": None}])
    rule: alt.Chart = alt.Chart(frame).mark_rule(
        color=palette().middle, strokeDash=[3, 3]
    ).encode(x="zero:Q")
    return rule


def _label_tips(*, percent: bool) -> list[alt.Tooltip]:
    form = ".0%" if percent else ".2f"
    return [
        alt.Tooltip("name:N", title=t("label_results.label")),
        *(alt.Tooltip(f"{key}:Q", title=t(f"label_results.{key}"), format=form)
          for key in ("value", "low", "high")),
    ]


PANELS: Final = 3
"""Scales beside each other."""

PANEL_WIDTH: Final = 250
PANEL_LABEL_LIMIT: Final = 200
PANEL_TICKS: Final = 5
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


def panel_intervals(rows: Rows, *, axis: Axis, name: str, words: str) -> None:
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
                axis=alt.Axis(labelLimit=PANEL_LABEL_LIMIT, labelOverlap=False)),
    )
    drawn = alt.LayerChart(
        data=_rows_frame(held), layer=[*_rules(axis), *_marks(base, axis, held, kinds)],
        height=high + beside,
    )
    figure(_by_panel(drawn, panels), words=words, name=name, rows=held)


def _rules(axis: Axis) -> list[alt.Chart]:
    """Return lines across the whole chart."""
    colours = palette()
    return [
        alt.Chart().mark_rule(color=colours.middle, strokeWidth=1.5, strokeDash=dash).encode(
            x=alt.XDatum(value)
        )
        for values, dash in ((axis.lines, [1, 0]), (axis.margins, [4, 3])) for value in values
    ]  # fmt: skip


def _marks(base: alt.Chart, axis: Axis, rows: Rows, kinds: Sequence[str]) -> list[alt.Chart]:
    colours = palette()
    low, high = _ends(rows, axis)
    x = alt.X("value:Q", title=axis.title,
              axis=alt.Axis(tickCount=PANEL_TICKS, format=axis.form, grid=True),
              scale=alt.Scale(domain=[low, high], nice=False))
    several = len(kinds) > 1
    offset = alt.YOffset("kind:N", sort=list(kinds)) if several else alt.Undefined
    legend = alt.Legend(orient="top", title=None, labelLimit=320) if several else None
    fills = [colours.accent, colours.ink, colours.middle, colours.steps[1], colours.steps[5]]
    shape = alt.Shape("kind:N", legend=legend, sort=list(kinds),
                      scale=alt.Scale(domain=list(kinds), range=list(SHAPES[:len(kinds)])))
    colour = alt.Color("kind:N", legend=legend, sort=list(kinds),
                       scale=alt.Scale(domain=list(kinds), range=fills[:len(kinds)]))
    tips = [_panel_tip("panel", "scale"), _panel_tip("name", "statistic"),
            *([_panel_tip("kind", "kind")] if several else []),
            *(_panel_tip(key, key, ".3~f") for key in ("value", "low", "high"))]  # fmt: skip
    return [
        base.mark_rule(color=colours.ink, strokeWidth=2).encode(
            x=alt.X("low:Q", title=axis.title), x2="high:Q", yOffset=offset
        ),
        base.mark_point(filled=True, size=85, opacity=1).encode(
            x=x, yOffset=offset, shape=shape, color=colour, tooltip=tips
        ),
    ]


def _ends(rows: Rows, axis: Axis) -> tuple[float, float]:
    values = [float(str(row[key])) for row in rows for key in ("value", "low", "high")
             if row[key] is not None]
    values += [*axis.lines, *axis.margins]
    low, high = min(values), max(values)
    spare = SPARE * (high - low or 1.0)
    low = low - spare if axis.low is None or low < axis.low else axis.low
    high = high + spare if axis.high is None or high > axis.high else axis.high
    return low, high


def score_shares(rows: Rows, *, name: str, words: str) -> None:
    """Draw how scores are spread. Rows: panel (scale), name, label, place, count, share."""
    colours = palette()
    labels, names = _distinct(rows, "label"), _distinct(rows, "name")
    last = max(1, len(labels) - 1)
    steps = [colours.steps[round(place * (len(colours.steps) - 1) / last)]
             for place in range(len(labels))]
    base = alt.Chart(_rows_frame(rows))
    bars = base.mark_bar(height={"band": 0.7}, stroke=colours.paper, strokeWidth=1).encode(
        y=alt.Y("name:N", title=None, sort=names,
                axis=alt.Axis(labelLimit=PANEL_LABEL_LIMIT, labelOverlap=False)),
        x=alt.X("share:Q", title=t("results.axis_share"), stack="zero",
                axis=alt.Axis(format=".0%", tickCount=PANEL_TICKS), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("label:N", title=None, sort=labels,
                        legend=alt.Legend(orient="top", labelLimit=260),
                        scale=alt.Scale(domain=labels, range=steps)),
        order=alt.Order("place:Q"),
        tooltip=[_panel_tip("panel", "scale"), _panel_tip("name", "system"), _panel_tip("label",
        "score"),
                 _panel_tip("count", "count", "d"), _panel_tip("share", "axis_share", ".0%")],
    ).properties(height=ROW_HEIGHT * max(2, len(names)))
    panels = _distinct(rows, "panel")
    if len(panels) < 2:
        beside = AXIS_HEIGHT + LEGEND_HEIGHT
        bars = bars.properties(height=ROW_HEIGHT * max(2, len(names)) + beside)
    figure(_by_panel(bars, panels), words=words, name=name, rows=rows)


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


def _rows_frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame([dict(row) for row in rows])


def _distinct(rows: Rows, key: str) -> list[str]:
    return list(dict.fromkeys(str(row[key]) for row in rows))


def _panel_tip(field: str, title: str, form: str | None = None) -> alt.Tooltip:
    if form is None:
        return alt.Tooltip(f"{field}:N", title=t(f"results.{title}"))
    return alt.Tooltip(f"{field}:Q", title=t(f"results.{title}"), format=form)
