"""The agreement figures of one scale and stratum as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.figures import PREFIX, WITHIN, Plan, kappa_reason
from cbt_core.stats.omission import leave_one_out
from cbt_core.stats.raters import rater_rows
from cbt_core.stats.ratings import POOLED, Floats, Integers, Ratings
from cbt_core.stats.reasons import Reason
from cbt_core.stats.strata import Figures, ScaleTable, Stratum
from cbt_core.stats.sums import Sums
from cbt_core.stats.values import Value, framed, percentiles, undefined

POOLED_LABEL: Final = "includes differences between systems"

Json = dict[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What was computed for one stratum: figures of the sample (m, 1) and replicates (m, B)."""

    scale: ScaleTable
    stratum: Stratum
    sums: Sums
    points: Figures
    replicates: Figures
    ordered: bool

    def values(self, key: str, reasons: Sequence[Reason]) -> list[Value]:
        """Return the values of a statistic; `reasons` (m,) stand where it is undefined."""
        points = self.points[key][:, 0]
        low, high, share = percentiles(self.replicates.get(key, np.empty((len(points), 0))))
        return [
            undefined(reason) if np.isnan(point) else framed(point, *limits)
            for point, reason, limits in zip(
                points, reasons, zip(low, high, share, strict=True), strict=True
            )
        ]


def stratum_json(plan: Plan, ratings: Ratings, result: Result) -> Json:
    """Return the STATS object of one stratum."""
    rows = _rows(ratings, result)
    found: Json = {"label": POOLED_LABEL} if result.stratum.name == POOLED else {}
    found |= _counts(ratings, result, rows)
    for statistic in plan.statistics:
        if statistic.ordered and not result.ordered:
            found[statistic.key] = undefined(Reason.NOMINAL).json()
        else:
            reason = [statistic.reason(result.sums)]
            found[statistic.key] = result.values(statistic.key, reason)[0].json()
    if plan.full:
        found |= _full(ratings, result)
    found["pairs"] = _pairs(plan, ratings, result)
    if plan.full:
        found["raters"] = rater_rows(
            ratings, result.scale.scale, rows, ordered=result.ordered,
            intervals=bool(result.replicates),
        )
    return found


def _rows(ratings: Ratings, result: Result) -> Integers:
    scored = ~np.isnan(ratings.values[result.scale.scale])
    if result.stratum.name != POOLED:
        scored &= ratings.system == result.stratum.systems[0]
    return np.flatnonzero(scored)


def _counts(ratings: Ratings, result: Result, rows: Integers) -> Json:
    sums = result.sums
    present = len(result.stratum.frame.present)
    return {
        "n_items": len(np.unique(ratings.item[rows])),
        "n_units": int(sums["units"][0]),
        "n_pairable_units": int(sums["pairable"][0]),
        "n_complete_units": int(sums["complete"][0]),
        "n_raters": present,
        "n_ratings": int(sums["ratings"][0]),
    }


def _full(ratings: Ratings, result: Result) -> Json:
    found: Json = {"icc_1_n_ratings": result.stratum.frame.modal or None}
    if result.stratum.name == POOLED:
        found["within_systems"] = {key: _within(result, key).json() for key in WITHIN}
    found["leave_one_rater_out"] = {"alpha_ordinal": _omission(ratings, result)}
    return found


def _within(result: Result, key: str) -> Value:
    if not result.ordered:
        return undefined(Reason.NOMINAL)
    pairable = bool(result.sums["pairable"][0])
    return result.values(PREFIX + key, [Reason.ALL_EQUAL if pairable else Reason.NO_PAIRS])[0]


def _omission(ratings: Ratings, result: Result) -> Json:
    if not result.ordered:
        return {"min": None, "max": None, "rater": None, "reason": Reason.NOMINAL.text}
    if len(result.stratum.frame.present) < 3:
        reason = Reason.FEWER_THAN_THREE_RATERS.text
        return {"min": None, "max": None, "rater": None, "reason": reason}
    whole = float(result.points["alpha_ordinal"][0, 0])
    return leave_one_out(ratings, result.scale.patterns, result.stratum, whole)


def _pairs(plan: Plan, ratings: Ratings, result: Result) -> list[Json]:
    tables: Floats = result.sums["tables"][..., 0]
    reasons = [kappa_reason(table) for table in tables]
    columns = {
        key: result.values(key, reasons)
        if key in result.points
        else [undefined(Reason.NOMINAL)] * len(tables)
        for key in plan.kappas
    }
    raters = result.scale.patterns.raters
    fixed = result.stratum.frame
    return [
        {
            "a": ratings.raters[raters[a]],
            "b": ratings.raters[raters[b]],
            "n": int(tables[index].sum()),
            **{key: values[index].json() for key, values in columns.items()},
        }
        for index, (a, b) in enumerate(zip(fixed.first, fixed.second, strict=True))
    ]
