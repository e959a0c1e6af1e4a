"""A machine beside people: how a metric ranks answers; may a model stand in for a rater?

Correlation of an automatic metric with people, within systems and pooled, with a ceiling: Kendall's
tau-b and Spearman's rho for many weightings of the same answers at once. Pooled correlation only
shows that systems differ; within systems tells whether the metric knows a good answer from a bad
one. The ceiling is what one rater reaches against the mean of the others.

The alternative annotator test: N. Calderon, R. Reichart, R. Dror, The alternative annotator test
(ACL 2025). Every human is left out in turn; human and judge are scored against the remaining
humans. An instance is an item: answers of one item would otherwise pose as independent. Always
shown apart from figures of people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.resampling import Bootstrap, Truths
from cbt_core.stats.values import Reason, Value, ratio, settled, undefined, with_interval

MOST: Final = 1500
"""Kendall's tau looks at every pair of answers: above so many it is not resampled."""


def kendall(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return tau-b (b,) of values (n,) taken `weights` (n, b) times; nan if one is constant.

    Source: M. G. Kendall, Biometrika 33 (1945) 239.
    """
    of_x = np.sign(x[:, np.newaxis] - x)
    of_y = np.sign(y[:, np.newaxis] - y)
    concordant, untied_x, untied_y = (
        ((table @ weights) * weights).sum(axis=0)
        for table in (of_x * of_y, np.abs(of_x), np.abs(of_y))
    )
    return ratio(concordant, np.sqrt(untied_x * untied_y))


def spearman(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return rho (b,): Pearson's correlation of mid-ranks; nan if one is constant."""
    return _pearson(_ranks(x, weights), _ranks(y, weights), weights)


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Return mid-ranks (n, b), equal values sharing theirs."""
    distinct, place = np.unique(values, return_inverse=True)
    counts = np.zeros((len(distinct), weights.shape[1]))
    np.add.at(counts, place, weights)
    return np.asarray((np.cumsum(counts, axis=0) - counts / 2)[place])


def _pearson(x: Floats, y: Floats, weights: Floats) -> Floats:
    size = weights.sum(axis=0)
    x = x - ratio((x * weights).sum(axis=0), size)
    y = y - ratio((y * weights).sum(axis=0), size)
    scale = size**3  # ranks reach up to size, so their squares sum up to about size^3
    spread_x = settled((x * x * weights).sum(axis=0), scale)
    spread_y = settled((y * y * weights).sum(axis=0), scale)
    return ratio((x * y * weights).sum(axis=0), np.sqrt(spread_x * spread_y))


Correlate = Callable[[Floats, Floats, Floats], Floats]
FEWEST: Final = 3
"""Fewer answers rank nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers with scores: `item`, `system` (n,) indices; `human` (n, R), nan = not scored."""

    item: Integers
    system: Integers
    human: Floats


@dataclass(frozen=True, slots=True)
class Correlation:
    """Kendall's tau-b and Spearman's rho of `n` answers."""

    n: int
    kendall: Value
    spearman: Value


@dataclass(frozen=True, slots=True)
class Correlations:
    """Within systems (mean of those defined), each system, and all pooled."""

    within: Correlation
    pooled: Correlation
    by_system: dict[str, Correlation]


def with_metric(
    answers: Answers, metric: Floats, systems: Mapping[int, str], *, how: Bootstrap
) -> Correlations:
    """Return the correlation of a metric (n,) with the mean human score."""
    human = _row_means(answers.human)
    return _correlations(answers, [(human, metric)], systems, how)


def human_ceiling(
    answers: Answers, systems: Mapping[int, str], *, how: Bootstrap
) -> Correlations:
    """Return the mean, over raters, of the correlation of own scores with the others' mean."""
    pairs = []
    for rater in range(answers.human.shape[1]):
        others = np.delete(answers.human, rater, axis=1)
        pairs.append((answers.human[:, rater], _row_means(others)))
    return _correlations(answers, pairs, systems, how)


def _correlations(
    answers: Answers, pairs: list[tuple[Floats, Floats]], systems: Mapping[int, str],
    how: Bootstrap,
) -> Correlations:
    """Return the correlations, each the mean over `pairs` of measures (n,)."""
    used = np.zeros(len(answers.item), dtype=bool)
    for x, y in pairs:
        used |= ~(np.isnan(x) | np.isnan(y))
    weights = _weights(answers.item, how)
    groups = {name: answers.system == index for index, name in systems.items()}
    by_group = {
        name: {kind: _replicated(pairs, here, weights, kind) for kind in _KINDS}
        for name, here in {"": used, **groups}.items()
    }
    count = {name: int((used & here).sum()) for name, here in groups.items()}
    within = {
        kind: _mean_of([by_group[name][kind] for name in groups]) for kind in _KINDS
    }
    return Correlations(
        within=_told(int(used.sum()), within),
        pooled=_told(int(used.sum()), by_group[""]),
        by_system={name: _told(count[name], by_group[name]) for name in groups},
    )


def _weights(item: Integers, how: Bootstrap) -> Floats:
    """Return weights (n, 1 + B): the sample itself, then the replicates."""
    if not len(item):
        return np.empty((0, 1))
    _, place = np.unique(item, return_inverse=True)
    items = int(place.max()) + 1
    parts = [np.ones((items, 1))]
    if items > 1:
        parts += list(resampling.blocks(items, replicates=how.replicates, seed=how.seed))
    return np.asarray(np.concatenate(parts, axis=1)[place])


_KINDS: Final[Mapping[str, Correlate]] = {
    "kendall": kendall, "spearman": spearman,
}


def _replicated(
    pairs: list[tuple[Floats, Floats]], here: Truths, weights: Floats, kind: str
) -> Floats:
    """Return the mean over pairs of the correlation, sample first then replicates (1 + B,)."""
    return _mean_of([_one(x, y, here, weights, kind) for x, y in pairs])


def _one(x: Floats, y: Floats, here: Truths, weights: Floats, kind: str) -> Floats:
    rows = np.flatnonzero(here & ~(np.isnan(x) | np.isnan(y)))
    if len(rows) < FEWEST:
        return np.full(weights.shape[1], np.nan)
    drawn = weights[rows]
    if kind == "kendall" and len(rows) > MOST:
        return _point_only(x[rows], y[rows], weights.shape[1])
    return _KINDS[kind](x[rows], y[rows], drawn)


def _point_only(x: Floats, y: Floats, columns: int) -> Floats:
    from scipy.stats import kendalltau

    estimates = np.full(columns, np.nan)
    estimates[0] = float(kendalltau(x, y).statistic)
    return estimates


def _mean_of(parts: list[Floats]) -> Floats:
    """Return the mean (1 + B,) over the parts that the sample defines."""
    defined = [part for part in parts if not np.isnan(part[0])]
    if not defined:
        return parts[0] if parts else np.full(1, np.nan)
    return np.asarray(np.mean(defined, axis=0))


def _told(n: int, figures: Mapping[str, Floats]) -> Correlation:
    return Correlation(n, *(_value(n, kind, figures[kind]) for kind in _KINDS))


def _value(n: int, kind: str, figures: Floats) -> Value:
    if np.isnan(figures[0]):
        return undefined(Reason.NO_MATCHED if n < FEWEST else Reason.CONSTANT_MEASURE)
    if kind == "kendall" and n > MOST:
        return Value(float(figures[0]), reason=Reason.TOO_MANY_ANSWERS.text)
    return with_interval(float(figures[0]), figures[1:])


def _row_means(table: Floats) -> Floats:
    """Return the mean (n,) of what each row of (n, R) has, nan where it has nothing."""
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    means = np.full(len(table), np.nan)
    np.divide(np.where(known, table, 0).sum(axis=1), count, out=means, where=count > 0)
    return means


LEVEL: Final = 0.05
"""q of Benjamini and Yekutieli's procedure over the humans."""

ENOUGH: Final = 30
"""Items of a human from which the t-test is used; Wilcoxon's signed-rank test below."""

FEWEST_HUMANS: Final = 3
PASS: Final = 0.5
T_TEST: Final = "one-sample t"
WILCOXON: Final = "Wilcoxon signed-rank"


@dataclass(frozen=True, slots=True)
class AgainstOne:
    """The judge against one left-out human over `n` items.

    `judge_wins`, `human_wins`: mean share of answers on which each is at least as close to the
    remaining humans (ties count for both). `p`: that human_wins - judge_wins is below epsilon.
    """

    rater: str
    n: int
    judge_wins: float | None
    human_wins: float | None
    test: str | None
    p: float | None
    p_adjusted: float | None
    rejected: bool | None


@dataclass(frozen=True, slots=True)
class AlternativeAnnotator:
    """The test of one judge on one scale.

    `winning_rate`: share of humans whose null hypothesis is rejected, passed from .5;
    `advantage`: mean over humans of `judge_wins`. `declared`: epsilon stood in the plan.
    """

    epsilon: float
    declared: bool
    alignment: str
    n_items: int
    n_humans: int
    winning_rate: Value
    advantage: Value
    passed: bool | None
    humans: tuple[AgainstOne, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Wins:
    """Per item of one human (m,): share of answers won by judge and by human."""

    item: Integers
    judge: Floats
    human: Floats


@dataclass(frozen=True, slots=True)
class Rules:
    """What was decided before: `epsilon` is .2 beside experts, .15 skilled people, .1 a crowd.

    `declared`: it stood in the plan; `nominal`: values are names, so accuracy instead of -RMSE.
    """

    epsilon: float = 0.15
    declared: bool = False
    nominal: bool = False


def alternative_annotator(
    answers: Answers, judge: Floats, raters: tuple[str, ...], *, rules: Rules, how: Bootstrap
) -> AlternativeAnnotator:
    """Return the test of a judge's scores (n,) on answers scored by `raters` (columns)."""
    wins = [_wins(answers, judge, column, rules.nominal) for column in range(len(raters))]
    able = [place for place, one in enumerate(wins) if len(one.item)]
    tested = [_tested(wins[place], rules.epsilon) for place in able]
    adjusted = benjamini_yekutieli([p for _, p in tested])
    humans = tuple(
        _against(raters[place], wins[place], *one, p)
        for place, one, p in zip(able, tested, adjusted, strict=True)
    )
    items = np.unique(np.concatenate([one.item for one in wins])) if wins else np.zeros(0)
    reason = _reason(len(able), len(items))
    rate, advantage = _figures([wins[place] for place in able], humans, rules, how, reason)
    return AlternativeAnnotator(
        epsilon=rules.epsilon, declared=rules.declared,
        alignment="accuracy" if rules.nominal else "-RMSE",
        n_items=len(items), n_humans=len(able), winning_rate=rate, advantage=advantage,
        passed=None if rate.value is None else rate.value >= PASS,
        humans=humans, reason=None if reason is None else reason.text,
    )


def _reason(humans: int, items: int) -> Reason | None:
    if humans < FEWEST_HUMANS:
        return Reason.FEWER_THAN_THREE_RATERS if humans else Reason.NO_MATCHED
    return Reason.FEW_INSTANCES if items < 2 else None


def _wins(answers: Answers, judge: Floats, column: int, nominal: bool) -> _Wins:
    """Return the wins of judge and human `column` per item, over answers with another human."""
    own, others = answers.human[:, column], np.delete(answers.human, column, axis=1)
    rows = np.flatnonzero(~np.isnan(own) & ~np.isnan(judge) & (~np.isnan(others)).any(axis=1))
    of_judge = _closeness(judge[rows], others[rows], nominal)
    of_human = _closeness(own[rows], others[rows], nominal)
    item, place = np.unique(answers.item[rows], return_inverse=True)
    count = np.maximum(np.bincount(place, minlength=len(item)), 1)
    won, lost = (
        np.bincount(place, weights=better.astype(np.float64), minlength=len(item)) / count
        for better in (of_judge >= of_human, of_human >= of_judge)
    )
    return _Wins(item, won, lost)


def _closeness(scores: Floats, others: Floats, nominal: bool) -> Floats:
    """Return how near scores (n,) are to the others' (n, R): share equal, or -RMSE; rounded."""
    known = ~np.isnan(others)
    distance = np.where(known, others - scores[:, np.newaxis], 0.0)
    count = np.maximum(known.sum(axis=1), 1)
    if nominal:
        return np.asarray(np.round((known & (distance == 0)).sum(axis=1) / count, 10))
    return np.asarray(-np.round(np.sqrt((distance**2).sum(axis=1) / count), 10))


def _tested(wins: _Wins, epsilon: float) -> tuple[str | None, float | None]:
    """Return the test used and its one-sided p that mean(human - judge) is below epsilon."""
    moved = np.round(wins.human - wins.judge, 10) - epsilon
    if len(moved) < 2:
        return None, None
    if np.ptp(moved) == 0:  # no spread: the mean is on one side for certain
        return T_TEST, 0.0 if moved[0] < 0 else 1.0
    if len(moved) < ENOUGH:
        from scipy.stats import wilcoxon

        return WILCOXON, float(wilcoxon(moved, alternative="less").pvalue)
    sums = np.array([[len(moved)], [moved.sum()], [(moved**2).sum()]])
    return T_TEST, float(_t_below(sums)[0])


def _t_below(sums: Floats) -> Floats:
    """Return the p (b,) that a mean is below 0, from sums (3, b): n, x, xx."""
    from scipy.special import stdtr

    n, x, xx = sums
    variance = settled(ratio(xx - x * x / np.maximum(n, 1), n - 1), xx)
    t = ratio(x / np.maximum(n, 1), np.sqrt(variance / np.maximum(n, 1)))
    constant = np.where(x < 0, 0.0, 1.0)
    return np.where(n < 2, np.nan, np.where(variance == 0, constant, stdtr(n - 1, t)))


def benjamini_yekutieli(p: list[float | None]) -> list[float | None]:
    """Return adjusted p (Y. Benjamini & D. Yekutieli 2001); None stays and is not counted."""
    known = [value for value in p if value is not None]
    adjusted = iter(_adjusted(np.array(known)[:, np.newaxis])[:, 0].tolist()) if known else iter(())
    return [None if value is None else next(adjusted) for value in p]


def _adjusted(p: Floats) -> Floats:
    """Return adjusted p (m, b), each column by itself."""
    tests = len(p)
    turn = np.argsort(p, axis=0)
    rank = np.arange(1, tests + 1)[:, np.newaxis]
    raised = np.take_along_axis(p, turn, axis=0) * tests * (1 / rank).sum() / rank
    stepped = np.minimum(np.minimum.accumulate(raised[::-1], axis=0)[::-1], 1.0)
    p_values = np.empty_like(p)
    np.put_along_axis(p_values, turn, stepped, axis=0)
    return p_values


def _against(
    rater: str, wins: _Wins, test: str | None, p: float | None, adjusted: float | None
) -> AgainstOne:
    return AgainstOne(
        rater=rater, n=len(wins.item), judge_wins=float(wins.judge.mean()),
        human_wins=float(wins.human.mean()), test=test, p=p, p_adjusted=adjusted,
        rejected=None if adjusted is None else adjusted <= LEVEL,
    )


def _figures(
    wins: list[_Wins], humans: tuple[AgainstOne, ...], rules: Rules, how: Bootstrap,
    reason: Reason | None,
) -> tuple[Value, Value]:
    """Return winning rate and advantage probability with intervals over items."""
    if reason is not None:
        return undefined(reason), undefined(reason)
    rate = float(np.mean([bool(one.rejected) for one in humans]))
    advantage = float(np.mean([one.judge_wins for one in humans]))
    rates, advantages = _replicates(wins, rules.epsilon, how)
    if any(one.test != T_TEST for one in humans):
        return Value(rate, reason=Reason.WILCOXON_USED.text), with_interval(advantage, advantages)
    return with_interval(rate, rates), with_interval(advantage, advantages)


def _replicates(wins: list[_Wins], epsilon: float, how: Bootstrap) -> tuple[Floats, Floats]:
    """Return winning rates and advantage probabilities (B,) of resampled items."""
    items = np.unique(np.concatenate([one.item for one in wins]))
    tables = [_sums(one, items, epsilon) for one in wins]
    rates, advantages = [np.empty(0)], [np.empty(0)]
    for weights in resampling.blocks(len(items), replicates=how.replicates, seed=how.seed):
        sums = [table @ weights for table in tables]
        p = np.stack([_t_below(one[:3]) for one in sums])
        undefinable = np.isnan(p).any(axis=0)
        rejected = (_adjusted(np.nan_to_num(p, nan=1.0)) <= LEVEL).mean(axis=0)
        rates.append(np.where(undefinable, np.nan, rejected))
        advantages.append(np.mean([resampling.quotient(one[[3, 0]]) for one in sums], axis=0))
    return np.concatenate(rates), np.concatenate(advantages)


def _sums(wins: _Wins, items: Integers, epsilon: float) -> Floats:
    """Return per item (4, I): met, difference less epsilon, its square, judge's wins."""
    sums = np.zeros((4, len(items)))
    place = np.searchsorted(items, wins.item)
    moved = np.round(wins.human - wins.judge, 10) - epsilon
    sums[:, place] = np.stack([np.ones_like(moved), moved, moved**2, wins.judge])
    return sums
