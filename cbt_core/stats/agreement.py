"""How far raters agree: all figures of the `agreement` JSON, with intervals over items."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.stats import resampling
from cbt_core.stats.figures import (
    EVERYTHING, LIVE, PREFIX, WITHIN, Plan, figures, kappa_reason,
)  # fmt: skip
from cbt_core.stats.omission import leave_one_out
from cbt_core.stats.raters import rater_rows
from cbt_core.stats.ratings import POOLED, Integers, Ratings
from cbt_core.stats.reasons import Reason
from cbt_core.stats.signature import signature, told_values
from cbt_core.stats.strata import Figures, Replicates, ScaleTable, Stratum, sample, table
from cbt_core.stats.sums import Sums
from cbt_core.stats.values import Value, framed, percentiles, undefined

POOLED_LABEL: Final = "includes differences between systems"

Json = dict[str, object]


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
    absent = [scale for scale in values if scale not in ratings.values]
    if absent:
        raise StudyError("stats.no_such_scale", scale=absent[0])
    tables = [table(ratings, scale, values[scale], full=plan.full) for scale in values]
    replicates = [
        Replicates(each, partial(figures, plan, each.scale not in nominal)) for each in tables
    ]
    widest = max((each.widest for each in tables), default=1)
    items = len(ratings.items)
    count = bootstrap if items else 0
    for weights in resampling.blocks(items, replicates=count, seed=seed, widest=widest):
        for each in replicates:
            each.add(weights)
    scales = {
        each.scale: _scale(plan, ratings, each, drawn, each.scale not in nominal)
        for each, drawn in zip(tables, replicates, strict=True)
    }
    settings = {"values": told_values(values, tuple(values)), "nominal": ",".join(sorted(nominal))}
    settings = {name: told for name, told in settings.items() if told}
    settings |= {"alpha": "ordinal", "boot": str(bootstrap), "seed": str(seed)}
    return {
        "signature": signature(ratings, tuple(values), settings),
        "flow": _flow(ratings, tuple(values)),
        "scales": scales,
    }


def _flow(ratings: Ratings, scales: Sequence[str]) -> Json:
    missing = {scale: int(np.isnan(ratings.values[scale]).sum()) for scale in scales}
    return {**ratings.flow, "missing_scores": missing}


def _scale(
    plan: Plan, ratings: Ratings, scale: ScaleTable, drawn: Replicates, ordered: bool
) -> Json:
    sums = sample(scale, len(ratings.items))
    found: Json = {}
    for stratum in scale.strata:
        points = figures(plan, ordered, stratum.name, sums)
        replicated = drawn.figures(stratum.name)
        chosen = Chosen(ratings, scale, stratum, sums[stratum.name], points, replicated)
        found[stratum.name] = _stratum(plan, chosen, ordered)
    return found
