"""The units × raters table of one scale, as its distinct rows and how often an item has each.

Ratings on a short scale repeat: 22,327 units with three raters have at most 64 different rows.
Every statistic is a function of how often each row occurs, so a bootstrap replicate needs only
the item weights times one sparse table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cbt_core.errors import StudyError
from cbt_core.stats.ratings import Floats, Integers, Ratings

Codes = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Distinct units of one scale.

    `codes` (P, R): category of each rater, -1 = no score; `raters` (R,): indices into the labels
    of the raters who scored on this scale; `categories` (q,): the values of the scale, ascending;
    `members`: per system one sparse table (P, I), how many units of an item have this row.
    """

    codes: Codes
    raters: Integers
    categories: Floats
    members: tuple[csr_array, ...]


def patterns(ratings: Ratings, scale: str, categories: Sequence[float]) -> Patterns:
    """Return the distinct units of a scale, per system.

    Raises:
        StudyError: a score is none of the scale's values.
    """
    values = np.unique(np.asarray(categories, dtype=np.float64))
    scores = ratings.values[scale]
    scored = np.flatnonzero(~np.isnan(scores))
    raters, column = np.unique(ratings.rater[scored], return_inverse=True)
    unit, first = units(ratings, scored)
    codes = np.full((len(first), len(raters)), -1, dtype=np.int16)
    codes[unit, column] = categorised(scores[scored], values, scale)
    kept, pattern = _distinct(codes, len(values))
    shape = (len(kept), len(ratings.items))
    members = tuple(
        _occurrences(pattern, ratings.item[first], ratings.system[first] == system, shape)
        for system in range(len(ratings.systems))
    )
    return Patterns(codes[kept], raters, values, members)


def categorised(scores: Floats, values: Floats, scale: str) -> Integers:
    """Return the index of each score among the ascending values of its scale.

    Raises:
        StudyError: a score is none of them.
    """
    index = np.minimum(np.searchsorted(values, scores), max(len(values) - 1, 0))
    if len(scores) and (len(values) == 0 or bool((values[index] != scores).any())):
        raise StudyError("stats.value_not_on_scale", scale=scale)
    return index


def units(ratings: Ratings, rows: Integers) -> tuple[Integers, Integers]:
    """Return the unit index of each row and the first row of each unit (rows are sorted)."""
    keys = np.stack([ratings.item[rows], ratings.system[rows], ratings.panel[rows]])
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return np.cumsum(starts) - 1, rows[starts]


def _distinct(codes: Codes, categories: int) -> tuple[Integers, Integers]:
    """Return the index of one row per distinct row, and each row's place among them."""
    place = np.zeros(len(codes), dtype=np.int64)
    base = categories + 1
    limit = np.iinfo(np.int64).max // (base + 1)
    largest = 0
    for column in codes.T:
        if largest > limit:
            seen, place = np.unique(place, return_inverse=True)
            largest = len(seen)
        place = place * base + (column + 1)
        largest = largest * base + base
    _, kept, inverse = np.unique(place, return_index=True, return_inverse=True)
    return kept.astype(np.int64), inverse.astype(np.int64)


def _occurrences(
    pattern: Integers, item: Integers, chosen: NDArray[np.bool_], shape: tuple[int, int]
) -> csr_array:
    ones = np.ones(int(chosen.sum()))
    return csr_array((ones, (pattern[chosen], item[chosen])), shape=shape)
