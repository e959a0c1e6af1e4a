"""The parts of an analysis: each takes the rows of a study and returns one section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.services import study_analysis_inputs as inputs
from cbt_core.services.study_analysis_facts import Facts
from cbt_core.stats.clustered import Bootstrap
from cbt_core.stats.correlation import Correlations, human_ceiling, with_metric
from cbt_core.stats.guesses import StudyBlinding, study_blinding
from cbt_core.stats.judges import AlternativeAnnotator, Rules, alternative_annotator
from cbt_core.stats.missingness import Bounds, bounds
from cbt_core.stats.pairing import pairs
from cbt_core.stats.position import (
    Adjusted,
    LeftShare,
    adjusted_difference,
    left_share,
    preferred_sides,
    score_per_doubling,
    scored_sides,
)
from cbt_core.stats.ratings import Floats, Ratings
from cbt_core.stats.retest import RetestOfScale, retest
from cbt_core.stats.safety import Safety, safety
from cbt_core.stats.values import Value

SERIOUS: Final = "serious"


@dataclass(frozen=True, slots=True)
class Position:
    """Share of the left slot among preferences, and per scale among unequal scores."""

    preferences: LeftShare
    scores: Mapping[str, LeftShare]


@dataclass(frozen=True, slots=True)
class Length:
    """Score per doubling of length within item and rater; differences at equal length by system."""

    per_doubling: Value
    adjusted: Mapping[str, Adjusted]


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


def position(facts: Facts, scales: Sequence[str], how: Bootstrap) -> Position:
    """Return how far the left slot is favoured; `scales` are ordered ones."""
    raters = {index: code for code, index in facts.rater_index.items()}
    return Position(
        left_share(preferred_sides(inputs.choices(facts)), raters, how=how),
        {
            scale: left_share(scored_sides(inputs.slot_scores(facts, scale)), raters, how=how)
            for scale in scales
        },
    )


def length(
    facts: Facts, ratings: Ratings, scales: Sequence[str], reference: str, how: Bootstrap
) -> dict[str, Length]:
    """Return, by scale, how scores go with length, and differences adjusted for it."""
    lengths = _lengths(facts, ratings)
    group = ratings.item * max(len(ratings.raters), 1) + ratings.rater
    size = lengths[ratings.item, ratings.system]
    return {
        scale: Length(
            score_per_doubling(ratings.item, group, size, ratings.values[scale], how=how),
            {
                system: _adjusted(ratings, lengths, scale, system, reference, how)
                for system in ratings.systems
                if reference in ratings.systems and system != reference
            },
        )
        for scale in scales
    }


def _lengths(facts: Facts, ratings: Ratings) -> Floats:
    """Return characters (items, systems) of the rated answers, nan where there is none."""
    found = np.full((len(ratings.items), len(ratings.systems)), np.nan)
    for row, item in enumerate(ratings.items):
        for column, system in enumerate(ratings.systems):
            answer = facts.answers.get((item, system))
            if answer is not None:
                found[row, column] = facts.characters[answer] or np.nan
    return found


def _adjusted(
    ratings: Ratings, lengths: Floats, scale: str, system: str, reference: str, how: Bootstrap
) -> Adjusted:
    own, base = ratings.systems.index(system), ratings.systems.index(reference)
    found = pairs(ratings, scale, own, base)
    log_ratio = np.log(lengths[found.items, own] / lengths[found.items, base])
    return adjusted_difference(found.items, found.mean, log_ratio, how=how)


def retests(
    facts: Facts, scales: Sequence[str], nominal: frozenset[str], how: Bootstrap
) -> dict[str, RetestOfScale]:
    """Return the test-retest of every scale from the marked repeats."""
    raters = {index: code for code, index in facts.rater_index.items()}
    return {
        scale: retest(inputs.repeated(facts, scale), raters, how=how, ordered=scale not in nominal)
        for scale in scales
    }


def blinding(facts: Facts, how: Bootstrap) -> StudyBlinding:
    """Return the blinding of an unblinded study."""
    others = [name for name in facts.systems if name != facts.baseline]
    arms = (facts.baseline, *others) if facts.baseline else tuple(others)
    return study_blinding(
        inputs.pair_guesses(facts),
        arms=arms,
        raters={index: code for code, index in facts.rater_index.items()},
        systems={index: name for name, index in facts.system_index.items()},
        how=how,
    )


def safeties(facts: Facts, reference: str | None, how: Bootstrap) -> dict[str, Safety]:
    """Return flagged answers: of severity serious, and of any."""
    systems = {index: name for name, index in facts.system_index.items()}
    return {
        name: safety(inputs.flag_table(facts, severities), systems, reference=reference, how=how)
        for name, severities in ((SERIOUS, frozenset({SERIOUS})), ("any", None))
    }


def missing_bounds(facts: Facts, scales: Sequence[str], reference: str) -> tuple[Bounds, ...]:
    """Return best and worst case of every difference on ordered scales."""
    found = []
    for scale in scales:
        values = [choice.value for choice in facts.setup.instrument.scale(scale).values]
        for system in facts.systems:
            if system != reference:
                asked = inputs.asked_pairs(facts, scale, system, reference)
                found.append(bounds(
                    asked, system=system, scale=scale, lowest=min(values), highest=max(values)
                ))
    return tuple(found)


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
    found = tuple(
        MetricResult(
            metric, signature, len(by_answer),
            {
                scale: with_metric(answers, _column(facts, names, by_answer), systems, how=how)
                for scale, (answers, names) in tables.items()
            },
        )
        for (metric, signature), by_answer in values.items()
    )
    return Metrics(found, {
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
