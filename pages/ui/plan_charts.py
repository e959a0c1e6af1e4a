"""The plots of a plan on the screen; the same plots as files come from the service."""

from typing import Final

import streamlit as st

from cbt_core.services.planning_figure import KINDS, Colours, chart, rows, told_points
from cbt_core.stats.planning.plan import Plan
from pages.ui.charts import DARK, figure, palette
from pages.ui.wording import language, t

HEIGHT: Final = 340
"""With axis titles and legend."""

DARK_COLOURS: Final = Colours("#a5dcd7", "#7b8794", "#9aa7b3")


def plan_charts(found: Plan) -> None:
    """Draw power and width of intervals by number of items, side by side, with words for each."""
    colours = DARK_COLOURS if palette() is DARK else Colours()
    for column, kind in zip(st.columns(2), KINDS, strict=True):
        with column:
            drawn = chart(found, language(), kind, colours).properties(height=HEIGHT)
            words = t(f"plan_study.alt_{kind}", points=told_points(found, language(), kind))
            figure(drawn, words=words, name=f"plan-{kind}", rows=rows(found, language(), kind))
