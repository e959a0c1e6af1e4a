"""A table of systems and metrics with intervals and paired tests: the paper's Table 4, and more."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.metrics import bootstrap
from cbt_core.metrics.cache import Cache
from cbt_core.metrics.measuring import Measured, Plan, counted, meteored
from cbt_core.metrics.modelled import modelled
from cbt_core.metrics.pairing import Corpus
from cbt_core.metrics.resampled import Drawn, drawn, restricted
from cbt_core.metrics.signature import of_run
from cbt_core.metrics.structured import DISTINCT, STRUCTURE, structured
from cbt_core.metrics.unavailable import Unavailable, without_package

REFERENCED: Final = ("bleu", "chrf", "meteor", "bertscore", "bleurt")
"""Metrics that compare an answer with its references."""

METRICS: Final = (*REFERENCED, STRUCTURE, DISTINCT)

MODELS: Final = ("bertscore", "bleurt")
"""Metrics that need a model: ``--model METRIC=DIR``."""

Step = Callable[[str, int, int], None]
"""Told the metric, how many items are done, of how many."""

FEWEST: Final = 2
"""Items below which nothing can be resampled."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A system's score by one metric; without a value or an interval there is a reason."""

    value: float | None
    low: float | None
    high: float | None
    signature: str
    reason: StudyError | None
    cut: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """a minus b on the items both answered, with interval and two-sided p values."""

    a: str
    b: str
    metric: str
    items: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_bootstrap: float | None = None
    reason: StudyError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was found; `measured` holds the scores of each answer."""

    corpus: Corpus
    plan: Plan
    signature: str
    cells: dict[str, dict[str, Cell]]
    comparisons: tuple[Comparison, ...]
    measured: dict[str, Measured]
    missing: dict[str, StudyError]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the metrics in the order asked for; `structure` and `distinct` in their parts."""
        asked = self.plan.metrics
        found = [*self.measured, *self.missing]
        return tuple(sorted(found, key=lambda name: asked.index(_asked(name, asked))))

    @property
    def family(self) -> int:
        """Return how many tests were made: p values are not adjusted for it."""
        return sum(one.p is not None for one in self.comparisons)


def score(
    corpus: Corpus, plan: Plan, *, cache: Cache | None = None, step: Step | None = None
) -> Outcome:
    """Return every metric of every system, with intervals and comparisons of all pairs."""
    measured: dict[str, Measured] = {}
    missing: dict[str, StudyError] = {}
    for metric in plan.metrics:
        try:
            measured |= _measure(metric, corpus, plan, cache or Cache(), step)
        except Unavailable as reason:
            missing[metric] = reason
        except ImportError as error:  # the rating server has neither jieba nor sacrebleu nor torch
            missing[metric] = without_package(metric, error)
    samples = drawn(corpus, plan, measured)
    found = Outcome(
        corpus, plan,
        of_run(corpus, plan.metrics, bootstrap=plan.bootstrap, seed=plan.seed),
        {}, (), measured, missing,
    )
    return replace(
        found,
        cells={
            system: {name: _cell(found, samples, system, name) for name in found.names}
            for system in corpus.systems
        },
        comparisons=tuple(
            _comparison(found, samples, name, a, b)
            for name in found.names
            for a, b in combinations(corpus.systems, 2)
        ),
    )


def _measure(
    metric: str, corpus: Corpus, plan: Plan, cache: Cache, step: Step | None
) -> dict[str, Measured]:
    def told(done: int, of: int) -> None:
        if step:
            step(metric, done, of)

    if metric in {"bleu", "chrf"}:
        return {metric: counted(metric, corpus, plan, cache, told)}
    if metric == "meteor":
        return {metric: meteored(corpus, plan, cache, told)}
    if metric in {STRUCTURE, DISTINCT}:
        return structured(metric, corpus, plan, cache, told)
    return {metric: modelled(metric, corpus, plan, cache, told)}


def _asked(name: str, asked: tuple[str, ...]) -> str:
    return name if name in asked else name.partition("_")[0]


def _cell(outcome: Outcome, samples: Drawn, system: str, name: str) -> Cell:
    if name in outcome.missing:
        return Cell(None, None, None, name, outcome.missing[name])
    measured = outcome.measured[name]
    keys = outcome.corpus.keys_of(system)
    value = restricted(outcome.corpus, measured, system, keys).value
    signature, cut = measured.signatures[system], measured.cut.get(system)
    if isnan(value):
        return Cell(None, None, None, signature, StudyError("metrics.undefined"), cut)
    reason = _no_interval(outcome.plan, len(keys))
    if reason is None:
        found = bootstrap.interval(samples.scores[keys, system, name])
        if found:
            return Cell(value, *found, signature, None, cut)
        reason = StudyError("metrics.unstable")
    return Cell(value, None, None, signature, reason, cut)


def _no_interval(plan: Plan, items: int) -> StudyError | None:
    if items < FEWEST:
        return StudyError("metrics.one_answer")
    return None if plan.bootstrap else StudyError("metrics.no_bootstrap")


def _comparison(outcome: Outcome, samples: Drawn, name: str, a: str, b: str) -> Comparison:
    keys = outcome.corpus.common((a, b))
    if name in outcome.missing:
        return Comparison(a, b, name, len(keys), None, reason=outcome.missing[name])
    if not keys:
        return Comparison(a, b, name, 0, None, reason=StudyError("metrics.no_common"))
    measured = outcome.measured[name]
    first, second = (restricted(outcome.corpus, measured, one, keys).value for one in (a, b))
    difference = first - second
    if isnan(difference):
        return Comparison(a, b, name, len(keys), None, reason=StudyError("metrics.undefined"))
    reason = _no_interval(outcome.plan, len(keys))
    if reason is not None:
        return Comparison(a, b, name, len(keys), difference, reason=reason)
    differences = samples.scores[keys, a, name] - samples.scores[keys, b, name]
    found = bootstrap.interval(differences)
    low, high = found or (None, None)
    return Comparison(
        a, b, name, len(keys), difference, low, high,
        p=samples.p[a, b, name],
        p_bootstrap=bootstrap.bootstrap_p(differences, difference) if found else None,
        reason=None if found else StudyError("metrics.unstable"),
    )
