"""Label results: agreement among annotators; after the lock the machine against gold, anchoring."""

from collections.abc import Mapping
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.analysis.labels import Detected, LabelResults
from cbt_core.errors import StudyError
from cbt_core.services.results import study_results
from cbt_core.stats.labels.detection import ENTRIES, IMPLIED, PREVALENCE
from pages.ui import charts, lead
from pages.ui.results import label_rows as reading
from pages.ui.session import database, now, require_lead
from pages.ui.widgets import literal
from pages.ui.words import language, t

FEW_ITEMS: Final = 50
"""Below this, percentile intervals are too narrow (simulated coverage .80-.83 at 25 items)."""

Names = Mapping[str, str]
COUNT: Final = "%d"


def word(key: str) -> str:
    """Return a text of this screen."""
    return t(f"label_results.{key}")


def number(key: str, form: str = "%.2f") -> ColumnConfig:
    """Return a column of numbers whose decimals stand under one another."""
    return st.column_config.NumberColumn(word(key), format=form, width="small")


def figures_table(
    rows: list[reading.Row], *, first: str, alt: str, value: str = "value", **more: ColumnConfig
) -> None:
    """Show values with intervals and reasons; `more` columns stand before the reason."""
    lead.rows_table(
        rows,
        columns={"name": word(first), "value": number(value), "low": number("low"),
                 "high": number("high"), **more, "why": word("undefined")},
        alt=alt,
    )


def agreement(found: LabelResults, names: Names) -> None:
    """Show agreement on whole sets, on characters, and label by label."""
    st.header(word("agreement"))
    body = found.agreement
    st.text(reading.sets_reading(body))
    figures_table(reading.set_rows(body), first="figure", alt=word("sets"))
    count, fewest = reading.span_pairs(body)
    if count:
        st.caption(t("label_results.span_pairs", pairs=count, fewest=fewest))
    if body.n_items < FEW_ITEMS:
        st.caption(t("label_results.few_items", items=body.n_items))
    st.subheader(word("by_label"))
    rows = reading.label_rows(body, names)
    charts.label_intervals(rows, title=word("axis_alpha"), words=word("agreement_alt"))
    lead.rows_table(
        rows,
        columns={"name": word("label"), "prevalence": number("share_given"),
                 "percent": number("percent_agreement"), "value": number("alpha_nominal"),
                 "low": number("low"), "high": number("high"), "ac1": number("ac1"),
                 "why": word("undefined")},
        alt=word("agreement_alt"),
    )
    st.caption(word("interval_about"))
    with st.expander(word("help")):
        for key in ("masi", "label", "ac1", "characters"):
            st.text(word(f"help_{key}"))


def prevalence(found: LabelResults, names: Names) -> None:
    """Show how often labels are given, beside the paper's share."""
    st.header(word("prevalence"))
    charts.label_prevalence(
        reading.prevalence_rows(found.agreement, names), paper=PREVALENCE,
        words=word("prevalence_alt"),
    )
    st.caption(t("label_results.prevalence_about", paper=f"{PREVALENCE:.1%}", n=f"{ENTRIES:,}",
                 any=word("any")))


def together(found: LabelResults, names: Names) -> None:
    """Show which labels come together."""
    counts, used = charts.without_unused_labels(found.together, list(names.values()))
    if not used:
        return
    st.header(word("together"))
    charts.heat_map(
        charts.heat_map_of_rows(counts, used, counts.diagonal()),
        titles=(word("label"), word("label")), words=word("together_alt"), name="labels-together",
    )
    st.caption(word("together_about"))


@st.fragment
def pairs(found: LabelResults, names: Names) -> None:
    """Show what one annotator gave where another gave something, for a pair to choose."""
    st.header(word("pairs"))
    if not found.pairs:
        st.text(word("no_pairs"))
        return
    known = {f"{a} – {b}": (a, b) for a, b in found.pairs}
    chosen = st.selectbox(word("pair"), list(known), key="label-pair")
    a, b = known[chosen]
    counts, used = charts.without_unused_labels(
        found.confusion(a, b), charts.label_names_and_none(names)
    )
    charts.heat_map(
        charts.heat_map_of_rows(counts, used), titles=(a, b), words=word("pair_alt"),
        name="label-pair"
    )
    common = len(found.first[a].keys() & found.first[b].keys())
    st.caption(literal(t("label_results.pair_about", a=a, b=b, n=common, none=word("none"))))
    figures_table(
        reading.kappa_rows(found.agreement, (a, b), names), first="label", alt=word("kappa"),
        value="kappa",
    )


def detection(found: LabelResults, names: Names) -> None:
    """Show every machine against gold."""
    st.header(word("detection"))
    if not found.detected:
        st.text(word("no_detection"))
    for place, one in enumerate(found.detected, start=1):
        machine(one, names, place)


def machine(one: Detected, names: Names, place: int) -> None:
    """Show one machine against gold, the paper's Table 3 beside it."""
    st.subheader(literal(t("label_results.detection_one", name=one.name)))
    rules, flow = one.found.gold_rules, one.found.flow
    st.caption(t("label_results.gold_from", adjudicated=rules.get("adjudicated", 0),
                 majority=rules.get("majority", 0), items=one.found.n_items))
    if flow.get("items_undecided"):
        st.caption(t("label_results.undecided", undecided=flow["items_undecided"],
                     some=flow["items_undecided_any"], labels=one.found.n_items_labels))
    rows = reading.detection_rows(one.found)
    charts.beside_paper(rows, words=word("detection_alt"), name=f"detection-{place}")
    figures_table(rows, first="figure", alt=word("detection_alt"), paper=number("paper"))
    low, high = IMPLIED["precision"]
    st.caption(t("label_results.detection_about", low=f"{low:.2f}", high=f"{high:.2f}"))
    machine_labels(one, names, place)


def machine_labels(one: Detected, names: Names, place: int) -> None:
    """Show which labels a machine finds, misses and mistakes."""
    st.subheader(word("per_label"))
    lead.rows_table(
        reading.detected_label_rows(one.found, names),
        columns={"name": word("label"), "gold": number("in_gold", COUNT),
                 "machine": number("in_machine", COUNT),
                 **{key: number(key) for key in ("precision", "recall", "f1", "kappa")}},
        alt=word("per_label"),
    )
    lead.rows_table(
        reading.average_rows(one.found),
        columns={"name": word("average"),
                 **{key: number(key) for key in ("precision", "recall", "f1")}},
        alt=word("average"),
    )
    counts, used = charts.without_unused_labels(one.matrix, charts.label_names_and_none(names))
    charts.heat_map(
        charts.heat_map_of_rows(counts, used), titles=(word("gold"), word("machine")),
        words=word("matrix_alt"), name=f"detection-labels-{place}",
    )
    st.caption(word("matrix_about"))


def anchoring(found: LabelResults, names: Names) -> None:
    """Show what seeing the machine's labels changed, and what was made of them."""
    st.header(word("anchoring"))
    body = found.anchoring
    if body is None:
        st.text(word("no_anchoring"))
        return
    st.text(reading.effect_reading(body))
    figures_table(reading.shift_rows(body), first="figure", alt=word("anchoring"))
    st.caption(t("label_results.anchoring_about", pairs=body.n_pairs))
    rows = reading.adoption_rows(body, names)
    st.subheader(word("adoption"))
    charts.proposal_answers(
        [{"name": one["name"], "answer": word(key), "order": place, "count": one[key]}
         for one in rows for place, key in enumerate(reading.ANSWERS)],
        words=word("adoption_alt"),
    )  # fmt: skip
    shares = {key: number(key) for key in ("confirmed_rate", "rejected_rate")}
    lead.rows_table(
        rows,
        columns={"name": word("label"), "answered": number("answered", COUNT),
                 **{key: number(key, COUNT) for key in reading.ANSWERS}, **shares,
                 **{key: number(key, COUNT) for key in ("blind", "dropped", "added")}},
        alt=word("adoption_alt"),
    )


person = require_lead()
line = lead.heading(person, word("title"))
try:
    found = study_results.label_results(
        database(), person, slug=line.study.slug, now=now()
    )
except StudyError as error:
    st.info(literal(error.say(language())))
    st.stop()
names = reading.names(found, line.study.language)
st.caption(word(f"stage_{found.stage}"))
st.caption(t(
    "label_results.counts", items=found.agreement.n_items,
    annotators=found.agreement.n_annotators, sets=found.agreement.n_sets,
    unsure=found.agreement.flow.get("unsure", 0),
))  # fmt: skip
if not found.is_blind:
    st.warning(word("not_blind"))
agreement(found, names)
prevalence(found, names)
together(found, names)
pairs(found, names)
if found.stage.is_closed:
    detection(found, names)
    anchoring(found, names)
st.caption(word("signature"))
st.code(found.agreement.signature, language=None, wrap_lines=True)
