"""What stands in the agreement JSON beside the coefficients, worked by hand."""

from typing import Any

import numpy as np
import pytest

from cbt_core.errors import StudyError
from cbt_core.stats.agreement.catalogue import FULL
from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.ratings import Columns, gather
from cbt_core.stats.values import Reason, translated
from tests.unit.stats.published import NAN, as_ratings, figure, stats_of

TABLE = [[0, 0, 1], [1, 1, 1], [2, 2, 2], [0, 1, NAN], [2, NAN, NAN], [NAN, NAN, NAN]]


def test_counts_are_of_scores_of_this_scale_only() -> None:
    stats = stats_of(TABLE, range(3))
    assert {key: stats[key] for key in stats if key.startswith("n_")} == {
        "n_items": 5, "n_units": 5, "n_pairable_units": 4, "n_complete_units": 3,
        "n_raters": 3, "n_ratings": 12,
    }  # fmt: skip


def test_percent_agreement_is_averaged_over_units_or_pooled_over_pairs() -> None:
    stats = stats_of(TABLE, range(3))
    # Agreeing pairs per unit: 1/3, 3/3, 3/3, 0/1.
    assert figure(stats, "percent_agreement") == pytest.approx((1 / 3 + 1 + 1 + 0) / 4)
    assert figure(stats, "percent_agreement_pooled") == pytest.approx(7 / 10)


def test_every_statistic_of_the_contract_is_there() -> None:
    body: Any = agreement(as_ratings(TABLE, TABLE), values={"s": range(3)}, bootstrap=0).json()
    stats = body["scales"]["s"]
    for stratum in ("ALL", "S1", "S2"):
        assert {statistic.key for statistic in FULL} <= set(stats[stratum])
        assert stats[stratum]["icc_1_n_ratings"] == 3
        assert {"leave_one_rater_out", "pairs", "raters"} <= set(stats[stratum])
    assert stats["ALL"]["label"] == "includes differences between systems"
    assert "within_systems" not in stats["S1"]


def test_leaving_a_rater_out_gives_the_alpha_of_the_others() -> None:
    table = np.array([[0, 0, 2], [1, 1, 0], [2, 2, 1], [0, 0, 0], [1, 2, 2]], dtype=float)
    left = stats_of(table, range(3))["leave_one_rater_out"]["alpha_ordinal"]  # type: ignore[index]
    alphas = [
        figure(stats_of(np.delete(table, rater, axis=1), range(3)), "alpha_ordinal")
        for rater in range(3)
    ]
    assert left["min"] == pytest.approx(min(alphas))
    assert left["max"] == pytest.approx(max(alphas))
    assert left["rater"] == "R2"  # without the odd one the other two agree


def test_severity_is_the_mean_difference_from_the_others_of_the_unit() -> None:
    raters = stats_of(TABLE, range(3))["raters"]
    # R0: 0-(0+1)/2, 1-1, 2-2, 0-1; the fifth unit has no other score.
    assert raters[0]["severity"] == pytest.approx((-0.5 + 0 + 0 - 1) / 4)  # type: ignore[index]
    assert raters[0]["mean"] == pytest.approx(1.0)  # type: ignore[index]
    assert (raters[0]["n"], raters[2]["n"]) == (5, 3)  # type: ignore[index]


def test_drift_is_the_slope_of_that_difference_per_ten_positions() -> None:
    # R0 starts 1 above R1 and ends 1 below: differences 1, 0, -1 at positions 1, 2, 3.
    ratings = as_ratings([[2, 1], [1, 1], [0, 1]], order=True)
    stats = agreement(ratings, values={"s": range(3)}, bootstrap=0).json()["scales"]["s"]["ALL"]  # type: ignore[index]
    assert stats["raters"][0]["drift"] == pytest.approx(-10)
    assert stats["raters"][1]["drift"] == pytest.approx(10)


def test_without_order_and_seconds_drift_and_pace_are_null() -> None:
    rater = stats_of(TABLE, range(3))["raters"][0]  # type: ignore[index]
    assert rater["drift"] is None
    assert rater["seconds_median"] is None


def test_a_difference_between_systems_passes_for_agreement_only_in_the_pooled_figure() -> None:
    random = np.random.default_rng(3)
    weak = random.integers(0, 2, size=(60, 3))  # raters agree by chance within a system
    strong = random.integers(1, 3, size=(60, 3))
    body = agreement(as_ratings(weak, strong), values={"s": range(3)}, bootstrap=0).json()
    stats = body["scales"]["s"]["ALL"]  # type: ignore[index]
    assert figure(stats, "alpha_ordinal") > 0.2
    assert abs(figure(stats["within_systems"], "alpha_ordinal")) < 0.12


def test_within_systems_weighs_each_systems_expected_disagreement_by_its_ratings() -> None:
    # S1: (0,1), (1,1); S2: (2,2). Nominal-like on two values, so distances can be written down.
    ratings = as_ratings([[0, 1], [1, 1]], [[2, 2]])
    body = agreement(ratings, values={"s": range(3)}, bootstrap=0).json()
    stats = body["scales"]["s"]["ALL"]  # type: ignore[index]
    # Counts 1, 3, 2; mid-ranks .5, 2.5, 5; d01 = 4. Observed: 2 * 4 / 6. Expected in S1 (counts
    # 1, 3 of 4): 2 * 1 * 3 * 4 / 12 = 2, in S2: 0; weighted (4 * 2 + 2 * 0) / 6 = 4/3.
    assert figure(stats["within_systems"], "alpha_ordinal") == pytest.approx(1 - (8 / 6) / (4 / 3))


def test_ac_within_systems_weighs_chance_by_the_rated_units_of_each_system() -> None:
    # S1: units (0,1), (1); S2: (2,2). Agreement with quadratic weights (.75 + 1) / 2. Chance is
    # sum p (1 - p) here (weights add up to 6 = q (q - 1)): S1 has p = .25, .75, S2 p = 1.
    ratings = as_ratings([[0, 1], [1, NAN]], [[2, 2]])
    body = agreement(ratings, values={"s": range(3)}, bootstrap=0).json()
    stats = body["scales"]["s"]["ALL"]  # type: ignore[index]
    chance = (2 * (2 * 0.25 * 0.75) + 0) / 3
    expected = (0.875 - chance) / (1 - chance)
    assert figure(stats["within_systems"], "ac2_quadratic") == pytest.approx(expected)


def test_the_signature_ignores_the_order_of_rows_and_sees_every_score() -> None:
    columns = {"item": ["b", "a", "a"], "system": ["S"] * 3, "rater": ["R1", "R1", "R2"]}
    one = gather(Columns(**columns, values={"s": [1, 2, 0]}))
    turned = {name: column[::-1] for name, column in columns.items()}
    other = gather(Columns(**turned, values={"s": [0, 2, 1]}))
    changed = gather(Columns(**columns, values={"s": [1, 2, 1]}))
    emptied = gather(Columns(**columns, values={"s": [1, 2, NAN]}))
    signatures = [
        agreement(each, values={"s": range(3)}, bootstrap=20).json()["signature"]
        for each in (one, other, changed, emptied)
    ]
    assert signatures[0] == signatures[1]
    assert len(set(signatures)) == 3
    assert str(signatures[0]).startswith("data:#")
    assert "|items:2|raters:2|scales:s|values:0,1,2|alpha:ordinal|boot:20|seed:1|v:" in str(
        signatures[0]
    )


def test_the_same_rows_in_another_order_give_the_same_figures() -> None:
    random = np.random.default_rng(6)
    table = random.integers(0, 3, size=(10, 3)).astype(float)
    cells = [(f"i{u}", f"R{r}", table[u, r]) for u in range(10) for r in range(3)]
    shuffled = [cells[at] for at in random.permutation(len(cells))]
    bodies = [
        agreement(
            gather(
                Columns(
                    item=[cell[0] for cell in rows],
                    system=["S"] * len(rows),
                    rater=[cell[1] for cell in rows],
                    values={"s": [cell[2] for cell in rows]},
                )
            ),
            values={"s": range(3)},
            bootstrap=100,
        ).json()
        for rows in (cells, shuffled)
    ]
    assert bodies[0] == bodies[1]


def test_panels_of_an_item_are_units_of_their_own() -> None:
    columns = Columns(
        item=["a"] * 4, system=["S"] * 4, rater=["R1", "R2", "R3", "R4"],
        panel=["p", "p", "q", "q"], values={"s": [0, 0, 2, 2]},
    )  # fmt: skip
    body: Any = agreement(gather(columns), values={"s": range(3)}, bootstrap=0).json()
    stats = body["scales"]["s"]["ALL"]
    assert (stats["n_items"], stats["n_units"]) == (1, 2)
    assert figure(stats, "percent_agreement") == 1


def test_a_score_off_the_scale_is_refused() -> None:
    with pytest.raises(StudyError, match="none of the scale's values"):
        stats_of([[0, 3], [1, 1]], range(3))


def test_an_absent_scale_is_refused() -> None:
    with pytest.raises(StudyError, match="no scale empathy"):
        agreement(as_ratings([[0, 1]]), values={"empathy": range(3)}).json()


def test_a_system_called_all_is_refused() -> None:
    with pytest.raises(StudyError, match="ALL"):
        gather(Columns(item=["a"], system=["ALL"], rater=["R"], values={"s": [1]}))


def test_two_scores_of_one_rater_for_one_answer_are_refused() -> None:
    with pytest.raises(StudyError, match="1 rows repeat"):
        gather(Columns(item=["a"] * 2, system=["S"] * 2, rater=["R"] * 2, values={"s": [1, 2]}))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_in_both_languages(reason: Reason) -> None:
    assert translated(reason.text, "zh") != reason.text
    assert translated(reason.text, "en") == reason.text
