"""Facts about the design: instrument, numbers planned, order, sides, blinding."""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    Fact,
    Told,
    View,
    answered,
    authors,
    instrument_line,
    listed,
    percent,
    said,
    scale_line,
    setting,
)


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
    """Leave sampling to the authors; told is what the probabilities of inclusion say of it."""
    items = view.analysis.flow.items
    known = sum(count for _, count in items.chances)
    if not known:
        return authors(said("sampling", items=items.imported))
    low, high = items.chances[0][0], items.chances[-1][0]
    return authors(
        said("sampling_equal" if low == high else "sampling_unequal", items=items.imported,
             low=f"{low:.3g}", high=f"{high:.3g}"),
        said("sampling_partly", known=known) if known < items.imported else None,
        said("sampling_frame"),
    )


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
        said("repeat_gap_single" if view.is_single else "repeat_gap", count=repeated,
             gap=design.repeat_gap_tasks) if repeated else None,
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


FACTS: Final[Mapping[str, Fact]] = {
    "experiment": experiment,
    "independence": independence,
    "instrument": instrument,
    "objectives": objectives,
    "planned_numbers": planned_numbers,
    "power": power,
    "rating_process": rating_process,
    "sampling": sampling,
}
