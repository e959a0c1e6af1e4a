"""Results: pooled agreement before the lock, distributions after it, systems once unblinded."""

from collections.abc import Mapping
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.domain.instrument import Instrument
from cbt_core.domain.study import Stage
from cbt_core.errors import StudyError
from cbt_core.services import results, score_overview
from cbt_core.services.results import POOLED, Results
from cbt_core.services.score_overview import Scores
from cbt_core.stats.reasons import translated
from pages.ui import charts, lead
from pages.ui.reading import Figure, Stats, figure, reading
from pages.ui.session import database, now, require_lead
from pages.ui.widgets import literal, plain
from pages.ui.wording import language, t

STATISTICS: Final = ("percent_agreement", "alpha_ordinal", "ac2_quadratic")
FEW_ITEMS: Final = 50
"""Below this, percentile intervals are too narrow (simulated coverage .80-.83 at 25 items)."""


def number_column(title: str, form: str = "%.2f") -> ColumnConfig:
    """Return a column of numbers whose decimals stand under one another."""
    return st.column_config.NumberColumn(title, format=form, width="small")


def scale_names(instrument: Instrument, words: str) -> dict[str, str]:
    """Return the scales' names by id."""
    return {scale.id: scale.name(words) for scale in instrument.scales}


def agreement(found: Results, names: Mapping[str, str]) -> None:
    """Show pooled agreement: what it says, the chart, the numbers."""
    st.header(t("results.agreement"))
    stats = {scale: Stats.of(found.agreement, scale, POOLED) for scale in names}
    held = {scale: one for scale, one in stats.items() if one is not None}
    for scale, one in held.items():
        plain(f"{names[scale]}: {reading(one)}", key=f"reading-{scale}")
    items = max((one.items for one in held.values()), default=0)
    if items < FEW_ITEMS:
        st.caption(t("results.few_items", items=items))
    rows = [
        row(figure(one.body, key), scale=names[scale], statistic=t(f"results.{key}"))
        for scale, one in held.items() for key in STATISTICS
    ]
    charts.agreement_chart(rows)
    lead.rows_table(
        [{**row_, "n": held[scale].ratings}
         for row_, scale in zip(rows, [s for s in held for _ in STATISTICS], strict=True)],
        columns={"scale": t("results.scale"), "statistic": t("results.statistic"),
                 "value": number_column(t("results.value")), "low": number_column(t("results.low")),
                 "high": number_column(t("results.high")),
                 "n": number_column(t("results.ratings"), "%d"), "why": t("results.undefined")},
        alt=t("results.agreement_alt"),
    )
    st.caption(t("results.pooled_about"))
    with st.expander(t("results.help")):
        for part in ("percent", "alpha", "ac2", "paradox", "interval"):
            st.text(t(f"results.help_{part}"))


def row(one: Figure, **words: str) -> dict[str, object]:
    """Return a figure as a line of a table; an undefined one has its reason."""
    why = translated(one.reason, language()) if one.reason else ""
    return {**words, "value": one.value, "low": one.low, "high": one.high, "why": why}


def pairs(found: Results, names: Mapping[str, str]) -> None:
    """Show the quadratic kappa of every pair of raters."""
    st.header(t("results.pairs"))
    rows = []
    for scale, name in names.items():
        stats = Stats.of(found.agreement, scale, POOLED)
        for pair in stats.pairs if stats else ():
            rows.append({
                "scale": name, "a": str(pair["a"]), "b": str(pair["b"]), "n": pair["n"],
                **row(figure(pair, "kappa_quadratic")),
            })
    if not rows:
        st.text(t("results.no_pairs"))
        return
    lead.rows_table(
        rows,
        columns={"scale": t("results.scale"), "a": t("results.rater"), "b": t("results.rater_b"),
                 "n": number_column(t("results.common"), "%d"),
                 "value": number_column(t("results.kappa_quadratic")),
                 "low": number_column(t("results.low")), "high": number_column(t("results.high")),
                 "why": t("results.undefined")},
        alt=t("results.pairs"),
    )


def raters(scores: Scores, names: Mapping[str, str]) -> None:
    """Show how many scores each rater gave and their mean, over all systems."""
    st.header(t("results.raters"))
    by_code: dict[str, dict[str, object]] = {}
    counts: dict[str, int] = {}
    for one in scores.raters:
        mine = by_code.setdefault(one.code, {"code": one.code, "n": 0})
        mine["n"] = counts[one.code] = counts.get(one.code, 0) + one.n
        mine[one.scale] = one.mean
    columns: dict[str, str | ColumnConfig] = {
        "code": t("results.rater"), "n": number_column(t("results.ratings"), "%d"),
        **{scale: number_column(name) for scale, name in names.items()},
    }
    lead.rows_table(
        [{key: mine.get(key) for key in columns} for mine in by_code.values()], columns=columns,
        alt=t("results.raters"),
    )
    st.caption(t("results.raters_about"))


def shares(found: Results, words: str) -> None:
    """Show how the scores are spread, over all systems."""
    st.header(t("results.shares"))
    rows = []
    for scale in found.instrument.scales:
        counts = found.distributions.get(scale.id, {})
        total = sum(counts.values())
        for place, value in enumerate(scale.values):
            count = counts.get(value.value, 0)
            rows.append({
                "scale": scale.name(words), "label": f"{value.value} {value.label(words)}",
                "count": count, "share": count / total if total else 0.0, "place": place,
            })
    if len({len(scale.values) for scale in found.instrument.scales}) == 1:
        for one in rows:  # one legend for all: the values, each scale's words stand in the table
            one["label"] = str(one["label"]).split(" ", 1)[0]
    charts.shares_chart(rows)


def systems(found: Results, scores: Scores, names: Mapping[str, str]) -> None:
    """Show means by system with intervals, and agreement by system: only once unblinded."""
    st.header(t("results.systems"))
    scales = {scale.id: scale for scale in found.instrument.scales}
    rows = [
        {"scale": names[one.scale], "system": one.system, "n": one.n_items, "mean": one.mean,
         "low": one.low, "high": one.high,
         "why": translated(one.reason, language()) if one.reason else ""}
        for one in scores.systems
    ]
    if rows:
        ends = [value.value for one in scores.systems for value in scales[one.scale].values]
        charts.systems_chart(rows, low=min(ends), high=max(ends))
    lead.rows_table(
        rows,
        columns={"scale": t("results.scale"), "system": t("results.system"),
                 "n": number_column(t("results.items"), "%d"),
                 "mean": number_column(t("results.mean")), "low": number_column(t("results.low")),
                 "high": number_column(t("results.high")), "why": t("results.undefined")},
        alt=t("results.systems_alt"),
    )
    st.caption(t("results.systems_about"))
    agreement_by_system(found, names)


def agreement_by_system(found: Results, names: Mapping[str, str]) -> None:
    """Show the agreement figures within each system."""
    st.subheader(t("results.by_system"))
    rows = []
    for scale, name in names.items():
        for system in found.names:
            stats = Stats.of(found.agreement, scale, system)
            if stats is None:
                continue
            rows.append({
                **row(figure(stats.body, "alpha_ordinal"), scale=name, system=system),
                "percent": figure(stats.body, "percent_agreement").value,
                "ac2": figure(stats.body, "ac2_quadratic").value, "n": stats.ratings,
            })
    lead.rows_table(
        rows,
        columns={"scale": t("results.scale"), "system": t("results.system"),
                 "n": number_column(t("results.ratings"), "%d"),
                 "percent": number_column(t("results.percent_agreement")),
                 "ac2": number_column(t("results.ac2_quadratic")),
                 "value": number_column(t("results.alpha_ordinal")),
                 "low": number_column(t("results.low")), "high": number_column(t("results.high")),
                 "why": t("results.undefined")},
        alt=t("results.by_system"),
    )


person = require_lead()
line = lead.heading(person, t("results.title"))
try:
    found = results.pooled(database(), person, slug=line.study.slug, now=now())
    scores = score_overview.scores(database(), person, slug=line.study.slug, now=now())
except StudyError as error:
    st.info(literal(error.say(language())))
    st.stop()
words = line.study.language
rated = found.agreement.get("scales")
names = {scale: name for scale, name in scale_names(found.instrument, words).items()
         if isinstance(rated, dict) and scale in rated}
st.caption(t(f"results.stage_{found.stage}"))
if found.stage == Stage.UNBLINDED:
    systems(found, scores, names)
agreement(found, names)
if found.stage in {Stage.LOCKED, Stage.UNBLINDED}:
    shares(found, words)
raters(scores, names)
pairs(found, names)
st.caption(t("results.signature"))
st.code(str(found.agreement.get("signature", "")), language=None, wrap_lines=True)
