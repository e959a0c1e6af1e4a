"""What follows from a plan, as codes of wording section `planning` and the values they take."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

from cbt_core.stats.planning.plan import Plan
from cbt_core.stats.planning.power import FEWEST_RATERS, Power, Share
from cbt_core.stats.planning.simulate import Size

TARGET: Final = 0.8
"""The power usually asked for."""

HALF_WIDTH: Final = 0.1
"""Half-width of alpha's interval that is narrow enough to say something."""

FEW_ITEMS: Final = 50
"""Below this, percentile intervals are too narrow (docs/planning.md)."""

MORE_RATERS: Final = ("more_raters", "more_per_item")
"""More raters as many per item as planned, or more per item too."""

ALARM: Final = 0.075


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice: a code of section `planning` and its values."""

    code: str
    values: tuple[tuple[str, object], ...] = ()


def advice(plan: Plan) -> tuple[Advice, ...]:
    """Return the recommendation first, then what else to mind."""
    main = _main(plan)
    alone = (_said("items_alone"),) if main.code in MORE_RATERS else ()
    return (main, *alone, *_reservations(plan))


def _main(plan: Plan) -> Advice:
    size = plan.wish.size
    if size.raters < FEWEST_RATERS:
        return _said("few_raters", power=plan.power.item_level.value)
    reached = plan.power.crossed.value or 0.0
    if reached >= TARGET:
        return _said("enough", power=reached, items=size.items, raters=size.raters)
    more = _first(plan.curve)
    if more is not None:
        return _said("more_items", planned=size.items, power=reached, items=more.items,
                     wanted=more.crossed.value)  # fmt: skip
    other = _first_other(plan)
    if other is not None:
        found, told = other
        code = MORE_RATERS[found.overlap != size.overlap]
        return _said(code, planned=size.raters, planned_overlap=size.overlap, power=reached,
                     items=found.items, raters=found.raters, overlap=found.overlap,
                     wanted=told.crossed.value)  # fmt: skip
    return _said("out_of_reach", power=reached, difference=_detectable(plan.power))


def _first(curve: tuple[Power, ...]) -> Power | None:
    return next((one for one in curve if _enough(one.crossed)), None)


def _first_other(plan: Plan) -> tuple[Size, Power] | None:
    """Return the alternative with the fewest ratings, then raters, that reaches the target."""
    fitting = [one for one in plan.alternatives if _enough(one[1].crossed)]
    return min(fitting, key=lambda one: (one[0].overlap, one[0].raters), default=None)


def _detectable(told: Power) -> float:
    """Return roughly the difference found with 80 % power: (1.96 + .84) / 1.96 half-widths."""
    return abs(told.crossed_half_width or 0.0) * (1.96 + 0.84) / 1.96


def _enough(share: Share) -> bool:
    return share.value is not None and share.value >= TARGET


def _reservations(plan: Plan) -> Iterator[Advice]:
    size, level = plan.wish.size, plan.power.item_level.value or 0.0
    alarms = plan.alarms.item_level.value or 0.0
    if size.raters >= FEWEST_RATERS and level > (plan.power.crossed.value or 0.0) + 0.1:
        yield _said("only_these_raters", power=level)
    if alarms > ALARM and plan.wish.comparisons == 1:
        yield _said("alarms", share=alarms)
    alpha = plan.width["alpha_ordinal"].width
    if alpha is not None and alpha / 2 > HALF_WIDTH:
        wanted = ceil(size.items * (alpha / 2 / HALF_WIDTH) ** 2 / 10) * 10
        yield _said("wide_alpha", half=alpha / 2, items=wanted)
    if size.items < FEW_ITEMS:
        yield _said("few_items_advice", items=FEW_ITEMS)
    needed = size.overlap * plan.wish.comparisons
    if needed > size.raters:
        yield _said("panels", raters=needed)
    yield _said("from_pilot" if "pilot" in dict(plan.wish.sources).values() else "guesses")


def _said(code: str, **values: object) -> Advice:
    return Advice(code, tuple(values.items()))
