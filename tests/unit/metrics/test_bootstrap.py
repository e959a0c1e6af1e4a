"""Intervals and paired tests: the law of the draws, the p values, the undefined."""

import itertools

import numpy as np
import pytest

from cbt_core.metrics import bootstrap, sacre
from cbt_core.metrics.bootstrap import Scored, averaged, mean
from cbt_core.metrics.sacre import bleu
from tests.unit.metrics.texts import chinese, noisy, tasks

VALUES = np.random.default_rng(1).normal(0.5, 0.1, 200)


def test_the_interval_of_a_mean_is_the_one_theory_gives() -> None:
    drawn = bootstrap.replicates([Scored(averaged(VALUES), mean)], count=4000, seed=1)[0]
    found = bootstrap.interval(drawn)
    assert found is not None
    half = 1.96 * VALUES.std() / np.sqrt(len(VALUES))
    assert found == pytest.approx((VALUES.mean() - half, VALUES.mean() + half), abs=0.0015)


def test_the_same_seed_draws_the_same_and_systems_share_draws() -> None:
    one = Scored(averaged(VALUES), mean)
    first, second = bootstrap.replicates([one, one], count=100, seed=4)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, bootstrap.replicates([one], count=100, seed=5)[0])


def test_a_replicate_of_bleu_is_the_bleu_of_the_drawn_answers() -> None:
    references = chinese(30, 1)
    made = tasks(noisy(references, 2, 0.3), [[one] for one in references])
    rows = np.vstack(sacre.statistics("bleu", "zh", made))
    drawn = bootstrap.replicates([Scored(rows, bleu)], count=1, seed=7)[0]
    places = np.random.default_rng(7).integers(30, size=(1, 30))[0]
    assert drawn[0] == pytest.approx(bleu(rows[places].sum(axis=0)[np.newaxis])[0])


def test_the_exchange_p_is_that_of_all_exchanges_enumerated() -> None:
    """8 items: 256 exchanges, of which as far apart as observed are counted outright."""
    first = np.array([0.9, 0.8, 0.7, 0.9, 0.6, 0.8, 0.7, 0.5])
    second = np.array([0.5, 0.7, 0.6, 0.4, 0.7, 0.3, 0.6, 0.4])
    differences = first - second
    signs = np.array(list(itertools.product((1, -1), repeat=8)))
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12)
    pair = (Scored(averaged(first), mean), Scored(averaged(second), mean))
    assert bootstrap.exchange_p([pair], seed=1)[0] == pytest.approx(exact, abs=0.008)


def test_systems_that_are_alike_are_never_told_apart() -> None:
    pair = (Scored(averaged(VALUES), mean), Scored(averaged(VALUES), mean))
    assert bootstrap.exchange_p([pair], seed=1, trials=200) == [1.0]
    assert bootstrap.bootstrap_p(np.zeros(100), 0.0) == 1.0


def test_a_p_value_is_uniform_without_a_difference() -> None:
    random = np.random.default_rng(9)
    small = 0
    for seed in range(200):
        first, second = random.normal(size=(2, 40))
        pair = (Scored(averaged(first), mean), Scored(averaged(second), mean))
        small += bootstrap.exchange_p([pair], seed=seed, trials=199)[0] <= 0.05
    assert 2 <= small <= 20  # 10 expected; probability outside about .002


def test_a_missing_score_leaves_the_mean_and_an_unstable_interval_is_none() -> None:
    values = np.array([0.2, np.nan, 0.4])
    assert Scored(averaged(values), mean).value == pytest.approx(0.3)
    drawn = bootstrap.replicates([Scored(averaged(np.array([1.0, np.nan, np.nan])), mean)],
                                 count=500, seed=1)[0]
    assert np.isnan(drawn).mean() > 0.05
    assert bootstrap.interval(drawn) is None
