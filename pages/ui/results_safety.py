"""Safety flags by system, and scores that were asked for and are missing."""

import streamlit as st

from cbt_core.services.results import POOLED
from pages.ui.reading import of_value
from pages.ui.results_charts import Axis, intervals
from pages.ui.results_view import Row, View, planned, reason, show_table, told, withheld, word
from pages.ui.results_view import number as column


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
    found = view.analysis.safety or {}
    rows: list[Row] = [
        {"panel": word(f"severity_{severity}"), "name": system, "kind": word(rule),
         "value": rate.share.value, "low": rate.wilson_low, "high": rate.wilson_high,
         "count": rate.count, "n": rate.n, "k": k}
        for severity, one in found.items() for system, held in one.systems.items()
        for k in [raters(held.raters_per_answer)]
        for rule, rate in (("by_any", held.by_any), ("by_majority", held.by_majority))
    ]  # fmt: skip
    intervals(rows, axis=Axis(word("axis_flagged"), low=0.0), name="safety",
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
         "any": told(of_value(one.by_any), 3, signed=True),
         "majority": told(of_value(one.by_majority), 3, signed=True)}
        for severity, held in found.items() for one in held.differences
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
          **{key: told(of_value(held.agreement[key])) for key in held.agreement}}
         for severity, held in found.items()],
        columns={"severity": word("flag_severity"), "percent_agreement": word("percent_agreement"),
                 "alpha_nominal": word("alpha_nominal"), "ac1": word("ac1")},
        alt=word("agreement_on_flags"),
    )
    st.caption(word("agreement_on_flags"))


def raters(counts: tuple[int, int, int]) -> str:
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
