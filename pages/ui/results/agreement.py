"""Results: agreement between raters, read by the one rule, with what it rests on."""

from typing import Final

import streamlit as st

from cbt_core.analysis.reading_rules import band, verdict_of
from cbt_core.stats.agreement.results import RaterFigures, StratumFigures
from cbt_core.stats.ratings import POOLED
from cbt_core.stats.values import Value, translated
from pages.ui.charts import Axis, panel_intervals
from pages.ui.results.view import Row, View, cells, limits, planned, show_table, told, why, word
from pages.ui.results.view import number as column
from pages.ui.widgets import plain
from pages.ui.words import language, t


def reading(figures: StratumFigures) -> str:
    """Return one sentence on what the figures of a stratum say, by which benchmark."""
    percent, alpha, gwet = figures.percent_agreement.value, figures.alpha, figures.ac.value
    known: dict[str, str] = {
        "percent": f"{percent or 0:.0%}", "ac": figures.ac_name,
        "gwet": "—" if gwet is None else f"{gwet:.2f}",
    }
    if alpha.value is None:
        known["reason"] = translated(alpha.reason or "", language())
    else:
        known |= {
            "alpha": f"{alpha.value:.2f}", "band": t(f"results.band_{band(alpha.value)}"),
        }
    return t(f"results.read_{verdict_of(figures)}", **known)


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
    for scale in held:
        readings(view, scale)
    items = max((one.counts.n_items for one in held.values()), default=0)
    if items < FEW_ITEMS:
        st.caption(word("few_items", items=items))
    rows = [
        cells(value, panel=view.names[scale], name=word(key), kind="", n=one.counts.n_ratings)
        for scale, one in held.items() for key, value in main(one).items()
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
            cells(one.values[key], panel=view.names[scale], name=word(key),
                  n=one.counts.n_ratings)
            for scale, one in held.items() for key in MORE
        ], "more")  # fmt: skip


def readings(view: View, scale: str) -> None:
    """Say what the agreement on a scale means: by system where systems may be told apart."""
    for row in view.analysis.agreement.told_apart(scale):
        name = view.names[scale] if row.name == POOLED else f"{view.names[scale]} · {row.name}"
        plain(word("scale_says", scale=name, said=reading(row)), key=f"reading-{scale}-{row.name}")


def pooled(view: View) -> dict[str, StratumFigures]:
    """Return the pooled figures by scale."""
    return {scale: view.analysis.agreement.pooled(scale) for scale in view.names}


def main(stats: StratumFigures) -> dict[str, Value]:
    """Return the three figures that are read together on a scale, by the keys of their names."""
    alpha, gwet = ("alpha_nominal", "ac1") if stats.nominal else ("alpha_ordinal", "ac2_quadratic")
    return {"percent_agreement": stats.percent_agreement, alpha: stats.alpha, gwet: stats.ac}


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
    rows: list[Row] = [
        {**cells(one.alpha, panel=name, name=system, kind=""),
         "percent": one.percent_agreement.value, "ac": told(one.ac), "n": one.counts.n_ratings}
        for scale, name in view.names.items()
        for system, one in view.analysis.agreement.scales[scale].items() if system != POOLED
    ]
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
    for scale, figures in pooled(view).items():
        details = figures.details
        if details is None:
            continue
        within, left = details.within_systems, details.left_out
        rows.append({
            "scale": view.names[scale], "alpha": told(figures.alpha),
            "within": told(within.alpha_ordinal) if within else "—",
            "ac": told(within.ac2_quadratic) if within else "—",
            "low": left.low, "high": left.high, "rater": left.rater or "—",
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
    return [
        {
            **cells(one.severity_interval or Value(None), panel=view.names[scale], name=one.rater,
                    kind=""),
            "n": one.n, "mean": one.mean, **drift(one), "seconds": one.seconds_median,
        }
        for scale, stratum in pooled(view).items() for one in stratum.raters
    ]


def drift(rater: RaterFigures) -> Row:
    """Return a rater's drift as cells; empty where values are names."""
    value = rater.drift_interval or Value(None)
    return {"drift": value.value, "drift_low": value.low, "drift_high": value.high}


def pairs(view: View) -> None:
    """Show the kappa of every pair of raters: quadratic, plain where values are names."""
    st.header(word("pairs"))
    rows: list[Row] = []
    for scale, figures in pooled(view).items():
        for pair in figures.pairs:
            value = pair.kappa if figures.nominal else pair.kappa_quadratic
            rows.append(cells(value, panel=view.names[scale], name=f"{pair.a} – {pair.b}", kind="",
                              n=pair.n))
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
