"""Facts about rating itself: what was seen, when, on what, and what kept its quality up."""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    Fact,
    Told,
    View,
    answered,
    authors,
    listed,
    not_applicable,
    percent,
    said,
)
from cbt_core.stats.signature import VERSION


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
    found = (("input", context.inputs), ("layout", context.layouts), ("lang", context.languages))
    return answered(*(
        said(f"varied_{name}", counts=listed(_counted(name, counts)))
        for name, counts in found if any(counts)
    ))


def _counted(name: str, counts: Mapping[str, int]) -> list[Text]:
    """Return a count in words by way of use; what was not noted is left out."""
    return [
        said("counted", name=said(f"{name}_{key.replace('-', '_')}"), count=count)
        for key, count in counts.items() if key
    ]


def quality_kinds(view: View) -> Told:
    """Return the kinds of quality assurance the protocol sets."""
    found = _quality(view)
    if not found:
        return answered(said("quality_none"))
    return answered(said("quality_kinds", kinds=listed(said(f"{one}_kind") for one in found)))


def quality_methods(view: View) -> Told:
    """Return how each of them was done."""
    found = _quality(view)
    if not found:
        return not_applicable(said("quality_none"))
    return answered(*(said(f"{one}_method", **values) for one, values in found.items()))


def _quality(view: View) -> Mapping[str, Mapping[str, object]]:
    """Return the kinds of quality assurance that took place, with the values of their sentences."""
    raters, flow = view.context.protocol.raters, view.analysis.flow
    found: dict[str, Mapping[str, object]] = {}
    if raters.practice and view.context.people.practised:
        found["practice"] = {
            "items": len(raters.practice), "mark": percent(raters.pass_mark),
            "done": view.context.people.practised,
        }
    if flow.tasks.other.get("check"):
        found["attention"] = {
            "items": len(raters.attention), "done": flow.tasks.other["check"],
        }
    if flow.tasks.other.get("repeat"):
        found["repeat"] = {"done": flow.tasks.other["repeat"]}
    if flow.tasks.other.get("calibration"):
        found["calibration"] = {
            "done": flow.tasks.other["calibration"], "every": raters.recalibrate_every,
        }
    if flow.raters.excluded:
        found["exclusion"] = {"raters": len(flow.raters.excluded)}
    return found


FACTS: Final[Mapping[str, Fact]] = {
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
