"""Heat maps of labels: lightness says how much, the number stands in every cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt
import numpy as np
import pandas as pd

from cbt_core.stats.ratings import Floats, Integers
from pages.ui import charts
from pages.ui.wording import t

CELL: Final = 34
"""Height of a cell in pixels; its width follows from the page."""

FEWEST_ROWS: Final = 4
MARGIN: Final = 140
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


def of_rows(counts: Integers, names: Sequence[str], totals: Integers | None = None) -> HeatMap:
    """Return a square table whose cells are shares of their row's total (default: its sum)."""
    whole = counts.sum(axis=1) if totals is None else totals
    below = np.maximum(whole, 1)[:, np.newaxis]
    return HeatMap(counts, np.minimum(counts / below, 1.0), names, names)


def trimmed(counts: Integers, names: Sequence[str]) -> tuple[Integers, list[str]]:
    """Drop the labels that neither side ever has: an empty cross tells nothing."""
    used = np.flatnonzero((counts.sum(axis=0) + counts.sum(axis=1)) > 0)
    return counts[np.ix_(used, used)], [names[at] for at in used.tolist()]


def heat_map(table: HeatMap, *, titles: tuple[str, str], words: str, name: str) -> None:
    """Draw a table; `titles`: what its rows and columns are; `words` say it without a picture.

    `name` is that of its files.
    """
    colours = charts.palette()
    paper, empty = colours.paper, colours.empty
    rows = table.records()
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("row:N", title=titles[0], sort=list(table.rows), axis=_axis(0)),
        x=alt.X("column:N", title=titles[1], sort=list(table.columns), axis=_axis(-40)),
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
    height = CELL * max(FEWEST_ROWS, len(table.rows)) + MARGIN
    charts.figure(
        (cells + numbers).properties(height=height, padding={"top": 10}), words=words, name=name,
        rows=rows,
    )


def _lightness(colours: charts.Palette) -> alt.Color:
    return alt.Color(
        "share:Q", title=t("label_results.share_of_row"),
        scale=alt.Scale(domain=[0, 1], range=list(colours.steps[1:])),
        legend=alt.Legend(format=".0%", orient="right", gradientLength=120, tickCount=3),
    )


def _axis(angle: int) -> alt.Axis:
    return alt.Axis(labelAngle=angle, labelLimit=200, labelOverlap=False, ticks=False,
                    domain=False, labelBound=False, labelFlush=False)


def names_of(labels: Mapping[str, str]) -> list[str]:
    """Return the names of labels with "none" as the last."""
    return [*labels.values(), t("label_results.none")]
