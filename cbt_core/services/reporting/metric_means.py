"""Means of stored automatic metrics by system, for the form of the paper's Table 4."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from cbt_core.metrics.paper import METRICS
from cbt_core.services.reporting.context import MetricMean
from cbt_core.services.study_analysis_facts import Facts
from cbt_core.services.study_analysis_parts import Metrics
from cbt_core.stats import clustered
from cbt_core.stats.clustered import Bootstrap
from cbt_core.stats.reasons import Reason

Key = tuple[str, str]
PART: Final = "structure_"
"""What the names of the counts begin with that `structure` is made of: steps, lengths, signs."""


def is_main(metric: str) -> bool:
    """Tell whether a metric is one of its own, not one of the many counts within `structure`."""
    return not metric.startswith(PART)


def in_order(metrics: Iterable[str]) -> list[str]:
    """Return names of metrics once each: those of the paper first, in its order."""
    places = {name: place for place, name in enumerate(METRICS)}
    return sorted(set(metrics), key=lambda name: (places.get(name, len(places)), name))


def main_names(found: Metrics) -> list[str]:
    """Return the main metrics among the stored ones, or all where only counts are stored."""
    return in_order(filter(is_main, (one.metric for one in found.metrics))) or in_order(
        one.metric for one in found.metrics
    )


def metric_means(facts: Facts, how: Bootstrap) -> tuple[MetricMean, ...]:
    """Return the mean of every stored metric (with its signature) by system, items resampled."""
    places = {answer: name for name, answer in facts.answers.items()}
    index = facts.item_index
    found: dict[Key, dict[str, dict[int, float]]] = {}
    for line in facts.metrics:
        place = places.get(line.answer_id)
        if place is not None and line.value is not None:
            by_system = found.setdefault((line.metric, line.signature), {})
            by_system.setdefault(place[1], {})[index[place[0]]] = line.value
    return tuple(
        _mean(system, key, by_item, how)
        for key, by_system in found.items()
        for system, by_item in sorted(by_system.items())
    )


def _mean(system: str, key: Key, by_item: dict[int, float], how: Bootstrap) -> MetricMean:
    item = np.array(sorted(by_item), dtype=np.int64)
    values = np.array([by_item[one] for one in item.tolist()], dtype=np.float64)
    told = clustered.mean(item, values, how=how, reason=Reason.NO_ANSWERS)
    return MetricMean(system, *key, len(item), told)
