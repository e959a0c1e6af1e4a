"""How far raters agree: every figure, with intervals over items.

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
from cbt_core.stats.agreement.raters import rater_figures
from cbt_core.stats.agreement.results import (
    Agreement,
    Counts,
    Details,
    LeftOutRange,
    PairFigures,
    StratumFigures,
    WithinSystems,
)
from cbt_core.stats.agreement.sums import (
    Figures,
    Replicates,
    ScaleTable,
    Stratum,
    Sums,
    sample,
    table,
)
from cbt_core.stats.ratings import POOLED, Floats, Integers, Ratings, signature, told_values
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
    values = {
        statistic.key: statistic.compute(sums)[np.newaxis, :]
        for statistic in plan.statistics
        if ordered or not statistic.ordered
    }
    values |= {
        key: chance.kappa(sums, KAPPAS[key]) for key in plan.kappas if ordered or key == "kappa"
    }
    if plan.full and ordered and name == POOLED:
        systems = [part for stratum, part in strata.items() if stratum != POOLED]
        distances = alpha.ordinal_distances(sums)
        values[PREFIX + WITHIN[0]] = alpha.alpha_within(sums, systems, distances)[np.newaxis, :]
        values[PREFIX + WITHIN[1]] = chance.ac_within(sums, systems, 2)[np.newaxis, :]
    return values


def kappa_reason(table: Floats) -> Reason:
    """Return why the kappa of a pair with this table (q, q) of common units is undefined."""
    return Reason.CONSTANT_RATER if table.sum() > 0 else Reason.NO_COMMON


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


def stratum_figures(plan: Plan, ratings: Ratings, result: Result) -> StratumFigures:
    """Return the figures of one stratum."""
    rows = _rows(ratings, result)
    return StratumFigures(
        name=result.stratum.name,
        nominal=not result.ordered,
        counts=_counts(ratings, result, rows),
        values={one.key: _value(one, result) for one in plan.statistics},
        commonest=_commonest(result.sums),
        pairs=_pairs(plan, ratings, result),
        details=_details(ratings, result, rows) if plan.full else None,
    )


def _value(statistic: Statistic, result: Result) -> Value:
    if statistic.ordered and not result.ordered:
        return undefined(Reason.NOMINAL)
    return result.values(statistic.key, [statistic.reason(result.sums)])[0]


def _commonest(sums: Sums) -> float | None:
    """Return the share of the most frequent value among the scores that can be paired."""
    counts = sums["pairable_counts"][:, 0]
    return float(counts.max() / counts.sum()) if counts.any() else None


def _rows(ratings: Ratings, result: Result) -> Integers:
    scored = ~np.isnan(ratings.values[result.scale.scale])
    if result.stratum.name != POOLED:
        scored &= ratings.system == result.stratum.systems[0]
    return np.flatnonzero(scored)


def _counts(ratings: Ratings, result: Result, rows: Integers) -> Counts:
    sums = result.sums
    return Counts(
        n_items=len(np.unique(ratings.item[rows])),
        n_units=int(sums["units"][0]),
        n_pairable_units=int(sums["pairable"][0]),
        n_complete_units=int(sums["complete"][0]),
        n_raters=len(result.stratum.frame.present),
        n_ratings=int(sums["ratings"][0]),
    )


def _details(ratings: Ratings, result: Result, rows: Integers) -> Details:
    pooled = result.stratum.name == POOLED
    return Details(
        icc_1_n_ratings=result.stratum.frame.modal or None,
        within_systems=WithinSystems(*(_within(result, key) for key in WITHIN)) if pooled else None,
        left_out=_left_out(ratings, result),
        raters=rater_figures(
            ratings, result.scale.scale, rows, ordered=result.ordered,
            intervals=bool(result.replicates),
        ),
    )


def _within(result: Result, key: str) -> Value:
    if not result.ordered:
        return undefined(Reason.NOMINAL)
    pairable = bool(result.sums["pairable"][0])
    return result.values(PREFIX + key, [Reason.ALL_EQUAL if pairable else Reason.NO_PAIRS])[0]


def _left_out(ratings: Ratings, result: Result) -> LeftOutRange:
    if not result.ordered:
        return LeftOutRange(None, None, None, Reason.NOMINAL.text)
    if len(result.stratum.frame.present) < 3:
        return LeftOutRange(None, None, None, Reason.FEWER_THAN_THREE_RATERS.text)
    whole = float(result.points["alpha_ordinal"][0, 0])
    return leave_one_out(ratings, result.scale.patterns, result.stratum, whole)


def _pairs(plan: Plan, ratings: Ratings, result: Result) -> tuple[PairFigures, ...]:
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
    return tuple(
        PairFigures(
            a=ratings.raters[raters[a]],
            b=ratings.raters[raters[b]],
            n=int(tables[index].sum()),
            kappas={key: values[index] for key, values in columns.items()},
        )
        for index, (a, b) in enumerate(zip(fixed.first, fixed.second, strict=True))
    )


def agreement(
    ratings: Ratings,
    *,
    values: Mapping[str, Sequence[float]],
    bootstrap: int = 1000,
    seed: int = 1,
    nominal: Collection[str] = (),
) -> Agreement:
    """Return the agreement on every scale in `values`, pooled and per system.

    `values`: all values of each scale, used or not; `nominal`: scales whose values are names;
    `bootstrap` 0 leaves the intervals out. The same rows, values and seed give the same figures.

    Raises:
        StudyError: a scale is not among the ratings, or a score is none of the scale's values.
    """
    return _agreement(EVERYTHING, ratings, values, nominal, bootstrap=bootstrap, seed=seed)


def core_agreement(
    ratings: Ratings,
    *,
    values: Mapping[str, Sequence[float]],
    bootstrap: int = 1000,
    seed: int = 1,
    nominal: Collection[str] = (),
) -> Agreement:
    """Return the part of `agreement` that a live page shows; its figures equal those there.

    Counts, percent_agreement, alpha_ordinal, ac2_quadratic and, per pair of raters, kappa and
    kappa_quadratic, each with its interval.

    Raises:
        StudyError: as `agreement`.
    """
    return _agreement(LIVE, ratings, values, nominal, bootstrap=bootstrap, seed=seed)


def _agreement(
    plan: Plan,
    ratings: Ratings,
    values: Mapping[str, Sequence[float]],
    nominal: Collection[str],
    *,
    bootstrap: int,
    seed: int,
) -> Agreement:
    _refuse_absent(ratings, values)
    tables = [table(ratings, scale, values[scale], full=plan.full) for scale in values]
    replicated = _replicated(plan, ratings, tables, nominal, bootstrap=bootstrap, seed=seed)
    return Agreement(
        signature=signature(ratings, tuple(values), _settings(values, nominal, bootstrap, seed)),
        flow=_flow(ratings, tuple(values)),
        scales={
            each.scale: _scale(plan, ratings, each, drawn, ordered=each.scale not in nominal)
            for each, drawn in zip(tables, replicated, strict=True)
        },
    )


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
    draws = [Replicates(each, partial(figures, plan, each.scale not in nominal)) for each in tables]
    items = len(ratings.items)
    widest = max((each.widest for each in tables), default=1)
    count = bootstrap if items else 0
    for weights in resampling.blocks(items, replicates=count, seed=seed, widest=widest):
        for replicates in draws:
            replicates.add(weights)
    return draws


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


def _flow(ratings: Ratings, scales: Sequence[str]) -> dict[str, object]:
    missing = {scale: int(np.isnan(ratings.values[scale]).sum()) for scale in scales}
    return {**ratings.flow, "missing_scores": missing}


def _scale(
    plan: Plan, ratings: Ratings, scale: ScaleTable, drawn: Replicates, *, ordered: bool
) -> dict[str, StratumFigures]:
    sums = sample(scale, len(ratings.items))
    return {
        stratum.name: stratum_figures(plan, ratings, Result(
            scale=scale,
            stratum=stratum,
            sums=sums[stratum.name],
            points=figures(plan, ordered, stratum.name, sums),
            replicates=drawn.figures(stratum.name),
            ordered=ordered,
        ))
        for stratum in scale.strata
    }
