"""The methods paragraph, ready to paste, and the limitations that follow from the data.

Each sentence stands only where the study did what it says, each limitation only where it is true.
"""

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Final

from cbt_core.analysis.machine import main_names
from cbt_core.analysis.reading_rules import TENTATIVE, verdict_of
from cbt_core.analysis.study import Analysis
from cbt_core.domain.instrument import Text
from cbt_core.report.blocks import decimals
from cbt_core.report.context import ReportContext
from cbt_core.report.sheet import (
    View,
    comparisons,
    date,
    has_crossed,
    has_pairs,
    interval,
    joined,
    listed,
    many,
    missing_counts,
    percent,
    said,
    scale_line,
    scale_name,
    series,
    setting,
    stratum_name,
)
from cbt_core.stats.comparison.contrasts import Comparison
from cbt_core.version import VERSION

FEW_ITEMS: Final = 50
"""Below so many items percentile intervals are too short when scores are skewed."""

FEW_RATERS: Final = 3
"""The least number of raters from which a difference can be carried over to others."""

MANY_RATERS: Final = 10
"""From so many raters on a difference with raters taken as a sample is not called imprecise."""

EVEN: Final = 0.5
LENGTHS: Final = (0.8, 1.25)
"""Outside these ratios of mean length answers are said to differ in length."""


def limits(view: View) -> list[Text]:
    """Return the limitations of a study, the gravest first."""
    return [one for of in LIMITS for one in of(view)]


def _limit_stage(view: View) -> Iterator[Text]:
    if view.context.study.demonstration:
        yield said("limit_demonstration")
    if not view.is_closed:
        yield said("limit_open")


def _limit_draw(view: View) -> Iterator[Text]:
    if view.context.systems:
        yield said("limit_draw")


def _limit_raters(view: View) -> Iterator[Text]:
    count = view.analysis.flow.raters.analysed
    if count == 1:
        yield said("limit_one_rater")
    elif view.analysis.comparison is not None and not has_pairs(view):
        yield said("limit_unpaired")
    elif view.analysis.comparison is not None:
        yield said(f"limit_raters_{_generality(view, count)}", count=count)
    both = view.context.people.also_leads
    if both:
        yield said("limit_leads", count=both)


def _generality(view: View, count: int) -> str:
    """Return how far the comparison carries over from these raters to others."""
    if count < FEW_RATERS:
        return "fixed"
    if not has_crossed(view):
        return "only"
    return "sampled" if count < MANY_RATERS else "many"


def _limit_items(view: View) -> Iterator[Text]:
    count = view.analysis.flow.items.analysed
    if count < FEW_ITEMS:
        yield said("limit_few_items", count=count)


def _limit_plan(view: View) -> Iterator[Text]:
    fixed = view.analysis.registered
    if fixed.declared_at is None:
        yield said("limit_unregistered")
    if fixed.deviations:
        yield said("limit_deviations", count=len(fixed.deviations))
    exploratory = sum(not one for one in view.analysis.planned.values())
    if exploratory == len(view.analysis.planned):
        yield said("limit_all_exploratory")
    elif exploratory:
        yield said("limit_exploratory")


def _limit_missing(view: View) -> Iterator[Text]:
    asked = sum(one.expected for one in view.analysis.missingness)
    missing = asked - sum(one.given for one in view.analysis.missingness)
    if missing:
        yield said("limit_missing", missing=missing, asked=asked, share=percent(missing / asked))
    left = len(view.analysis.flow.raters.excluded), len(view.analysis.flow.items.excluded)
    if any(left):
        yield said("limit_excluded", raters=left[0], items=left[1])


def _limit_overlap(view: View) -> Iterator[Text]:
    if view.analysis.flow.raters.analysed < 2:
        return
    counts = [view.analysis.agreement.pooled(scale).counts for scale in view.analysis.scales]
    if any(one.n_complete_units < one.n_units for one in counts):
        yield said("limit_overlap")


def _limit_agreement(view: View) -> Iterator[Text]:
    """Yield one sentence for every scale on which alpha is below the benchmark."""
    for scale in view.context.instrument.scales:
        if scale.id not in view.analysis.agreement.scales:
            continue
        low = [one for one in view.analysis.agreement.told_apart(scale.id)
               if verdict_of(one).is_below]
        if low:
            figures = listed(
                said("figure_of", name=stratum_name(one.name), value=interval(one.alpha))
                for one in low
            )
            yield said("limit_agreement", scale=scale.name, figures=figures, limit=TENTATIVE)


def _limit_blinding(view: View) -> Iterator[Text]:
    guesses = view.analysis.blinding
    if guesses is not None and guesses.n and "blinding_above" in guesses.interpretation:
        yield said("limit_blinding", figure=interval(guesses.pair_accuracy))
    elif guesses is not None and not guesses.n and len(view.context.systems) > 1:
        yield said("limit_blinding_unchecked")
    gates = view.context.gates
    if gates is not None and any(one.told for one in gates.telling):
        yield said("limit_form")


def _limit_sides(view: View) -> Iterator[Text]:
    share = view.analysis.position.preferences.share
    if share.low is not None and share.high is not None and not share.low <= EVEN <= share.high:
        yield said("limit_sides", figure=interval(share))


def _limit_length(view: View) -> Iterator[Text]:
    ratios: dict[str, float] = {}
    for effect in (view.analysis.length or {}).values():
        for system, adjusted in effect.adjusted.items():
            ratio = adjusted.mean_length_ratio
            if ratio is not None and not LENGTHS[0] <= ratio <= LENGTHS[1]:
                ratios[system] = ratio
    for system, ratio in ratios.items():
        yield said(
            "limit_length", system=system, ratio=decimals(ratio),
            reference=view.analysis.reference or "",
        )


def _limit_records(view: View) -> Iterator[Text]:
    if not view.context.masked and not view.context.has_provenance:
        yield said("limit_provenance")
    if not view.context.ethics.recorded:
        yield said("limit_ethics")


LIMITS: Final[tuple[Callable[[View], Iterator[Text]], ...]] = (
    _limit_stage, _limit_draw, _limit_raters, _limit_items, _limit_overlap, _limit_agreement,
    _limit_missing, _limit_blinding, _limit_sides, _limit_length,
    _limit_plan, _limit_records,
)


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
    guesses = view.analysis.blinding
    if guesses is not None and guesses.n:
        yield said("par_guess", count=guesses.n)


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
    n_systems = len(view.analysis.systems)
    apart = "by_system" if n_systems > 1 else "by_scale" if n_systems else "pooled"
    ordered = [one for one in view.analysis.scales if one not in view.analysis.nominal]
    if ordered:
        yield said("par_agreement", strata=said(f"par_{apart}"))
    if view.analysis.nominal:
        yield said("par_agreement_nominal", strata=said(f"par_{apart}"))
    if any(one.pooled.n for one in view.analysis.retest.values()):
        yield said("par_retest")


def _comparison(view: View) -> Iterator[Text]:
    compared = view.analysis.comparison
    if compared is None:
        return
    if has_pairs(view):
        yield from _tests(view, compared)
    else:
        yield said("par_unpaired")
    choices = view.analysis.bradley_terry
    if choices is not None and choices.reason is None:
        yield said("par_bradley_terry")


def _tests(view: View, compared: Comparison) -> Iterator[Text]:
    """Yield tests, effect sizes and multiplicity of paired differences."""
    few = view.analysis.flow.items.analysed <= ALL_SIGNS
    yield said("par_comparison", flips=said("par_flips_all" if few else "par_flips_drawn"))
    if crossed := _crossed(view):
        yield crossed
    yield said("par_effects")
    primary, family = view.analysis.primary, compared.family_size
    if primary is not None:
        yield said("par_primary", system=primary[1], reference=view.analysis.reference or "",
                   scale=scale_name(view, primary[0]))
    if family > 1:
        yield said("par_holm_rest" if primary else "par_holm", family=many(family, "comparison"))


def _crossed(view: View) -> Text | None:
    """Return the second estimate by the method that gave it; None where there was none."""
    methods_used = {
        (one.difference_crossed.method or "").partition(" ")[0]
        for _, one in comparisons(view) if one.difference_crossed.value is not None
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
    analysis = view.analysis
    if analysis.blinding is not None and analysis.blinding.n:
        two = bool(analysis.blinding.bang)
        yield said("par_blinding_indices" if two else "par_blinding_share")
    if analysis.metrics is not None:
        yield said("par_metrics", metrics=listed(main_names(analysis.metrics)))
    if analysis.judges is not None:
        yield said("par_judges")
    asked, missing = missing_counts(view)
    if missing:
        yield said("par_missing_bounds" if analysis.missing_bounds else "par_missing",
                   missing=missing, asked=asked)


def _labels(view: View) -> Iterator[Text]:
    labels = view.context.labels
    if labels is not None:
        items = {item for mine in labels.first.values() for item in mine}
        yield said("par_labels", annotators=many(len(labels.first), "annotator"), items=len(items),
                   scheme=view.context.scheme.name)


def _record(view: View) -> Iterator[Text]:
    fixed, ethics = view.analysis.registered, view.context.ethics
    if fixed.declared_at:
        digest = (fixed.declared_digest or "")[:8]
        yield said("par_registered", date=date(fixed.declared_at), digest=digest)
    elif fixed.before:
        yield said("par_protocol", digest=fixed.digest[:8])
    if fixed.deviations:
        yield said("par_deviations", count=len(fixed.deviations))
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


def methods_paragraph(analysis: Analysis, context: ReportContext, lang: str) -> str:
    """Return the methods section in a language (`zh` or `en`): only what this study did.

    References stand as author and year. Systems are named as far as the stage allows.
    """
    return joined(methods(View(analysis, context)))(lang)


def limitations(analysis: Analysis, context: ReportContext, lang: str) -> list[str]:
    """Return the limitations of a study in a language, one sentence or two each."""
    return [one(lang) for one in limits(View(analysis, context))]
