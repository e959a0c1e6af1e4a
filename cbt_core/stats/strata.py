"""One scale cut into strata (every system, and all pooled), with its bootstrap replicates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cbt_core.stats.patterns import Patterns, patterns
from cbt_core.stats.ratings import POOLED, Floats, Ratings
from cbt_core.stats.sums import Features, Frame, Sums, features, frame

Figures = dict[str, Floats]
"""Statistic -> figures (m, b): m = 1, or the number of pairs of raters."""

Compute = Callable[[str, Mapping[str, Sums]], Figures]
"""Stratum name and the sums of all strata -> figures of this stratum."""


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """One system (or all pooled) on one scale: `systems` are indices into the patterns' members."""

    name: str
    systems: tuple[int, ...]
    frame: Frame
    features: Features


@dataclass(frozen=True, slots=True, eq=False)
class ScaleTable:
    """A scale with its distinct units and strata; the pooled one comes first."""

    scale: str
    patterns: Patterns
    strata: tuple[Stratum, ...]

    @property
    def widest(self) -> int:
        """Return the longest axis that is multiplied with a block of replicates."""
        rows = max(int(stratum.features.rows.shape[0]) for stratum in self.strata)
        return max(rows, len(self.patterns.codes))


def table(
    ratings: Ratings, scale: str, categories: Sequence[float], *, full: bool = True
) -> ScaleTable:
    """Return the strata of a scale, ready to be summed.

    Raises:
        StudyError: a score is none of the scale's values.
    """
    distinct = patterns(ratings, scale, categories)
    cuts = [(POOLED, tuple(range(len(ratings.systems))))]
    cuts += [(name, (index,)) for index, name in enumerate(ratings.systems)]
    strata = []
    for name, systems in cuts:
        occurring = occurrences(distinct, systems)
        fixed = frame(distinct.codes, distinct.categories, occurring)
        found = features(distinct.codes, fixed, full=full)
        strata.append(Stratum(name, systems, fixed, found))
    return ScaleTable(scale, distinct, tuple(strata))


def sums(scale: ScaleTable, weights: Floats) -> dict[str, Sums]:
    """Return the sums of every stratum for item weights (I, b)."""
    counts = [member @ weights for member in scale.patterns.members]
    found = {}
    for stratum in scale.strata:
        chosen = [counts[system] for system in stratum.systems]
        nothing = np.zeros((len(scale.patterns.codes), weights.shape[1]))
        units = chosen[0] if len(chosen) == 1 else sum(chosen, nothing)
        data = stratum.features.rows @ units
        found[stratum.name] = Sums(stratum.frame, data, stratum.features.places)
    return found


def sample(scale: ScaleTable, items: int) -> dict[str, Sums]:
    """Return the sums of the data as they are: each item once."""
    return sums(scale, np.ones((items, 1)))


class Replicates:
    """Figures of all replicates of one scale, put together block by block."""

    def __init__(self, scale: ScaleTable, compute: Compute) -> None:
        """Start without a replicate."""
        self._scale = scale
        self._compute = compute
        self._parts: dict[str, list[Figures]] = {stratum.name: [] for stratum in scale.strata}

    def add(self, weights: Floats) -> None:
        """Compute the figures of one block of item weights (I, b)."""
        found = sums(self._scale, weights)
        for name in self._names():
            self._parts[name].append(self._compute(name, found))

    def figures(self, stratum: str) -> Figures:
        """Return statistic -> figures (m, B) of a stratum; without replicates B is 0."""
        parts = self._parts[stratum if stratum in self._names() else self._scale.strata[0].name]
        if not parts:
            return {}
        return {key: np.concatenate([part[key] for part in parts], axis=1) for key in parts[0]}

    def _names(self) -> Iterator[str]:
        """Yield the strata that differ: with one system, pooled and system are the same."""
        only_pooled = len(self._scale.strata) == 2
        yield from (s.name for s in self._scale.strata[: 1 if only_pooled else None])


def occurrences(distinct: Patterns, systems: tuple[int, ...]) -> Floats:
    """Return how many units of these systems have each distinct row (P,)."""
    found = np.zeros(len(distinct.codes))
    for system in systems:
        found += np.asarray(distinct.members[system].sum(axis=1))
    return found
