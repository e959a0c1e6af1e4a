"""Label results: annotators' agreement, what a machine's labels did, machine against gold."""

from collections.abc import Mapping
from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cbt_core.analysis.labels import Detected, LabelResults
from cbt_core.analysis.reading_rules import benchmark, shift
from cbt_core.errors import StudyError
from cbt_core.services.results import study_results
from cbt_core.stats.labels.anchoring import Anchoring
from cbt_core.stats.labels.annotators import LabelAgreement, LabelsAgreement
from cbt_core.stats.labels.detection import ENTRIES, IMPLIED, PREVALENCE, TABLE_3, Detection
from cbt_core.stats.labels.label_sets import translated
from cbt_core.stats.values import Framed
from pages.ui import charts, lead
from pages.ui.session import database, now, require_lead
from pages.ui.widgets import literal
from pages.ui.words import language, t

Row = dict[str, object]
DETECTION: Final = ("accuracy", "precision", "recall", "specificity", "f1", "kappa")
ANSWERS: Final = ("confirmed", "changed", "rejected")


def label_names(analysis: LabelResults, words: str) -> dict[str, str]:
    """Return the labels' names by id."""
    return {label.id: label.name(words) for label in analysis.scheme.labels}


def row(figure: Framed, **words: object) -> Row:
    """Return a figure as a line of a table; an undefined one has its reason."""
    why = translated(figure.reason, language()) if figure.reason else ""
    return {**words, "value": figure.value, "low": figure.low, "high": figure.high, "why": why}


def set_rows(agreement: LabelsAgreement) -> list[Row]:
    """Return alpha of whole sets, and of characters where spans were marked."""
    whole = agreement.spans.whole
    figures = {
        "alpha_masi": agreement.alpha_masi, "alpha_jaccard": agreement.alpha_jaccard,
        "char_alpha": whole.char_alpha, "char_f1_pooled": whole.char_f1_pooled,
        "char_f1": whole.char_f1,
    }
    return [row(one, name=t(f"label_results.{key}")) for key, one in figures.items()]


def span_pairs(agreement: LabelsAgreement) -> tuple[int, int]:
    """Return how many pairs of annotators share items with spans, and the fewest items shared."""
    pairs = agreement.spans.pairs
    return len(pairs), min((one.n for one in pairs), default=0)


def named(agreement: LabelsAgreement, labels: Mapping[str, str]) -> dict[str, LabelAgreement]:
    """Return "any" and every label of the scheme by name."""
    any_label = {t("label_results.any"): agreement.any}
    return any_label | {name: agreement.labels[key] for key, name in labels.items()}


def label_rows(agreement: LabelsAgreement, labels: Mapping[str, str]) -> list[Row]:
    """Return the figures of "any" and of every label; value, low, high are those of alpha."""
    return [
        {**row(one.alpha, name=name), "prevalence": one.prevalence.value,
         "percent": one.percent_agreement.value, "ac1": one.ac1.value}
        for name, one in named(agreement, labels).items()
    ]


def prevalence_rows(agreement: LabelsAgreement, labels: Mapping[str, str]) -> list[Row]:
    """Return how often "any" (`whole`) and every label is given, with the interval."""
    return [
        {"name": name, "value": one.prevalence.value, "low": one.prevalence.low,
         "high": one.prevalence.high, "whole": one is agreement.any}
        for name, one in named(agreement, labels).items()
    ]


def kappa_rows(
    agreement: LabelsAgreement, pair: tuple[str, str], labels: Mapping[str, str]
) -> list[Row]:
    """Return kappa of one pair of annotators, label by label."""
    return [
        row(pair_figures.kappa, name=name)
        for name, one in named(agreement, labels).items()
        if (pair_figures := one.kappa_of(*pair)) is not None
    ]


def detection_rows(figures: Detection) -> list[Row]:
    """Return our figures of "any distortion" with the paper's beside them."""
    return [
        {**row(figures.binary.values[key], name=t(f"label_results.{key}")),
         "paper": TABLE_3.get(key)}
        for key in DETECTION
    ]


def detected_label_rows(figures: Detection, labels: Mapping[str, str]) -> list[Row]:
    """Return counts and figures of every label."""
    return [
        {"name": name, "gold": cells.in_gold, "machine": cells.in_model,
         **{key: scores.values[key].value for key in ("precision", "recall", "f1", "kappa")}}
        for label, name in labels.items()
        if (cells := (scores := figures.per_label[label]).cells) is not None
    ]


def average_rows(figures: Detection) -> list[Row]:
    """Return the figures over all labels together."""
    return [
        {"name": t(f"label_results.{key}"),
         **{measure: one.values[measure].value for measure in ("precision", "recall", "f1")}}
        for key, one in figures.averages.items()
    ]


def shift_rows(rounds: Anchoring) -> list[Row]:
    """Return what changed between the rounds, with intervals."""
    figures = {
        "effect": rounds.effect, "similarity_before": rounds.similarity_before,
        "similarity_after": rounds.similarity_after, "alpha_before": rounds.alpha_before,
        "alpha_after": rounds.alpha_after, "alpha_difference": rounds.alpha_difference,
        "blind_dropped": rounds.blind_dropped, "machine_adopted": rounds.machine_adopted,
    }
    return [row(one, name=t(f"label_results.{key}")) for key, one in figures.items()]


def adoption_rows(rounds: Anchoring, labels: Mapping[str, str]) -> list[Row]:
    """Return what was made of the proposals of every label that was proposed or given."""
    held = {name: rounds.labels[label].adoption for label, name in labels.items()}
    return [
        {"name": name, "answered": one.answered, "confirmed": one.confirmed,
         "changed": one.changed, "rejected": one.rejected,
         "confirmed_rate": one.confirmed_rate, "rejected_rate": one.rejected_rate,
         "blind": one.blind, "dropped": one.dropped, "added": one.added}
        for name, one in held.items() if one.answered or one.blind or one.added
    ]


def sets_reading(agreement: LabelsAgreement) -> str:
    """Return one sentence on alpha over label sets."""
    alpha = agreement.alpha_masi
    if alpha.value is None:
        reason = translated(alpha.reason or "", language())
        return t("label_results.read_nothing", reason=reason)
    return t(f"label_results.read_{benchmark(alpha.value)}", alpha=f"{alpha.value:.2f}")


def effect_reading(anchoring: Anchoring) -> str:
    """Return one sentence on the anchoring effect; an interval that holds 0 decides nothing."""
    effect = anchoring.effect
    key = f"label_results.read_effect_{shift(effect)}"
    if effect.value is None:
        return t(key, reason=translated(effect.reason or "", language()))
    return t(key, effect=f"{effect.value:+.2f}")


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
    rows: list[Row], *, first: str, alt: str, value: str = "value", **more: ColumnConfig
) -> None:
    """Show values with intervals and reasons; `more` columns stand before the reason."""
    lead.rows_table(
        rows,
        columns={"name": word(first), "value": number(value), "low": number("low"),
                 "high": number("high"), **more, "why": word("undefined")},
        alt=alt,
    )


def agreement(analysis: LabelResults, names: Names) -> None:
    """Show agreement on whole sets, on characters, and label by label."""
    st.header(word("agreement"))
    body = analysis.agreement
    st.text(sets_reading(body))
    figures_table(set_rows(body), first="figure", alt=word("sets"))
    count, fewest = span_pairs(body)
    if count:
        st.caption(t("label_results.span_pairs", pairs=count, fewest=fewest))
    if body.n_items < FEW_ITEMS:
        st.caption(t("label_results.few_items", items=body.n_items))
    st.subheader(word("by_label"))
    rows = label_rows(body, names)
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


def prevalence(analysis: LabelResults, names: Names) -> None:
    """Show how often labels are given, beside the paper's share."""
    st.header(word("prevalence"))
    charts.label_prevalence(
        prevalence_rows(analysis.agreement, names), paper=PREVALENCE,
        words=word("prevalence_alt"),
    )
    st.caption(t("label_results.prevalence_about", paper=f"{PREVALENCE:.1%}", n=f"{ENTRIES:,}",
                 any=word("any")))


def together(analysis: LabelResults, names: Names) -> None:
    """Show which labels come together."""
    counts, used = charts.without_unused_labels(analysis.together, list(names.values()))
    if not used:
        return
    st.header(word("together"))
    charts.heat_map(
        charts.heat_map_of_rows(counts, used, counts.diagonal()),
        titles=(word("label"), word("label")), words=word("together_alt"), name="labels-together",
    )
    st.caption(word("together_about"))


@st.fragment
def pairs(analysis: LabelResults, names: Names) -> None:
    """Show what one annotator gave where another gave something, for a pair to choose."""
    st.header(word("pairs"))
    if not analysis.pairs:
        st.text(word("no_pairs"))
        return
    known = {f"{a} – {b}": (a, b) for a, b in analysis.pairs}
    chosen = st.selectbox(word("pair"), list(known), key="label-pair")
    a, b = known[chosen]
    counts, used = charts.without_unused_labels(
        analysis.confusion(a, b), charts.label_names_and_none(names)
    )
    charts.heat_map(
        charts.heat_map_of_rows(counts, used), titles=(a, b), words=word("pair_alt"),
        name="label-pair"
    )
    common = len(analysis.first[a].keys() & analysis.first[b].keys())
    st.caption(literal(t("label_results.pair_about", a=a, b=b, n=common, none=word("none"))))
    figures_table(
        kappa_rows(analysis.agreement, (a, b), names), first="label", alt=word("kappa"),
        value="kappa",
    )


def detection(analysis: LabelResults, names: Names) -> None:
    """Show every machine against gold."""
    st.header(word("detection"))
    if not analysis.detected:
        st.text(word("no_detection"))
    for place, detected in enumerate(analysis.detected, start=1):
        machine(detected, names, place)


def machine(detected: Detected, names: Names, place: int) -> None:
    """Show one machine against gold, the paper's Table 3 beside it."""
    st.subheader(literal(t("label_results.detection_one", name=detected.name)))
    rules, flow = detected.found.gold_rules, detected.found.flow
    st.caption(t("label_results.gold_from", adjudicated=rules.get("adjudicated", 0),
                 majority=rules.get("majority", 0), items=detected.found.n_items))
    if flow.get("items_undecided"):
        st.caption(t("label_results.undecided", undecided=flow["items_undecided"],
                     some=flow["items_undecided_any"], labels=detected.found.n_items_labels))
    rows = detection_rows(detected.found)
    charts.beside_paper(rows, words=word("detection_alt"), name=f"detection-{place}")
    figures_table(rows, first="figure", alt=word("detection_alt"), paper=number("paper"))
    low, high = IMPLIED["precision"]
    st.caption(t("label_results.detection_about", low=f"{low:.2f}", high=f"{high:.2f}"))
    machine_labels(detected, names, place)


def machine_labels(detected: Detected, names: Names, place: int) -> None:
    """Show which labels a machine finds, misses and mistakes."""
    st.subheader(word("per_label"))
    lead.rows_table(
        detected_label_rows(detected.found, names),
        columns={"name": word("label"), "gold": number("in_gold", COUNT),
                 "machine": number("in_machine", COUNT),
                 **{key: number(key) for key in ("precision", "recall", "f1", "kappa")}},
        alt=word("per_label"),
    )
    lead.rows_table(
        average_rows(detected.found),
        columns={"name": word("average"),
                 **{key: number(key) for key in ("precision", "recall", "f1")}},
        alt=word("average"),
    )
    counts, used = charts.without_unused_labels(detected.matrix, charts.label_names_and_none(names))
    charts.heat_map(
        charts.heat_map_of_rows(counts, used), titles=(word("gold"), word("machine")),
        words=word("matrix_alt"), name=f"detection-labels-{place}",
    )
    st.caption(word("matrix_about"))


def anchoring(analysis: LabelResults, names: Names) -> None:
    """Show what seeing the machine's labels changed, and what was made of them."""
    st.header(word("anchoring"))
    body = analysis.anchoring
    if body is None:
        st.text(word("no_anchoring"))
        return
    st.text(effect_reading(body))
    figures_table(shift_rows(body), first="figure", alt=word("anchoring"))
    st.caption(t("label_results.anchoring_about", pairs=body.n_pairs))
    rows = adoption_rows(body, names)
    st.subheader(word("adoption"))
    charts.proposal_answers(
        [{"name": one["name"], "answer": word(key), "order": place, "count": one[key]}
         for one in rows for place, key in enumerate(ANSWERS)],
        words=word("adoption_alt"),
    )  # fmt: skip
    shares = {key: number(key) for key in ("confirmed_rate", "rejected_rate")}
    lead.rows_table(
        rows,
        columns={"name": word("label"), "answered": number("answered", COUNT),
                 **{key: number(key, COUNT) for key in ANSWERS}, **shares,
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
names = label_names(found, line.study.language)
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
