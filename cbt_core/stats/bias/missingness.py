"""What is missing and why, and how far it could move a difference."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cbt_core.stats.comparison.paired_tests import DECIMALS
from cbt_core.stats.ratings import Floats, Integers

GIVEN = ""
"""The reason of a score that is there."""

Cell = tuple[str, str, str]
"""A score that was asked for: system, scale, and why it is missing (empty: it was given)."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Scores asked for of one system on one scale: how many were given, the rest by reason."""

    system: str
    scale: str
    expected: int
    given: int
    reasons: Mapping[str, int]

    @property
    def share(self) -> float:
        """Return the missing share of what was asked for, 0 to 1."""
        return 1 - self.given / self.expected if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """A mean difference when what is missing had been worst or best for the system.

    Over `n_items` items that were asked for; `observed` pairs only what was given. Bounds, not an
    interval: chance is not in them.
    """

    system: str
    scale: str
    n_items: int
    n_pairs: int
    n_incomplete: int
    observed: float | None
    worst: float | None
    best: float | None


@dataclass(frozen=True, slots=True, eq=False)
class AskedPairs:
    """Scores of a system and the reference by the same rater, asked for (n,); nan = missing."""

    item: Integers
    own: Floats
    base: Floats


def tally(cells: Iterable[Cell]) -> tuple[Missing, ...]:
    """Count scores asked for by system, scale and reason; systems and scales in first sight."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for system, scale, reason in cells:
        counts.setdefault((system, scale), Counter())[reason] += 1
    return tuple(
        Missing(
            system, scale, sum(found.values()), found[GIVEN],
            {reason: found[reason] for reason in sorted(found) if reason != GIVEN},
        )
        for (system, scale), found in counts.items()
    )


def bounds(
    asked: AskedPairs, *, system: str, scale: str, lowest: float, highest: float
) -> Bounds:
    """Return the difference with missing scores at the ends of the scale.

    Worst: the system's missing scores are the lowest value, the reference's the highest; best the
    other way round. Means over raters, then over items, as in `compare`.
    """
    given = ~(np.isnan(asked.own) | np.isnan(asked.base))

    def filled(own: float, base: float) -> Floats:
        return np.asarray(
            np.where(np.isnan(asked.own), own, asked.own)
            - np.where(np.isnan(asked.base), base, asked.base)
        )

    return Bounds(
        system=system, scale=scale, n_items=len(np.unique(asked.item)), n_pairs=len(asked.item),
        n_incomplete=int((~given).sum()),
        observed=_mean(asked.item[given], (asked.own - asked.base)[given]),
        worst=_mean(asked.item, filled(lowest, highest)),
        best=_mean(asked.item, filled(highest, lowest)),
    )


def _mean(item: Integers, difference: Floats) -> float | None:
    """Return the mean over items of the mean difference of an item; None without a pair."""
    if not len(item):
        return None
    _, place = np.unique(item, return_inverse=True)
    means = np.bincount(place, weights=difference) / np.bincount(place)
    return float(np.round(means, DECIMALS).mean())
