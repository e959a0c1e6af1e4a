"""How far raters agree: all figures of the `agreement` JSON, with intervals over items."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.stats import resampling
from cbt_core.stats.figures import EVERYTHING, LIVE, Plan, figures
from cbt_core.stats.ratings import Ratings
from cbt_core.stats.reporting import Json, Result, stratum_json
from cbt_core.stats.signature import signature, told_values
from cbt_core.stats.strata import Replicates, ScaleTable, sample, table


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
