"""Blinding indices from guesses: how far people could tell which arm they saw.

Sources: K. E. James et al., Statistics in Medicine 15 (1996) 1421; H. Bang, L. Ni, C. E. Davis,
Controlled Clinical Trials 25 (2004) 143. 95 % two-sided normal intervals.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.reasons import Reason

NORMAL: Final = 1.959963984540054
"""The .975 quantile of the standard normal distribution."""

WRONG: Final = 0.5
"""James' weight of a wrong guess; a right one has 0, don't know 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """Counts of guesses: `counts` (K, K), guessed by true arm; `dont_know` (K,) per true arm."""

    arms: tuple[str, ...]
    counts: Integers
    dont_know: Integers


@dataclass(frozen=True, slots=True)
class Index:
    """A blinding index with standard error and limits; `value` None has a `reason`."""

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "value": self.value, "se": self.se, "low": self.low, "high": self.high,
            "reason": self.reason,
        }  # fmt: skip


def blinding(guesses: Guesses) -> dict[str, object]:
    """Return the `blinding` JSON: James overall, Bang (and its form for K arms) per arm, counts."""
    arms = range(len(guesses.arms))
    return {
        "james": james(guesses).json(),
        "bang": {guesses.arms[arm]: bang(guesses, arm).json() for arm in arms},
        "bang_generalised": {
            guesses.arms[arm]: bang(guesses, arm, generalised=True).json() for arm in arms
        },
        "counts": {
            guesses.arms[arm]: {
                "n": int(guesses.counts[:, arm].sum() + guesses.dont_know[arm]),
                "correct": int(guesses.counts[arm, arm]),
                "wrong": int(guesses.counts[:, arm].sum() - guesses.counts[arm, arm]),
                "dont_know": int(guesses.dont_know[arm]),
            }
            for arm in arms
        },
    }


def bang(guesses: Guesses, arm: int, *, generalised: bool = False) -> Index:
    """Return (correct - wrong) / n of an arm, n with don't know; -1 to 1, 0 = guessing with K = 2.

    Generalised: (correct - wrong / (K - 1)) / n, which is 0 at pure guessing for any K.
    """
    correct = int(guesses.counts[arm, arm])
    wrong = int(guesses.counts[:, arm].sum()) - correct
    size = correct + wrong + int(guesses.dont_know[arm])
    if size == 0:
        return Index(None, reason=Reason.NO_GUESSES.text)
    if correct + wrong == 0:
        return Index(None, reason=Reason.ONLY_DONT_KNOW.text)
    scale = 1 / (len(guesses.arms) - 1) if generalised else 1.0
    value = (correct - scale * wrong) / size
    # A guess scores 1, -scale or 0; the variance of a mean of such scores.
    variance = ((correct + scale**2 * wrong) / size - value**2) / size
    return _framed(value, variance)


def james(guesses: Guesses) -> Index:
    """Return James' index, 0 to 1: 1 = everyone says don't know, .5 = guessing, 0 = all right."""
    if len(guesses.arms) != 2:
        return Index(None, reason=Reason.NOT_TWO_ARMS.text)
    cells = np.vstack([guesses.counts, guesses.dont_know]).astype(np.float64)
    size = cells.sum()
    if size == 0:
        return Index(None, reason=Reason.NO_GUESSES.text)
    if guesses.counts.sum() == 0:
        return Index(1.0, 0.0, 1.0, 1.0)
    shares = cells / size
    if not _chance(shares) > 0:
        return Index(None, reason=Reason.NO_CHANCE_DISAGREEMENT.text)
    return _framed(_james(shares), _james_variance(shares, float(size)))


def _chance(shares: Floats) -> float:
    guessed, true = shares[:2].sum(axis=1), shares[:2].sum(axis=0)
    return WRONG * float(guessed[0] * true[1] + guessed[1] * true[0])


def _james(shares: Floats) -> float:
    """Return the index of cell shares (3, 2): two guesses and don't know by two true arms."""
    dont_know = float(shares[2].sum())
    known = 1 - dont_know
    observed = WRONG * float(shares[0, 1] + shares[1, 0]) / known
    expected = _chance(shares) / known**2
    kappa = (observed - expected) / expected
    return (1 + dont_know + known * kappa) / 2


def _james_variance(shares: Floats, size: float) -> float:
    """Return the variance by the delta method of multinomial shares; the gradient is exact."""
    known = float(shares[:2].sum())
    guessed, true = shares[:2].sum(axis=1), shares[:2].sum(axis=0)
    wrong = WRONG * float(shares[0, 1] + shares[1, 0])
    chance = _chance(shares)
    # James = (1 + P + known * (wrong * known / chance - 1)) / 2 with known = 1 - P, hence
    # James = 1 - known + wrong * known^2 / (2 * chance).
    gradient = np.zeros((3, 2))
    gradient[:2] = -1 + wrong * known / chance
    gradient[[0, 1], [1, 0]] += WRONG * known**2 / (2 * chance)
    slope = WRONG * (true[::-1][:, np.newaxis] + guessed[::-1])  # d chance / d share (guess, true)
    gradient[:2] -= wrong * known**2 / (2 * chance**2) * slope
    mean = float((shares * gradient).sum())
    return (float((shares * gradient**2).sum()) - mean**2) / size


def _framed(value: float, variance: float) -> Index:
    error = float(np.sqrt(max(variance, 0.0)))
    return Index(float(value), error, float(value - NORMAL * error), float(value + NORMAL * error))
