"""Degenerate data: undefined is a value with a reason, never 1, 0 or nan."""

import json

import pytest

from cbt_core.stats.agreement.figures import agreement, core_agreement
from cbt_core.stats.ratings import Columns, gather
from tests.unit.stats.published import NAN, as_ratings, figure, stats_of

CHANCE_CORRECTED = ("alpha_nominal", "alpha_ordinal", "alpha_interval", "fleiss_kappa")
CROSSED = ("icc_2_1", "icc_3_1", "icc_2_k", "icc_3_k", "kendall_w")


def reason(stats: dict[str, object], key: str) -> object:
    """Return why a figure is undefined."""
    assert stats[key]["value"] is None  # type: ignore[index]
    return stats[key]["reason"]  # type: ignore[index]


@pytest.mark.parametrize("key", [*CHANCE_CORRECTED, *CROSSED, "icc_1_1", "icc_agreement_vc"])
def test_equal_ratings_leave_a_coefficient_undefined(key: str) -> None:
    stats = stats_of([[1, 1, 1]] * 6, range(3), bootstrap=50)
    assert reason(stats, key) == "all ratings are equal"


def test_equal_ratings_agree_perfectly_in_percent_and_ac1() -> None:
    stats = stats_of([[1, 1, 1]] * 6, range(3))
    assert figure(stats, "percent_agreement") == 1
    assert figure(stats, "ac1") == 1
    assert figure(stats, "ac2_quadratic") == 1


def test_units_with_one_rating_each_have_no_agreement() -> None:
    stats = stats_of([[1, NAN], [NAN, 2]], range(3))
    assert reason(stats, "percent_agreement") == "no unit has two ratings"
    assert reason(stats, "alpha_ordinal") == "no unit has two ratings"
    assert reason(stats, "icc_1_1") == "most units have a single rating"


@pytest.mark.parametrize("key", CROSSED)
def test_without_a_complete_unit_the_raters_are_not_crossed(key: str) -> None:
    stats = stats_of([[0, 1, NAN], [NAN, 1, 2], [0, NAN, 2]], range(3))
    assert stats["n_complete_units"] == 0
    assert reason(stats, key) == "raters not crossed"


def test_a_unit_is_complete_only_with_every_rater_of_the_scale() -> None:
    # Two ratings in every unit, but by three raters: a third rater leaves one unit incomplete.
    stats = stats_of([[0, 0, NAN], [2, 2, 2], [1, 1, 1]], range(3))
    assert stats["n_complete_units"] == 2
    assert figure(stats, "icc_3_1") == pytest.approx(1)


def test_one_complete_unit_is_not_enough() -> None:
    assert (
        reason(stats_of([[0, 1], [1, NAN]], range(3)), "icc_2_1") == "fewer than 2 complete units"
    )


def test_one_rater_alone_has_no_agreement() -> None:
    stats = stats_of([[0], [1], [2]], range(3))
    assert reason(stats, "icc_2_1") == "fewer than 2 raters"
    assert stats["pairs"] == []


def test_a_rater_with_one_value_only_has_no_kappa() -> None:
    (pair,) = stats_of([[0, 1], [1, 1], [2, 1]], range(3))["pairs"]  # type: ignore[misc,attr-defined]
    assert pair["kappa"]["value"] is None
    assert pair["kappa_quadratic"]["reason"] == "a rater gave one value only"


def test_raters_who_never_met_have_no_kappa() -> None:
    (pair,) = stats_of([[0, NAN], [NAN, 1]], range(3))["pairs"]  # type: ignore[misc,attr-defined]
    assert pair["n"] == 0
    assert pair["kappa"]["reason"] == "the raters have no unit in common"


def test_a_scale_with_one_value_has_no_ac() -> None:
    assert reason(stats_of([[1, 1], [1, 1]], [1]), "ac1") == "the scale has only one value"


def test_equal_mean_scores_leave_the_correlation_of_means_undefined() -> None:
    stats = stats_of([[0, 2], [2, 0], [1, 1]], range(3))
    assert reason(stats, "icc_3_k") == "no variance between units"


def test_fewer_than_three_raters_cannot_be_left_out() -> None:
    left = stats_of([[0, 1], [1, 1], [2, 0]], range(3))["leave_one_rater_out"]
    assert left["alpha_ordinal"]["min"] is None  # type: ignore[index]
    assert left["alpha_ordinal"]["reason"] == "fewer than 3 raters"  # type: ignore[index]


def test_a_nominal_scale_has_no_ordered_statistic() -> None:
    ratings = as_ratings([[0, 1, 1], [2, 2, 2], [1, 0, 1]])
    body = agreement(ratings, values={"s": range(3)}, bootstrap=20, nominal={"s"}).json()
    stats = body["scales"]["s"]["ALL"]  # type: ignore[index]
    for key in ("alpha_ordinal", "alpha_interval", "ac2_linear", "icc_2_1", "icc_1_k", "kendall_w"):
        assert reason(stats, key) == "nominal scale"
    assert reason(stats["within_systems"], "alpha_ordinal") == "nominal scale"
    assert stats["pairs"][0]["kappa_linear"]["reason"] == "nominal scale"
    assert stats["raters"][0]["mean"] is None
    assert figure(stats, "alpha_nominal") < 1
    assert stats["pairs"][0]["kappa"]["reason"] != "nominal scale"


def test_a_figure_undefined_in_many_replicates_has_no_interval() -> None:
    # One disagreement in four items: a replicate without that item has all ratings equal.
    stats = stats_of([[1, 1], [1, 1], [1, 1], [1, 2]], range(3), bootstrap=500)
    alpha = stats["alpha_ordinal"]
    assert alpha["value"] is not None  # type: ignore[index]
    assert (alpha["low"], alpha["high"], alpha["reason"]) == (None, None, "unstable")  # type: ignore[index]
    assert 0.25 < alpha["undefined_share"] < 0.40  # type: ignore[index]  # (3/4)^4 = .32


def test_no_ratings_at_all_is_reported_not_crashed() -> None:
    stats = stats_of([[NAN, NAN], [NAN, NAN]], range(3), bootstrap=20)
    assert stats["n_units"] == 0
    assert reason(stats, "percent_agreement") == "no ratings"
    assert reason(stats, "icc_agreement_vc") == "no ratings"


def test_an_empty_analysis_set_is_reported_not_crashed() -> None:
    nothing = gather(Columns(item=[], system=[], rater=[], values={"s": []}))
    body = agreement(nothing, values={"s": range(3)}, bootstrap=20).json()
    assert reason(body["scales"]["s"]["ALL"], "alpha_ordinal") == "no ratings"  # type: ignore[index]


def test_the_json_of_degenerate_data_holds_no_nan() -> None:
    for table in ([[1, 1]], [[NAN, 1]], [[0, 1], [NAN, NAN]], [[0, 2], [2, 0]]):
        ratings = as_ratings(table, table)
        for body in (
            agreement(ratings, values={"s": range(3)}, bootstrap=30).json(),
            core_agreement(ratings, values={"s": range(3)}, bootstrap=30).json(),
        ):
            json.dumps(body, allow_nan=False)
