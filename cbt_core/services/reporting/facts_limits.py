"""Limitations that follow from the data: each stands only where it is true."""

from collections.abc import Callable, Iterator
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.facts import (
    View,
    has_crossed,
    has_pairs,
    interval,
    listed,
    number_in,
    percent,
    pooled,
    said,
    strata,
    stratum_name,
)
from cbt_core.services.reporting.numbers import decimals

FEW_ITEMS: Final = 50
"""Below so many items percentile intervals are too short when scores are skewed."""

FEW_RATERS: Final = 3
"""The least number of raters from which a difference can be carried over to others."""

MANY_RATERS: Final = 10
"""From so many raters on a difference with raters taken as a sample is not called imprecise."""

TENTATIVE: Final = 0.667
"""Krippendorff's lowest limit for tentative conclusions (Content Analysis, 2004, p. 241)."""

EVEN: Final = 0.5
LENGTHS: Final = (0.8, 1.25)
"""Outside these ratios of mean length answers are said to differ in length."""


def limits(view: View) -> list[Text]:
    """Return the limitations of a study, the gravest first."""
    return [one for of in LIMITS for one in of(view)]


def _stage(view: View) -> Iterator[Text]:
    if view.context.study.demonstration:
        yield said("limit_demonstration")
    if not view.is_closed:
        yield said("limit_open")


def _draw(view: View) -> Iterator[Text]:
    if view.context.systems:
        yield said("limit_draw")


def _raters(view: View) -> Iterator[Text]:
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


def _items(view: View) -> Iterator[Text]:
    count = view.analysis.flow.items.analysed
    if count < FEW_ITEMS:
        yield said("limit_few_items", count=count)


def _plan(view: View) -> Iterator[Text]:
    found = view.analysis.registered
    if found.declared_at is None:
        yield said("limit_unregistered")
    if found.deviations:
        yield said("limit_deviations", count=len(found.deviations))
    exploratory = sum(not one for one in view.analysis.planned.values())
    if exploratory == len(view.analysis.planned):
        yield said("limit_all_exploratory")
    elif exploratory:
        yield said("limit_exploratory")


def _missing(view: View) -> Iterator[Text]:
    asked = sum(one.expected for one in view.analysis.missingness)
    missing = asked - sum(one.given for one in view.analysis.missingness)
    if missing:
        yield said("limit_missing", missing=missing, asked=asked, share=percent(missing / asked))
    left = len(view.analysis.flow.raters.excluded), len(view.analysis.flow.items.excluded)
    if any(left):
        yield said("limit_excluded", raters=left[0], items=left[1])


def _overlap(view: View) -> Iterator[Text]:
    if view.analysis.flow.raters.analysed < 2:
        return
    bodies = [pooled(view, scale) for scale in view.analysis.scales]
    if any(number_in(body, "n_complete_units") < number_in(body, "n_units") for body in bodies):
        yield said("limit_overlap")


def _agreement(view: View) -> Iterator[Text]:
    """Yield one sentence for every scale on which alpha is below the benchmark."""
    for scale in view.context.instrument.scales:
        key = "alpha_nominal" if scale.id in view.analysis.nominal else "alpha_ordinal"
        low = {
            name: body[key] for name, body in strata(view, scale.id).items()
            if _below(body.get(key))
        }
        if low:
            figures = listed(
                said("figure_of", name=stratum_name(name), value=interval(figure))
                for name, figure in low.items() if isinstance(figure, dict)
            )
            yield said("limit_agreement", scale=scale.name, figures=figures, limit=TENTATIVE)


def _below(figure: object) -> bool:
    value = figure.get("value") if isinstance(figure, dict) else None
    return isinstance(value, int | float) and value < TENTATIVE


def _blinding(view: View) -> Iterator[Text]:
    found = view.analysis.blinding
    if found is not None and found.n and "blinding_above" in found.interpretation:
        yield said("limit_blinding", figure=interval(found.pair_accuracy))
    elif found is not None and not found.n and len(view.context.systems) > 1:
        yield said("limit_blinding_unchecked")
    gates = view.context.gates
    if gates is not None and any(one.told for one in gates.telling):
        yield said("limit_form")


def _sides(view: View) -> Iterator[Text]:
    share = view.analysis.position.preferences.share
    if share.low is not None and share.high is not None and not share.low <= EVEN <= share.high:
        yield said("limit_sides", figure=interval(share))


def _length(view: View) -> Iterator[Text]:
    ratios: dict[str, float] = {}
    for one in (view.analysis.length or {}).values():
        for system, found in one.adjusted.items():
            ratio = found.mean_length_ratio
            if ratio is not None and not LENGTHS[0] <= ratio <= LENGTHS[1]:
                ratios[system] = ratio
    for system, ratio in ratios.items():
        yield said(
            "limit_length", system=system, ratio=decimals(ratio),
            reference=view.analysis.reference or "",
        )


def _records(view: View) -> Iterator[Text]:
    if not view.context.masked and not view.context.has_provenance:
        yield said("limit_provenance")
    if not view.context.ethics.recorded:
        yield said("limit_ethics")


LIMITS: Final[tuple[Callable[[View], Iterator[Text]], ...]] = (
    _stage, _draw, _raters, _items, _overlap, _agreement, _missing, _blinding, _sides, _length,
    _plan, _records,
)

