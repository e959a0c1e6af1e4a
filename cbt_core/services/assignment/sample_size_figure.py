"""The plots of a plan: power and width of intervals by number of items, also as SVG or PNG."""

from collections.abc import Iterable
from math import ceil
from typing import Final

import altair as alt

from cbt_core.palette import FONT, LIGHT, Palette
from cbt_core.stats.planning.plan import Plan
from cbt_core.words import say

WIDTH, HEIGHT = 400, 280
PNG_SCALE: Final = 2.0
TARGET: Final = 0.8
TICKS: Final = 6

KINDS: Final = ("power", "width")
LINES: Final = {"power": ("crossed", "item"), "width": ("alpha", "ac2")}


def rows(found: Plan, language: str, kind: str) -> list[dict[str, object]]:
    """Return the points: items, line, value, and how far it varies (low, high).

    Power: one Monte Carlo standard error to each side. Width: the middle 80 % of studies.
    """
    points = _power(found) if kind == "power" else _widths(found)
    return [
        {"items": items, "line": say(f"sample_size.line_{line}", language), "value": value,
         "low": low, "high": high}
        for items, line, value, low, high in points
    ]  # fmt: skip


Point = tuple[int, str, float, float, float]


def _power(found: Plan) -> list[Point]:
    return [
        (one.items, line, share.value, max(0.0, share.value - (share.mc_error or 0.0)),
         min(1.0, share.value + (share.mc_error or 0.0)))
        for one in found.curve
        for line, share in (("crossed", one.crossed), ("item", one.item_level))
        if share.value is not None
    ]  # fmt: skip


def _widths(found: Plan) -> list[Point]:
    return [
        (one.items, line, width.width, width.low or 0.0, width.high or 0.0)
        for one, widths in zip(found.curve, found.widths, strict=True)
        for line, width in (("alpha", widths["alpha_ordinal"]), ("ac2", widths["ac2_quadratic"]))
        if width.width is not None
    ]


def chart(
    found: Plan, language: str, kind: str, colours: Palette = LIGHT
) -> alt.LayerChart:
    """Return the chart of `power` or `width`; the planned number of items is marked."""
    items, title = (say(f"sample_size.axis_{axis}", language) for axis in ("items", kind))
    x = alt.X("items:Q", title=items, axis=alt.Axis(tickCount=TICKS),
              scale=alt.Scale(nice=False, zero=True))
    points = rows(found, language, kind)
    top = 1.0 if kind == "power" else _above(float(str(one["high"])) for one in points)
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format=".1f", tickCount=TICKS),
              scale=alt.Scale(domain=[0, top], nice=False))
    colour, dash, shape = _looks(language, kind, colours)
    tips = [alt.Tooltip("line:N", title=" "), alt.Tooltip("items:Q", title=items),
            alt.Tooltip("value:Q", title=title, format=".2f")]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=points)).encode(x=x, color=colour)
    return alt.LayerChart(layer=[
        *_marks(found, kind, colours),
        base.mark_rule(strokeWidth=1).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash),
        base.mark_point(filled=True, size=70, opacity=1).encode(y=y, shape=shape, tooltip=tips),
    ]).properties(height=HEIGHT)  # fmt: skip


def _above(heights: Iterable[float]) -> float:
    """Return the next tenth that leaves room above the highest bar."""
    return ceil(max(heights, default=1.0) * 10 + 0.2) / 10


def _looks(
    language: str, kind: str, held: Palette
) -> tuple[alt.Color, alt.StrokeDash, alt.Shape]:
    """Return colour, dash and shape of the two lines, with one legend."""
    names = [say(f"sample_size.line_{line}", language) for line in LINES[kind]]
    legend = alt.Legend(orient="top", title=None, labelLimit=400, direction="vertical")

    colours = alt.Scale(domain=names, range=[held.strong, held.middle])
    dashes = alt.Scale(domain=names, range=[[1, 0], [6, 4]])
    shapes = alt.Scale(domain=names, range=["circle", "diamond"])
    return (
        alt.Color("line:N", legend=legend, scale=colours),
        alt.StrokeDash("line:N", legend=legend, scale=dashes),
        alt.Shape("line:N", legend=legend, scale=shapes),
    )


def _marks(found: Plan, kind: str, colours: Palette) -> list[alt.Chart]:
    """Return the lines at the planned number of items and at the power usually asked for."""
    marks = [alt.Chart(alt.InlineData(values=[{"items": found.power.items}])).encode(x="items:Q")]
    if kind == "power":
        marks.append(alt.Chart(alt.InlineData(values=[{"value": TARGET}])).encode(y="value:Q"))
    return [mark.mark_rule(color=colours.soft, strokeDash=[2, 2]) for mark in marks]


def picture(found: Plan, language: str, form: str) -> bytes:
    """Return both plots beside each other as `svg` or `png`."""
    import vl_convert

    drawn = [
        chart(found, language, kind).properties(
            width=WIDTH, title=say(f"sample_size.title_{kind}", language)
        )
        for kind in KINDS
    ]
    both = alt.hconcat(*drawn).resolve_scale(color="independent", strokeDash="independent",
                                             shape="independent")  # fmt: skip
    spec = both.configure(font=FONT, background="white").to_json()
    if form == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))


def told_points(found: Plan, language: str, kind: str) -> str:
    """Return the points of a plot as text, for who cannot see it."""
    return "; ".join(
        f"{row['items']}: {row['line']} {row['value']:.2f}" for row in rows(found, language, kind)
    )
