"""A plan: power of both tests, width of intervals, hours, and what follows from them.

It also says how far they hang on assumptions.

Advice is codes of wording section `sample_size` and the values they take.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.stats.planning.power import FEWEST_RATERS, LEVEL, Power, Share, power
from cbt_core.stats.planning.precision import Width, widths
from cbt_core.stats.planning.simulation import ASSUMED, Assumptions, Size, latent_shift

SHARES: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Numbers of items on the curve, in parts of the planned one."""

LARGE: Final = 2000
"""From this many items on the curve ends at the planned number."""

SMALLEST: Final = 10
LIKINGS: Final = (0.0, 0.1, 0.2, 0.3)
"""SDs of rater x system for which the power is shown beside the assumed one."""

ALTERNATIVES: Final = ((3, 3), (5, 3), (10, 3), (20, 3), (5, 5), (10, 5), (20, 5))
"""Other numbers of raters, and of raters per item, shown beside the planned ones."""

WORK: Final = 30_000_000
FEWEST, MOST = 200, 500
"""Studies drawn for a figure of the tables beside the main ones: fewer for large studies."""

MINUTES: Final = (4.0, 5.0)
CHARACTERS: Final = 1400
"""A pair of answers with its question has about 1,400 characters and takes 4 to 5 minutes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is planned: size, difference in scale points, number of systems against the baseline.

    `sources`: name of an assumption -> "given" or "pilot", as pairs; the others are assumed.
    `characters`: of question and both answers; they set the hours.
    """

    size: Size
    difference: float
    assumed: Assumptions = ASSUMED
    comparisons: int = 1
    characters: int = CHARACTERS
    simulations: int = 1000
    seed: int = 1
    sources: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be a study.

        Raises:
            StudyError: too few items or raters, or an overlap beyond the raters.
        """
        if self.size.items < SMALLEST:
            raise StudyError("sample_size.few_items", items=SMALLEST)
        if not 1 <= self.size.overlap <= self.size.raters:
            raise StudyError("sample_size.overlap", raters=self.size.raters)

    @property
    def level(self) -> float:
        """Return the level of one test: .05, shared by the comparisons as Holm's first step."""
        return LEVEL / self.comparisons


@dataclass(frozen=True, slots=True)
class Hours:
    """Tasks of one rater (a pair each) and the hours they take, from quick to slow reading."""

    tasks: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything simulated for a wish; `place` is the planned number of items on the curve."""

    wish: Wish
    shift: float
    place: int
    curve: tuple[Power, ...]
    widths: tuple[dict[str, Width], ...]
    alarms: Power
    likings: tuple[tuple[float, Power], ...]
    alternatives: tuple[tuple[Size, Power], ...]
    beside: int

    @property
    def power(self) -> Power:
        """Return the power with the planned number of items."""
        return self.curve[self.place]

    @property
    def width(self) -> dict[str, Width]:
        """Return the widths with the planned number of items."""
        return self.widths[self.place]


def plan(wish: Wish) -> Plan:
    """Simulate a plan; the same wish gives the same figures.

    Raises:
        StudyError: the difference does not fit on the scale.
    """
    size, assumed = wish.size, wish.assumed
    shift = latent_shift(assumed, wish.difference)
    sizes = _sizes(size.items)
    beside = min(wish.simulations, max(FEWEST, min(MOST, WORK // (size.items * size.overlap))))

    def told(other: Size, held: Assumptions, moved: float, studies: int = beside) -> Power:
        return power(other, held, moved, studies=studies, seed=wish.seed, level=wish.level)[0]

    return Plan(
        wish=wish,
        shift=shift,
        place=sizes.index(size.items),
        curve=power(size, assumed, shift, sizes=sizes, studies=wish.simulations, seed=wish.seed,
                    level=wish.level),
        widths=widths(size, assumed, sizes=sizes, seed=wish.seed),
        alarms=told(size, assumed, 0.0, wish.simulations),
        likings=tuple((sd, told(size, *_other_liking(wish, sd))) for sd in _likings(assumed)),
        alternatives=tuple((other, told(other, assumed, shift)) for other in _alternatives(size)),
        beside=beside,
    )  # fmt: skip


def hours(wish: Wish, size: Size | None = None) -> Hours:
    """Return a rater's tasks and hours; `size` stands in for the planned one."""
    held = size or wish.size
    tasks = held.items * held.overlap * wish.comparisons / held.raters
    low, high = (tasks * minutes * wish.characters / CHARACTERS / 60 for minutes in MINUTES)
    return Hours(tasks, low, high)


def _sizes(items: int) -> tuple[int, ...]:
    parts = [share for share in SHARES if share <= 1 or items < LARGE]
    return tuple(sorted({max(SMALLEST, round(items * share)) for share in parts}))


def _likings(assumed: Assumptions) -> tuple[float, ...]:
    return tuple(sorted({*LIKINGS, round(assumed.sd_rater_system, 3)}))


def _other_liking(wish: Wish, sd: float) -> tuple[Assumptions, float]:
    held = wish.assumed.with_sds({"sd_rater_system": sd})
    return held, latent_shift(held, wish.difference)


def _alternatives(size: Size) -> tuple[Size, ...]:
    designs = {(size.raters, size.overlap), *ALTERNATIVES}
    return tuple(
        Size(size.items, raters, overlap)
        for raters, overlap in sorted(designs, key=lambda one: (one[1], one[0]))
    )


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
    """One piece of advice: a code of section `sample_size` and its values."""

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
        other_size, other_power = other
        code = MORE_RATERS[other_size.overlap != size.overlap]
        return _said(code, planned=size.raters, planned_overlap=size.overlap, power=reached,
                     items=other_size.items, raters=other_size.raters, overlap=other_size.overlap,
                     wanted=other_power.crossed.value)  # fmt: skip
    return _said("out_of_reach", power=reached, difference=_detectable(plan.power))


def _first(curve: tuple[Power, ...]) -> Power | None:
    return next((one for one in curve if _enough(one.crossed)), None)


def _first_other(plan: Plan) -> tuple[Size, Power] | None:
    """Return the alternative with the fewest ratings, then raters, that reaches the target."""
    fitting = [one for one in plan.alternatives if _enough(one[1].crossed)]
    return min(fitting, key=lambda one: (one[0].overlap, one[0].raters), default=None)


def _detectable(plan_power: Power) -> float:
    """Return roughly the difference found with 80 % power: (1.96 + .84) / 1.96 half-widths."""
    return abs(plan_power.crossed_half_width or 0.0) * (1.96 + 0.84) / 1.96


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
