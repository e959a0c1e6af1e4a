"""What becomes of alpha when one rater is left out."""

import numpy as np

from cbt_core.stats.alpha import alpha, ordinal_distances
from cbt_core.stats.patterns import Patterns
from cbt_core.stats.ratings import Floats
from cbt_core.stats.strata import Stratum
from cbt_core.stats.sums import Sums, coincidence_features


def leave_one_out(distinct: Patterns, stratum: Stratum, whole: float) -> dict[str, object]:
    """Return the range of ordinal alpha (whole: with all raters) when each rater is left out.

    `rater` is the index of the one whose absence moves alpha the most; nan are passed over, and
    all three are None when nothing is left.
    """
    occurring = sum(
        np.asarray(distinct.members[system].sum(axis=1), dtype=np.float64)
        for system in stratum.systems
    )
    found = np.array(
        [_without(distinct, stratum, occurring, column) for column in stratum.frame.present]
    )
    if len(found) < 3 or np.isnan(found).all():
        return {"min": None, "max": None, "rater": None}
    moved = np.abs(found - whole) if not np.isnan(whole) else np.abs(found)
    column = stratum.frame.present[int(np.nanargmax(moved))]
    return {
        "min": float(np.nanmin(found)),
        "max": float(np.nanmax(found)),
        "rater": int(distinct.raters[column]),
    }


def _without(distinct: Patterns, stratum: Stratum, occurring: Floats, column: int) -> float:
    codes = distinct.codes.copy()
    codes[:, column] = -1
    found = coincidence_features(codes, stratum.frame)
    sums = Sums(stratum.frame, found.rows @ occurring[:, np.newaxis], found.places)
    return float(alpha(sums, ordinal_distances(sums))[0])
