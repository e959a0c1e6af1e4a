"""Variance components against the same equations solved at length."""

import numpy as np
import pytest
from hypothesis import given, settings

from cbt_core.stats.ratings import Floats
from tests.unit.stats.published import NAN, figure, stats_of
from tests.unit.stats.test_against_libraries import tables


def explained(y: Floats, *designs: Floats) -> tuple[float, int]:
    """Return the sum of squares that dummy columns explain, and their rank."""
    design = np.concatenate(designs, axis=1)
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(fitted @ fitted), int(np.linalg.matrix_rank(design))


def by_fitting_constants(table: Floats) -> float | None:
    """Return unit / (unit + rater + residual) after Henderson's method 3 with dummy columns."""
    unit, rater = np.nonzero(~np.isnan(table))
    y = table[unit, rater]
    units, raters = np.eye(len(table))[unit], np.eye(table.shape[1])[rater]
    units, raters = units[:, units.any(axis=0)], raters[:, raters.any(axis=0)]
    (both, rank), (alone_u, rank_u) = explained(y, units, raters), explained(y, units)
    alone_r, rank_r = explained(y, raters)
    n = len(y)
    if n == rank or n == units.shape[1] or n == raters.shape[1]:
        return None
    residual = (y @ y - both) / (n - rank)
    of_rater = (both - alone_u - (rank - rank_u) * residual) / (n - rank_u)
    of_unit = (both - alone_r - (rank - rank_r) * residual) / (n - rank_r)
    if of_rater < -1e-9:
        mean, _ = explained(y, np.ones((n, 1)))
        residual, of_rater = (y @ y - alone_u) / (n - rank_u), 0.0
        spread = n - (units.sum(axis=0) ** 2).sum() / n
        of_unit = (alone_u - mean - (rank_u - 1) * residual) / spread
    of_unit, of_rater = max(of_unit, 0.0), max(of_rater, 0.0)
    total = of_unit + of_rater + residual
    return None if total < 1e-9 else float(of_unit / total)


def agreement_of(table: Floats) -> float | None:
    """Return the figure under test."""
    return stats_of(table, range(3))["icc_agreement_vc"]["value"]  # type: ignore[index,no-any-return]


@settings(max_examples=80, deadline=None)
@given(tables(missing=True))
def test_any_pattern_of_missing_scores_equals_the_dummy_columns(table: Floats) -> None:
    expected = by_fitting_constants(table) if (~np.isnan(table)).any() else None
    found = agreement_of(table)
    if expected is None or found is None:
        assert found is expected
    else:
        assert found == pytest.approx(expected, abs=1e-7)


def test_groups_of_raters_without_a_common_unit_are_no_obstacle() -> None:
    apart = np.array(
        [[0, 1, NAN, NAN], [2, 2, NAN, NAN], [1, 2, NAN, NAN], [NAN, NAN, 0, 0], [NAN, NAN, 2, 0],
         [NAN, NAN, 1, 0]]
    )  # fmt: skip
    expected = by_fitting_constants(apart)
    assert expected is not None
    assert agreement_of(apart) == pytest.approx(expected, abs=1e-9)


def test_raters_who_differ_less_than_by_chance_leave_the_one_way_correlation() -> None:
    # Mean square of raters 0: below the residual's, so restricted likelihood sets it to 0.
    table = np.array([[0, 1], [2, 1], [2, 2], [0, 0.0]])
    stats = stats_of(table, range(3))
    assert figure(stats, "icc_agreement_vc") == pytest.approx(figure(stats, "icc_1_1"), abs=1e-10)
    assert figure(stats, "icc_2_1") != pytest.approx(figure(stats, "icc_1_1"), abs=1e-3)
