"""What becomes of alpha when one rater is left out."""

import numpy as np

from cbt_core.stats.alpha import alpha, ordinal_distances
from cbt_core.stats.patterns import Patterns
from cbt_core.stats.ratings import Floats, Ratings
from cbt_core.stats.reasons import Reason
from cbt_core.stats.strata import Stratum, occurrences
from cbt_core.stats.sums import Sums, coincidence_features


def leave_one_out(
    ratings: Ratings, distinct: Patterns, stratum: Stratum, whole: float
) -> dict[str, object]:
    """Return the range of ordinal alpha (`whole`: with all raters) when each rater is left out.

    `rater` is the one whose absence moves alpha the most. Undefined alphas are passed over.
    """
    occurring = occurrences(distinct, stratum.systems)
    found = np.array(
        [_without(distinct, stratum, occurring, column) for column in stratum.frame.present]
    )
    if np.isnan(found).all() or np.isnan(whole):
        return {"min": None, "max": None, "rater": None, "reason": Reason.ALL_EQUAL.text}
    column = stratum.frame.present[int(np.nanargmax(np.abs(found - whole)))]
    return {
        "min": float(np.nanmin(found)),
        "max": float(np.nanmax(found)),
        "rater": ratings.raters[distinct.raters[column]],
    }


def _without(distinct: Patterns, stratum: Stratum, occurring: Floats, column: int) -> float:
    codes = distinct.codes.copy()
    codes[:, column] = -1
    found = coincidence_features(codes, stratum.frame)
    sums = Sums(stratum.frame, found.rows @ occurring[:, np.newaxis], found.places)
    return float(alpha(sums, ordinal_distances(sums))[0])
