"""A small report with everything people could write into it."""

from cbt_core.report.blocks import (
    Drawing,
    Figure,
    Grid,
    Head,
    Points,
    Report,
    Section,
    Subhead,
    Words,
)
from cbt_core.report.drawing import Axis, Plot, PlotRow, draw_intervals

HOSTILE = """<script>alert("1")</script>&'"\\}{_%$#^~</style>]]>"""


def drawing(name: str = "forest") -> Drawing:
    rows = (PlotRow(HOSTILE), PlotRow(HOSTILE, Figure(0.5, 0.2, 0.8)))
    return draw_intervals(Plot(name, HOSTILE, rows, Axis(HOSTILE, (0.0, 1.0), 0.0)), "en")


def grid(name: str = "sample") -> Grid:
    return Grid(
        name, HOSTILE, (Head("what", HOSTILE, numeric=False), Head("value", "Value")),
        ((HOSTILE, Figure(0.25, 0.1, 0.5)), ("", Figure(None, reason=HOSTILE)), ("b", 1234)),
        notes=(HOSTILE,), rules=(0, 2),
    )


def report() -> Report:
    blocks = (
        Words(HOSTILE), Words(HOSTILE, "code"), Words(HOSTILE, "paste", "zh"),
        Points((HOSTILE,)), Subhead(HOSTILE), grid(), drawing(),
    )
    return Report(
        "en", HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),), (HOSTILE,),
        (Section("one", HOSTILE, "planned", blocks),), HOSTILE,
    )
