"""Charts for a lead: quiet, labelled, readable in grey; every one has words beside it.

`figure` shows a chart and lets it be saved as SVG, as PNG and as data: Streamlit takes Vega's own
menu away.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from cbt_core.files.tables import Cell, Column, Table, csv_bytes
from pages.ui.wording import t

ROW_HEIGHT: Final = 26
LEAST_HEIGHT: Final = 150
AXIS_AND_LEGEND: Final = 125
"""What a chart's height holds beside its rows."""

WIDTH_OF_FILE: Final = 640
PNG_SCALE: Final = 2.0
FONT: Final = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme: lightness alone tells them apart, so that they survive a grey print.

    `paper` is the page, `empty` a cell with nothing in it.
    """

    accent: str
    middle: str
    faint: str
    ink: str
    paper: str
    empty: str
    steps: tuple[str, ...]


LIGHT: Final = Palette(
    "#1f6f6b", "#8a9aa6", "#dfe4e9", "#1f2933", "#ffffff", "#f4f6f8",
    ("#dfe4e9", "#b3cfcc", "#7eb0ac", "#4a8f8a", "#1f6f6b", "#0f4745"),
)
DARK: Final = Palette(
    "#5cb8b1", "#7b8794", "#323c46", "#e4e9ee", "#12181f", "#1c242c",
    ("#323c46", "#3d5a5c", "#437a78", "#4a9994", "#5cb8b1", "#a5dcd7"),
)


AXIS: Final = {"labelFontSize": 12, "titleFontSize": 12, "gridColor": LIGHT.faint}
CONFIG: Final = {"font": FONT, "axis": AXIS, "view": {"stroke": LIGHT.faint}}


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
        name, tuple(Column(one, "text", one, one) for one in columns),
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


def _colours(one: Palette) -> list[str]:
    *single, steps = astuple(one)
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
