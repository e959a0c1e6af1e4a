"""Intervals and paired tests from per-answer statistics: one matrix product for all metrics.

A metric is a function of summed rows: BLEU and chrF of counts, the others of (value, 1), whose
ratio is the mean. Items are resampled (Koehn 2004), or the answers of two systems exchanged item
by item (approximate randomisation, Riezler & Maxwell 2005).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import CELLS, blocks

Formula = Callable[[Floats], Floats]
"""Scores (b,) of summed statistics (b, k)."""

TRIALS: Final = 10_000
"""Random exchanges of a paired test (sacrebleu's default too)."""

LEVEL: Final = (0.025, 0.975)
UNSTABLE: Final = 0.05
SLACK: Final = 1e-12
"""Two sums that should be equal may differ in the last digits."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One metric of one system on a fixed list of items: statistics (items, k)."""

    rows: Floats
    formula: Formula

    @property
    def value(self) -> float:
        """Return the score of all items together."""
        return float(self.formula(self.rows.sum(axis=0)[np.newaxis])[0])


def mean(sums: Floats) -> Floats:
    """Return sum / count (b,) of (b, 2), NaN without any: the formula of a metric that averages."""
    some = sums[:, 1] > 0
    return np.where(some, sums[:, 0] / np.where(some, sums[:, 1], 1.0), np.nan)


def averaged(values: Floats) -> Floats:
    """Return the rows (items, 2) whose `mean` is the mean of the values that are not NaN."""
    known = ~np.isnan(values)
    return np.column_stack((np.where(known, values, 0.0), known.astype(np.float64)))


def replicates(scored: Sequence[Scored], *, count: int, seed: int) -> list[Floats]:
    """Return `count` bootstrap scores of each of these, all with the same draws of items."""
    table, spans = _side_by_side(scored)
    scores: list[list[Floats]] = [[] for _ in scored]
    for weights in blocks(len(table), replicates=count, seed=seed, widest=table.shape[1]):
        sums = weights.T @ table
        for at, (score, span) in enumerate(zip(scored, spans, strict=True)):
            scores[at].append(score.formula(sums[:, span]))
    return [np.concatenate(parts) for parts in scores]


def interval(scores: Floats) -> tuple[float, float] | None:
    """Return the percentile interval of bootstrap scores, 95 %.

    None when more than 5 % of the replicates are undefined (NaN).
    """
    known = scores[~np.isnan(scores)]
    if len(known) < (1 - UNSTABLE) * len(scores):
        return None
    low, high = np.quantile(known, LEVEL)
    return float(low), float(high)


def exchange_p(
    pairs: Sequence[tuple[Scored, Scored]], *, seed: int, trials: int = TRIALS
) -> list[float]:
    """Return the two-sided p of each pair's difference under random exchange of answers.

    p = (1 + exchanges at least as far apart as observed) / (trials + 1).
    """
    firsts, spans = _side_by_side([first for first, _ in pairs])
    seconds, _ = _side_by_side([second for _, second in pairs])
    table = seconds - firsts
    sums_a, sums_b = firsts.sum(axis=0), seconds.sum(axis=0)
    observed = [abs(first.value - second.value) for first, second in pairs]
    beyond = np.zeros(len(pairs))
    for swaps in _swaps(len(table), trials, seed):
        moved = swaps @ table
        for at, ((first, second), span) in enumerate(zip(pairs, spans, strict=True)):
            first_score = first.formula(sums_a[span] + moved[:, span])
            other = second.formula(sums_b[span] - moved[:, span])
            beyond[at] += np.count_nonzero(np.abs(first_score - other) >= observed[at] - SLACK)
    return [float(p) for p in (1 + beyond) / (trials + 1)]


def bootstrap_p(differences: Floats, observed: float) -> float:
    """Return the two-sided p of bootstrap differences shifted to the null (sacrebleu's)."""
    known = differences[~np.isnan(differences)]
    centred = np.abs(known - known.mean())
    return float((1 + np.count_nonzero(centred >= abs(observed) - SLACK)) / (len(centred) + 1))


def _side_by_side(scored: Sequence[Scored]) -> tuple[Floats, list[slice]]:
    edges = accumulate((one.rows.shape[1] for one in scored), initial=0)
    spans = [slice(start, end) for start, end in pairwise(edges)]
    return np.hstack([one.rows for one in scored]), spans


def _swaps(items: int, trials: int, seed: int) -> Iterator[Floats]:
    """Yield arrays (b, items) of 0 and 1: which items are exchanged in each trial."""
    random = np.random.default_rng([seed, 1])  # apart from the draws of the bootstrap
    size = max(16, CELLS // max(items, 1))
    width = -(-items // 8)
    for start in range(0, trials, size):
        bits = random.integers(256, size=(min(size, trials - start), width), dtype=np.uint8)
        yield np.unpackbits(bits, axis=1, count=items).astype(np.float64)
