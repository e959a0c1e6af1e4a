"""Charts for a lead: quiet, labelled, readable in grey; every one has words beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from pages.ui.wording import t

ROW_HEIGHT: Final = 26
LEAST_HEIGHT: Final = 150
AXIS_AND_LEGEND: Final = 125
"""What a chart's height holds beside its rows."""

FACETS: Final = 3

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme: lightness alone tells them apart, so that they survive a grey print."""

    accent: str
    middle: str
    faint: str
    ink: str
    steps: tuple[str, ...]


LIGHT: Final = Palette(
    "#1f6f6b", "#8a9aa6", "#dfe4e9", "#1f2933",
    ("#dfe4e9", "#b3cfcc", "#7eb0ac", "#4a8f8a", "#1f6f6b", "#0f4745"),
)
DARK: Final = Palette(
    "#5cb8b1", "#7b8794", "#323c46", "#e4e9ee",
    ("#323c46", "#3d5a5c", "#437a78", "#4a9994", "#5cb8b1", "#a5dcd7"),
)


def palette() -> Palette:
    """Return the colours of the theme the person looks at."""
    return DARK if st.context.theme.type == "dark" else LIGHT


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
    _show(chart, t("progress.people_alt", people=len(rows), done=f"{done:g}", total=f"{total:g}"))


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
    _show(bars + labels, t("progress.coverage_alt", full=counts.get(asked, 0),
                           items=sum(counts.values()), asked=asked))


def agreement_chart(rows: Rows) -> None:
    """Draw figures with intervals as points and lines. Rows: scale, statistic, value, low, high."""
    colours = palette()
    names = list(dict.fromkeys(str(row["statistic"]) for row in rows))
    held = [row for row in rows if row["value"] is not None]
    if not held:
        return
    lowest = min([0.0, *(_number(row["low"]) for row in held if row["low"] is not None)])
    y = alt.Y("statistic:N", title=None, sort=names, axis=alt.Axis(labelLimit=220))
    x = alt.X("value:Q", title=t("results.axis_agreement"), axis=alt.Axis(format=".1f"),
              scale=alt.Scale(domain=[lowest, 1.0], nice=False))
    base = _chart(held, height=ROW_HEIGHT * max(3, len(names))).encode(y=y)
    lines = base.mark_rule(color=colours.ink, strokeWidth=2).encode(
        x=alt.X("low:Q", title=t("results.axis_agreement")), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=90, color=colours.accent, opacity=1).encode(
        x=x, shape=alt.Shape("statistic:N", legend=None, sort=names),
        tooltip=[_tip("scale", "results.scale"), _tip("statistic", "results.statistic"),
                 *(_tip(key, f"results.{key}", ".2f") for key in ("value", "low", "high"))],
    )
    _show(_by_scale(lines + points, held), t("results.agreement_alt"))


def shares_chart(rows: Rows) -> None:
    """Draw how the scores of each scale are spread. Rows: scale, value, label, count, share."""
    colours = palette()
    labels = list(dict.fromkeys(str(row["label"]) for row in rows))
    scales = list(dict.fromkeys(str(row["scale"]) for row in rows))
    steps = [colours.steps[round(place * (len(colours.steps) - 1) / max(1, len(labels) - 1))]
             for place in range(len(labels))]
    chart = _chart(rows, height=ROW_HEIGHT * 1.4 * len(scales) + AXIS_AND_LEGEND).mark_bar(
        height={"band": 0.7}
    ).encode(
        y=alt.Y("scale:N", title=None, sort=scales,
                axis=alt.Axis(labelLimit=220, labelOverlap=False)),
        x=alt.X("share:Q", title=t("results.axis_share"), stack="zero",
                axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("label:N", title=None, sort=labels,
                        legend=alt.Legend(orient="top", labelLimit=260),
                        scale=alt.Scale(domain=labels, range=steps)),
        order=alt.Order("place:Q"),
        tooltip=[_tip("scale", "results.scale"), _tip("label", "results.score"),
                 _tip("count", "results.count", "d"), _tip("share", "results.axis_share", ".0%")],
    )
    _show(chart, t("results.shares_alt"))


def systems_chart(rows: Rows, *, low: float, high: float) -> None:
    """Draw a scale's mean per system with its interval. Rows: scale, system, mean, low, high."""
    colours = palette()
    names = list(dict.fromkeys(str(row["system"]) for row in rows))
    base = _chart(rows, height=ROW_HEIGHT * max(2, len(names))).encode(
        y=alt.Y("system:N", title=None, sort=names, axis=alt.Axis(labelLimit=220))
    )
    title = t("results.axis_mean")
    x = alt.X("mean:Q", title=title, scale=alt.Scale(domain=[low, high], nice=False),
              axis=alt.Axis(tickCount=5))
    lines = base.mark_rule(color=colours.ink, strokeWidth=2).encode(
        x=alt.X("low:Q", title=title), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=90, color=colours.accent, opacity=1).encode(
        x=x,
        tooltip=[_tip("scale", "results.scale"), _tip("system", "results.system"),
                 *(_tip(key, f"results.{key}", ".2f") for key in ("mean", "low", "high"))],
    )
    _show(_by_scale(lines + points, rows), t("results.systems_alt"))


def _by_scale(chart: alt.LayerChart, rows: Rows) -> alt.FacetChart:
    scales = list(dict.fromkeys(str(row["scale"]) for row in rows))
    return chart.properties(width=230).facet(
        facet=alt.Facet("scale:N", title=None, sort=scales,
                        header=alt.Header(labelFontSize=14, labelFontWeight="bold")),
        columns=FACETS,
    )


def _chart(rows: Rows, *, height: float) -> alt.Chart:
    return alt.Chart(pd.DataFrame([dict(row) for row in rows])).properties(height=height)


def _tip(field: str, title: str, form: str | None = None) -> alt.Tooltip:
    if form is None:
        return alt.Tooltip(f"{field}:N", title=t(title))
    return alt.Tooltip(f"{field}:Q", title=t(title), format=form)


def _show(chart: Any, words: str) -> None:  # noqa: ANN401 - altair's chart types share no base
    st.altair_chart(chart, width="stretch", alt=words)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
