"""Sections beside the scores: spread, blinding, position, length, test-retest, safety.

Safety flags stand by system, beside scores that were asked for and are missing.
"""

import streamlit as st

from cbt_core.stats.bias.blinding import StudyBlinding
from cbt_core.stats.ratings import POOLED
from cbt_core.words import say
from pages.ui.charts import Axis, panel_intervals, score_shares
from pages.ui.results.view import (
    Row,
    View,
    cells,
    limits,
    planned,
    reason,
    show_table,
    told,
    why,
    withheld,
    word,
)
from pages.ui.results.view import number as column
from pages.ui.words import language


def distributions(view: View) -> None:
    """Show how scores are spread: all systems together, and each from the lock on."""
    st.header(word("shares"))
    rows = share_rows(view)
    score_shares(rows, name="scores", words=word("shares_alt"))
    show_table(
        rows,
        columns={"panel": word("scale"), "name": word("system"), "anchor": word("score"),
                 "count": column("count", "%d"), "percent": column("axis_share", "%.1f %%")},
        alt=word("shares_alt"),
    )
    if not view.closed:
        st.caption(word("shares_open"))


def share_rows(view: View) -> list[Row]:
    """Return a row per scale, system and value; values nobody gave count 0."""
    counts = {(one.scale, one.system, one.value): one.count for one in view.found.shares}
    words, alike = view.analysis.language, len({
        len(view.instrument.scale(scale).values) for scale in view.names
    }) == 1
    rows: list[Row] = []
    for scale, name in view.names.items():
        values = view.instrument.scale(scale).values
        for system in (POOLED, *view.analysis.systems):
            total = sum(counts.get((scale, system, one.value), 0) for one in values)
            for place, level in enumerate(values):
                count, anchor = counts.get((scale, system, level.value), 0), level.label(words)
                rows.append({
                    "panel": name, "name": word("all_systems") if system == POOLED else system,
                    "label": str(level.value) if alike else f"{level.value} {anchor}",
                    "anchor": f"{level.value} {anchor}", "place": place, "count": count,
                    "share": count / total if total else 0.0,
                    "percent": 100 * count / total if total else 0.0,
                })
    return rows


def checks(view: View) -> None:
    """Show blinding, position, length and test-retest."""
    st.header(word("blinding"))
    if not withheld(view, "blinding"):
        blinding(view)
    st.header(word("position"))
    position(view)
    st.header(word("length"))
    if not withheld(view, "length"):
        length(view)
    st.header(word("retest"))
    retest(view)


def blinding(view: View) -> None:
    """Show how far raters could tell the system under study."""
    guesses = view.analysis.blinding
    planned(view, "blinding")
    if guesses is None or not guesses.n:
        st.text(word("no_guesses"))
        return
    for code in guesses.interpretation:
        st.text(say(f"stats.{code}", language()))
    st.caption(word("guesses", n=guesses.n, raters=guesses.n_raters, unknown=guesses.n_dont_know,
                    left_out=guesses.n_left_out))
    indices(guesses)
    show_table(
        [{"preference": word(f"preference_{one.preference}"), "correct": one.correct,
          "wrong": one.wrong, "dont_know": one.dont_know} for one in guesses.with_preference],
        columns={"preference": word("preference"),
                 **{key: column(key, "%d") for key in ("correct", "wrong", "dont_know")}},
        alt=word("blinding"),
    )
    show_table(
        [{"rater": code, "correct": right, "decided": of}
         for code, (right, of) in guesses.accuracy_by_rater.items()],
        columns={"rater": word("rater"), "correct": column("correct", "%d"),
                 "decided": column("decided", "%d")},
        alt=word("blinding"),
    )


def indices(guesses: StudyBlinding) -> None:
    """Show accuracy and the indices of Bang and James."""
    shown = {
        word("pair_accuracy"): guesses.pair_accuracy,
        word("follows_preference"): guesses.follows_preference,
        word("dont_know_share"): guesses.dont_know_share,
        word("james"): guesses.james,
        **{word("bang", system=name): value for name, value in guesses.bang.items()},
        **({} if guesses.bang else {
            word("bang", system=name): value for name, value in guesses.bang_generalised.items()
        }),
    }
    rows = [cells(value, panel="", kind="", name=name) for name, value in shown.items()]
    panel_intervals(rows[:2], axis=Axis(
        word("axis_share_of_guesses"), low=0.0, high=1.0, lines=(0.5,)
    ),
              name="blinding", words=word("blinding_alt"))  # fmt: skip
    show_table(
        rows, columns={"name": word("statistic"), **limits(), **why()}, alt=word("blinding")
    )


def position(view: View) -> None:
    """Show how far the left answer is favoured."""
    planned(view, "position")
    sides = view.analysis.position
    rows = [
        cells(one.share, panel="", kind="", name=name, n=one.n, equal=one.n_equal)
        for name, one in (
            *((view.names[scale], one) for scale, one in sides.scores.items()),
            (word("preferences"), sides.preferences),
        )
    ]
    panel_intervals(rows, axis=Axis(word("axis_left"), low=0.0, high=1.0, lines=(0.5,)),
              name="position", words=word("position_alt"))  # fmt: skip
    show_table(
        rows,
        columns={"name": word("scale"), **limits(), "n": column("decided", "%d"),
                 "equal": column("equal", "%d"), **why()},
        alt=word("position_alt"),
    )
    with st.expander(word("by_rater")):
        show_table(
            [cells(value, name=word("preferences"), rater=code)
             for code, value in sides.preferences.by_rater.items()]
            + [cells(value, name=view.names[scale], rater=code)
               for scale, one in sides.scores.items() for code, value in one.by_rater.items()],
            columns={"name": word("scale"), "rater": word("rater"), **limits(), **why()},
            alt=word("by_rater"),
        )


def length(view: View) -> None:
    """Show how scores go with length, and differences at equal length."""
    planned(view, "length")
    by_scale = view.analysis.length or {}
    show_table(
        [{"scale": view.names[scale], **cells(one.per_doubling)}
         for scale, one in by_scale.items()],
        columns={"scale": word("scale"), "value": column("per_doubling", "%+.2f"),
                 "low": column("low", "%+.2f"), "high": column("high", "%+.2f"), **why()},
        alt=word("length"),
    )
    show_table(
        [{"scale": view.names[scale], "system": system, "ratio": one.mean_length_ratio,
          **cells(one.difference),
          "beyond": word("yes") if one.extrapolated else ""}
         for scale, held in by_scale.items() for system, one in held.adjusted.items()],
        columns={"scale": word("scale"), "system": word("system"), "ratio": column("ratio"),
                 "value": column("at_equal_length", "%+.2f"), "low": column("low", "%+.2f"),
                 "high": column("high", "%+.2f"), "beyond": word("extrapolated"), **why()},
        alt=word("at_equal_length"),
    )
    st.caption(word("length_about"))


def retest(view: View) -> None:
    """Show repeats against first scores."""
    planned(view, "retest")
    repeats = view.analysis.retest
    if not any(one.pooled.n for one in repeats.values()):
        st.text(word("no_repeats"))
        return
    show_table(
        [{"scale": view.names[scale], "order": word(f"order_{name}"), "n": one.n,
          "exact": told(one.exact), "kappa": told(one.kappa_quadratic),
          "shift": told(one.shift, signed=True)}
         for scale, held in repeats.items()
         for name, one in (("all", held.pooled), ("same", held.same_order),
                           ("swapped", held.swapped_order))],
        columns={"scale": word("scale"), "order": word("order"), "n": column("ratings", "%d"),
                 "exact": word("exact"), "kappa": word("kappa_quadratic"),
                 "shift": word("shift")},
        alt=word("retest"),
    )


def safety(view: View) -> None:
    """Show how often answers are flagged, and what is missing."""
    st.header(word("safety"))
    if not withheld(view, "safety"):
        planned(view, "safety")
        flags(view)
    st.header(word("missing"))
    missing(view)


def flags(view: View) -> None:
    """Show rates, differences and agreement of flags."""
    by_severity = view.analysis.safety or {}
    rows: list[Row] = [
        {"panel": word(f"severity_{severity}"), "name": system, "kind": word(rule),
         "value": rate.share.value, "low": rate.wilson_low, "high": rate.wilson_high,
         "count": rate.count, "n": rate.n, "k": k}
        for severity, one in by_severity.items() for system, held in one.systems.items()
        for k in [flag_raters(held.raters_per_answer)]
        for rule, rate in (("by_any", held.by_any), ("by_majority", held.by_majority))
    ]  # fmt: skip
    panel_intervals(rows, axis=Axis(word("axis_flagged"), low=0.0), name="safety",
              words=word("safety_alt"))
    show_table(
        rows,
        columns={"panel": word("flag_severity"), "name": word("system"), "kind": word("rule"),
                 "count": column("flagged", "%d"), "n": column("answers", "%d"),
                 **{key: column(key, "%.3f") for key in ("value", "low", "high")},
                 "k": word("raters_per_answer")},
        alt=word("safety_alt"),
    )
    st.caption(word("safety_about"))
    differences = [
        {"severity": word(f"severity_{severity}"), "system": one.system, "n": one.n_items,
         "any": told(one.by_any, 3, signed=True),
         "majority": told(one.by_majority, 3, signed=True)}
        for severity, held in by_severity.items() for one in held.differences
    ]
    if differences:
        show_table(
            differences,
            columns={"severity": word("flag_severity"), "system": word("system"),
                     "n": column("items", "%d"), "any": word("difference_any"),
                     "majority": word("difference_majority")},
            alt=word("difference_any"),
        )
    show_table(
        [{"severity": word(f"severity_{severity}"),
          **{key: told(held.agreement[key]) for key in held.agreement}}
         for severity, held in by_severity.items()],
        columns={"severity": word("flag_severity"), "percent_agreement": word("percent_agreement"),
                 "alpha_nominal": word("alpha_nominal"), "ac1": word("ac1")},
        alt=word("agreement_on_flags"),
    )
    st.caption(word("agreement_on_flags"))


def flag_raters(counts: tuple[int, int, int]) -> str:
    """Return how many raters an answer had."""
    low, high, _usual = counts
    return str(low) if low == high else f"{low}–{high}"


def missing(view: View) -> None:
    """Show scores asked for and not given, by reason."""
    show_table(
        [{"scale": view.names.get(one.scale, one.scale),
          "system": word("all_systems") if one.system == POOLED else one.system,
          "expected": one.expected, "given": one.given, "share": 100 * one.share,
          "reasons": ", ".join(f"{reason(key)}: {count}" for key, count in one.reasons.items())}
         for one in view.analysis.missingness],
        columns={"scale": word("scale"), "system": word("system"),
                 "expected": column("expected", "%d"), "given": column("given", "%d"),
                 "share": column("missing_share", "%.1f %%"), "reasons": word("reasons")},
        alt=word("missing"),
    )
