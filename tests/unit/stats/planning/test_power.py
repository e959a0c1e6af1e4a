"""Power: against closed forms, against the product's own tests, and the same for the same seed."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from cbt_core.errors import StudyError
from cbt_core.stats.comparison import crossed, paired_tests
from cbt_core.stats.planning import power
from cbt_core.stats.planning import power as planned
from cbt_core.stats.planning.simulation import (
    ASSUMED,
    SKEWS,
    Assumptions,
    Batch,
    Size,
    agreement_truth,
    batches,
    difference_truth,
    drawn_design,
    latent_shift,
    mean_score,
    shares,
    thresholds_of,
)
from cbt_core.stats.ratings import Floats

CALM = ASSUMED.with_sds({"sd_rater_system": 0.0})
"""Raters have no liking for a system of their own."""


def one_batch(size: Size, assumed: Assumptions, shift: float, studies: int, seed: int = 1) -> Batch:
    return next(batches(size, assumed, shift, studies=studies, seed=seed))


def p_of(value: Floats, variance: Floats, freedom: Floats) -> Floats:
    return np.asarray(2 * stats.t.sf(np.abs(value) / np.sqrt(variance), freedom))


@pytest.mark.parametrize("items", [30, 100])
def test_power_by_item_is_that_of_the_paired_t_test(items: int) -> None:
    # Without likings the item means are independent: noncentral t (statsmodels) with the spread
    # of one huge study. Discrete means: within .02 and three Monte Carlo errors of .016.
    shift = latent_shift(CALM, 0.2)
    size = Size(items, 3, 3)
    huge = one_batch(Size(200_000, 3, 3), CALM, shift, 1)
    means = planned.differences(huge)[0].mean(axis=1)
    expected = TTestPower().power(
        means.mean() / means.std(ddof=1), nobs=items, alpha=0.05, alternative="two-sided"
    )
    found = planned.power(size, CALM, shift, studies=1000)[0].item_level
    assert found.mc_error is not None
    assert found.value == pytest.approx(expected, abs=0.02 + 3 * 0.016)


def test_the_spread_of_a_simulated_power_is_its_monte_carlo_error() -> None:
    found = [
        planned.power(Size(40, 3, 3), CALM, 0.3, studies=200, seed=seed)[0].item_level
        for seed in range(40)
    ]
    spread = np.std([one.value for one in found if one.value is not None], ddof=1)
    told = np.mean([one.mc_error for one in found if one.mc_error is not None])
    assert spread == pytest.approx(told, rel=0.4)  # 40 draws: relative error of an SD .11


def test_without_likings_and_difference_both_tests_reject_in_one_of_twenty() -> None:
    found = planned.power(Size(100, 5, 5), CALM, 0.0, studies=2000)[0]
    assert found.item_level.value == pytest.approx(0.05, abs=0.016)
    assert found.crossed.value is not None
    assert 0.01 < found.crossed.value < 0.066


@pytest.mark.parametrize(
    ("raters", "overlap", "by_item"), [(3, 3, 0.28), (5, 5, 0.24), (10, 3, 0.11)]
)
def test_likings_fool_the_test_by_item_and_not_the_crossed_one(
    raters: int, overlap: int, by_item: float
) -> None:
    # Independent simulation of the same model, 1,500 studies a cell (project notes): .28, .24, .11.
    found = planned.power(Size(100, raters, overlap), ASSUMED, 0.0, studies=1500)[0]
    assert found.item_level.value == pytest.approx(by_item, abs=0.05)
    assert found.crossed.value is not None
    assert found.crossed.value <= 0.07 + 0.015


def test_the_vectorised_quasi_f_is_that_of_compare() -> None:
    y = planned.differences(one_batch(Size(60, 4, 4), ASSUMED, 0.2, 5))
    found = planned.quasi_f(y, (25, 60))
    for study in range(5):
        for place, n in enumerate((25, 60)):
            one = crossed.quasi_f(y[study, :n])
            told = [field[study, place] for field in (found.value, found.variance, found.freedom)]
            assert told == pytest.approx([one.value, one.variance, one.freedom], rel=1e-9)


def test_the_test_by_item_is_the_t_test_of_item_means_with_cells_missing() -> None:
    batch = one_batch(Size(80, 4, 4), Assumptions(missing=0.3), 0.2, 6)
    found = planned.item_level(batch, (30, 80)).p()
    y = np.where(batch.design.present, planned.differences(batch), np.nan)
    for place, n in enumerate((30, 80)):
        kept = batch.design.present[:n].any(axis=1)
        means = np.nanmean(y[:, :n][:, kept], axis=2)
        np.testing.assert_allclose(found[:, place], stats.ttest_1samp(means, 0, axis=1).pvalue)


def test_the_t_test_stands_in_for_sign_flips() -> None:
    batch = one_batch(Size(50, 3, 3), ASSUMED, 0.3, 300)
    by_t = planned.item_level(batch, (50,)).p()[:, 0] <= 0.05
    means = planned.differences(batch).mean(axis=2)
    flips = np.array([paired_tests.sign_flips(np.round(d, 10), 1) <= 0.05 for d in means])
    assert (by_t == flips).mean() > 0.97


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_mixed_model_of_many_studies_is_that_of_one(missing: float) -> None:
    batch = one_batch(Size(60, 8, 3), Assumptions(missing=missing), 0.2, 200)
    design, y = batch.design, planned.differences(batch)
    many = p_of(*power.fitted(y, design.rater, design.present, 8))
    item, rater = np.nonzero(design.present)[0], design.rater[design.present]
    for study in range(25):
        one = crossed.fit(item, rater, y[study][design.present])
        assert one is not None
        exact = p_of(np.array(one.value), np.array(one.variance), np.array(one.freedom))
        assert many[study] == pytest.approx(float(exact), rel=0.05, abs=0.003)


def test_the_first_items_of_a_study_are_a_smaller_study() -> None:
    curve = planned.power(Size(80, 3, 3), ASSUMED, 0.4, sizes=(40, 80), studies=300)
    alone = planned.power(Size(80, 3, 3), ASSUMED, 0.4, studies=300)
    assert curve[1] == alone[0]
    first, last = (one.item_level.value or 0 for one in curve)
    assert first < last


def test_one_rater_an_item_and_two_raters_are_no_trouble() -> None:
    single = planned.power(Size(60, 6, 1), ASSUMED, 0.3, studies=100)[0]
    assert single.crossed.value is not None
    pair = planned.power(Size(60, 2, 2), ASSUMED, 0.3, studies=100)[0]
    assert pair.crossed.value is None
    assert pair.crossed.reason == "fewer_than_three_raters"


def test_the_same_seed_gives_the_same_power() -> None:
    size = Size(50, 6, 3)
    assert planned.power(size, ASSUMED, 0.2, studies=100, seed=4) == planned.power(
        size, ASSUMED, 0.2, studies=100, seed=4
    )
    assert planned.power(size, ASSUMED, 0.2, studies=100, seed=4) != planned.power(
        size, ASSUMED, 0.2, studies=100, seed=5
    )


@pytest.mark.parametrize("difference", [-0.4, 0.05, 0.5])
@pytest.mark.parametrize("skew", ["none", "moderate"])
def test_the_latent_shift_gives_the_difference_asked_for(skew: str, difference: float) -> None:
    assumed = Assumptions(SKEWS[skew])
    shift = latent_shift(assumed, difference)
    assert mean_score(assumed, shift) - mean_score(assumed) == pytest.approx(difference, abs=1e-9)
    y = planned.differences(one_batch(Size(50, 400, 400), assumed, shift, 60))
    assert y.mean() == pytest.approx(difference, abs=0.06)  # 60 x 50 items


def test_a_difference_beyond_the_scale_is_refused() -> None:
    with pytest.raises(StudyError, match="does not fit"):
        latent_shift(Assumptions(SKEWS["strong"]), 0.3)
    with pytest.raises(StudyError, match="no score varies"):
        latent_shift(Assumptions(sd_item=0, sd_item_system=0, sd_rater=0, sd_rater_system=0,
                                 sd_noise=0), 0.1)  # fmt: skip


def test_thresholds_give_the_shares_they_were_made_of() -> None:
    wanted = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
    assumed = Assumptions(thresholds_of(wanted, ASSUMED.total))
    assert shares(assumed) == pytest.approx(wanted)
    with pytest.raises(StudyError):
        thresholds_of(np.array([0.5, 0.6]), 1.0)


@pytest.mark.parametrize(("items", "raters", "overlap"), [(60, 7, 3), (2500, 11, 4)])
def test_raters_get_the_same_load_and_meet_an_item_once(
    items: int, raters: int, overlap: int
) -> None:
    design = drawn_design(Size(items, raters, overlap), 0.0, np.random.default_rng(1))
    load = np.bincount(design.rater.ravel(), minlength=raters)
    assert np.ptp(load) <= 1 + items // 1000
    assert (np.diff(np.sort(design.rater, axis=1), axis=1) > 0).all()


def test_the_truth_by_quadrature_is_that_of_a_huge_sample() -> None:
    from cbt_core.stats.planning.precision import STATISTICS, coded, studies_of
    from cbt_core.stats.planning.simulation import drawn

    random = np.random.default_rng(2)
    design = drawn_design(Size(300_000, 3, 3), 0.0, random)
    batch, raters = drawn(design, ASSUMED, 0.2, studies=1, random=random)
    held = studies_of(coded(batch.baseline, design.present), np.arange(3.0))
    truth = agreement_truth(ASSUMED, raters)
    for one in STATISTICS:  # standard error of alpha at 300,000 items about .0012
        found = one.compute(held.kinds.sums(held.numbers.T))[0]
        assert found == pytest.approx(truth[one.key][0], abs=0.005)
    mean = planned.differences(batch).mean()
    assert mean == pytest.approx(difference_truth(ASSUMED, raters, 0.2)[0], abs=0.006)
