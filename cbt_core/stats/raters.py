"""Each rater against the others: severity, drift, pace."""

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats.ratings import Floats, Integers, Ratings

POSITIONS = 10
"""Drift is told per this many positions of a rater's sequence."""


def rater_rows(ratings: Ratings, scale: str, rows: Integers, *, ordered: bool) -> list[object]:
    """Return one object per rater of these scored rows; means are None on a nominal scale.

    `severity`: mean of own score less the mean of the others' over the rater's pairable units.
    `drift`: least-squares slope of that difference per 10 positions. None = not known.
    """
    scores = ratings.values[scale][rows]
    against = _against_others(ratings, scores, rows)
    found: list[object] = []
    for rater in np.unique(ratings.rater[rows]):
        mine = ratings.rater[rows] == rater
        body: dict[str, object] = {"rater": ratings.raters[rater], "n": int(mine.sum())}
        body["mean"] = float(scores[mine].mean()) if ordered else None
        body["severity"] = _mean(against[mine]) if ordered else None
        body["drift"] = _drift(ratings, rows[mine], against[mine]) if ordered else None
        body["seconds_median"] = _median(ratings.seconds, rows[mine])
        found.append(body)
    return found


def _against_others(ratings: Ratings, scores: Floats, rows: Integers) -> Floats:
    """Return own score less the mean of the others on the unit, nan where there is no other."""
    keys = np.stack([ratings.item[rows], ratings.system[rows], ratings.panel[rows]])
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    unit = np.cumsum(starts) - 1
    size = np.bincount(unit)[unit].astype(np.float64)
    total = np.bincount(unit, weights=scores)[unit]
    others = np.full(len(rows), np.nan)
    np.divide(total - scores, size - 1, out=others, where=size > 1)
    return np.asarray(scores - others)


def _mean(differences: Floats) -> float | None:
    defined = differences[~np.isnan(differences)]
    return float(defined.mean()) if len(defined) else None


def _drift(ratings: Ratings, rows: Integers, differences: Floats) -> float | None:
    if ratings.order is None:
        return None
    position = ratings.order[rows]
    known: NDArray[np.bool_] = ~(np.isnan(differences) | np.isnan(position))
    if len(np.unique(position[known])) < 2:
        return None
    centred = position[known] - position[known].mean()
    return float(POSITIONS * (centred @ differences[known]) / (centred @ centred))


def _median(seconds: Floats | None, rows: Integers) -> float | None:
    if seconds is None:
        return None
    known = seconds[rows][~np.isnan(seconds[rows])]
    return float(np.median(known)) if len(known) else None
