"""All figures of one stratum at once, for the sample and for every replicate alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import alpha, chance, kappa
from cbt_core.stats.catalogue import CORE, FULL, Statistic
from cbt_core.stats.ratings import POOLED, Floats
from cbt_core.stats.reasons import Reason
from cbt_core.stats.strata import Figures
from cbt_core.stats.sums import Sums

KAPPAS: Final = {"kappa": 0, "kappa_linear": 1, "kappa_quadratic": 2}
"""Kappas of a pair of raters, and the power of their weights."""

WITHIN: Final = ("alpha_ordinal", "ac2_quadratic")
PREFIX: Final = "within_systems."


@dataclass(frozen=True, slots=True)
class Plan:
    """Which figures are wanted: single `statistics`, `kappas` per pair, and those of FULL only."""

    statistics: tuple[Statistic, ...]
    kappas: tuple[str, ...]
    full: bool


EVERYTHING: Final = Plan(FULL, tuple(KAPPAS), full=True)
LIVE: Final = Plan(CORE, ("kappa", "kappa_quadratic"), full=False)


def figures(plan: Plan, ordered: bool, name: str, strata: Mapping[str, Sums]) -> Figures:
    """Return every wanted figure (m, b) of stratum `name`; `ordered`: not a nominal scale."""
    sums = strata[name]
    found = {
        statistic.key: statistic.compute(sums)[np.newaxis, :]
        for statistic in plan.statistics
        if ordered or not statistic.ordered
    }
    found |= {
        key: kappa.kappa(sums, KAPPAS[key]) for key in plan.kappas if ordered or key == "kappa"
    }
    if plan.full and ordered and name == POOLED:
        systems = [part for stratum, part in strata.items() if stratum != POOLED]
        distances = alpha.ordinal_distances(sums)
        found[PREFIX + WITHIN[0]] = alpha.alpha_within(sums, systems, distances)[np.newaxis, :]
        found[PREFIX + WITHIN[1]] = chance.ac_within(sums, systems, 2)[np.newaxis, :]
    return found


def kappa_reason(table: Floats) -> Reason:
    """Return why the kappa of a pair with this table (q, q) of common units is undefined."""
    return Reason.CONSTANT_RATER if table.sum() > 0 else Reason.NO_COMMON
