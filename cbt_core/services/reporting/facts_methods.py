"""The methods section sentence by sentence: each stands only where the study did what it says."""

import platform
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    View,
    comparisons,
    date,
    has_pairs,
    listed,
    many,
    number_in,
    percent,
    said,
    scale_line,
    series,
    setting,
)
from cbt_core.services.reporting.facts_results import missing_counts, scale_name
from cbt_core.services.reporting.metric_means import main_names
from cbt_core.stats.signature import VERSION

ALL_SIGNS: Final = 13
"""Up to so many items every sign flip is enumerated."""


def methods(view: View) -> list[Text]:
    """Return the sentences of the methods section, in order."""
    return [one for part in PARTS for one in part(view)]


def _design(view: View) -> Iterator[Text]:
    flow, systems = view.analysis.flow, len(view.context.systems)
    design = view.context.protocol.design
    yield said("par_design_one" if systems == 1 else "par_design",
               systems=many(systems, "system"), items=flow.items.rated)
    yield _panel(view)
    yield said("par_order_single" if view.is_single else "par_order", seed=design.seed)
    yield said("par_done_single" if view.is_single else "par_done",
               overlap=many(design.overlap, "rating"), raters=many(flow.raters.began, "rater"),
               scored=flow.tasks.scored, assigned=flow.tasks.assigned)
    if flow.tasks.excluded:
        yield said("par_excluded", count=flow.tasks.excluded)


def _panel(view: View) -> Text:
    """Return what a task showed; `side by side` only where every task was laid out so."""
    side_by_side = set(view.context.layouts) == {"side-by-side"}
    panel = view.context.protocol.design.panel.value.replace("-", "_")
    if panel != "single" and len(view.context.systems) == 2:
        panel = "both"
    return said(
        f"par_panel_{panel}", place=said("par_side_by_side" if side_by_side else "par_together")
    )


def _blinding(view: View) -> Iterator[Text]:
    yield said("par_blind_single" if view.is_single else "par_blind")
    found = view.analysis.blinding
    if found is not None and found.n:
        yield said("par_guess", count=found.n)


def _instrument(view: View) -> Iterator[Text]:
    tool, sheet = view.context.instrument, view.context.protocol.sheet
    scales = listed(map(scale_line, tool.scales))
    yield said("par_instrument", name=tool.name, version=tool.version, digest=tool.digest[:8],
               scales=scales)
    if view.context.protocol.steps_share:
        yield said(f"par_steps_{view.context.protocol.steps_when}")
    choice = "off" if view.is_single else sheet.preference
    options = [
        *([said("par_cannot_rate")] if all(one.cannot_rate for one in tool.scales) else []),
        *([said("par_prefer")] if choice == "optional" else []),
        *([said("par_flag")] if sheet.flags else []),
    ]
    if options:
        yield said("par_options", options=series(options))
    if choice == "required":
        yield said("par_preference_required")


def _people(view: View) -> Iterator[Text]:
    raters, flow = view.context.protocol.raters, view.analysis.flow
    examples = len(view.context.instrument.examples)
    guide = said("par_guide_examples", examples=many(examples, "worked example"))
    yield guide if examples else said("par_guide")
    if raters.practice and view.context.people.practised:
        yield said("par_practice", items=many(len(raters.practice), "item"),
                   mark=percent(raters.pass_mark),
                   done=many(view.context.people.practised, "rater"))
    checks, repeats = flow.tasks.other.get("check", 0), flow.tasks.other.get("repeat", 0)
    if checks:
        yield said("par_checks", count=checks)
    if repeats:
        yield said("par_repeats_single" if view.is_single else "par_repeats", count=repeats)


def _agreement(view: View) -> Iterator[Text]:
    if view.analysis.flow.raters.analysed < 2:
        return
    told = len(view.analysis.systems)
    apart = "by_system" if told > 1 else "by_scale" if told else "pooled"
    ordered = [one for one in view.analysis.scales if one not in view.analysis.nominal]
    if ordered:
        yield said("par_agreement", strata=said(f"par_{apart}"))
    if view.analysis.nominal:
        yield said("par_agreement_nominal", strata=said(f"par_{apart}"))
    if any(one.pooled.n for one in view.analysis.retest.values()):
        yield said("par_retest")


def _comparison(view: View) -> Iterator[Text]:
    found = view.analysis.comparison
    if found is None:
        return
    if has_pairs(view):
        yield from _tests(view, found)
    else:
        yield said("par_unpaired")
    choices = view.analysis.bradley_terry
    if choices is not None and choices.reason is None:
        yield said("par_bradley_terry")


def _tests(view: View, found: Mapping[str, object]) -> Iterator[Text]:
    """Yield tests, effect sizes and multiplicity of paired differences."""
    few = view.analysis.flow.items.analysed <= ALL_SIGNS
    yield said("par_comparison", flips=said("par_flips_all" if few else "par_flips_drawn"))
    if crossed := _crossed(view):
        yield crossed
    yield said("par_effects")
    primary, family = view.analysis.primary, number_in(found, "family_size")
    if primary is not None:
        yield said("par_primary", system=primary[1], reference=view.analysis.reference or "",
                   scale=scale_name(view, primary[0]))
    if family > 1:
        yield said("par_holm_rest" if primary else "par_holm", family=many(family, "comparison"))


def _crossed(view: View) -> Text | None:
    """Return the second estimate by the method that gave it; None where there was none."""
    methods_used = {
        str(found.get("method", "")).partition(" ")[0]
        for _, one in comparisons(view)
        if isinstance(found := one.get("difference_crossed"), dict)
        and found.get("value") is not None
    }
    if not methods_used:
        return None
    mixed = any(name.startswith("mixed") for name in methods_used)
    key = "mixed" if mixed and len(methods_used) == 1 else "both" if mixed else "quasi"
    return said("par_crossed", method=said(f"par_crossed_{key}"))


def _intervals(view: View) -> Iterator[Text]:
    replicates = setting(view, "boot")
    if replicates not in ("", "0"):
        yield said("par_intervals", replicates=replicates, seed=setting(view, "seed"))


def _beside(view: View) -> Iterator[Text]:
    found = view.analysis
    if found.blinding is not None and found.blinding.n:
        two = bool(found.blinding.bang)
        yield said("par_blinding_indices" if two else "par_blinding_share")
    if found.metrics is not None:
        yield said("par_metrics", metrics=listed(main_names(found.metrics)))
    if found.judges is not None:
        yield said("par_judges")
    asked, missing = missing_counts(view)
    if missing:
        yield said("par_missing_bounds" if found.missing_bounds else "par_missing",
                   missing=missing, asked=asked)


def _labels(view: View) -> Iterator[Text]:
    found = view.context.labels
    if found is not None:
        items = {item for mine in found.first.values() for item in mine}
        yield said("par_labels", annotators=many(len(found.first), "annotator"), items=len(items),
                   scheme=view.context.scheme.name)


def _record(view: View) -> Iterator[Text]:
    found, ethics = view.analysis.registered, view.context.ethics
    if found.declared_at:
        digest = (found.declared_digest or "")[:8]
        yield said("par_registered", date=date(found.declared_at), digest=digest)
    elif found.before:
        yield said("par_protocol", digest=found.digest[:8])
    if found.deviations:
        yield said("par_deviations", count=len(found.deviations))
    if ethics.committee and ethics.number:
        yield said("par_ethics", committee=ethics.committee, number=ethics.number)
    elif ethics.recorded:
        yield said("par_exempt")
    yield said("par_software", version=VERSION, python=platform.python_version(),
               numpy=version("numpy"), scipy=version("scipy"), data=setting(view, "data"))


PARTS: Final[tuple[Callable[[View], Iterator[Text]], ...]] = (
    _design, _blinding, _instrument, _people, _agreement, _comparison, _intervals, _beside,
    _labels, _record,
)
