"""The results' first sections: how far raters agree, and each rater against the others."""

from typing import Final

import streamlit as st

from cbt_core.stats.ratings import POOLED
from pages.ui.charts import Axis, panel_intervals
from pages.ui.results.verdicts import Figure, Stats, figure, number, reading
from pages.ui.results.view import (
    Row,
    View,
    cells,
    limits,
    part,
    planned,
    show_table,
    told,
    why,
    word,
)
from pages.ui.results.view import number as column
from pages.ui.widgets import plain

MAIN: Final = ("percent_agreement", "alpha_ordinal", "ac2_quadratic")
MAIN_NOMINAL: Final = ("percent_agreement", "alpha_nominal", "ac1")
MORE: Final = (
    "percent_agreement_pooled", "alpha_nominal", "alpha_interval", "fleiss_kappa", "ac1",
    "ac2_linear", "icc_2_1", "icc_3_1", "icc_2_k", "icc_3_k", "icc_1_1", "icc_1_k",
    "icc_agreement_vc", "kendall_w",
)
FEW_ITEMS: Final = 50
"""Below this, percentile intervals are too narrow (simulated coverage .80-.83 at 25 items)."""

MOST_PAIRS: Final = 15
"""More pairs of raters than this are read from the table alone."""


def agreement(view: View) -> None:
    """Show agreement: what it says, percent, alpha and AC2 together, within systems."""
    st.header(word("agreement"))
    planned(view, "agreement")
    held = pooled(view)
    for scale, one in held.items():
        said = reading(one, nominal=scale in view.analysis.nominal)
        plain(word("scale_says", scale=view.names[scale], said=said), key=f"reading-{scale}")
    items = max((one.items for one in held.values()), default=0)
    if items < FEW_ITEMS:
        st.caption(word("few_items", items=items))
    rows = [
        cells(figure(one.body, key), panel=view.names[scale], name=word(key), kind="",
              n=one.ratings)
        for scale, one in held.items() for key in main(view, scale)
    ]
    panel_intervals(rows, axis=Axis(word("axis_agreement"), low=0.0, high=1.0, lines=(0.0,)),
              name="agreement", words=word("agreement_alt"))  # fmt: skip
    table(rows, "agreement_alt")
    st.caption(word("pooled_about"))
    if view.closed:
        by_system(view)
    steady(view)
    with st.expander(word("help")):
        for key in ("percent", "alpha", "ac2", "paradox", "benchmarks", "interval"):
            st.text(word(f"help_{key}"))
    with st.expander(word("more")):
        table([
            cells(figure(one.body, key), panel=view.names[scale], name=word(key), n=one.ratings)
            for scale, one in held.items() for key in MORE
        ], "more")  # fmt: skip


def pooled(view: View) -> dict[str, Stats]:
    """Return the pooled figures by scale."""
    found = {one: Stats.of(view.analysis.agreement, one, POOLED) for one in view.names}
    return {scale: one for scale, one in found.items() if one is not None}


def main(view: View, scale: str) -> tuple[str, ...]:
    """Return the three figures that are read together on a scale."""
    return MAIN_NOMINAL if scale in view.analysis.nominal else MAIN


def table(rows: list[Row], alt: str) -> None:
    """Show figures by scale."""
    show_table(
        rows,
        columns={"panel": word("scale"), "name": word("statistic"), **limits(),
                 "n": column("ratings", "%d"), **why()},
        alt=word(alt),
    )


def by_system(view: View) -> None:
    """Show agreement within each system: what alpha is when systems cannot differ."""
    st.subheader(word("by_system"))
    rows = []
    for scale, name in view.names.items():
        percent, alpha, gwet = main(view, scale)
        for system in view.analysis.systems:
            stats = Stats.of(view.analysis.agreement, scale, system)
            if stats is not None:
                rows.append({
                    **cells(figure(stats.body, alpha), panel=name, name=system, kind=""),
                    "percent": figure(stats.body, percent).value,
                    "ac": told(figure(stats.body, gwet)), "n": stats.ratings,
                })
    panel_intervals(rows, axis=Axis(word("axis_alpha"), low=0.0, high=1.0, lines=(0.0,)),
              name="agreement-by-system", words=word("by_system"))  # fmt: skip
    show_table(
        rows,
        columns={"panel": word("scale"), "name": word("system"),
                 "percent": column("percent_agreement"), "value": column("alpha"),
                 "low": column("low"), "high": column("high"), "ac": word("ac"),
                 "n": column("ratings", "%d"), **why()},
        alt=word("by_system"),
    )


def steady(view: View) -> None:
    """Show alpha with chance taken within systems, and without any one rater."""
    st.subheader(word("steady"))
    rows: list[Row] = []
    for scale, one in pooled(view).items():
        within = part(one.body, "within_systems")
        without = part(one.body, "leave_one_rater_out", "alpha_ordinal")
        if not without and not within:
            continue
        rows.append({
            "scale": view.names[scale], "alpha": told(figure(one.body, main(view, scale)[1])),
            "within": told(figure(within, "alpha_ordinal")),
            "ac": told(figure(within, "ac2_quadratic")),
            "low": number(without.get("min")), "high": number(without.get("max")),
            "rater": str(without.get("rater") or "—"),
        })
    show_table(
        rows,
        columns={"scale": word("scale"), "alpha": word("alpha"), "within": word("alpha_within"),
                 "ac": word("ac2_within"), "low": column("least_without"),
                 "high": column("most_without"), "rater": word("moved_by")},
        alt=word("steady"),
    )
    st.caption(word("steady_about"))


def raters(view: View) -> None:
    """Show severity, drift, pace and pairs, by code."""
    st.header(word("raters"))
    rows = rater_rows(view)
    panel_intervals(
        [row for row in rows if row["value"] is not None],
        axis=Axis(word("axis_severity"), lines=(0.0,), form="+.2~f"), name="severity",
        words=word("severity_alt"),
    )
    show_table(
        rows,
        columns={"panel": word("scale"), "name": word("rater"), "n": column("ratings", "%d"),
                 "mean": column("mean"), "value": column("severity", "%+.2f"),
                 "low": column("low", "%+.2f"), "high": column("high", "%+.2f"),
                 "drift": column("drift", "%+.2f"), "drift_low": column("low", "%+.2f"),
                 "drift_high": column("high", "%+.2f"), "seconds": column("seconds", "%.0f"),
                 **why()},
        alt=word("raters"),
    )
    st.caption(word("raters_about"))
    pairs(view)


def rater_rows(view: View) -> list[Row]:
    """Return a row per scale and rater."""
    rows = []
    for scale, one in pooled(view).items():
        for body in one.raters:
            drift = figure(body, "drift_interval")
            severity = figure(body, "severity_interval")
            if scale in view.analysis.nominal:
                severity = Figure(None, None, None, "")
            rows.append({
                **cells(severity, panel=view.names[scale], name=str(body["rater"]), kind=""),
                "n": body["n"], "mean": body["mean"], "drift": drift.value,
                "drift_low": drift.low, "drift_high": drift.high,
                "seconds": body["seconds_median"],
            })
    return rows


def pairs(view: View) -> None:
    """Show the kappa of every pair of raters: quadratic, plain where values are names."""
    st.header(word("pairs"))
    rows: list[Row] = []
    for scale, one in pooled(view).items():
        key = "kappa" if scale in view.analysis.nominal else "kappa_quadratic"
        for pair in one.pairs:
            name = f"{pair['a']} – {pair['b']}"
            rows.append(cells(figure(pair, key), panel=view.names[scale], name=name, kind="",
                              n=pair["n"]))
    if not rows:
        st.text(word("no_pairs"))
        return
    if len({row["name"] for row in rows}) <= MOST_PAIRS:
        panel_intervals(rows, axis=Axis(word("axis_kappa"), low=0.0, high=1.0, lines=(0.0,)),
                  name="pairs", words=word("pairs_alt"))
    show_table(
        rows,
        columns={"panel": word("scale"), "name": word("pair"), "n": column("common", "%d"),
                 **limits(), **why()},
        alt=word("pairs"),
    )
