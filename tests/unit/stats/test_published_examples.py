"""The figures of published examples; sources stand beside the data in published.py."""

import pytest

from tests.unit.stats.published import (
    SHROUT_FLEISS,
    cohen_table,
    figure,
    fleiss_table,
    krippendorff_table,
    stats_of,
)


@pytest.mark.parametrize(
    ("key", "printed"),
    [("alpha_nominal", 0.743), ("alpha_ordinal", 0.815), ("alpha_interval", 0.849)],
)
def test_krippendorff_2011_gives_the_printed_alphas(key: str, printed: float) -> None:
    assert round(figure(stats_of(krippendorff_table(), range(1, 6)), key), 3) == printed


# The same data in K. L. Gwet's handbook; digits as R irrCAC 1.4 prints them.
@pytest.mark.parametrize(("key", "printed"), [("ac1", 0.77544), ("fleiss_kappa", 0.76117)])
def test_gwet_coefficients_with_missing_ratings_equal_r_irrcac(key: str, printed: float) -> None:
    assert round(figure(stats_of(krippendorff_table(), range(1, 6)), key), 5) == printed


def test_fleiss_1971_gives_the_printed_kappa() -> None:
    assert round(figure(stats_of(fleiss_table(), range(5)), "fleiss_kappa"), 3) == 0.430


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("icc_1_1", 0.17), ("icc_2_1", 0.29), ("icc_3_1", 0.71),
        ("icc_1_k", 0.44), ("icc_2_k", 0.62), ("icc_3_k", 0.91),
    ],
)  # fmt: skip
def test_shrout_and_fleiss_1979_gives_the_printed_correlations(key: str, printed: float) -> None:
    assert round(figure(stats_of(SHROUT_FLEISS, range(1, 11)), key), 2) == printed


def test_variance_components_of_complete_data_give_icc_2_1() -> None:
    stats = stats_of(SHROUT_FLEISS, range(1, 11))
    assert figure(stats, "icc_agreement_vc") == pytest.approx(figure(stats, "icc_2_1"), abs=1e-10)


def test_cohen_1968_gives_the_printed_kappa() -> None:
    (pair,) = stats_of(cohen_table(), range(3))["pairs"]  # type: ignore[misc,attr-defined]
    assert pair["n"] == 200
    assert round(pair["kappa"]["value"], 3) == 0.492
