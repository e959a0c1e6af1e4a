"""Systems compared, from the lock on: forest plot, tests, Table 5, preferences, what moves it."""

from typing import Final

import streamlit as st

from cbt_core.analysis.paper import SCALES, table_5
from cbt_core.analysis.reading_rules import BothTests, both_tests
from cbt_core.stats.comparison.contrasts import SystemContrast
from cbt_core.stats.values import Value
from pages.ui.charts import Axis, panel_intervals
from pages.ui.results.view import (
    Row,
    View,
    cells,
    limits,
    p_value,
    planned,
    show_table,
    told,
    why,
    withheld,
    word,
)
from pages.ui.results.view import number as column
from pages.ui.widgets import literal

MEAN_DIGITS: Final = 3
"""As the paper prints means."""

Compared = list[tuple[str, SystemContrast]]
"""Every comparison with its scale."""


def comparison(view: View) -> None:
    """Show differences from the reference with intervals, tests and effects."""
    st.header(word("comparison"))
    if withheld(view, "comparison"):
        return
    planned(view, "comparison")
    contrasts = view.analysis.comparison.contrasts if view.analysis.comparison else []
    if not contrasts:
        st.text(word("nothing_to_compare"))
        return
    st.text(word("comparison_reference", reference=view.analysis.reference))
    disagreement(view, contrasts)
    forest(view, contrasts)
    tests(view, contrasts)
    table_five(view)
    preferences(view)
    standing(view)


def named(view: View, scale: str, contrast: SystemContrast) -> str:
    """Return what a comparison is called: the scale, and the system where there are several."""
    several = len(view.analysis.systems) > 2
    return f"{view.names[scale]} · {contrast.system}" if several else view.names[scale]


def disagreement(view: View, contrasts: Compared) -> None:
    """Say first where the two tests disagree: the crossed one is then to be believed."""
    verdict = both_tests([one for _, one in contrasts])
    if verdict is BothTests.DISAGREE:
        apart = [named(view, scale, one) for scale, one in contrasts if one.tests_disagree]
        st.warning(literal(word("tests_disagree", which="; ".join(apart))))
    else:
        st.caption(word(f"tests_{verdict}"))


def forest(view: View, contrasts: Compared) -> None:
    """Draw both differences of every comparison around the line of no difference."""
    rows = [
        cells(value, panel="", name=named(view, scale, one), kind=word(key))
        for scale, one in contrasts
        for key, value in (("difference", one.difference),
                           ("difference_crossed", one.difference_crossed))
    ]
    margin = view.found.margin
    panel_intervals(
        rows, name="comparison", words=word("comparison_alt"),
        axis=Axis(word("axis_difference", reference=view.analysis.reference), lines=(0.0,),
                  margins=() if margin is None else (-margin, margin), form="+.2~f"),
    )
    st.caption(word("no_margin") if margin is None else word("margin", margin=f"{margin:g}"))


def tests(view: View, contrasts: Compared) -> None:
    """Show every comparison's tests and effects."""
    p = {key: word(key) for key in ("permutation_p", "p_holm", "wilcoxon_p", "crossed_p")}
    show_table(
        [tested(view, scale, one) for scale, one in contrasts],
        columns={"scale": word("scale"), "system": word("system"), "primary": word("primary"),
                 "items": column("items", "%d"), "difference": word("difference"),
                 "crossed": word("difference_crossed"), **p,
                 "rank_biserial": word("rank_biserial"), "superiority": word("superiority"),
                 "why": word("undefined")},
        alt=word("comparison_alt"),
    )
    st.caption(word("comparison_about"))


def tested(view: View, scale: str, effect: SystemContrast) -> Row:
    """Return one comparison as a row."""
    return {
        "scale": view.names[scale], "system": effect.system,
        "primary": word("yes") if effect.primary else "", "items": effect.n_items,
        "difference": told(effect.difference, signed=True),
        "crossed": told(effect.difference_crossed, signed=True),
        "permutation_p": p_value(effect.permutation_p), "p_holm": p_value(effect.p_holm),
        "wilcoxon_p": p_value(effect.wilcoxon_p), "crossed_p": p_value(effect.difference_crossed.p),
        "rank_biserial": told(effect.rank_biserial_interval, signed=True),
        "superiority": told(effect.superiority_interval), "why": cells(effect.difference)["why"],
    }


def table_five(view: View) -> None:
    """Show means in the form of the paper's Table 5, its known cells beside ours."""
    st.subheader(word("table_5"))
    ordered = [scale for scale in view.names if scale not in view.analysis.nominal]
    compared = view.analysis.comparison
    rows: list[Row] = [
        {"model": system, **{
            scale: mean(compared.scales[scale].systems[system].mean) for scale in ordered
        }}
        for system in view.analysis.systems
    ] if compared else []  # fmt: skip
    if set(ordered) & set(SCALES):
        rows += [
            {"model": word("of_paper", model=paper.model),
             **{scale: published(paper.means.get(scale), scale) for scale in ordered}}
            for paper in table_5()
        ]
    show_table(
        rows, columns={"model": word("system"), **{one: view.names[one] for one in ordered}},
        alt=word("table_5"),
    )
    st.caption(word("table_5_about"))


def mean(average: Value) -> str:
    """Return a mean with its interval, as many digits as the paper prints."""
    return "—" if average.value is None else told(average, MEAN_DIGITS)


def published(value: float | None, scale: str) -> str:
    """Return a cell of the paper: known, not published here, or no scale of its own."""
    if scale not in SCALES:
        return "—"
    return word("not_published") if value is None else f"{value:.{MEAN_DIGITS}f}"


def preferences(view: View) -> None:
    """Show overall preferences as shares against the reference."""
    strengths = view.analysis.bradley_terry
    if strengths is None or not strengths.n:
        return
    st.subheader(word("preferences"))
    planned(view, "bradley_terry")
    if strengths.reason:
        st.caption(literal(str(cells(strengths.position)["why"] or strengths.reason)))
    counts = {one.system: one for one in strengths.strengths}
    rows = [
        cells(value, panel="", kind="", name=system, preferred=counts[system].preferred,
              tied=counts[system].tied, n=counts[system].n)
        for system, value in strengths.preferred_over_reference.items()
    ]
    panel_intervals(rows, axis=Axis(word("axis_preferred", reference=strengths.reference), low=0.0,
                              high=1.0, lines=(0.5,)),
              name="preferences", words=word("preferences_about"))  # fmt: skip
    show_table(
        rows,
        columns={"name": word("system"), **limits(), "preferred": column("preferred", "%d"),
                 "tied": column("tied", "%d"), "n": column("tasks", "%d"), **why()},
        alt=word("preferences"),
    )
    st.caption(word("preferences_about"))


def standing(view: View) -> None:
    """Show what becomes of differences without a rater, with missing scores worst or best."""
    st.subheader(word("standing"))
    left_out = {(one.scale, one.system): one
                for one in view.analysis.sensitivity.leave_one_rater_out}
    rows: list[Row] = []
    for bound in view.analysis.missing_bounds or ():
        span = left_out.get((bound.scale, bound.system))
        rows.append({
            "scale": view.names[bound.scale], "system": bound.system, "observed": bound.observed,
            "low": span.low if span else None, "low_without": span.low_without if span else "—",
            "high": span.high if span else None, "high_without": span.high_without if span else "—",
            "worst": bound.worst, "best": bound.best, "incomplete": bound.n_incomplete,
        })
    signed = {key: column(key, "%+.2f") for key in ("observed", "worst", "best")}
    show_table(
        rows,
        columns={"scale": word("scale"), "system": word("system"), "observed": signed["observed"],
                 "low": column("least_without", "%+.2f"), "low_without": word("without"),
                 "high": column("most_without", "%+.2f"), "high_without": word("without"),
                 "incomplete": column("incomplete", "%d"),
                 "worst": signed["worst"], "best": signed["best"]},
        alt=word("standing"),
    )
    variants(view)
    st.caption(word("standing_about"))


def variants(view: View) -> None:
    """Show the same figures on the other sets of ratings, where any differs."""
    sets = view.analysis.sensitivity.variants
    if len({one.name for one in sets}) < 2:
        return
    show_table(
        [
            {"set": word(f"set_{one.name}"), "scale": view.names[one.scale], "n": one.n_ratings,
             "alpha": told(one.alpha), "system": system,
             "difference": told(value, signed=True)}
            for one in sets for system, value in (one.differences or {"": one.alpha}).items()
            if system
        ],
        columns={"set": word("set"), "scale": word("scale"), "system": word("system"),
                 "n": column("ratings", "%d"), "alpha": word("alpha_ordinal"),
                 "difference": word("difference")},
        alt=word("set"),
    )
