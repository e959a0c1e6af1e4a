"""Charts of the label results: figures with intervals, ours beside the paper's, answers per label.

Shapes and lightness tell series apart, so that a grey print does too.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import pandas as pd

from pages.ui import charts
from pages.ui.wording import t

Rows = Sequence[Mapping[str, object]]

ROW: Final = 27
AXIS: Final = 62
LEGEND: Final = 34
LABEL_LIMIT: Final = 230
TICKS: Final = 6
STEP: Final = 0.2
"""Between ticks of values; the axis begins at one, so that no whisker leaves it."""

TENTHS: Final = [tenth / 10 for tenth in range(11)]
ABOVE: Final = {"top": 10}
"""Room above the first row, whose name would be pushed down otherwise."""


def intervals(rows: Rows, *, title: str, words: str) -> None:
    """Draw values with intervals, one row each. Rows: name, value, low, high."""
    held = [row for row in rows if row["value"] is not None]
    if not held:
        return
    base = _base(held, [str(row["name"]) for row in held])
    charts.figure(
        (_zero(held) + _lines(base, title) + _points(base, held, title))
        .properties(height=ROW * len(held) + AXIS, padding=ABOVE),
        words=words, name="label-agreement", rows=held,
    )  # fmt: skip


def prevalence(rows: Rows, *, paper: float, words: str) -> None:
    """Draw how often each label is given, and a dashed line where the paper has "any"."""
    colours = charts.palette()
    base = _base(rows, [str(row["name"]) for row in rows])
    x = alt.X("value:Q", title=t("label_results.axis_prevalence"),
              axis=alt.Axis(format=".0%", values=TENTHS),
              scale=alt.Scale(domain=[0, 1], nice=False))
    bars = base.mark_bar(height={"band": 0.6}).encode(
        x=x, tooltip=_tips(percent=True),
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
    charts.figure(
        drawn.properties(height=ROW * len(rows) + AXIS, padding={"top": 18}), words=words,
        name="label-prevalence", rows=rows,
    )


def beside_paper(rows: Rows, *, words: str, name: str) -> None:
    """Draw our figures with intervals and the paper's. Rows: name, value, low, high, paper."""
    colours = charts.palette()
    names = [str(row["name"]) for row in rows]
    title = t("label_results.axis_value")
    held = [row for row in rows if row["value"] is not None]
    published = [row for row in rows if row["paper"] is not None]
    ours = _base(held, names)
    theirs = _base(published, names).mark_point(
        shape="diamond", size=130, color=colours.ink, strokeWidth=1.8, filled=False
    ).encode(x=alt.X("paper:Q", title=title),
             tooltip=[alt.Tooltip("name:N", title=t("label_results.figure")),
                      alt.Tooltip("paper:Q", title=t("label_results.paper"), format=".2f")])
    charts.figure(
        (_lines(ours, title) + _points(ours, held, title) + theirs)
        .properties(height=ROW * len(rows) + AXIS, padding=ABOVE),
        words=words, name=name, rows=rows,
    )  # fmt: skip


def answers(rows: Rows, *, words: str) -> None:
    """Draw what was made of proposals as bars. Rows: name, answer, order, count."""
    colours = charts.palette()
    names = list(dict.fromkeys(str(row["name"]) for row in rows))
    kinds = list(dict.fromkeys(str(row["answer"]) for row in rows))
    chart = _base(rows, names).mark_bar(height={"band": 0.7}).encode(
        x=alt.X("count:Q", title=t("label_results.axis_answers"), stack="zero",
                axis=alt.Axis(tickMinStep=1, format="d", tickCount=TICKS)),
        color=alt.Color(
            "answer:N", title=None, sort=kinds, legend=alt.Legend(orient="top", offset=4),
            scale=alt.Scale(domain=kinds, range=[colours.accent, colours.middle, colours.faint]),
        ),
        order=alt.Order("order:Q"),
        tooltip=[alt.Tooltip("name:N", title=t("label_results.label")),
                 alt.Tooltip("answer:N", title=t("label_results.answer")),
                 alt.Tooltip("count:Q", title=t("label_results.count"), format="d")],
    )
    charts.figure(
        chart.properties(height=ROW * len(names) + AXIS + LEGEND), words=words,
        name="label-answers", rows=rows,
    )


def _base(rows: Rows, names: Sequence[str]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(pd.DataFrame([dict(row) for row in rows])).encode(
        y=alt.Y("name:N", title=None, sort=list(names),
                axis=alt.Axis(labelLimit=LABEL_LIMIT, labelOverlap=False, labelBound=False,
                              labelFlush=False))
    )
    return chart


def _lines(base: alt.Chart, title: str) -> alt.Chart:
    lines: alt.Chart = base.mark_rule(color=charts.palette().ink, strokeWidth=2).encode(
        x=alt.X("low:Q", title=title), x2="high:Q"
    )
    return lines


def _points(base: alt.Chart, rows: Rows, title: str) -> alt.Chart:
    places = ticks(min([0.0, *(_number(row.get("low")) for row in rows)]))
    points: alt.Chart = base.mark_point(
        filled=True, size=90, color=charts.palette().accent, opacity=1
    ).encode(
        x=alt.X("value:Q", title=title,
                axis=alt.Axis(format=".1f", values=places),
                scale=alt.Scale(domain=[places[0], places[-1]], nice=False)),
        tooltip=_tips(percent=False),
    )
    return points


def ticks(lowest: float) -> list[float]:
    """Return the ticks of an axis up to 1 that begins at or below the lowest value."""
    first = math.floor(round(lowest / STEP, 6))
    return [round(STEP * step, 1) for step in range(first, round(1 / STEP) + 1)]


def _zero(rows: Rows) -> alt.Chart:
    """Draw the line of chance, where something lies below it."""
    below = any(_number(row.get("low")) < 0 for row in rows)
    frame = pd.DataFrame([{"zero": 0.0}] if below else [{"zero": None}])
    rule: alt.Chart = alt.Chart(frame).mark_rule(
        color=charts.palette().middle, strokeDash=[3, 3]
    ).encode(x="zero:Q")
    return rule


def _tips(*, percent: bool) -> list[alt.Tooltip]:
    form = ".0%" if percent else ".2f"
    return [
        alt.Tooltip("name:N", title=t("label_results.label")),
        *(alt.Tooltip(f"{key}:Q", title=t(f"label_results.{key}"), format=form)
          for key in ("value", "low", "high")),
    ]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
