"""A table of systems and metrics with intervals and paired tests: the paper's Table 4, and more.

Bootstrap scores and exchange tests are of the whole table; systems that share items share draws.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import isnan
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.metrics import bootstrap
from cbt_core.metrics.bootstrap import Scored, exchange_p, replicates
from cbt_core.metrics.corpus import Corpus
from cbt_core.metrics.encoder import Unavailable, without_package
from cbt_core.metrics.measures import (
    DISTINCT,
    STRUCTURE,
    Cache,
    Measured,
    Plan,
    counted,
    meteored,
    modelled,
    of_run,
    structured,
)
from cbt_core.stats.ratings import Floats

Keys = tuple[str, ...]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Bootstrap scores by (items, system, metric); p by (a, b, metric)."""

    scores: Mapping[tuple[Keys, str, str], Floats]
    p: Mapping[tuple[str, str, str], float]


def drawn(corpus: Corpus, plan: Plan, measured: Mapping[str, Measured]) -> Drawn:
    """Resample every score and every pair of systems; sets of fewer than 2 items are left out."""
    if not plan.bootstrap or not measured:
        return Drawn({}, {})
    pairs: dict[Keys, list[Pair]] = defaultdict(list)
    for pair in combinations(corpus.systems, 2):
        pairs[corpus.common(pair)].append(pair)
    systems: dict[Keys, set[str]] = defaultdict(set)
    for system in corpus.systems:
        systems[corpus.keys_of(system)].add(system)
    for keys, own_pairs in pairs.items():
        systems[keys].update(one for pair in own_pairs for one in pair)
    scores: dict[tuple[Keys, str, str], Floats] = {}
    p: dict[tuple[str, str, str], float] = {}
    for keys in systems:
        if len(keys) < 2:
            continue
        table = _table(corpus, measured, keys, systems[keys])
        values = replicates(list(table.values()), count=plan.bootstrap, seed=plan.seed)
        scores |= {(keys, *place): one for place, one in zip(table, values, strict=True)}
        p |= _exchanged(table, pairs.get(keys, []), measured, plan.seed)
    return Drawn(scores, p)


def restricted(corpus: Corpus, measured: Measured, system: str, keys: Keys) -> Scored:
    """Return a system's rows on some of its items."""
    own = corpus.keys_of(system)
    rows = measured.rows[system]
    if own != keys:
        wanted = set(keys)
        rows = rows[[key in wanted for key in own]]
    return Scored(rows, measured.formula)


def _table(
    corpus: Corpus, measured: Mapping[str, Measured], keys: Keys, systems: Iterable[str]
) -> dict[tuple[str, str], Scored]:
    return {
        (system, name): restricted(corpus, one, system, keys)
        for system in sorted(systems)
        for name, one in measured.items()
    }


def _exchanged(
    table: Mapping[tuple[str, str], Scored],
    pairs: Iterable[Pair],
    names: Iterable[str],
    seed: int,
) -> dict[tuple[str, str, str], float]:
    places = [(a, b, name) for a, b in pairs for name in names]
    tested = [(table[a, name], table[b, name]) for a, b, name in places]
    return dict(zip(places, exchange_p(tested, seed=seed), strict=True)) if places else {}


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
        metrics = [*self.measured, *self.missing]
        return tuple(sorted(metrics, key=lambda name: asked.index(_asked(name, asked))))

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
    outcome = Outcome(
        corpus, plan,
        of_run(corpus, plan.metrics, bootstrap=plan.bootstrap, seed=plan.seed),
        {}, (), measured, missing,
    )
    return replace(
        outcome,
        cells={
            system: {name: _cell(outcome, samples, system, name) for name in outcome.names}
            for system in corpus.systems
        },
        comparisons=tuple(
            _comparison(outcome, samples, name, a, b)
            for name in outcome.names
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
        interval = bootstrap.interval(samples.scores[keys, system, name])
        if interval:
            return Cell(value, *interval, signature, None, cut)
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
    interval = bootstrap.interval(differences)
    low, high = interval or (None, None)
    return Comparison(
        a, b, name, len(keys), difference, low, high,
        p=samples.p[a, b, name],
        p_bootstrap=bootstrap.bootstrap_p(differences, difference) if interval else None,
        reason=None if interval else StudyError("metrics.unstable"),
    )
