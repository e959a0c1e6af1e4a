"""Facts about the design: instrument, numbers planned, blinding, registration, ethics."""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    Fact,
    Told,
    View,
    answered,
    authors,
    date,
    instrument_line,
    listed,
    not_applicable,
    percent,
    said,
    scale_line,
    setting,
)
from cbt_core.stats.signature import VERSION


def experiment(view: View) -> Told:
    """Return which experiment this is."""
    study = view.context.study
    scales = listed(scale.name for scale in view.context.instrument.scales)
    return answered(said(
        "experiment", title=study.title, items=view.analysis.flow.items.rated, scales=scales,
        systems=len(view.context.systems), slug=study.slug, data=setting(view, "data"),
    ))


def instrument(view: View) -> Told:
    """Return the instrument with its scales and where it comes from."""
    tool = view.context.instrument
    origin = said("instrument_source", source=tool.source) if tool.source.en else None
    return answered(
        said("instrument", line=instrument_line(view), scales=listed(map(scale_line, tool.scales))),
        origin,
    )


def planned_numbers(view: View) -> Told:
    """Return the numbers of the protocol; why these numbers only the authors know."""
    design, plan = view.context.protocol.design, view.context.protocol.analysis
    margin = None if plan.margin is None else said("margin", margin=f"{plan.margin:g}")
    return authors(
        said("planned_numbers", items=view.analysis.flow.items.imported, overlap=design.overlap,
             repeats=percent(design.repeats)),
        margin,
        said("why_numbers"),
    )


def sampling(view: View) -> Told:
    """Leave sampling to the authors: the database does not hold how items were drawn."""
    return authors(said("sampling", items=view.analysis.flow.items.imported))


def power(_view: View) -> Told:
    """Leave the power analysis to the authors: planning is not stored with a study."""
    return authors(said("power"))


def panel_sentence(view: View) -> Text:
    """Return how many answers a task shows."""
    return said(f"panel_{view.context.protocol.design.panel.value.replace('-', '_')}")


def blinding_sentence(view: View) -> Text:
    """Return what raters could and could not know."""
    return said("blind_single" if view.is_single else "blind")


def rating_process(view: View) -> Told:
    """Return order, sides, blinding and the time between repeats."""
    design = view.context.protocol.design
    repeated = view.analysis.flow.tasks.other.get("repeat", 0)
    return answered(
        panel_sentence(view),
        said("order_single" if view.is_single else "order", seed=design.seed),
        blinding_sentence(view),
        said("repeat_gap", count=repeated, gap=design.repeat_gap_tasks) if repeated else None,
        said("corrections", count=view.analysis.flow.tasks.corrected),
    )


def independence(view: View) -> Told:
    """Return that raters worked apart; how far they met elsewhere is not known."""
    both = view.context.people.also_leads
    return answered(
        said("independent"), said("also_lead", count=both) if both else None, said("outside")
    )


def objectives(view: View) -> Told:
    """Return that this is an evaluation, with the primary comparison where it may be named."""
    count = len(view.context.systems)
    primary = view.analysis.primary
    return answered(
        said("objective_one" if count == 1 else "objective", systems=count),
        None if primary is None or view.analysis.reference is None else said(
            "primary", system=primary[1], reference=view.analysis.reference,
            scale=_scale_name(view, primary[0]),
        ),
    )


def _scale_name(view: View, scale: str) -> Text:
    return next(one.name for one in view.context.instrument.scales if one.id == scale)


def ethics(view: View) -> Told:
    """Return the decision on record and the signed consents; without a record, ask."""
    found, people = view.context.ethics, view.context.people
    consent = said(
        "consent", count=people.consented, version=", ".join(people.consent_versions)
    ) if people.consented else None
    if found.committee and found.number:
        until = said("ethics_until", date=found.valid_until) if found.valid_until else None
        return answered(
            said("ethics_committee", committee=found.committee, number=found.number), until, consent
        )
    if found.recorded:
        return answered(said("ethics_exempt", reason=found.reason), consent)
    return authors(said("ethics_missing"), consent)


def protocol(view: View) -> Told:
    """Return which protocol is in force, since when, and what became of it."""
    found = view.analysis.registered
    return answered(
        said("protocol", digest=found.digest[:16], date=date(found.at)),
        said("amended", count=len(found.amendments), late=len(found.deviations))
        if found.amendments else said("not_amended"),
        said("protocol_place"),
    )


def registration(view: View) -> Told:
    """Return the frozen plan; the register and its number only the authors know."""
    return authors(_frozen(view), said("register_place"))


def preregistration(view: View) -> Told:
    """Return whether the plan was frozen before the first rating."""
    if view.analysis.registered.declared_at is None:
        return authors(_frozen(view), said("register_place"))
    return answered(_frozen(view), said("register_link"))


def _frozen(view: View) -> Text:
    found = view.analysis.registered
    if found.declared_at:
        digest = (found.declared_digest or "")[:16]
        return said("frozen", date=date(found.declared_at), digest=digest)
    if found.before:
        return said("stood_before", digest=found.digest[:16])
    return said("changed_after", version=found.plan_version, digest=found.plan_digest[:16])


def code(view: View) -> Told:
    """Return how the figures can be computed again."""
    return answered(said(
        "code", version=VERSION, seed=setting(view, "seed"), data=setting(view, "data"),
        protocol=view.analysis.registered.digest[:8],
    ), said("code_place"))


def materials(view: View) -> Told:
    """Leave the address to the authors, with what there is to deposit."""
    return authors(said("materials", protocol=view.analysis.registered.digest[:8]))


def detailed_results(_view: View) -> Told:
    """Return what goes with the report; where it is public only the authors know."""
    return answered(said("detailed"), said("detailed_place"))


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
    return answered(*(
        said(f"varied_{name}", counts=listed(f"{_known(key)} {count}" for key, count in counts))
        for name, found in (("input", context.inputs), ("layout", context.layouts),
                            ("language", context.languages))
        if (counts := [(key, count) for key, count in found.items() if key])
    ))


def _known(key: str) -> str:
    return key[:20]


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
    """Return the kinds of quality assurance with the values of their sentences."""
    raters, flow = view.context.protocol.raters, view.analysis.flow
    found: dict[str, Mapping[str, object]] = {}
    if raters.practice:
        found["practice"] = {
            "items": len(raters.practice), "mark": percent(raters.pass_mark),
            "done": view.context.people.practised,
        }
    if raters.attention:
        found["attention"] = {"items": len(raters.attention), "done": flow.tasks.other.get("check", 0)}
    if flow.tasks.other.get("repeat"):
        found["repeat"] = {"done": flow.tasks.other["repeat"]}
    if flow.tasks.other.get("calibration"):
        found["calibration"] = {
            "done": flow.tasks.other["calibration"], "every": raters.recalibrate_every,
        }
    if flow.raters.excluded:
        found["exclusion"] = {"raters": len(flow.raters.excluded)}
    return found


def personal_data(view: View) -> Told:
    """Leave it to the authors, with what the desk stores of raters."""
    return authors(said("personal_data", fields=len(view.context.protocol.raters.profile)))


def special_data(_view: View) -> Told:
    """Leave it to the authors, with what to think of."""
    return authors(said("special_data"))


FACTS: Final[Mapping[str, Fact]] = {
    "code": code,
    "conditions": conditions,
    "conditions_varied": conditions_varied,
    "detailed_results": detailed_results,
    "ethics": ethics,
    "experiment": experiment,
    "feedback": feedback,
    "form_place": form_place,
    "freedom": freedom,
    "independence": independence,
    "instrument": instrument,
    "materials": materials,
    "medium": medium,
    "objectives": objectives,
    "personal_data": personal_data,
    "planned_numbers": planned_numbers,
    "power": power,
    "preregistration": preregistration,
    "protocol": protocol,
    "quality_kinds": quality_kinds,
    "quality_methods": quality_methods,
    "rating_process": rating_process,
    "registration": registration,
    "sampling": sampling,
    "shown": shown,
    "special_data": special_data,
}
