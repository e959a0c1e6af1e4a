"""Systems against a baseline: tests, effects, adjustment, degenerate data."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.errors import StudyError
from cbt_core.stats.comparison import paired_tests
from cbt_core.stats.comparison.contrasts import compare
from cbt_core.stats.comparison.crossed import fit, quasi_f
from cbt_core.stats.ratings import Columns, Floats, Ratings, gather
from tests.unit.stats.published import NAN, as_ratings


def compared(*tables: object, **options: Any) -> dict[str, Any]:
    """Return the comparison of S2 with S1 on the one scale."""
    body: Any = compare(as_ratings(*tables), baseline="S1", **({"bootstrap": 200} | options)).json()  # type: ignore[arg-type]
    comparison: dict[str, Any] = body["scales"]["s"]["comparisons"][0]
    return comparison


def simulated(items: int, raters: int, *, of_raters: float, seed: int) -> Floats:
    """Return differences (items, raters) with item, rater and residual parts."""
    random = np.random.default_rng(seed)
    item, rater = random.normal(size=(items, 1)) * 0.5, random.normal(size=(1, raters)) * of_raters
    return np.asarray(item + rater + random.normal(size=(items, raters)) * 0.8)


def test_the_difference_pairs_within_raters() -> None:
    # R2 scored S1 alone and is left out; d = (1 + 0)/2 and 1; the third item has no pair.
    base = [[1, 0, 0], [0, NAN, 2], [0, NAN, NAN]]
    other = [[2, 0, NAN], [1, NAN, NAN], [NAN, 2, NAN]]
    found = compared(base, other)
    assert (found["n_items"], found["n_items_dropped"], found["n_raters"]) == (2, 1, 2)
    assert found["difference"]["value"] == pytest.approx(0.75)
    # Item means: S1 1/3, 1, 0; S2 1, 1, 2.
    assert found["difference_unpaired"]["value"] == pytest.approx(4 / 3 - 4 / 9)


def test_raters_are_paired_only_within_a_panel() -> None:
    columns = Columns(
        item=["a"] * 4 + ["b"] * 2, system=["S1", "S2", "S1", "S2", "S1", "S2"],
        rater=["R1", "R1", "R2", "R2", "R1", "R1"],
        panel=["p", "p", "p", "q", "p", "p"], values={"s": [0, 2, 0, 2, 1, 1]},
    )  # fmt: skip
    body: Any = compare(gather(columns), baseline="S1", bootstrap=0).json()
    found = body["scales"]["s"]["comparisons"][0]
    assert found["n_raters"] == 1
    assert found["difference"]["value"] == pytest.approx(1.0)  # R2 saw the two apart


def test_mean_and_sd_of_a_system_are_over_item_means() -> None:
    ratings = as_ratings([[0, 1], [2, 2]], [[0, 0], [1, 1]])
    body: Any = compare(ratings, baseline="S1", bootstrap=50).json()
    system = body["scales"]["s"]["systems"]["S1"]
    assert system["mean"] == pytest.approx(1.25)
    assert system["sd"] == pytest.approx(np.std([0.5, 2], ddof=1))
    assert system["n_items"] == 2
    assert system["low"] <= 1.25 <= system["high"]


def test_wilcoxon_is_the_call_the_contract_names() -> None:
    from scipy.stats import wilcoxon

    d = np.array([0.5, 0, -1 / 3, 1, 1, 0.5, -0.5, 0, 1, 1 / 3])
    expected = wilcoxon(d, zero_method="pratt", correction=False, method="asymptotic").pvalue
    assert paired_tests.wilcoxon(d) == expected


def test_few_items_try_all_signs() -> None:
    # 1 + 1 + 1 of 2^3: only all plus and all minus reach the mean of 1.
    assert paired_tests.sign_flips(np.ones(3), seed=1) == 2 / 8
    d = np.array([2.0, 1.0, -1.0])  # sums of 8 patterns reaching 2: +-4, +-2, +-2
    assert paired_tests.sign_flips(d, seed=1) == 6 / 8


def test_drawn_signs_come_near_the_enumerated_p() -> None:
    d = np.round(np.random.default_rng(4).normal(size=16) + 0.35, 1)
    signs = 1 - 2 * ((np.arange(2**16)[:, None] >> np.arange(16)) & 1)
    exact = (np.abs(signs @ d) >= abs(d.sum()) - 1e-12).mean()
    p = paired_tests.sign_flips(d, seed=1)
    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))
    assert p == paired_tests.sign_flips(d, seed=1)
    assert (p * 10_001) == pytest.approx(round(p * 10_001))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=20))
def test_rank_biserial_counts_favourable_against_unfavourable_ranks(scores: list[int]) -> None:
    from scipy.stats import rankdata

    d = np.array(scores, dtype=float)
    moved = d[d != 0]
    found = paired_tests.rank_biserial(d)
    if not len(moved):
        assert found is None
        return
    ranks = rankdata(np.abs(moved))
    expected = (ranks[moved > 0].sum() - ranks[moved < 0].sum()) / ranks.sum()
    assert found == pytest.approx(expected)


def test_superiority_counts_ties_half() -> None:
    assert paired_tests.superiority(np.array([1.0, 0.0, 0.0, -1.0, 2.0])) == pytest.approx(0.6)


def test_holm_steps_down_and_passes_over_what_is_missing() -> None:
    # By hand: .01 * 3, max(.03, .03 * 2), max(.06, .04).
    assert paired_tests.holm([0.01, 0.04, 0.03, None]) == [
        pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06), None,
    ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_statsmodels(p: list[float]) -> None:
    tests = pytest.importorskip(
        "statsmodels.stats.multitest", reason="the oracle of Holm's adjustment is not installed"
    )
    expected = tests.multipletests(p, method="holm")[1]
    np.testing.assert_allclose(np.array(paired_tests.holm(p), dtype=float), expected, atol=1e-12)


def two_scales(seed: int) -> Ratings:
    """Return three systems on two scales."""
    random = np.random.default_rng(seed)
    rows = [(f"i{i}", f"S{s}", f"R{r}") for i in range(15) for s in (1, 2, 3) for r in range(3)]
    item, system, rater = zip(*rows, strict=True)
    values = {scale: random.integers(0, 3, len(rows)).astype(float) for scale in ("a", "b")}
    return gather(Columns(item=item, system=system, rater=rater, values=values))


def test_the_family_is_all_scales_and_systems_but_the_primary_comparison() -> None:
    ratings = two_scales(1)
    whole: Any = compare(ratings, baseline="S1", bootstrap=0).json()
    assert whole["family_size"] == 4
    part: Any = compare(ratings, baseline="S1", bootstrap=0, primary=("a", "S2")).json()
    assert part["family_size"] == 3
    first = part["scales"]["a"]["comparisons"][0]
    assert first["primary"]
    assert first["p_holm"] == first["permutation_p"]
    bodies = [each for scale in whole["scales"].values() for each in scale["comparisons"]]
    expected = paired_tests.holm([each["permutation_p"] for each in bodies])
    assert [each["p_holm"] for each in bodies] == expected


def test_equal_systems_have_p_1_and_no_rank_effect() -> None:
    table = np.random.default_rng(1).integers(0, 3, size=(20, 3))
    found = compared(table, table)
    assert (found["wilcoxon_p"], found["permutation_p"], found["p_holm"]) == (1, 1, 1)
    assert found["rank_biserial"] is None
    assert found["reason"] == "all differences are zero"
    assert found["probability_of_superiority"] == 0.5
    assert found["difference"] == {"value": 0, "low": 0, "high": 0, "reason": None}


def test_one_paired_item_is_not_enough() -> None:
    found = compared([[0, 1, 1], [NAN] * 3], [[1, 1, 2], [0, 1, 1]])
    for key in ("wilcoxon_p", "permutation_p", "p_holm", "rank_biserial"):
        assert found[key] is None
    assert found["difference"]["value"] is None
    assert found["difference_crossed"]["value"] is None
    assert found["reason"] == found["difference"]["reason"] == "fewer than 2 paired items"


def test_without_pairs_a_comparison_leaves_the_family() -> None:
    body: Any = compare(
        as_ratings([[0, 1], [1, 2], [2, 1]], [[1, 1], [2, 0], [1, 0]], [[NAN] * 2] * 3),
        baseline="S1", bootstrap=20,
    ).json()  # fmt: skip
    assert body["family_size"] == 1
    json.dumps(body, allow_nan=False)
    assert body["scales"]["s"]["systems"]["S3"]["mean"] is None


def test_quasi_f_worked_by_hand() -> None:
    # D = [[1, 2, 3], [3, 2, 4]]: mean 2.5; MS item 1.5, MS rater 1.5, MS error .5.
    # Variance (1.5 + 1.5 - .5) / 6; df 2.5^2 / (1.5^2/1 + 1.5^2/2 + .5^2/2).
    found = quasi_f(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 4.0]]))
    assert found.value == pytest.approx(2.5)
    assert found.variance == pytest.approx(2.5 / 6)
    assert found.freedom == pytest.approx(6.25 / (2.25 + 1.125 + 0.125))


def test_the_mixed_model_on_complete_data_is_the_quasi_f() -> None:
    table = simulated(40, 4, of_raters=0.4, seed=2)
    item, rater = np.indices(table.shape)
    found = fit(item.ravel(), rater.ravel(), table.ravel())
    expected = quasi_f(table)
    assert found is not None
    assert found.value == pytest.approx(expected.value, abs=1e-9)
    assert found.variance == pytest.approx(expected.variance, rel=1e-4)
    assert found.freedom == pytest.approx(expected.freedom, rel=1e-3)


def test_the_mixed_model_on_incomplete_data_equals_statsmodels() -> None:
    # statsmodels 0.15 MixedLM, REML, crossed item and rater, on the same rows.
    random = np.random.default_rng(9)
    table = simulated(60, 8, of_raters=0.4, seed=9)
    item, rater = np.nonzero(random.random(table.shape) < 0.4)
    found = fit(item, rater, table[item, rater])
    assert found is not None
    assert found.value == pytest.approx(-0.013499, abs=1e-5)
    assert found.variance == pytest.approx(0.039612, abs=1e-5)
    assert found.components == pytest.approx((0.19757, 0.25461, 0.74762), abs=1e-4)


def test_incomplete_data_use_the_mixed_model_and_complete_data_the_quasi_f() -> None:
    random = np.random.default_rng(3)
    base = random.integers(0, 3, size=(20, 4)).astype(float)
    other = random.integers(0, 3, size=(20, 4)).astype(float)
    assert compared(base, other)["difference_crossed"]["method"].startswith("quasi-F")
    other[0, 0] = NAN
    assert compared(base, other)["difference_crossed"]["method"].startswith("mixed model")


def test_two_raters_cannot_stand_for_all_raters() -> None:
    crossed = compared([[0, 1], [1, 1]], [[1, 2], [2, 1]])["difference_crossed"]
    assert crossed["value"] is None
    assert crossed["reason"] == "fewer than 3 raters"


def test_a_liking_of_few_raters_passes_for_a_difference_only_by_item() -> None:
    # No true difference; three raters with their own liking (SD .3) for the system.
    random = np.random.default_rng(8)
    by_item, by_both = 0, 0
    for _ in range(150):
        table = random.normal(size=(60, 1)) * 0.5 + random.normal(size=(1, 3)) * 0.3
        table = table + random.normal(size=(60, 3)) * 0.8
        mean = table.mean(axis=1)
        by_item += abs(mean.mean()) / (mean.std(ddof=1) / np.sqrt(60)) > 2.0
        by_both += crossed_p(table) < 0.05
    assert by_item / 150 > 0.25
    assert by_both / 150 < 0.10  # nominal .05; 150 draws, standard error .02


def crossed_p(table: Floats) -> float:
    """Return the p of the quasi-F."""
    from scipy.stats import t

    found = quasi_f(table)
    return float(2 * t.sf(abs(found.value) / np.sqrt(found.variance), found.freedom))


def test_the_interval_of_the_difference_resamples_items() -> None:
    random = np.random.default_rng(5)
    base, other = random.integers(0, 3, size=(2, 80, 3)).astype(float)
    found = compared(base, other, bootstrap=2000)["difference"]
    d = (other - base).mean(axis=1)
    half = 1.96 * d.std(ddof=0) / np.sqrt(80)
    assert found["low"] == pytest.approx(d.mean() - half, abs=0.025)
    assert found["high"] == pytest.approx(d.mean() + half, abs=0.025)


def test_a_missing_baseline_or_a_single_system_is_refused() -> None:
    with pytest.raises(StudyError, match="no system none"):
        compare(as_ratings([[0, 1]], [[1, 1]]), baseline="none").json()
    with pytest.raises(StudyError, match="at least two systems"):
        compare(as_ratings([[0, 1]]), baseline="S1").json()
