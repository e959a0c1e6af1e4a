"""What infinitely many items would show when these very raters score them: simulation's yardstick.

Given an item's own latent value the raters answer independently, so shares of scores and of pairs
of scores are integrals over one normal variable.
"""

from typing import Final

import numpy as np

from cbt_core.stats import chance
from cbt_core.stats.planning.model import Assumptions
from cbt_core.stats.planning.simulate import Raters
from cbt_core.stats.ratings import Floats

NODES: Final = 41
"""Nodes of the Gauss-Hermite quadrature over items."""


def difference_truth(assumed: Assumptions, raters: Raters, shift: float) -> Floats:
    """Return the mean difference (S,) that the raters of each study would give."""
    moved = np.asarray(raters.liking + raters.system + shift, dtype=np.float64)
    base = np.asarray(raters.liking + raters.baseline, dtype=np.float64)
    gained = _mean(assumed, moved) - _mean(assumed, base)
    return np.asarray(gained.mean(axis=1), dtype=np.float64)


def agreement_truth(assumed: Assumptions, raters: Raters) -> dict[str, Floats]:
    """Return ordinal alpha and quadratic AC2 (S,) of the baseline's answers, all pairs alike."""
    place, weight = np.polynomial.hermite_e.hermegauss(NODES)
    spread = np.hypot(assumed.sd_item, assumed.sd_item_system)
    severity = (raters.liking + raters.baseline)[:, :, np.newaxis] + spread * place
    chances = _chances(assumed, severity, assumed.sd_noise)  # (S, raters, nodes, q)
    weight = weight / weight.sum()
    of_all = chances.sum(axis=1)
    pairs = np.einsum("n,snc,snk->sck", weight, of_all, of_all)
    pairs -= np.einsum("n,srnc,srnk->sck", weight, chances, chances)
    k = raters.liking.shape[1]
    pairs /= k * (k - 1)
    shares = pairs.sum(axis=2)
    ranks = np.cumsum(shares, axis=1) - shares / 2
    distances = (ranks[:, :, np.newaxis] - ranks[:, np.newaxis]) ** 2
    expected = np.einsum("sc,sk,sck->s", shares, shares, distances)
    alpha = 1 - (pairs * distances).sum(axis=(1, 2)) / expected
    return {"alpha_ordinal": alpha, "ac2_quadratic": _ac2(pairs, shares)}


def _ac2(pairs: Floats, shares: Floats) -> Floats:
    q = shares.shape[1]
    given = chance.weights(np.arange(q, dtype=np.float64), 2)
    observed = (pairs * given).sum(axis=(1, 2))
    expected = given.sum() * (shares * (1 - shares)).sum(axis=1) / (q * (q - 1))
    return np.asarray((observed - expected) / (1 - expected))


def _mean(assumed: Assumptions, severity: Floats) -> Floats:
    """Return the expected score (…) given a rater's severity; items and noise vary."""
    spread = float(np.sqrt(
        assumed.sd_item**2 + assumed.sd_item_system**2 + assumed.sd_noise**2
    ))  # fmt: skip
    return np.asarray(_chances(assumed, severity, spread) @ np.arange(assumed.highest + 1.0))


def _chances(assumed: Assumptions, latent: Floats, spread: float) -> Floats:
    """Return the chance of each score (…, q) around latent values (…)."""
    from scipy.special import ndtr

    below = ndtr((np.array(assumed.thresholds) - latent[..., np.newaxis]) / spread)
    ends = [np.zeros((*latent.shape, 1)), below, np.ones((*latent.shape, 1))]
    return np.diff(np.concatenate(ends, axis=-1), axis=-1)
