"""chrF from summed statistics, for many sums at once (Popović 2015, as in sacrebleu)."""

from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats

ORDER: Final = 6
BETA: Final = 2


def chrf(sums: Floats) -> Floats:
    """Return chrF (b,), 0-100, of statistics (b, 18): six times candidate, reference, match.

    Precision and recall are averaged over the orders both texts are long enough for, then
    combined with recall weighing BETA times as much.
    """
    counts = sums.reshape(len(sums), ORDER, 3)
    candidate, reference, match = counts[:, :, 0], counts[:, :, 1], counts[:, :, 2]
    present = (candidate > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=1), 1)
    precision = np.where(present, match / np.maximum(candidate, 1), 0.0).sum(axis=1) / orders
    recall = np.where(present, match / np.maximum(reference, 1), 0.0).sum(axis=1) / orders
    weighed = BETA**2 * precision + recall
    score = 100.0 * (1 + BETA**2) * precision * recall / np.where(weighed > 0, weighed, 1.0)
    return np.where(weighed > 0, score, 0.0)
