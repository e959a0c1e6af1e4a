"""Percent agreement, and agreement beyond chance: Fleiss' and Cohen's kappa, Gwet's AC1, AC2.

Sources: K. L. Gwet, Handbook of Inter-Rater Reliability; conventions of R irrCAC 1.4: agreement
over units with two ratings, prevalences over all units with one, each unit with weight 1 (Fleiss'
kappa in its general form). Cohen's kappa, unweighted, linear and quadratic, for every pair of
raters: J. Cohen 1960 and, for the weights, 1968.
"""

from collections.abc import Sequence

import numpy as np

from cbt_core.stats.agreement.sums import Sums
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import ratio


def weights(categories: Floats, power: int) -> Floats:
    """Return agreement weights (q, q): identity (0), linear (1) or quadratic (2)."""
    if power == 0 or len(categories) < 2:
        return np.eye(len(categories))
    gaps = np.abs(categories[:, np.newaxis] - categories) / (categories[-1] - categories[0])
    return np.asarray(1 - gaps**power)


def percent_agreement(sums: Sums) -> Floats:
    """Return agreeing pairs / pairs of a unit, averaged over the pairable units (b,)."""
    return _observed(sums, weights(sums.frame.categories, 0))


def percent_agreement_pooled(sums: Sums) -> Floats:
    """Return agreeing pairs / pairs over all units together (b,)."""
    return ratio(sums["agreeing"], sums["pairs"])


def fleiss_kappa(sums: Sums) -> Floats:
    """Return Fleiss' kappa for any number of ratings per unit (b,)."""
    expected = (_prevalences(sums) ** 2).sum(axis=0)
    return ratio(percent_agreement(sums) - expected, _clear(1 - expected))


def ac(sums: Sums, power: int) -> Floats:
    """Return AC1 (power 0) or AC2 with linear (1) or quadratic (2) weights (b,)."""
    given = weights(sums.frame.categories, power)
    return _corrected(_observed(sums, given), _by_chance(sums, given))


def ac_within(sums: Sums, systems: Sequence[Sums], power: int) -> Floats:
    """Return AC of the pooled units with the chance agreement taken within systems (b,).

    Each system's chance agreement counts by its number of rated units.
    """
    given = weights(sums.frame.categories, power)
    chance = [system["units"] * np.nan_to_num(_by_chance(system, given)) for system in systems]
    expected = ratio(np.sum(chance, axis=0), sums["units"])
    return _corrected(_observed(sums, given), expected)


def _observed(sums: Sums, given: Floats) -> Floats:
    agreement = (sums["agreements"] * given[:, :, np.newaxis]).sum(axis=(0, 1))
    return ratio(agreement, sums["pairable"])


def _prevalences(sums: Sums) -> Floats:
    return ratio(sums["prevalences"], sums["units"])


def _by_chance(sums: Sums, given: Floats) -> Floats:
    shares = _prevalences(sums)
    q = len(shares)
    if q < 2:
        return np.full(shares.shape[1], np.nan)
    return np.asarray(given.sum() * (shares * (1 - shares)).sum(axis=0) / (q * (q - 1)))


def _corrected(observed: Floats, expected: Floats) -> Floats:
    return ratio(observed - expected, _clear(1 - expected))


def _clear(rest: Floats) -> Floats:
    """Set rounding noise around 0 to 0, so that nothing is divided by it."""
    return np.where(np.abs(rest) < 1e-12, 0.0, rest)


def kappa(sums: Sums, power: int) -> Floats:
    """Return kappa per pair (pairs, b) with weights of power 0 (none), 1 or 2.

    nan where a rater gave the pair's common units one value only: agreement beyond chance cannot
    be told then, and 0 would look like a finding.
    """
    tables = sums["tables"]
    disagreement = 1 - weights(sums.frame.categories, power)
    rows, columns = _margins(tables, 1), _margins(tables, 0)
    size: Floats = np.zeros_like(rows[0]) + sum(rows)
    observed, expected = np.zeros_like(size), np.zeros_like(size)
    # Cell by cell: with 50 raters there are 1,225 pairs, and whole products of them are slow.
    for i, j in zip(*np.nonzero(disagreement), strict=True):
        observed += disagreement[i, j] * tables[:, i, j]
        expected += disagreement[i, j] * rows[i] * columns[j]
    constant = (_used(rows) < 2) | (_used(columns) < 2)
    return 1 - ratio(observed * size, np.where(constant, 0.0, expected))


def _margins(tables: Floats, axis: int) -> list[Floats]:
    """Return per category how often one rater of each pair gave it (pairs, b)."""
    cells = np.moveaxis(tables, (1, 2), (0, 1) if axis else (1, 0))
    return [np.asarray(np.add.reduce(own)) for own in cells]


def _used(margins: list[Floats]) -> Floats:
    """Return how many categories were given (pairs, b)."""
    counts: Floats = np.zeros(margins[0].shape) if margins else np.zeros(0)
    for own in margins:
        counts += own > 0
    return counts


def common(sums: Sums) -> Floats:
    """Return how many units both raters of each pair scored (pairs, b)."""
    return np.asarray(sums["tables"].sum(axis=(1, 2)))
