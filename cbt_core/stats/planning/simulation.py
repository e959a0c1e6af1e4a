"""Studies simulated: a latent model with item, rater and system effects, cut into scores.

Every assumption is a field of the model; the true values that follow from it stand beside.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import erf, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.errors import StudyError
from cbt_core.stats.agreement import chance
from cbt_core.stats.ratings import Floats, Integers

SKEWS: Final = {"none": (-0.52, 0.52), "moderate": (-0.9, 0.3), "strong": (-2.1, -1.2)}
"""Thresholds of a scale with three values: about a third each; 40 % and 84 % twos."""

SDS: Final = ("sd_item", "sd_item_system", "sd_rater", "sd_rater_system", "sd_noise")
"""The standard deviations of a plan, as they are called everywhere."""

REACH: Final = 0.02
"""A mean score this near to an end of the scale is out of reach."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Latent standard deviations, thresholds (ascending) and the share of missing pairs, 0 to 1.

    The defaults are guesses, not findings: what real clinicians show is unknown until a pilot.
    """

    thresholds: tuple[float, ...] = SKEWS["moderate"]
    sd_item: float = 0.6
    sd_item_system: float = 0.5
    sd_rater: float = 0.4
    sd_rater_system: float = 0.2
    sd_noise: float = 0.8
    missing: float = 0.0

    @property
    def total(self) -> float:
        """Return the standard deviation of a single latent score."""
        parts = (self.sd_item, self.sd_item_system, self.sd_rater, self.sd_rater_system,
                 self.sd_noise)  # fmt: skip
        return sqrt(sum(part**2 for part in parts))

    @property
    def highest(self) -> int:
        """Return the highest score; the lowest is 0."""
        return len(self.thresholds)

    def with_sds(self, sds: Mapping[str, float]) -> "Assumptions":
        """Return the same assumptions with the standard deviations that are named."""
        return replace(
            self,
            sd_item=sds.get("sd_item", self.sd_item),
            sd_item_system=sds.get("sd_item_system", self.sd_item_system),
            sd_rater=sds.get("sd_rater", self.sd_rater),
            sd_rater_system=sds.get("sd_rater_system", self.sd_rater_system),
            sd_noise=sds.get("sd_noise", self.sd_noise),
        )


ASSUMED: Final = Assumptions()
"""What stands when nothing is given."""


def shares(assumed: Assumptions, shift: float = 0.0) -> tuple[float, ...]:
    """Return the share of each score, lowest first, of a system shifted by `shift`."""
    below = [_normal_share((cut - shift) / assumed.total) for cut in assumed.thresholds]
    ends = [0.0, *below, 1.0]
    return tuple(high - low for low, high in pairwise(ends))


def mean_score(assumed: Assumptions, shift: float = 0.0) -> float:
    """Return the expected score of a system shifted by `shift`."""
    return sum(value * share for value, share in enumerate(shares(assumed, shift)))


def latent_shift(assumed: Assumptions, difference: float) -> float:
    """Return the latent shift that moves the mean score by `difference` scale points.

    Raises:
        StudyError: the mean would leave the scale, or no score varies.
    """
    from scipy.optimize import brentq

    if not assumed.total > 0:
        raise StudyError("sample_size.no_spread")
    base = mean_score(assumed)
    wanted = base + difference
    if not REACH < wanted < assumed.highest - REACH:
        raise StudyError(
            "sample_size.out_of_reach", mean=round(base, 2), wanted=round(wanted, 2),
            highest=assumed.highest,
        )  # fmt: skip
    reach = 10 * assumed.total + max(abs(cut) for cut in assumed.thresholds)
    return float(brentq(lambda shift: mean_score(assumed, shift) - wanted, -reach, reach))


def thresholds_of(wanted: Floats, total: float) -> tuple[float, ...]:
    """Return the thresholds at which scores have these shares (q,), for this latent total SD.

    Raises:
        StudyError: fewer than two shares, or one that is not above 0, or they do not sum to 1.
    """
    from scipy.special import ndtri

    if len(wanted) < 2 or not (wanted > 0).all() or abs(float(wanted.sum()) - 1) > 0.01:
        raise StudyError("sample_size.bad_shares")
    cuts = ndtri(np.cumsum(wanted / wanted.sum())[:-1]) * total
    return tuple(float(cut) for cut in cuts)


def _normal_share(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))


CELLS: Final = 3_000_000
"""Latent scores drawn at a time (12 MB)."""

DESIGNS: Final = 4
"""Draws of raters and missing pairs among which the studies of a plan are divided."""

TILE: Final = 1000
"""Items whose raters are drawn; a larger study repeats them."""

Scores = NDArray[np.int8]
Mask = NDArray[np.bool_]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """How big a study is: items, raters, and how many raters see each item (overlap)."""

    items: int
    raters: int
    overlap: int

    @property
    def complete(self) -> bool:
        """Tell whether every rater sees every item."""
        return self.overlap == self.raters


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Who rates what: `rater` (items, overlap), `present` (items, overlap) False = missing."""

    rater: Integers
    present: Mask
    raters: int

    @property
    def complete(self) -> bool:
        """Tell whether every rater scored every item."""
        return self.rater.shape[1] == self.raters and bool(self.present.all())


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Studies of one design: `baseline`, `system` (studies, items, overlap); missing cells too."""

    design: Design
    baseline: Scores
    system: Scores


@dataclass(frozen=True, slots=True, eq=False)
class Raters:
    """The raters drawn for each study (studies, raters): liking of all answers, and of each system.

    Latent units; `baseline` and `system` come on top of `liking`.
    """

    liking: Singles
    baseline: Singles
    system: Singles


def batches(
    size: Size, assumed: Assumptions, shift: float, *, studies: int, seed: int
) -> Iterator[Batch]:
    """Yield simulated studies in batches; the same seed gives the same studies."""
    random = np.random.default_rng(seed)
    plain = size.complete and assumed.missing == 0
    designs = 1 if plain else min(DESIGNS, studies)
    for group in range(designs):
        count = studies // designs + (group < studies % designs)
        design = drawn_design(size, assumed.missing, random)
        most = max(1, CELLS // (2 * size.items * size.overlap))
        for start in range(0, count, most):
            yield drawn(design, assumed, shift, studies=min(most, count - start), random=random)[0]


def drawn_design(size: Size, missing: float, random: np.random.Generator) -> Design:
    """Return who rates what: flat load at every item, ties drawn; pairs are missing at random."""
    shape = (size.items, size.overlap)
    if size.complete:
        rater = np.broadcast_to(np.arange(size.raters), shape)
    else:
        tile = _balanced(Size(min(size.items, TILE), size.raters, size.overlap), random)
        rater = np.resize(tile, shape)
    present = random.random(shape) >= missing if missing else np.ones(shape, dtype=bool)
    return Design(np.asarray(rater, dtype=np.int64), present, size.raters)


def _balanced(size: Size, random: np.random.Generator) -> Integers:
    """Return the raters of each item; loads never differ by more than one."""
    load = np.zeros(size.raters)
    raters = np.empty((size.items, size.overlap), dtype=np.int64)
    ties = random.random((size.items, size.raters))
    for item in range(size.items):
        chosen = np.argpartition(load + ties[item] / 2, size.overlap - 1)[: size.overlap]
        raters[item] = chosen
        load[chosen] += 1
    return raters


def drawn(
    design: Design,
    assumed: Assumptions,
    shift: float,
    *,
    studies: int,
    random: np.random.Generator,
) -> tuple[Batch, Raters]:
    """Return simulated studies of one design, and the raters who were drawn for them."""
    people = [
        _normal(random, (studies, design.raters), sd)
        for sd in (assumed.sd_rater, assumed.sd_rater_system, assumed.sd_rater_system)
    ]
    raters = Raters(*people)
    shared = _normal(random, (studies, len(design.rater), 1), assumed.sd_item)
    baseline = _scores(design, assumed, raters.liking + raters.baseline, shared, random)
    moved = raters.liking + raters.system + np.float32(shift)
    return Batch(design, baseline, _scores(design, assumed, moved, shared, random)), raters


def _scores(
    design: Design,
    assumed: Assumptions,
    severity: Singles,
    shared: Singles,
    random: np.random.Generator,
) -> Scores:
    """Return one system's scores (studies, items, overlap) from raters and shared item parts."""
    latent = _normal(random, (len(severity), *design.rater.shape), assumed.sd_noise)
    latent += shared + _normal(random, shared.shape, assumed.sd_item_system)
    latent += severity[:, design.rater]
    scores = np.zeros(latent.shape, dtype=np.int8)
    for cut in assumed.thresholds:
        scores += latent > np.float32(cut)
    return scores


def _normal(random: np.random.Generator, shape: tuple[int, ...], sd: float) -> Singles:
    draws = random.standard_normal(shape, dtype=np.float32)
    draws *= np.float32(sd)
    return draws


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
