"""Automatic metrics beside people, and in the form of the paper's Table 4; judge models apart."""

from typing import Final

import streamlit as st

from cbt_core.analysis.machine import JudgeResult, MetricMean, is_main
from cbt_core.metrics.paper import METRICS, PaperRow, table
from cbt_core.stats.agreement.machine import AlternativeAnnotator, Correlations
from cbt_core.stats.values import Value, translated
from pages.ui.charts import Axis, panel_intervals
from pages.ui.results.view import (
    Row,
    View,
    cells,
    p_value,
    planned,
    show_table,
    told,
    withheld,
    word,
)
from pages.ui.results.view import number as column
from pages.ui.widgets import literal
from pages.ui.words import language

DIGITS: Final = 4
"""As the paper prints metrics."""

PERCENT: Final = frozenset({"bleu", "chrf"})
"""Stored on 0 to 100; the paper prints 0 to 1."""


def metrics(view: View) -> None:
    """Show how metrics rank answers beside people, and Table 4."""
    st.header(word("metrics"))
    if withheld(view, "metrics"):
        return
    planned(view, "metrics")
    scores = view.analysis.metrics
    if scores is None:
        st.text(word("no_metrics"))
    else:
        correlations(view)
    table_four(view)


def correlations(view: View) -> None:
    """Show the correlation of every metric with the mean human score, and the ceiling."""
    scores = view.analysis.metrics
    if scores is None:
        return
    rows = [
        row for scale in scores.ceiling for row in (
            *(row for one in scores.metrics if scale in one.scales and is_main(one.metric)
              for row in correlated(view, scale, one.metric, one.scales[scale])),
            *correlated(view, scale, word("ceiling"), scores.ceiling[scale]),
        )
    ]
    panel_intervals(rows, axis=Axis(word("axis_spearman"), low=0.0, high=1.0, lines=(0.0,)),
              name="metrics", words=word("metrics_alt"))  # fmt: skip
    show_table(
        rows,
        columns={"panel": word("scale"), "name": word("metric"), "kind": word("within_or_pooled"),
                 "n": column("answers", "%d"), "value": column("spearman"), "low": column("low"),
                 "high": column("high"), "kendall": word("kendall"), "why": word("undefined")},
        alt=word("metrics_alt"),
    )
    st.caption(word("metrics_about"))
    parts = sum(not is_main(one.metric) for one in scores.metrics)
    if parts:
        st.caption(word("metrics_rest", count=parts))
    with st.expander(word("signatures")):
        for metric in (one for one in scores.metrics if is_main(one.metric)):
            st.code(f"{metric.metric}  {metric.signature}", language=None, wrap_lines=True)


def correlated(view: View, scale: str, name: str, pair: Correlations) -> list[Row]:
    """Return a row within systems and a row pooled."""
    return [
        cells(one.spearman, panel=view.names[scale], name=name, kind=word(kind),
              n=one.n, kendall=told(one.kendall, signed=True))
        for kind, one in (("within", pair.within), ("pooled", pair.pooled))
    ]


def table_four(view: View) -> None:
    """Show systems by metrics in the form of Table 4, the paper's known cells beside ours."""
    st.subheader(word("table_4"))
    means = view.found.metric_means
    others = sorted({one.metric for one in means if is_main(one.metric)} - set(METRICS))
    rows: list[Row] = [
        {"model": system, **{one: ours(means, system, one) for one in (*METRICS, *others)}}
        for system in (view.analysis.systems if means else ())
    ]
    rows += [
        {"model": word("of_paper", model=paper.backbone),
         **{one: published(paper, one) for one in METRICS}, **dict.fromkeys(others, "—")}
        for paper in table()
    ]
    show_table(
        rows, columns={"model": word("system"), **{one: one.upper() for one in METRICS},
                       **{one: one for one in others}},
        alt=word("table_4"),
    )
    st.caption(word("table_4_about"))


def ours(means: tuple[MetricMean, ...], system: str, metric: str) -> str:
    """Return our mean on the paper's scale; of several signatures the one stored last."""
    held = [one.mean for one in means if (one.system, one.metric) == (system, metric)]
    if not held:
        return word("not_computed")
    unit, mean = 100.0 if metric in PERCENT else 1.0, held[-1]

    def on_paper(value: float | None) -> float | None:
        return None if value is None else value / unit

    return told(
        Value(on_paper(mean.value), on_paper(mean.low), on_paper(mean.high), mean.reason),
        DIGITS,
    )


def published(paper: PaperRow, metric: str) -> str:
    """Return a cell of the paper: known, known to be the highest, or not published here."""
    value = paper.value(metric)
    if value is not None:
        return f"{value:.{DIGITS}f}"
    return word("paper_best" if metric in paper.best else "not_published")


def judges(view: View) -> None:
    """Show the alternative annotator test of every judge model, apart from people's figures."""
    st.header(word("judges"))
    if withheld(view, "judges"):
        return
    planned(view, "judges")
    st.caption(word("judges_about"))
    outcomes = view.analysis.judges
    if not outcomes:
        st.text(word("no_judges"))
        return
    for place, outcome in enumerate(outcomes, start=1):
        judge(view, outcome, place)


def judge(view: View, outcome: JudgeResult, place: int) -> None:
    """Show one judge by scale, and beside each rater."""
    st.subheader(literal(outcome.judge))
    rows = [
        cells(one.advantage, panel="", kind="", name=view.names[scale],
              rate=told(one.winning_rate), verdict=verdict(one),
              epsilon=one.epsilon, declared=word("yes" if one.declared else "no"),
              n=one.n_items, humans=one.n_humans)
        for scale, one in outcome.scales.items()
    ]
    panel_intervals(rows, axis=Axis(word("axis_advantage"), low=0.0, high=1.0, lines=(0.5,)),
              name=f"judge-{place}", words=word("judges_alt"))  # fmt: skip
    show_table(
        rows,
        columns={"name": word("scale"), "verdict": word("verdict"), "rate": word("winning_rate"),
                 "value": column("advantage"), "low": column("low"), "high": column("high"),
                 "epsilon": column("epsilon"), "declared": word("declared"),
                 "n": column("items", "%d"), "humans": column("raters", "%d"),
                 "why": word("undefined")},
        alt=word("judges_alt"),
    )
    show_table(
        [{"scale": view.names[scale], "rater": one.rater, "n": one.n, "judge": one.judge_wins,
          "human": one.human_wins, "p": p_value(one.p_adjusted), "test": one.test or "—"}
         for scale, held in outcome.scales.items() for one in held.humans],
        columns={"scale": word("scale"), "rater": word("left_out"), "n": column("items", "%d"),
                 "judge": column("judge_wins"), "human": column("human_wins"),
                 "p": word("p_adjusted"), "test": word("test")},
        alt=word("judges_alt"),
    )


def verdict(test: AlternativeAnnotator) -> str:
    """Return whether a judge passed, or why that cannot be said."""
    if test.passed is None:
        return translated(test.reason, language()) if test.reason else "—"
    return word("passed" if test.passed else "not_passed")
