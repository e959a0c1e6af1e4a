"""BLEU from summed statistics, for many sums at once (Papineni et al. 2002, as in sacrebleu)."""

from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats

ORDER: Final = 4


def bleu(sums: Floats, *, effective_order: bool = False) -> Floats:
    """Return BLEU (b,), 0-100, of statistics (b, 10): lengths, correct 1-4, total 1-4.

    Exponential smoothing (sacrebleu's default): the k-th order without a match counts
    1 / 2^k matches. `effective_order` leaves out orders the answer is too short for: single
    answers are scored so, a corpus is not.
    """
    correct, total = sums[:, 2:6], sums[:, 6:10]
    reached = np.cumprod(total > 0, axis=1).astype(bool)
    unmatched = reached & (correct == 0)
    halvings = np.cumsum(unmatched, axis=1)
    matches = np.where(unmatched, 0.5**halvings, correct)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(reached, np.log(matches / total), 0.0)
    orders = reached.sum(axis=1)
    whole = (orders == ORDER) | effective_order
    mean = logs.sum(axis=1) / np.maximum(orders, 1)
    score = 100.0 * _brevity(sums[:, 0], sums[:, 1]) * np.exp(mean)
    return np.where(correct.any(axis=1) & whole, score, 0.0)


def _brevity(length: Floats, reference: Floats) -> Floats:
    ratio = reference / np.maximum(length, 1.0)
    return np.where(length > 0, np.exp(np.minimum(0.0, 1.0 - ratio)), 0.0)
