"""Every single-figure agreement statistic: its key in the JSON, its formula, why it may be missing.

A new statistic is one more line here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cbt_core.stats.agreement import alpha, chance, icc
from cbt_core.stats.agreement.sums import Sums
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import Reason


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic: `compute` gives (b,), nan = undefined; `reason` explains a nan of the sample.

    `ordered`: needs values whose order and distance mean something (not a nominal scale).
    """

    key: str
    compute: Callable[[Sums], Floats]
    reason: Callable[[Sums], Reason]
    ordered: bool = True


def _no_pairs(sums: Sums) -> Reason:
    if not sums["ratings"][0]:
        return Reason.NO_RATINGS
    if not sums["pairable"][0]:
        return Reason.NO_PAIRS
    return Reason.ONE_CATEGORY if len(sums.frame.categories) < 2 else Reason.ALL_EQUAL


def _not_complete(sums: Sums) -> Reason:
    if not sums["ratings"][0]:
        return Reason.NO_RATINGS
    if len(sums.frame.present) < 2:
        return Reason.FEW_RATERS
    if not sums["complete"][0]:
        return Reason.NOT_CROSSED
    if sums["complete"][0] < 2:
        return Reason.ONE_COMPLETE
    used = (sums["complete_margins"].sum(axis=0)[:, 0] > 0).sum()
    return Reason.ALL_EQUAL if used < 2 else Reason.NO_UNIT_VARIANCE


def _not_one_way(sums: Sums) -> Reason:
    if not sums["ratings"][0]:
        return Reason.NO_RATINGS
    if sums.frame.modal < 2:
        return Reason.SINGLE_RATINGS
    if sums["modal_units"][0] < 2:
        return Reason.FEW_MODAL
    return Reason.NO_UNIT_VARIANCE if _differ(sums) else Reason.ALL_EQUAL


def _no_components(sums: Sums) -> Reason:
    if not sums["ratings"][0]:
        return Reason.NO_RATINGS
    if len(sums.frame.present) < 2:
        return Reason.FEW_RATERS
    if not sums["pairable"][0]:
        return Reason.NO_PAIRS
    return Reason.NO_RESIDUAL if _differ(sums) else Reason.ALL_EQUAL


def _differ(sums: Sums) -> bool:
    return bool((sums["prevalences"][:, 0] > 0).sum() > 1)


def _alpha_nominal(sums: Sums) -> Floats:
    return alpha.alpha(sums, alpha.nominal_distances(sums))


def _alpha_ordinal(sums: Sums) -> Floats:
    return alpha.alpha(sums, alpha.ordinal_distances(sums))


def _alpha_interval(sums: Sums) -> Floats:
    return alpha.alpha(sums, alpha.interval_distances(sums))


PERCENT: Final = Statistic("percent_agreement", chance.percent_agreement, _no_pairs, False)
ALPHA_ORDINAL: Final = Statistic("alpha_ordinal", _alpha_ordinal, _no_pairs)
AC2_QUADRATIC: Final = Statistic("ac2_quadratic", lambda sums: chance.ac(sums, 2), _no_pairs)

CORE: Final = (PERCENT, ALPHA_ORDINAL, AC2_QUADRATIC)
"""What a live results page shows beside the pairs."""

FULL: Final = (
    PERCENT,
    Statistic("percent_agreement_pooled", chance.percent_agreement_pooled, _no_pairs, False),
    Statistic("alpha_nominal", _alpha_nominal, _no_pairs, False),
    ALPHA_ORDINAL,
    Statistic("alpha_interval", _alpha_interval, _no_pairs),
    Statistic("fleiss_kappa", chance.fleiss_kappa, _no_pairs, False),
    Statistic("ac1", lambda sums: chance.ac(sums, 0), _no_pairs, False),
    Statistic("ac2_linear", lambda sums: chance.ac(sums, 1), _no_pairs),
    AC2_QUADRATIC,
    Statistic("icc_2_1", lambda s: icc.agreement_single(icc.two_way(s)), _not_complete),
    Statistic("icc_3_1", lambda s: icc.consistency_single(icc.two_way(s)), _not_complete),
    Statistic("icc_2_k", lambda s: icc.agreement_mean(icc.two_way(s)), _not_complete),
    Statistic("icc_3_k", lambda s: icc.consistency_mean(icc.two_way(s)), _not_complete),
    Statistic("kendall_w", icc.kendall_w, _not_complete),
    Statistic("icc_1_1", lambda sums: icc.one_way(sums)[0], _not_one_way),
    Statistic("icc_1_k", lambda sums: icc.one_way(sums)[1], _not_one_way),
    Statistic("icc_agreement_vc", icc.agreement, _no_components),
)
"""Every statistic of `agreement`, in the order of its JSON."""
