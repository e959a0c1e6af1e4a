"""What was found: the summary in plain words, and facts about results for the checklists.

Numbers that came out, agreement, comparison, what is missing.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from cbt_core.analysis.machine import main_names
from cbt_core.analysis.reading_rules import BothTests, both_tests, difference_verdict
from cbt_core.domain.instrument import Text
from cbt_core.report.blocks import Figure, Points, Section, Words, figure
from cbt_core.report.paragraphs import limits
from cbt_core.report.sheet import (
    Fact,
    Sheet,
    Told,
    View,
    answered,
    authors,
    comparisons,
    date,
    has_crossed,
    has_pairs,
    instrument_line,
    interval,
    listed,
    missing_counts,
    not_applicable,
    percent,
    said,
    scale_line,
    scale_name,
    setting,
    stratum_name,
)
from cbt_core.stats.comparison.contrasts import Comparison, SystemContrast


def summary(sheet: Sheet) -> Section:
    """Return what was found, in plain words; first whether the two tests disagree."""
    sentences = [
        *_comparisons(sheet), *_agreement(sheet), *_safety(sheet), *_missing(sheet),
        *_form(sheet), _plan(sheet),
    ]
    return sheet.section("summary", [_disagreement(sheet), Points(tuple(sentences))])


def _disagreement(sheet: Sheet) -> Words:
    compared = sheet.analysis.comparison
    if compared is None:
        return Words(_no_comparison(sheet), "strong")
    verdict = both_tests([one for _, one in compared.contrasts])
    if verdict is not BothTests.DISAGREE:
        return Words(sheet.w(TESTS[verdict]), "strong")
    disagree = [
        sheet.w("disagree_one", scale=sheet.scale(scale), system=one.system)
        for scale, one in compared.contrasts if one.tests_disagree
    ]
    return Words(sheet.w("disagree", where=sheet.list(disagree)), "strong")


TESTS: Final = {BothTests.UNTESTED: "disagree_untested", BothTests.AGREE: "disagree_none"}


def _no_comparison(sheet: Sheet) -> str:
    if sheet.closed("comparison"):
        return sheet.w("summary_closed")
    return sheet.w("summary_one_system")


def _comparisons(sheet: Sheet) -> Iterator[str]:
    contrasts = sheet.analysis.comparison.contrasts if sheet.analysis.comparison else []
    for scale, contrast in sorted(contrasts, key=lambda pair: not pair[1].primary):
        yield _compared(sheet, scale, contrast)


def _compared(sheet: Sheet, scale: str, contrast: SystemContrast) -> str:
    difference = figure(contrast.difference)
    kind = "kind_primary" if contrast.primary else "kind_secondary"
    if difference.value is None:
        return sheet.w("summary_undefined", scale=sheet.scale(scale), system=contrast.system,
                       reason=sheet.reason(difference.reason))
    return sheet.w(
        "summary_compared", scale=sheet.scale(scale), system=contrast.system,
        kind=sheet.w("kind_masked" if sheet.analysis.masked else kind),
        reference=sheet.analysis.reference, difference=sheet.told(difference),
        crossed=sheet.told(figure(contrast.difference_crossed)),
        verdict=sheet.w(f"verdict_{difference_verdict(contrast)}"),
    )


def _agreement(sheet: Sheet) -> Iterator[str]:
    for scale in sheet.analysis.agreement.scales:
        pooled = sheet.analysis.agreement.pooled(scale)
        yield sheet.w(
            "summary_agreement", scale=sheet.scale(scale),
            percent=sheet.told(figure(pooled.percent_agreement, "share")),
            alpha=sheet.told(figure(pooled.alpha)), name=pooled.ac_name,
            ac=sheet.told(figure(pooled.ac)),
        )


def _safety(sheet: Sheet) -> Iterator[str]:
    serious = (sheet.analysis.safety or {}).get("serious")
    if serious is None:
        return
    phrases = [
        sheet.w("summary_flagged", system=name, count=one.by_any.count, n=one.by_any.n)
        for name, one in serious.systems.items()
    ]
    yield sheet.w("summary_safety", told=sheet.list(phrases))


def _missing(sheet: Sheet) -> Iterator[str]:
    expected = sum(one.expected for one in sheet.analysis.missingness)
    given = sum(one.given for one in sheet.analysis.missingness)
    if expected:
        share = sheet.told(Figure(1 - given / expected, form="share"))
        yield sheet.w("summary_missing", missing=expected - given, expected=expected, share=share)


def _form(sheet: Sheet) -> Iterator[str]:
    for pair in sheet.context.gates.telling if sheet.context.gates else ():
        if pair.told:
            yield sheet.w("summary_form", a=pair.first, b=pair.second,
                          auc=sheet.told(figure(pair.auc)))


def _plan(sheet: Sheet) -> str:
    count = len(sheet.context.deviations)
    key = "summary_plan_before" if sheet.analysis.registered.before else "summary_plan_changed"
    return sheet.w(key, deviations=count)


def actual_numbers(view: View) -> Told:
    """Return how many items, raters, tasks and repeats there were in fact."""
    flow = view.analysis.flow
    return answered(
        said("actual", items=flow.items.analysed, imported=flow.items.imported,
             raters=flow.raters.analysed, scored=flow.tasks.scored, assigned=flow.tasks.assigned,
             analysed=flow.tasks.analysed),
        said("actual_repeats", count=flow.tasks.other.get("repeat", 0)),
    )


def flow(view: View) -> Told:
    """Return the flow of items and raters; times of the first and last rating."""
    items, tasks = view.analysis.flow.items, view.analysis.flow.tasks
    first, last = date(view.context.first_rating_at), date(view.context.last_rating_at)
    return answered(
        said("flow", imported=items.imported, withdrawn=len(items.withdrawn),
             excluded=len(items.excluded), assigned=items.assigned, rated=items.rated,
             analysed=items.analysed),
        said("flow_tasks", assigned=tasks.assigned, scored=tasks.scored,
             skipped=sum(tasks.skipped.values()), open=tasks.not_done,
             released=tasks.released + tasks.withdrawn),
        said("flow_dates", first=first, last=last) if first and last else None,
    )


def statistics(view: View) -> Told:
    """Return the statistics that were used, with their sources, intervals and seed."""
    return answered(agreement_method(view), *comparison_methods(view), interval_method(view))


def agreement_method(view: View) -> Text:
    """Return by which statistics agreement is measured."""
    ordered = any(one not in view.analysis.nominal for one in view.analysis.scales)
    return said("agreement_ordinal" if ordered else "agreement_nominal")


def comparison_methods(view: View) -> Iterator[Text]:
    """Yield how systems are compared, as far as they were."""
    compared = view.analysis.comparison
    if compared is None:
        return
    if not has_pairs(view):
        yield said("unpaired")
        return
    yield said("comparison")
    yield said("effects")
    if has_crossed(view):
        yield said("crossed")
    family = compared.family_size
    if family > 1:
        yield said("holm", family=family)
    elif family == 1:
        yield said("no_family")
    if view.analysis.primary is not None:
        yield said("primary_apart")


def interval_method(view: View) -> Text:
    """Return how intervals were made; `boot` 0 makes none."""
    replicates, seed = setting(view, "boot"), setting(view, "seed")
    if replicates in ("", "0"):
        return said("no_intervals")
    return said("intervals", replicates=replicates, seed=seed)


def agreement_figures(view: View) -> Told:
    """Return percent agreement, alpha and AC of every scale, by system where told apart."""
    lines = [one for scale in view.analysis.scales for one in agreement_lines(view, scale)]
    if not lines:
        return authors(said("no_scores"))
    return answered(said("figures", figures=listed(lines, many=True)))


def agreement_lines(view: View, scale: str) -> list[Text]:
    """Return one line per stratum of a scale."""
    return [
        said(f"line_{'nominal' if one.nominal else 'ordinal'}", scale=scale_name(view, scale),
             system=stratum_name(one.name), percent=interval(one.percent_agreement),
             alpha=interval(one.alpha), ac=interval(one.ac))
        for one in view.analysis.agreement.told_apart(scale)
    ]


def performance(view: View) -> Told:
    """Return means of systems and differences; closed before the lock."""
    compared = view.analysis.comparison
    if compared is None:
        return authors(said("no_comparison" if view.is_closed else "not_locked"))
    return answered(
        said("means", means=listed(_means(view, compared), many=True)),
        said("differences", reference=compared.baseline,
             differences=listed(_differences(view), many=True)),
    )


def _means(view: View, compared: Comparison) -> Iterator[Text]:
    for scale, outcome in compared.scales.items():
        means = [
            said("of_system", name=name, value=interval(stats.mean))
            for name, stats in outcome.systems.items()
        ]
        yield said("by_scale", scale=scale_name(view, scale), values=listed(means))


def _differences(view: View) -> Iterator[Text]:
    for scale, contrast in comparisons(view):
        yield said(
            "difference", scale=scale_name(view, scale), name=contrast.system,
            value=interval(contrast.difference),
        )


def missing_data(view: View) -> Told:
    """Return how many scores are missing and how they were handled."""
    asked, missing = missing_counts(view)
    if not missing:
        return answered(said("nothing_missing", asked=asked))
    return answered(
        said("missing", asked=asked, missing=missing, share=percent(missing / asked)),
        said("bounds") if view.analysis.missing_bounds else None,
    )


def metric_human_correlation(view: View) -> Told:
    """Return which metrics stand beside the scores; without any, the item does not apply."""
    if not view.is_closed:
        return authors(said("not_locked"))
    stored = view.analysis.metrics
    if stored is None:
        return not_applicable(said("no_metrics"))
    return answered(said("metrics", metrics=listed(main_names(stored))))


def quality_measures(view: View) -> Told:
    """Return the human scales and the automatic metrics."""
    scales = view.context.instrument.scales
    metrics = view.analysis.metrics
    return answered(
        said("measures", scales=listed(map(scale_line, scales))),
        said("metrics", metrics=listed(main_names(metrics))) if metrics else None,
    )


def outcome_definition(view: View) -> Told:
    """Return the outcome and how it is computed."""
    return answered(
        said("outcome", line=instrument_line(view),
             scales=listed(map(scale_line, view.context.instrument.scales))),
        said("aggregation"),
    )


def evaluation_data(view: View) -> Told:
    """Return outcome and measures; whether the data were held out only the authors know."""
    outcome = outcome_definition(view)
    return answered(outcome.answer, said("training_data"))


def comparison_method(view: View) -> Told:
    """Return how systems were compared; human references are counted."""
    references = view.context.references
    methods = list(comparison_methods(view))
    if not methods:
        return authors(said("no_comparison" if view.is_closed else "not_locked"))
    return answered(*methods, said("references", count=references) if references else None)


def limitations_of(view: View) -> Told:
    """Return the limitations that follow from the data; those of the idea are the authors'."""
    return answered(*limits(view), said("own_limitations"))


RESULT_FACTS: Final[Mapping[str, Fact]] = {
    "actual_numbers": actual_numbers,
    "agreement_figures": agreement_figures,
    "comparison_method": comparison_method,
    "evaluation_data": evaluation_data,
    "flow": flow,
    "limitations": limitations_of,
    "metric_human_correlation": metric_human_correlation,
    "missing_data": missing_data,
    "outcome_definition": outcome_definition,
    "performance": performance,
    "quality_measures": quality_measures,
    "statistics": statistics,
}
