"""Krippendorff's alpha from coincidences, and what becomes of it when one rater is left out.

Source: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011).
"""

from collections.abc import Sequence

import numpy as np

from cbt_core.stats.agreement.results import LeftOutRange
from cbt_core.stats.agreement.sums import Patterns, Stratum, Sums, coincidence_features, occurrences
from cbt_core.stats.ratings import Floats, Ratings
from cbt_core.stats.values import Reason, ratio


def nominal_distances(sums: Sums) -> Floats:
    """Return squared distances (q, q, 1): 1 between different categories."""
    return (1.0 - np.eye(len(sums.frame.categories)))[:, :, np.newaxis]


def interval_distances(sums: Sums) -> Floats:
    """Return squared differences of the values (q, q, 1)."""
    values = sums.frame.centred
    return np.asarray((values[:, np.newaxis] - values) ** 2)[:, :, np.newaxis]


def ordinal_distances(sums: Sums) -> Floats:
    """Return squared ordinal distances (q, q, b): how many pairable ratings lie between.

    Half of those in the two categories themselves count, so it is a difference of mid-ranks.
    """
    counts = sums["pairable_counts"]
    ranks = np.cumsum(counts, axis=0) - counts / 2
    return np.asarray((ranks[:, np.newaxis] - ranks) ** 2)


def alpha(sums: Sums, distances: Floats) -> Floats:
    """Return 1 - observed / expected disagreement (b,); nan when none is expected."""
    return 1 - ratio(_observed(sums, distances), _expected(sums, distances))


def alpha_within(sums: Sums, systems: Sequence[Sums], distances: Floats) -> Floats:
    """Return alpha of the pooled units with the disagreement expected within systems (b,).

    The expected disagreement of each system, measured with the pooled distances, counts by its
    number of pairable ratings: differences between systems no longer pass for agreement.
    """
    sizes = [system["pairable_counts"].sum(axis=0) for system in systems]
    expected = [
        size * np.nan_to_num(_expected(system, distances))
        for size, system in zip(sizes, systems, strict=True)
    ]
    within = ratio(np.sum(expected, axis=0), np.sum(sizes, axis=0))
    return 1 - ratio(_observed(sums, distances), within)


def _observed(sums: Sums, distances: Floats) -> Floats:
    disagreement = (sums["coincidences"] * distances).sum(axis=(0, 1))
    return ratio(disagreement, sums["pairable_counts"].sum(axis=0))


def _expected(sums: Sums, distances: Floats) -> Floats:
    counts = sums["pairable_counts"]
    size = counts.sum(axis=0)
    disagreement = np.einsum("cb,kb,ckb->b", counts, counts, np.broadcast_to(
        distances, (len(counts), len(counts), counts.shape[1])
    ))  # fmt: skip
    return ratio(disagreement, size * (size - 1))


def leave_one_out(
    ratings: Ratings, distinct: Patterns, stratum: Stratum, whole: float
) -> LeftOutRange:
    """Return the range of ordinal alpha (`whole`: with all raters) when each rater is left out.

    `rater` is the one whose absence moves alpha the most. Undefined alphas are passed over.
    """
    occurring = occurrences(distinct, stratum.systems)
    alphas = np.array(
        [_without(distinct, stratum, occurring, column) for column in stratum.frame.present]
    )
    if np.isnan(alphas).all() or np.isnan(whole):
        return LeftOutRange(None, None, None, Reason.ALL_EQUAL.text)
    column = stratum.frame.present[int(np.nanargmax(np.abs(alphas - whole)))]
    return LeftOutRange(
        float(np.nanmin(alphas)), float(np.nanmax(alphas)), ratings.raters[distinct.raters[column]]
    )


def _without(distinct: Patterns, stratum: Stratum, occurring: Floats, column: int) -> float:
    codes = distinct.codes.copy()
    codes[:, column] = -1
    features = coincidence_features(codes, stratum.frame)
    sums = Sums(stratum.frame, features.rows @ occurring[:, np.newaxis], features.places)
    return float(alpha(sums, ordinal_distances(sums))[0])
