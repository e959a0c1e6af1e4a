"""Scores of two systems on the same item by the same rater, paired."""

from dataclasses import dataclass

import numpy as np

from cbt_core.stats.ratings import Floats, Integers, Ratings

DECIMALS = 10
"""Differences are rounded so that float noise of item means breaks no tie in rank."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Differences system - baseline of one scale.

    `item`, `rater`, `difference` (n,): one row per item and rater who scored both, in the same
    panel; `items` (m,): the items that have such a rater, ascending; `mean` (m,): mean over those
    raters, rounded. `dropped`: items scored for one of the two systems at least, without one.
    """

    item: Integers
    rater: Integers
    difference: Floats
    items: Integers
    mean: Floats
    dropped: int


def pairs(ratings: Ratings, scale: str, system: int, baseline: int) -> Pairs:
    """Return the paired differences of two systems (indices into the labels)."""
    scores = ratings.values[scale]
    rows = [
        np.flatnonzero((ratings.system == which) & ~np.isnan(scores))
        for which in (system, baseline)
    ]
    keys = [_keys(ratings, chosen) for chosen in rows]
    _, left, right = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    left, right = rows[0][left], rows[1][right]
    item, rater, difference = _per_rater(ratings, left, scores[left] - scores[right])
    items, place = np.unique(item, return_inverse=True)
    count = np.bincount(place, minlength=len(items))
    mean = np.bincount(place, weights=difference, minlength=len(items)) / np.maximum(count, 1)
    met = len(np.unique(ratings.item[np.concatenate(rows)]))
    return Pairs(item, rater, difference, items, np.round(mean, DECIMALS), met - len(items))


def item_means(ratings: Ratings, scale: str, system: int) -> Floats:
    """Return the mean score of a system on each item (I,), nan = not scored."""
    scores = ratings.values[scale]
    chosen = (ratings.system == system) & ~np.isnan(scores)
    size = len(ratings.items)
    count = np.bincount(ratings.item[chosen], minlength=size)
    total = np.bincount(ratings.item[chosen], weights=scores[chosen], minlength=size)
    found = np.full(size, np.nan)
    np.divide(total, count, out=found, where=count > 0)
    return found


def _keys(ratings: Ratings, rows: Integers) -> Integers:
    """Return one number per (item, panel, rater)."""
    panel = ratings.item[rows] * len(ratings.panels) + ratings.panel[rows]
    return np.asarray(panel * len(ratings.raters) + ratings.rater[rows])


def _per_rater(
    ratings: Ratings, rows: Integers, difference: Floats
) -> tuple[Integers, Integers, Floats]:
    """Return item, rater and mean difference, one row per item and rater."""
    both = ratings.item[rows] * len(ratings.raters) + ratings.rater[rows]
    keys, place = np.unique(both, return_inverse=True)
    count = np.bincount(place, minlength=len(keys))
    total = np.bincount(place, weights=difference, minlength=len(keys))
    width = max(len(ratings.raters), 1)
    return keys // width, keys % width, total / np.maximum(count, 1)
