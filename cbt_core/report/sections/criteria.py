"""Facts about rating and about each scale: section 4 of HEDS, asked once for every criterion.

What was seen, when, on what, and what kept its quality up.
"""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Scale, Text
from cbt_core.report.sections.summary import agreement_lines, comparison_methods, interval_method
from cbt_core.report.sheet import (
    Fact,
    ScaleFact,
    Told,
    View,
    answered,
    authors,
    interval,
    listed,
    not_applicable,
    percent,
    said,
)
from cbt_core.version import VERSION


def medium(_view: View) -> Told:
    """Return the medium by which responses were collected."""
    return answered(said("medium", version=VERSION))


def shown(view: View) -> Told:
    """Return what raters could see at each assessment."""
    sheet, steps = view.context.protocol.sheet, view.context.protocol.steps_when
    return answered(
        said("shown_single" if view.is_single else "shown"),
        said(f"steps_{steps}") if steps in ("before", "after") else None,
        None if view.is_single or sheet.preference == "off"
        else said(f"preference_{sheet.preference}"),
        said("flags") if sheet.flags else None,
        said("confidence") if sheet.confidence else None,
    )


def form_place(_view: View) -> Told:
    """Leave the place of screenshots to the authors; the words stand in the report."""
    return authors(said("form_place"))


def freedom(view: View) -> Told:
    """Return that nothing in the desk is timed, and when a break was proposed."""
    minutes = view.context.protocol.raters.break_after_minutes
    return answered(
        said("freedom"), said("break", minutes=minutes) if minutes else None, said("deadline")
    )


def feedback(view: View) -> Told:
    """Return the ways raters had to say something."""
    comment = said("comment") if view.context.protocol.sheet.comment else None
    contact = said("contact") if view.context.ethics.contact else None
    return answered(comment, contact)


def conditions(view: View) -> Told:
    """Leave the place to the authors, with the devices that were let in."""
    devices = listed(said(f"device_{one}") for one in view.context.protocol.raters.devices)
    return authors(said("conditions", devices=devices))


def conditions_varied(view: View) -> Told:
    """Return how the sheet was used; what else varied is not known."""
    context = view.context
    tallies = (("input", context.inputs), ("layout", context.layouts), ("lang", context.languages))
    return answered(*(
        said(f"varied_{name}", counts=listed(_counted(name, counts)))
        for name, counts in tallies if any(counts)
    ))


def _counted(name: str, counts: Mapping[str, int]) -> list[Text]:
    """Return a count in words by way of use; what was not noted is left out."""
    return [
        said("counted", name=said(f"{name}_{key.replace('-', '_')}"), count=count)
        for key, count in counts.items() if key
    ]


def quality_kinds(view: View) -> Told:
    """Return the kinds of quality assurance the protocol sets."""
    kinds = _quality(view)
    if not kinds:
        return answered(said("quality_none"))
    return answered(said("quality_kinds", kinds=listed(said(f"{one}_kind") for one in kinds)))


def quality_methods(view: View) -> Told:
    """Return how each of them was done."""
    kinds = _quality(view)
    if not kinds:
        return not_applicable(said("quality_none"))
    return answered(*(said(f"{one}_method", **values) for one, values in kinds.items()))


def _quality(view: View) -> Mapping[str, Mapping[str, object]]:
    """Return the kinds of quality assurance that took place, with the values of their sentences."""
    raters, flow = view.context.protocol.raters, view.analysis.flow
    kinds: dict[str, Mapping[str, object]] = {}
    if raters.practice and view.context.people.practised:
        kinds["practice"] = {
            "items": len(raters.practice), "mark": percent(raters.pass_mark),
            "done": view.context.people.practised,
        }
    if flow.tasks.other.get("check"):
        kinds["attention"] = {
            "items": len(raters.attention), "done": flow.tasks.other["check"],
        }
    if flow.tasks.other.get("repeat"):
        kinds["repeat"] = {"done": flow.tasks.other["repeat"]}
    if flow.tasks.other.get("calibration"):
        kinds["calibration"] = {
            "done": flow.tasks.other["calibration"], "every": raters.recalibrate_every,
        }
    if flow.raters.excluded:
        kinds["exclusion"] = {"raters": len(flow.raters.excluded)}
    return kinds


SHEET_FACTS: Final[Mapping[str, Fact]] = {
    "conditions": conditions,
    "conditions_varied": conditions_varied,
    "feedback": feedback,
    "form_place": form_place,
    "freedom": freedom,
    "medium": medium,
    "quality_kinds": quality_kinds,
    "quality_methods": quality_methods,
    "shown": shown,
}


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
    methods = list(comparison_methods(view))
    if not methods or scale.id not in view.analysis.scales:
        return authors(said("no_comparison" if view.is_closed else "not_locked"))
    return answered(*methods, interval_method(view))


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
    repeats = view.analysis.retest.get(scale.id)
    if repeats is None or not repeats.pooled.n:
        return not_applicable(said("intra_none"))
    return answered(said("intra_nominal" if scale.measure == "nominal" else "intra_ordinal"))


def intra_score(view: View, scale: Scale) -> Told:
    """Return the agreement within raters."""
    repeats = view.analysis.retest.get(scale.id)
    if repeats is None or not repeats.pooled.n:
        return not_applicable(said("intra_none"))
    pooled = repeats.pooled
    return answered(
        said("intra_exact", count=pooled.n, exact=interval(pooled.exact)),
        None if scale.measure == "nominal"
        else said("intra_kappa", kappa=interval(pooled.kappa_quadratic)),
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
