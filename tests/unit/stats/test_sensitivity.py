"""Figures on other sets of ratings, without each rater; intervals of effects and of raters."""

from typing import Any

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.comparison import paired_tests
from cbt_core.stats.comparison.contrasts import compare
from cbt_core.stats.comparison.paired_tests import effects
from cbt_core.stats.comparison.sensitivity import sensitivity
from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import Bootstrap
from tests.unit.stats.published import NAN, as_ratings

HOW = Bootstrap(300)


def table(seed: int, items: int = 40, raters: int = 3, shift: float = 0.0) -> Floats:
    random = np.random.default_rng(seed)
    truth = random.normal(1 + shift, 0.6, size=(items, 1))
    return np.clip(np.round(truth + random.normal(size=(items, raters)) * 0.5), 0, 2)


def test_each_set_has_the_figures_of_the_commands() -> None:
    main, more = as_ratings(table(1), table(2, shift=0.3)), as_ratings(table(3), table(4))
    found = sensitivity(
        {"analysis": main, "with_excluded": more}, main="analysis", values={"s": (0, 1, 2)},
        nominal=frozenset(), reference="S1", how=HOW,
    )
    for variant, ratings in zip(found.variants, (main, more), strict=True):
        compared: Any = compare(ratings, baseline="S1", bootstrap=0).json()
        agreed: Any = agreement(ratings, values={"s": (0, 1, 2)}, bootstrap=0).json()
        expected = compared["scales"]["s"]["comparisons"][0]["difference"]["value"]
        assert variant.differences["S2"].value == pytest.approx(expected)
        assert variant.alpha.value == agreed["scales"]["s"]["ALL"]["alpha_ordinal"]["value"]


def test_leaving_out_each_rater_names_the_extremes() -> None:
    base = np.zeros((5, 3))
    other = np.tile([0.0, 1.0, 2.0], (5, 1))
    (found,) = sensitivity(
        {"analysis": as_ratings(base, other)}, main="analysis", values={"s": (0, 1, 2)},
        nominal=frozenset(), reference="S1", how=HOW,
    ).leave_one_rater_out
    assert (found.low, found.low_without) == (0.5, "R2")
    assert (found.high, found.high_without) == (1.5, "R0")


def test_without_a_reference_there_are_no_differences() -> None:
    found = sensitivity(
        {"analysis": as_ratings(table(1), table(2))}, main="analysis", values={"s": (0, 1, 2)},
        nominal=frozenset(), reference=None, how=HOW,
    )
    assert found.variants[0].differences == {}
    assert found.leave_one_rater_out == ()


def test_one_rater_and_names_are_no_reason_to_fail() -> None:
    found = sensitivity(
        {"analysis": as_ratings([[0], [1]], [[1], [1]])}, main="analysis",
        values={"s": (0, 1, 2)}, nominal=frozenset({"s"}), reference="S1", how=HOW,
    )
    assert found.variants[0].alpha.reason == "nominal scale"
    assert found.leave_one_rater_out == ()


def test_effects_of_weighted_items_are_those_of_repeated_ones() -> None:
    random = np.random.default_rng(0)
    d = np.round(random.integers(-3, 4, size=30) / 3, 10)
    times = random.integers(0, 4, size=30)
    weights = times[:, np.newaxis].astype(np.float64)
    biserial, superior = effects(d, np.arange(30), weights)[:, 0]
    repeated = np.repeat(d, times)
    assert biserial == pytest.approx(paired_tests.rank_biserial(repeated))
    assert superior == pytest.approx(paired_tests.superiority(repeated))


def test_comparisons_have_intervals_of_their_effects() -> None:
    ratings = as_ratings(table(1), table(2, shift=0.4))
    body: Any = compare(ratings, baseline="S1", bootstrap=300).json()
    found = body["scales"]["s"]["comparisons"][0]
    for key in ("rank_biserial", "probability_of_superiority"):
        interval = found[f"{key}_interval"]
        assert interval["value"] == found[key]
        assert interval["low"] < found[key] < interval["high"]


def test_equal_systems_have_no_rank_biserial_interval() -> None:
    body: Any = compare(as_ratings(table(1), table(1)), baseline="S1", bootstrap=50).json()
    found = body["scales"]["s"]["comparisons"][0]["rank_biserial_interval"]
    assert found == {"value": None, "low": None, "high": None,
                     "reason": "all differences are zero"}


def raters_of(*tables: Floats, bootstrap: int = 20) -> list[Any]:
    body: Any = agreement(
        as_ratings(*tables, order=True), values={"s": (0, 1, 2)}, bootstrap=bootstrap
    ).json()
    return list(body["scales"]["s"]["ALL"]["raters"])


def test_severity_has_the_t_interval_of_item_means() -> None:
    scores = table(5)
    found = raters_of(scores)[0]
    d = scores[:, 0] - scores[:, 1:].mean(axis=1)
    from scipy.stats import t

    reach = t.ppf(0.975, 39) * d.std(ddof=1) / np.sqrt(40)
    assert found["severity_interval"]["value"] == pytest.approx(d.mean())
    assert found["severity_interval"]["low"] == pytest.approx(d.mean() - reach)
    assert found["severity_interval"]["high"] == pytest.approx(d.mean() + reach)


def test_drift_has_an_interval_close_to_a_robust_regression() -> None:
    scores = table(6, items=60)
    found = raters_of(scores)[1]["drift_interval"]
    d = scores[:, 1] - scores[:, [0, 2]].mean(axis=1)
    fit = OLS(d, np.column_stack([np.ones(60), np.arange(60.0)])).fit(cov_type="HC3")
    low, high = 10 * fit.conf_int()[1]
    assert found["value"] == pytest.approx(10 * fit.params[1])
    assert found["low"] == pytest.approx(low, abs=0.01)
    assert found["high"] == pytest.approx(high, abs=0.01)


def test_drift_has_no_interval_below_twenty_tasks() -> None:
    found = raters_of(table(7, items=19))[0]
    assert found["drift"] is not None
    assert found["drift_interval"]["low"] is None
    assert found["drift_interval"]["reason"] == "fewer than 20 tasks"
    assert raters_of(table(7, items=20))[0]["drift_interval"]["low"] is not None


def test_no_bootstrap_leaves_every_interval_out() -> None:
    found = raters_of(table(8), bootstrap=0)[0]
    assert found["severity_interval"]["low"] is None
    assert found["drift_interval"]["low"] is None


def test_a_rater_with_one_item_has_a_severity_and_no_interval() -> None:
    scores = table(9)
    scores[1:, 2] = NAN
    found = raters_of(scores)[2]
    assert found["n"] == 1
    assert found["severity_interval"]["low"] is None
    assert found["drift_interval"]["reason"] == "fewer than 20 tasks"
