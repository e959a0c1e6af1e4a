"""What a pilot says about the variances of a plan.

Mean and difference of two systems per item and rater are fitted by REML (`mixed`), which gives the
covariances of two scores that share the item, the rater, or one of them within a system. Under the
model a covariance of scores is a known function of the latent correlation (Mehler's series), so
each is turned into the latent correlation that would give it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.stats.comparison.crossed import Fit, fit
from cbt_core.stats.planning.simulation import ASSUMED, SDS, Assumptions, thresholds_of
from cbt_core.stats.ratings import Floats, Ratings

FEWEST_ITEMS: Final = 10
FEWEST_RATERS: Final = 2
TERMS: Final = 60
"""Terms of Mehler's series; the rest is below 1e-4 up to correlations of .9."""

LEAST_NOISE: Final = 0.05
"""Share of the latent variance that is always left to noise."""


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of scores (points squared) of item, item x system, rater, rater x system, rest."""

    item: float
    item_system: float
    rater: float
    rater_system: float
    rest: float


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a pilot gave: components on the scale of scores, latent assumptions, and its size."""

    components: Components
    assumed: Assumptions
    items: int
    raters: int
    difference: float


def pilot(ratings: Ratings, scale: str, values: Sequence[float], baseline: str) -> Pilot:
    """Return the variances that a pilot suggests; several systems are averaged.

    Raises:
        StudyError: the baseline or another system is missing, or the pilot is too small to tell.
    """
    steps = np.diff(np.unique(np.asarray(values, dtype=np.float64)))
    if not len(steps) or not np.allclose(steps, 1):
        raise StudyError("sample_size.uneven_values", scale=scale)
    if baseline not in ratings.systems:
        raise StudyError("stats.no_such_system", system=baseline)
    tables = {name: _table(ratings, scale, place) for place, name in enumerate(ratings.systems)}
    base = tables.pop(baseline)
    if not tables:
        raise StudyError("stats.one_system", system=baseline)
    estimates = [_components(own, base) for own in tables.values()]
    components = Components(*(
        float(np.mean([getattr(one, name) for one in estimates]))
        for name in ("item", "item_system", "rater", "rater_system", "rest")
    ))  # fmt: skip
    known = ~np.isnan(np.stack([base, *tables.values()]))
    return Pilot(
        components,
        _assumed(components, base, list(tables.values()), min(values), len(steps) + 1),
        items=int(known.any(axis=(0, 2)).sum()),
        raters=int(known.any(axis=(0, 1)).sum()),
        difference=float(np.mean([np.nanmean(own - base) for own in tables.values()])),
    )


def _table(ratings: Ratings, scale: str, system: int) -> Floats:
    """Return the scores (items, raters) of a system, mean over panels, nan = none."""
    scores = ratings.values[scale]
    kept = (ratings.system == system) & ~np.isnan(scores)
    shape = (len(ratings.items), len(ratings.raters))
    place = ratings.item[kept] * shape[1] + ratings.rater[kept]
    count = np.bincount(place, minlength=shape[0] * shape[1])
    total = np.bincount(place, weights=scores[kept], minlength=shape[0] * shape[1])
    means = np.full(len(count), np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means.reshape(shape)


def _components(own: Floats, base: Floats) -> Components:
    """Return components of two systems' scores (items, raters)."""
    both = ~np.isnan(own + base)
    if both.any(axis=1).sum() < FEWEST_ITEMS or both.any(axis=0).sum() < FEWEST_RATERS:
        raise StudyError("sample_size.small_pilot", items=FEWEST_ITEMS, raters=FEWEST_RATERS)
    mean, difference = _fitted((own + base) / 2, both), _fitted(own - base, both)
    item_system, rater_system = difference.components[0] / 2, difference.components[1] / 2
    return Components(
        item=max(mean.components[0] - item_system / 2, 0.0),
        item_system=item_system,
        rater=max(mean.components[1] - rater_system / 2, 0.0),
        rater_system=rater_system,
        rest=difference.components[2] / 2,
    )


def _fitted(table: Floats, both: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Fit:
    item, rater = (index.astype(np.int64) for index in np.nonzero(both))
    scores = table[both]
    estimate = fit(item, rater, scores) if np.ptp(scores) > 0 else None
    if estimate is None:
        raise StudyError("sample_size.flat_pilot")
    return estimate


def _assumed(
    split: Components, base: Floats, others: Sequence[Floats], lowest: float, values: int
) -> Assumptions:
    own = _shares(base, lowest, values)
    overall = (own + np.mean([_shares(each, lowest, values) for each in others], axis=0)) / 2
    turned = _latent(np.array(thresholds_of(overall, 1.0)))
    item, whole_item, rater, whole_rater = turned(np.array([
        split.item, split.item + split.item_system, split.rater, split.rater + split.rater_system
    ]))  # fmt: skip
    noise = max(1 - whole_item - whole_rater, LEAST_NOISE)
    parts = np.array([item, whole_item - item, rater, whole_rater - rater, noise])
    # Latent scores have no unit of their own: the total of the default assumptions is kept.
    sds = np.sqrt(parts / parts.sum()) * ASSUMED.total
    named = {name: float(sd) for name, sd in zip(SDS, sds, strict=True)}
    return replace(ASSUMED, thresholds=thresholds_of(own, ASSUMED.total)).with_sds(named)


def _shares(scores: Floats, lowest: float, values: int) -> Floats:
    """Return the share of each value, half a score added to each so that none is 0."""
    codes = np.round(scores[~np.isnan(scores)] - lowest).astype(np.int64)
    counts = np.bincount(codes, minlength=values) + 0.5
    return np.asarray(counts / counts.sum())


class _latent:  # noqa: N801 - used as a function
    """Turns covariances of scores into latent correlations, for thresholds of unit normals."""

    def __init__(self, cuts: Floats) -> None:
        self.grid = np.linspace(0, 0.95, 200)
        powers = self.grid[:, np.newaxis] ** np.arange(1, TERMS + 1)
        self.covariance = powers @ _series(cuts)

    def __call__(self, covariances: Floats) -> Floats:
        """Return the correlation (n,) of each covariance (n,)."""
        return np.interp(covariances, self.covariance, self.grid)


def _series(cuts: Floats) -> Floats:
    """Return the squared coefficients (TERMS,) of the score's expansion in Hermite polynomials."""
    density = np.exp(-(cuts**2) / 2) / np.sqrt(2 * np.pi)
    before, now = np.zeros_like(cuts), np.ones_like(cuts)  # normalised by sqrt(m!)
    coefficients = np.empty(TERMS)
    for m in range(1, TERMS + 1):
        coefficients[m - 1] = (density * now).sum() / np.sqrt(m)
        before, now = now, (cuts * now - np.sqrt(m - 1) * before) / np.sqrt(m)
    return np.asarray(coefficients**2)
