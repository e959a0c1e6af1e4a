"""How an automatic metric ranks answers beside people: within systems and pooled, with a ceiling.

Pooled correlation only shows that systems differ; within systems tells whether the metric knows a
good answer from a bad one. The ceiling is what one rater reaches against the mean of the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import rank_correlation, resampling
from cbt_core.stats.clustered import Bootstrap, Truths
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.reasons import Reason
from cbt_core.stats.values import Value, undefined, with_interval

Correlate = Callable[[Floats, Floats, Floats], Floats]
FEWEST: Final = 3
"""Fewer answers rank nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers with scores: `item`, `system` (n,) indices; `human` (n, R), nan = not scored."""

    item: Integers
    system: Integers
    human: Floats


@dataclass(frozen=True, slots=True)
class Correlation:
    """Kendall's tau-b and Spearman's rho of `n` answers."""

    n: int
    kendall: Value
    spearman: Value


@dataclass(frozen=True, slots=True)
class Correlations:
    """Within systems (mean of those defined), each system, and all pooled."""

    within: Correlation
    pooled: Correlation
    by_system: dict[str, Correlation]


def with_metric(
    answers: Answers, metric: Floats, systems: Mapping[int, str], *, how: Bootstrap
) -> Correlations:
    """Return the correlation of a metric (n,) with the mean human score."""
    human = _row_means(answers.human)
    return _correlations(answers, [(human, metric)], systems, how)


def human_ceiling(
    answers: Answers, systems: Mapping[int, str], *, how: Bootstrap
) -> Correlations:
    """Return the mean, over raters, of the correlation of own scores with the others' mean."""
    pairs = []
    for rater in range(answers.human.shape[1]):
        others = np.delete(answers.human, rater, axis=1)
        pairs.append((answers.human[:, rater], _row_means(others)))
    return _correlations(answers, pairs, systems, how)


def _correlations(
    answers: Answers, pairs: list[tuple[Floats, Floats]], systems: Mapping[int, str],
    how: Bootstrap,
) -> Correlations:
    """Return the correlations, each the mean over `pairs` of measures (n,)."""
    used = np.zeros(len(answers.item), dtype=bool)
    for x, y in pairs:
        used |= ~(np.isnan(x) | np.isnan(y))
    weights = _weights(answers.item, how)
    groups = {name: answers.system == index for index, name in systems.items()}
    found = {
        name: {kind: _replicated(pairs, here, weights, kind) for kind in _KINDS}
        for name, here in {"": used, **groups}.items()
    }
    count = {name: int((used & here).sum()) for name, here in groups.items()}
    within = {
        kind: _mean_of([found[name][kind] for name in groups]) for kind in _KINDS
    }
    return Correlations(
        within=_told(int(used.sum()), within),
        pooled=_told(int(used.sum()), found[""]),
        by_system={name: _told(count[name], found[name]) for name in groups},
    )


def _weights(item: Integers, how: Bootstrap) -> Floats:
    """Return weights (n, 1 + B): the sample itself, then the replicates."""
    if not len(item):
        return np.empty((0, 1))
    _, place = np.unique(item, return_inverse=True)
    items = int(place.max()) + 1
    parts = [np.ones((items, 1))]
    if items > 1:
        parts += list(resampling.blocks(items, replicates=how.replicates, seed=how.seed))
    return np.asarray(np.concatenate(parts, axis=1)[place])


_KINDS: Final[Mapping[str, Correlate]] = {
    "kendall": rank_correlation.kendall, "spearman": rank_correlation.spearman,
}


def _replicated(
    pairs: list[tuple[Floats, Floats]], here: Truths, weights: Floats, kind: str
) -> Floats:
    """Return the mean over pairs of the correlation, sample first then replicates (1 + B,)."""
    return _mean_of([_one(x, y, here, weights, kind) for x, y in pairs])


def _one(x: Floats, y: Floats, here: Truths, weights: Floats, kind: str) -> Floats:
    rows = np.flatnonzero(here & ~(np.isnan(x) | np.isnan(y)))
    if len(rows) < FEWEST:
        return np.full(weights.shape[1], np.nan)
    drawn = weights[rows]
    if kind == "kendall" and len(rows) > rank_correlation.MOST:
        return _point_only(x[rows], y[rows], weights.shape[1])
    return _KINDS[kind](x[rows], y[rows], drawn)


def _point_only(x: Floats, y: Floats, columns: int) -> Floats:
    from scipy.stats import kendalltau

    found = np.full(columns, np.nan)
    found[0] = float(kendalltau(x, y).statistic)
    return found


def _mean_of(parts: list[Floats]) -> Floats:
    """Return the mean (1 + B,) over the parts that the sample defines."""
    defined = [part for part in parts if not np.isnan(part[0])]
    if not defined:
        return parts[0] if parts else np.full(1, np.nan)
    return np.asarray(np.mean(defined, axis=0))


def _told(n: int, figures: Mapping[str, Floats]) -> Correlation:
    return Correlation(n, *(_value(n, kind, figures[kind]) for kind in _KINDS))


def _value(n: int, kind: str, figures: Floats) -> Value:
    if np.isnan(figures[0]):
        return undefined(Reason.NO_MATCHED if n < FEWEST else Reason.CONSTANT_MEASURE)
    if kind == "kendall" and n > rank_correlation.MOST:
        return Value(float(figures[0]), reason=Reason.TOO_MANY_ANSWERS.text)
    return with_interval(float(figures[0]), figures[1:])


def _row_means(table: Floats) -> Floats:
    """Return the mean (n,) of what each row of (n, R) has, nan where it has nothing."""
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    found = np.full(len(table), np.nan)
    np.divide(np.where(known, table, 0).sum(axis=1), count, out=found, where=count > 0)
    return found
