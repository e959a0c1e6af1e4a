"""What a plan assumes about scores: a latent normal sum cut at thresholds.

Latent score = item + item x system + rater + rater x system + noise (+ the shift of the system);
the score is the number of thresholds below it, so a scale of three values scores 0, 1, 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import erf, sqrt
from typing import Final

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.stats.ratings import Floats

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
    below = [_normal((cut - shift) / assumed.total) for cut in assumed.thresholds]
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


def _normal(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))
