"""Kendall's W, corrected for ties, over the units every rater scored.

Source: M. G. Kendall, Rank Correlation Methods (1948), chapter 6.
"""

import numpy as np

from cbt_core.stats.numbers import ratio, settled
from cbt_core.stats.ratings import Floats
from cbt_core.stats.sums import Sums


def kendall_w(sums: Sums) -> Floats:
    """Return W (b,); nan with fewer than 2 raters or units, or without any difference in rank.

    Units with the same score share the mean rank, so a unit's rank is a function of its category
    and the counts of that rater: the sum of squared rank sums follows from the pair tables.
    """
    k, n = len(sums.frame.present), sums["complete"]
    if k < 2:
        return np.full_like(n, np.nan)
    counts = sums["complete_margins"]
    ranks = np.cumsum(counts, axis=1) - counts / 2 - n / 2  # about their mean, hence n / 2
    own = (counts * ranks**2).sum(axis=(0, 1))
    a, b = np.triu_indices(k, 1)
    crossed = np.einsum(
        "pijb,pib,pjb->b", sums["complete_tables"], ranks[a], ranks[b], optimize=True
    )
    ties = (counts**3 - counts).sum(axis=(0, 1))
    possible = k**2 * (n**3 - n) - k * ties
    return ratio(12 * (own + 2 * crossed), settled(possible, k**2 * n**3))
