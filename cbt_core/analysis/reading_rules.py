"""By which rules figures are read, the same on the page, in the terminal and in the report.

Krippendorff's benchmarks are those of alpha alone: Content analysis, 4th ed., 2018, p. 356 (2004,
p. 241): .800 reliable, .667 tentative. Gwet's AC stands beside it and is not held to them.

The paradox (A. R. Feinstein, D. V. Cicchetti, J. Clin. Epidemiol. 43 (1990) 543): where nearly all
values are the same, chance alone gives nearly all of the agreement, alpha rests on the few others
and says little. That is asked of the values themselves. A high AC does not show it: with quadratic
weights AC2 is high too where neighbouring values are given half and half, and alpha is then low
for a good reason.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from cbt_core.stats.agreement.results import StratumFigures
from cbt_core.stats.comparison.contrasts import SystemContrast
from cbt_core.stats.values import Framed

RELIABLE: Final = 0.8
TENTATIVE: Final = 0.667
"""Krippendorff's benchmarks of alpha."""

MUCH: Final = 0.8
"""Agreement in so many pairs is high."""

NEARLY_ALL: Final = 0.8
"""From this share of one single value on, values are nearly all the same."""

LEVEL: Final = 0.05
"""Below this a test has found a difference."""

BANDS: Final = ((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"),
                (0.8, "substantial"))  # fmt: skip
"""Upper limits of J. R. Landis and G. G. Koch's words for kappa (Biometrics 33 (1977) 159)."""


class Verdict(StrEnum):
    """What an agreement says; the value is the end of the key of the sentence.

    `NOTHING`: not even a percentage; `UNDEFINED`: a percentage and no alpha; `PARADOX`: alpha is
    low because nearly all values are the same.
    """

    NOTHING = "nothing"
    UNDEFINED = "undefined"
    PARADOX = "paradox"
    RELIABLE = "reliable"
    TENTATIVE = "tentative"
    WEAK = "weak"

    @property
    def is_below(self) -> bool:
        """Tell whether alpha is below what tentative conclusions ask for."""
        return self in (Verdict.WEAK, Verdict.PARADOX)


class BothTests(StrEnum):
    """What the item-level and the crossed test say together, over comparisons."""

    DISAGREE = "disagree"
    UNTESTED = "untested"
    AGREE = "agree"


class Difference(StrEnum):
    """What one comparison shows; the value is the end of the key of the sentence."""

    DISAGREE = "disagree"
    NONE = "none"
    NOT_AFTER_HOLM = "not_after_holm"
    BOTH_TESTS = "difference"
    ITEM_ONLY = "item_only"


class Shift(StrEnum):
    """Where an effect goes; `NONE`: its interval holds 0, or it has none."""

    UNDEFINED = "undefined"
    UP = "up"
    DOWN = "down"
    NONE = "none"


def benchmark(alpha: float) -> Verdict:
    """Return on which side of Krippendorff's benchmarks an alpha is."""
    if alpha >= RELIABLE:
        return Verdict.RELIABLE
    return Verdict.TENTATIVE if alpha >= TENTATIVE else Verdict.WEAK


def agreement_verdict(
    *, percent: float | None, alpha: float | None, commonest: float | None
) -> Verdict:
    """Return what an agreement says; `commonest`: share of the most frequent value."""
    if alpha is None:
        return Verdict.NOTHING if percent is None else Verdict.UNDEFINED
    verdict = benchmark(alpha)
    if verdict is not Verdict.WEAK or percent is None or commonest is None:
        return verdict
    return Verdict.PARADOX if percent >= MUCH and commonest >= NEARLY_ALL else Verdict.WEAK


def verdict_of(figures: StratumFigures) -> Verdict:
    """Return what the agreement of a stratum says."""
    return agreement_verdict(
        percent=figures.percent_agreement.value, alpha=figures.alpha.value,
        commonest=figures.commonest,
    )


def is_settled(alpha: Framed) -> bool | None:
    """Tell whether the whole interval of alpha is on one side; None without an interval."""
    if alpha.value is None or alpha.low is None or alpha.high is None:
        return None
    return benchmark(alpha.low) is benchmark(alpha.high)


def band(value: float) -> str:
    """Return Landis and Koch's word for a coefficient; a limit belongs to the band below it."""
    for limit, name in BANDS:
        if value < limit or (value == limit and limit > 0):
            return name
    return "almost_perfect"


def both_tests(contrasts: Sequence[SystemContrast]) -> BothTests:
    """Return whether the two tests lead to the same conclusion on every comparison."""
    if any(one.tests_disagree for one in contrasts):
        return BothTests.DISAGREE
    untested = any(one.tests_disagree is None for one in contrasts)
    return BothTests.UNTESTED if untested else BothTests.AGREE


def difference_verdict(contrast: SystemContrast) -> Difference:
    """Return what a comparison shows: by its own p, after Holm's adjustment, by both tests."""
    p, holm = contrast.permutation_p, contrast.p_holm
    if contrast.tests_disagree:
        return Difference.DISAGREE
    if p is None or p >= LEVEL:
        return Difference.NONE
    if not contrast.primary and holm is not None and holm >= LEVEL:
        return Difference.NOT_AFTER_HOLM
    known = contrast.difference_crossed.p is not None
    return Difference.BOTH_TESTS if known else Difference.ITEM_ONLY


def shift(effect: Framed) -> Shift:
    """Return where an effect goes; an interval that holds 0 decides nothing."""
    if effect.value is None:
        return Shift.UNDEFINED
    if effect.low is None or effect.high is None:
        return Shift.NONE
    return Shift.UP if effect.low > 0 else Shift.DOWN if effect.high < 0 else Shift.NONE
