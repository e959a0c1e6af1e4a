"""How far raters agree: all figures of the `agreement` JSON, with intervals over items.

The figures of one stratum are computed at once, for the sample and for every replicate alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.stats import resampling
from cbt_core.stats.agreement import alpha, chance
from cbt_core.stats.agreement.alpha import leave_one_out
from cbt_core.stats.agreement.catalogue import CORE, FULL, Statistic
from cbt_core.stats.agreement.raters import rater_rows
from cbt_core.stats.agreement.sums import (
    Figures,
    Replicates,
    ScaleTable,
    Stratum,
    Sums,
    sample,
    table,
)
from cbt_core.stats.ratings import POOLED, Floats, Integers, Ratings
from cbt_core.stats.signature import signature, told_values
from cbt_core.stats.values import Reason, Value, framed, percentiles, undefined

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
        key: chance.kappa(sums, KAPPAS[key]) for key in plan.kappas if ordered or key == "kappa"
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


def agreement(
    ratings: Ratings,
    *,
    values: Mapping[str, Sequence[float]],
    bootstrap: int = 1000,
    seed: int = 1,
    nominal: Collection[str] = (),
) -> Json:
    """Return the `agreement` JSON of every scale in `values`, pooled and per system.

    `values`: all values of each scale, used or not; `nominal`: scales whose values are names;
    `bootstrap` 0 leaves the intervals out. The same rows, values and seed give the same figures.

    Raises:
        StudyError: a scale is not among the ratings, or a score is none of the scale's values.
    """
    return _body(EVERYTHING, ratings, values, nominal, bootstrap=bootstrap, seed=seed)


def core_agreement(
    ratings: Ratings,
    *,
    values: Mapping[str, Sequence[float]],
    bootstrap: int = 1000,
    seed: int = 1,
    nominal: Collection[str] = (),
) -> Json:
    """Return the part of `agreement` that a live page shows; its figures equal those there.

    Counts, percent_agreement, alpha_ordinal, ac2_quadratic and, per pair of raters, kappa and
    kappa_quadratic, each with its interval.

    Raises:
        StudyError: as `agreement`.
    """
    return _body(LIVE, ratings, values, nominal, bootstrap=bootstrap, seed=seed)


def _body(
    plan: Plan,
    ratings: Ratings,
    values: Mapping[str, Sequence[float]],
    nominal: Collection[str],
    *,
    bootstrap: int,
    seed: int,
) -> Json:
    _refuse_absent(ratings, values)
    tables = [table(ratings, scale, values[scale], full=plan.full) for scale in values]
    replicated = _replicated(plan, ratings, tables, nominal, bootstrap=bootstrap, seed=seed)
    return {
        "signature": signature(ratings, tuple(values), _settings(values, nominal, bootstrap, seed)),
        "flow": _flow(ratings, tuple(values)),
        "scales": {
            each.scale: _scale(plan, ratings, each, drawn, ordered=each.scale not in nominal)
            for each, drawn in zip(tables, replicated, strict=True)
        },
    }


def _replicated(
    plan: Plan,
    ratings: Ratings,
    tables: Sequence[ScaleTable],
    nominal: Collection[str],
    *,
    bootstrap: int,
    seed: int,
) -> list[Replicates]:
    """Return the replicates of every scale, all from the same draws of items."""
    found = [Replicates(each, partial(figures, plan, each.scale not in nominal)) for each in tables]
    items = len(ratings.items)
    widest = max((each.widest for each in tables), default=1)
    count = bootstrap if items else 0
    for weights in resampling.blocks(items, replicates=count, seed=seed, widest=widest):
        for replicates in found:
            replicates.add(weights)
    return found


def _refuse_absent(ratings: Ratings, scales: Collection[str]) -> None:
    for scale in scales:
        if scale not in ratings.values:
            raise StudyError("stats.no_such_scale", scale=scale)


def _settings(
    values: Mapping[str, Sequence[float]], nominal: Collection[str], bootstrap: int, seed: int
) -> dict[str, object]:
    settings: dict[str, object] = {"values": told_values(values, tuple(values))}
    if nominal:
        settings["nominal"] = ",".join(sorted(nominal))
    return settings | {"alpha": "ordinal", "boot": bootstrap, "seed": seed}


def _flow(ratings: Ratings, scales: Sequence[str]) -> Json:
    missing = {scale: int(np.isnan(ratings.values[scale]).sum()) for scale in scales}
    return {**ratings.flow, "missing_scores": missing}


def _scale(
    plan: Plan, ratings: Ratings, scale: ScaleTable, drawn: Replicates, *, ordered: bool
) -> Json:
    sums = sample(scale, len(ratings.items))
    found: Json = {}
    for stratum in scale.strata:
        result = Result(
            scale=scale,
            stratum=stratum,
            sums=sums[stratum.name],
            points=figures(plan, ordered, stratum.name, sums),
            replicates=drawn.figures(stratum.name),
            ordered=ordered,
        )
        found[stratum.name] = stratum_json(plan, ratings, result)
    return found
