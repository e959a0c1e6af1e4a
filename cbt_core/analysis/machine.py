"""Automatic metrics and judge models beside people: correlations, means, annotator test.

Means of stored metrics by system stand in the form of the paper's Table 4.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.analysis import parts as inputs
from cbt_core.analysis.rows import Facts
from cbt_core.metrics.paper import METRICS
from cbt_core.stats import resampling
from cbt_core.stats.agreement.machine import (
    AlternativeAnnotator,
    Correlations,
    Rules,
    alternative_annotator,
    human_ceiling,
    with_metric,
)
from cbt_core.stats.ratings import Floats, Ratings
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Reason, Value


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One automatic metric (with its signature): correlation with the scores, by scale."""

    metric: str
    signature: str
    n_answers: int
    scales: Mapping[str, Correlations]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Automatic metrics beside people; `ceiling`: one rater beside the others, by scale."""

    metrics: tuple[MetricResult, ...]
    ceiling: Mapping[str, Correlations]


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """A judge model: the alternative annotator test, by scale."""

    judge: str
    scales: Mapping[str, AlternativeAnnotator]


def metrics(
    facts: Facts, ratings: Ratings, scales: Sequence[str], how: Bootstrap
) -> Metrics | None:
    """Return the correlation of every stored metric with the scores; None without one."""
    if not facts.metrics:
        return None
    systems = dict(enumerate(ratings.systems))
    tables = {scale: inputs.human_table(ratings, scale) for scale in scales}
    values: dict[tuple[str, str], dict[int, float]] = {}
    for line in facts.metrics:
        if line.value is not None:
            values.setdefault((line.metric, line.signature), {})[line.answer_id] = line.value
    correlated = tuple(
        MetricResult(
            metric, signature, len(by_answer),
            {
                scale: with_metric(answers, _column(facts, names, by_answer), systems, how=how)
                for scale, (answers, names) in tables.items()
            },
        )
        for (metric, signature), by_answer in values.items()
    )
    return Metrics(correlated, {
        scale: human_ceiling(answers, systems, how=how) for scale, (answers, _) in tables.items()
    })


def judges(
    facts: Facts, ratings: Ratings, nominal: frozenset[str], *, epsilon: tuple[float, bool],
    how: Bootstrap,
) -> tuple[JudgeResult, ...] | None:
    """Return the alternative annotator test of every stored judge; None without one."""
    scores: dict[str, dict[str, dict[int, float]]] = {}
    for line in facts.judges:
        if line.value is not None and line.scale in ratings.values:
            of_scale = scores.setdefault(line.judge, {}).setdefault(line.scale, {})
            of_scale[line.answer_id] = float(line.value)
    if not scores:
        return None
    return tuple(
        JudgeResult(judge, {
            scale: _judged(facts, ratings, scale, by_answer, how=how, rules=Rules(
                epsilon=epsilon[0], declared=epsilon[1], nominal=scale in nominal
            ))
            for scale, by_answer in by_scale.items()
        })
        for judge, by_scale in scores.items()
    )


def _judged(
    facts: Facts, ratings: Ratings, scale: str, by_answer: Mapping[int, float], *,
    rules: Rules, how: Bootstrap,
) -> AlternativeAnnotator:
    answers, names = inputs.human_table(ratings, scale)
    column = _column(facts, names, by_answer)
    return alternative_annotator(answers, column, ratings.raters, rules=rules, how=how)


def _column(
    facts: Facts, names: Sequence[tuple[str, str]], by_answer: Mapping[int, float]
) -> Floats:
    """Return the value (n,) of each named answer, nan where there is none."""
    ids = [facts.answers.get(name, 0) for name in names]
    return np.array([by_answer.get(one, np.nan) for one in ids], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MetricMean:
    """Mean of a metric over the answers of one system, items resampled; in the metric's unit."""

    system: str
    metric: str
    signature: str
    n: int
    mean: Value


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


def main_names(stored: Metrics) -> list[str]:
    """Return the main metrics among the stored ones, or all where only counts are stored."""
    return in_order(filter(is_main, (one.metric for one in stored.metrics))) or in_order(
        one.metric for one in stored.metrics
    )


def metric_means(facts: Facts, how: Bootstrap) -> tuple[MetricMean, ...]:
    """Return the mean of every stored metric (with its signature) by system, items resampled."""
    places = {answer: name for name, answer in facts.answers.items()}
    index = facts.item_index
    by_metric: dict[Key, dict[str, dict[int, float]]] = {}
    for line in facts.metrics:
        place = places.get(line.answer_id)
        if place is not None and line.value is not None:
            by_system = by_metric.setdefault((line.metric, line.signature), {})
            by_system.setdefault(place[1], {})[index[place[0]]] = line.value
    return tuple(
        _metric_mean(system, key, by_item, how)
        for key, by_system in by_metric.items()
        for system, by_item in sorted(by_system.items())
    )


def _metric_mean(system: str, key: Key, by_item: dict[int, float], how: Bootstrap) -> MetricMean:
    item = np.array(sorted(by_item), dtype=np.int64)
    values = np.array([by_item[one] for one in item.tolist()], dtype=np.float64)
    mean = resampling.mean(item, values, how=how, reason=Reason.NO_ANSWERS)
    return MetricMean(system, *key, len(item), mean)
