"""Facts about results: numbers that came out, agreement, comparison, what is missing."""

from collections.abc import Iterator, Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    Fact,
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
    not_applicable,
    number_in,
    percent,
    said,
    scale_line,
    setting,
    strata,
    stratum_name,
)
from cbt_core.services.reporting.facts_limits import limits
from cbt_core.services.reporting.metric_means import main_names
from cbt_core.stats.values import Value

Body = Mapping[str, object]


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
    found = view.analysis.comparison
    if found is None:
        return
    if not has_pairs(view):
        yield said("unpaired")
        return
    yield said("comparison")
    yield said("effects")
    if has_crossed(view):
        yield said("crossed")
    family = number_in(found, "family_size")
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
    kind = "nominal" if scale in view.analysis.nominal else "ordinal"
    return [
        said(f"line_{kind}", scale=scale_name(view, scale), system=stratum_name(name),
             percent=_figure(body, "percent_agreement"),
             alpha=_figure(body, f"alpha_{kind}"),
             ac=_figure(body, "ac1" if kind == "nominal" else "ac2_quadratic"))
        for name, body in strata(view, scale).items()
    ]


def _figure(body: Body, key: str) -> Text:
    found = body.get(key)
    return interval(found if isinstance(found, dict) else Value(None))


def scale_name(view: View, scale: str) -> Text:
    """Return the name of a scale of the instrument."""
    return next(one.name for one in view.context.instrument.scales if one.id == scale)


def performance(view: View) -> Told:
    """Return means of systems and differences; closed before the lock."""
    found = view.analysis.comparison
    if found is None:
        return authors(said("no_comparison" if view.is_closed else "not_locked"))
    return answered(
        said("means", means=listed(_means(view), many=True)),
        said("differences", reference=str(found["baseline"]),
             differences=listed(_differences(view), many=True)),
    )


def _means(view: View) -> Iterator[Text]:
    scales = (view.analysis.comparison or {}).get("scales")
    for scale, body in (scales.items() if isinstance(scales, dict) else ()):
        told = [
            said("of_system", name=name, value=interval({**one, "value": one.get("mean")}))
            for name, one in body["systems"].items()
        ]
        yield said("by_scale", scale=scale_name(view, scale), values=listed(told))


def _differences(view: View) -> Iterator[Text]:
    for scale, one in comparisons(view):
        yield said(
            "difference", scale=scale_name(view, scale), name=one["system"],
            value=_figure(one, "difference"),
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


def missing_counts(view: View) -> tuple[int, int]:
    """Return how many scores were asked for, and how many of them are missing."""
    asked = sum(one.expected for one in view.analysis.missingness)
    return asked, asked - sum(one.given for one in view.analysis.missingness)


def metric_human_correlation(view: View) -> Told:
    """Return which metrics stand beside the scores; without any, the item does not apply."""
    if not view.is_closed:
        return authors(said("not_locked"))
    found = view.analysis.metrics
    if found is None:
        return not_applicable(said("no_metrics"))
    return answered(said("metrics", metrics=listed(main_names(found))))


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
    found = outcome_definition(view)
    return answered(found.answer, said("training_data"))


def comparison_method(view: View) -> Told:
    """Return how systems were compared; human references are counted."""
    references = view.context.references
    told = list(comparison_methods(view))
    if not told:
        return authors(said("no_comparison" if view.is_closed else "not_locked"))
    return answered(*told, said("references", count=references) if references else None)


def limitations_of(view: View) -> Told:
    """Return the limitations that follow from the data; those of the idea are the authors'."""
    return answered(*limits(view), said("own_limitations"))


FACTS: Final[Mapping[str, Fact]] = {
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
