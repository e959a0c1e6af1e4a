"""Facts about one scale: section 4 of HEDS, asked once for every quality criterion."""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Scale, Text
from cbt_core.services.reporting.facts import (
    ScaleFact,
    Told,
    View,
    answered,
    authors,
    interval,
    listed,
    not_applicable,
    said,
)
from cbt_core.services.reporting.facts_results import (
    agreement_lines,
    comparison_methods,
    interval_method,
)

STOPS: Final = "。."


def criterion_judgement(_view: View, _scale: Scale) -> Told:
    """Leave the kind of criterion to the authors: it is a reading of the anchors."""
    return authors(said("criterion_judgement"))


def subjective(_view: View, _scale: Scale) -> Told:
    """Return that a person judges."""
    return answered(said("subjective"))


def absolute_or_relative(view: View, _scale: Scale) -> Told:
    """Return whether answers of several systems stood on one page."""
    return answered(said("absolute" if view.is_single else "relative"))


def intrinsic(_view: View, _scale: Scale) -> Told:
    """Return that no effect outside the answer was measured."""
    return answered(said("intrinsic"))


def criterion_name(_view: View, scale: Scale) -> Told:
    """Return what the scale is called towards raters."""
    return answered(scale.name)


def criterion_definition(_view: View, scale: Scale) -> Told:
    """Return the anchors, word for word."""
    return answered(listed((
        Text(*(f"{one.value} = {one.label(lang)}{sep}{one.anchor(lang).rstrip(STOPS)}"
               for lang, sep in (("zh", "："), ("en", ": "))))
        for one in scale.values
    ), many=True))


def scale_size(_view: View, scale: Scale) -> Told:
    """Return how many values there are; `cannot rate` is a reason, not a value."""
    return answered(
        said("scale_size", count=len(scale.values)),
        said("cannot_rate") if scale.cannot_rate else None,
    )


def scale_values(_view: View, scale: Scale) -> Told:
    """Return the values."""
    values = ", ".join(str(one.value) for one in scale.values)
    return answered(Text(zh=values, en=values))


def scale_form(_view: View, _scale: Scale) -> Told:
    """Return how the scale stands on the sheet."""
    return answered(said("scale_form"))


def no_instrument_task(_view: View, _scale: Scale) -> Told:
    """Return that there is a rating instrument."""
    return not_applicable(said("there_is_instrument"))


def scale_question(_view: View, scale: Scale) -> Told:
    """Return the question, word for word."""
    return answered(scale.question if scale.question.en or scale.question.zh else None)


def response_form(_view: View, scale: Scale) -> Told:
    """Return the form of response elicitation."""
    return answered(said("form_nominal" if scale.measure == "nominal" else "form_ordinal"))


def aggregation(view: View, scale: Scale) -> Told:
    """Return how scores become the figure of a system."""
    if scale.id not in view.analysis.scales:
        return authors(said("no_scores"))
    return answered(said("aggregation_nominal" if scale.measure == "nominal" else "aggregation"))


def effects(view: View, scale: Scale) -> Told:
    """Return tests and effect sizes of the scale, where systems were compared on it."""
    if scale.measure == "nominal":
        return not_applicable(said("nominal_not_compared"))
    found = list(comparison_methods(view))
    if not found or scale.id not in view.analysis.scales:
        return authors(said("no_comparison" if view.is_closed else "not_locked"))
    return answered(*found, interval_method(view))


def inter_method(view: View, scale: Scale) -> Told:
    """Return by which statistics agreement between raters was measured."""
    if scale.id not in view.analysis.scales:
        return authors(said("no_scores"))
    key = "agreement_nominal" if scale.measure == "nominal" else "agreement_ordinal"
    return answered(said(key), interval_method(view))


def inter_score(view: View, scale: Scale) -> Told:
    """Return the agreement between raters."""
    lines = agreement_lines(view, scale.id)
    return answered(listed(lines, many=True)) if lines else authors(said("no_scores"))


def intra_method(view: View, scale: Scale) -> Told:
    """Return how agreement within raters was measured, where tasks were repeated."""
    found = view.analysis.retest.get(scale.id)
    if found is None or not found.pooled.n:
        return not_applicable(said("intra_none"))
    return answered(said("intra_nominal" if scale.measure == "nominal" else "intra_ordinal"))


def intra_score(view: View, scale: Scale) -> Told:
    """Return the agreement within raters."""
    found = view.analysis.retest.get(scale.id)
    if found is None or not found.pooled.n:
        return not_applicable(said("intra_none"))
    told = found.pooled
    return answered(
        said("intra_exact", count=told.n, exact=interval(told.exact)),
        None if scale.measure == "nominal"
        else said("intra_kappa", kappa=interval(told.kappa_quadratic)),
    )


SCALE_FACTS: Final[Mapping[str, ScaleFact]] = {
    "absolute_or_relative": absolute_or_relative,
    "aggregation": aggregation,
    "criterion_definition": criterion_definition,
    "criterion_judgement": criterion_judgement,
    "criterion_name": criterion_name,
    "effects": effects,
    "inter_method": inter_method,
    "inter_score": inter_score,
    "intra_method": intra_method,
    "intra_score": intra_score,
    "intrinsic": intrinsic,
    "no_instrument_task": no_instrument_task,
    "response_form": response_form,
    "scale_form": scale_form,
    "scale_question": scale_question,
    "scale_size": scale_size,
    "scale_values": scale_values,
    "subjective": subjective,
}
