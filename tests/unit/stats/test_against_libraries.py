"""Random tables against independent libraries (test-only; see requirements-dev.txt)."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.stats.ratings import Floats
from tests.unit.stats.published import NAN, figure, stats_of

CLOSE = 1e-9


def tables(*, missing: bool, raters: int = 4) -> st.SearchStrategy[Floats]:
    """Draw tables (units, raters) of scores 0, 1, 2, with or without missing ones."""
    cell = st.sampled_from([0.0, 1.0, 2.0, NAN] if missing else [0.0, 1.0, 2.0])
    row = st.lists(cell, min_size=raters, max_size=raters)
    return st.lists(row, min_size=2, max_size=12).map(lambda rows: np.array(rows))


@settings(max_examples=30, deadline=None)
@given(tables(missing=True))
def test_alpha_equals_krippendorff(table: Floats) -> None:
    library = pytest.importorskip("krippendorff", reason="the oracle of alpha is not installed")
    stats = stats_of(table, range(3))
    pairable = table[(~np.isnan(table)).sum(axis=1) > 1]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        assert stats["alpha_ordinal"]["value"] is None  # type: ignore[index]
        return
    for level in ("nominal", "ordinal", "interval"):
        expected = library.alpha(table.T, value_domain=[0, 1, 2], level_of_measurement=level)
        assert figure(stats, f"alpha_{level}") == pytest.approx(expected, abs=CLOSE)


@settings(max_examples=30, deadline=None)
@given(tables(missing=True, raters=3))
def test_kappa_equals_scikit_learn(table: Floats) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="the oracle of kappa is not installed")
    weights = {"kappa": None, "kappa_linear": "linear", "kappa_quadratic": "quadratic"}
    for pair in stats_of(table, range(3))["pairs"]:  # type: ignore[attr-defined]
        a, b = int(pair["a"][1:]), int(pair["b"][1:])
        both = table[~np.isnan(table[:, [a, b]]).any(axis=1)][:, [a, b]].astype(int)
        assert pair["n"] == len(both)
        if len(both) == 0 or any(len(set(column)) < 2 for column in both.T):
            assert pair["kappa"]["value"] is None  # there scikit-learn says 0 or nan
            continue
        for key, name in weights.items():
            expected = metrics.cohen_kappa_score(*both.T, labels=[0, 1, 2], weights=name)
            assert pair[key]["value"] == pytest.approx(expected, abs=CLOSE)


@settings(max_examples=25, deadline=None)
@given(tables(missing=False))
def test_fleiss_equals_statsmodels_on_complete_data(table: Floats) -> None:
    rates = pytest.importorskip(
        "statsmodels.stats.inter_rater", reason="the oracle of Fleiss' kappa is not installed"
    )
    counts = np.stack([(table == value).sum(axis=1) for value in range(3)], axis=1)
    if len(np.unique(table)) > 1:
        expected = rates.fleiss_kappa(counts)
        assert figure(stats_of(table, range(3)), "fleiss_kappa") == pytest.approx(
            expected, abs=CLOSE
        )


def test_intraclass_correlations_equal_pingouin() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = pytest.importorskip("pingouin", reason="the oracle of the ICC is not installed")
        pandas = pytest.importorskip("pandas", reason="pingouin needs pandas")
        table = np.random.default_rng(5).integers(0, 5, size=(25, 3)) + np.arange(25)[:, None] / 5
        table = np.round(table)
        long = pandas.DataFrame(
            [(u, r, table[u, r]) for u in range(25) for r in range(3)], columns=["u", "r", "y"]
        )
        found = library.intraclass_corr(long, targets="u", raters="r", ratings="y")
    expected = dict(zip(found["Type"], found["ICC"], strict=True))
    stats = stats_of(table, range(11))
    names = {
        "ICC(1,1)": "icc_1_1", "ICC(A,1)": "icc_2_1", "ICC(C,1)": "icc_3_1",
        "ICC(1,k)": "icc_1_k", "ICC(A,k)": "icc_2_k", "ICC(C,k)": "icc_3_k",
    }  # fmt: skip
    for name, key in names.items():
        assert figure(stats, key) == pytest.approx(expected[name], abs=CLOSE)


@settings(max_examples=25, deadline=None)
@given(tables(missing=False))
def test_kendall_w_equals_friedman_of_scipy(table: Floats) -> None:
    from scipy.stats import friedmanchisquare

    units, raters = table.shape
    stats = stats_of(table, range(3))
    if units > 2 and stats["kendall_w"]["value"] is not None:  # type: ignore[index]
        expected = friedmanchisquare(*table).statistic / (raters * (units - 1))
        assert figure(stats, "kendall_w") == pytest.approx(expected, abs=CLOSE)


def ac_by_hand(table: Floats, power: int) -> float:
    """Return AC1/AC2 as printed in Gwet's handbook, unit by unit and pair by pair."""
    gaps = np.abs(np.subtract.outer(range(3), range(3))) / 2
    weight = np.eye(3) if power == 0 else 1 - gaps**power
    observed, shares = [], []
    for row in table:
        scores = [int(score) for score in row if not np.isnan(score)]
        if scores:
            shares.append([scores.count(value) / len(scores) for value in range(3)])
        if len(scores) > 1:
            observed.append(np.mean([weight[a, b] for a, b in combinations(scores, 2)]))
    share = np.mean(shares, axis=0)
    chance = weight.sum() / 6 * (share * (1 - share)).sum()
    return float((np.mean(observed) - chance) / (1 - chance))


@settings(max_examples=30, deadline=None)
@given(tables(missing=True))
def test_ac_equals_the_handbook_formula(table: Floats) -> None:
    stats = stats_of(table, range(3))
    if stats["n_pairable_units"]:
        for key, power in (("ac1", 0), ("ac2_linear", 1), ("ac2_quadratic", 2)):
            assert figure(stats, key) == pytest.approx(ac_by_hand(table, power), abs=CLOSE)


def test_variance_components_of_incomplete_data_are_near_restricted_likelihood() -> None:
    # statsmodels 0.15 MixedLM (REML, crossed unit and rater) on the same scores: .2180. Fitting
    # constants is another unbiased estimator, so the two are near, not equal.
    random = np.random.default_rng(2)
    latent = random.normal(size=(60, 1)) * 0.8 + random.normal(size=(60, 4)) + np.linspace(-1, 1, 4)
    table = np.digitize(latent, [-0.9, 0.3]).astype(float)
    table[random.random(table.shape) < 0.2] = NAN
    stats = stats_of(table, range(3))
    assert figure(stats, "icc_agreement_vc") == pytest.approx(0.2180, abs=0.005)
