"""Strengths from preferences: published values, an independent fit, what is undefined."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from cbt_core.stats.comparison.bradley_terry import TIE, BradleyTerry, Choices, bradley_terry
from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import Bootstrap

# American League East 1987: wins of the row over the column (A. Agresti, Categorical Data
# Analysis, 2nd ed. 2002, table 10.10; the teams in its order).
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
# Abilities beside Baltimore's 0, as Agresti and the vignette of R BradleyTerry2 give them.
ABILITIES = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)


def choices(rows: list[tuple[tuple[int, ...], int]], of: int = 2, **more: Any) -> Choices:
    """Return one comparison per item: systems left to right, and the slot preferred."""
    count = len(rows)
    names = tuple(f"S{number}" for number in range(1, of + 1))
    plain = {"systems": names, "item": np.arange(count), "rater": np.zeros(count, dtype=int)}
    return Choices(
        **(plain | more),
        shown=np.array([row[0] for row in rows] or np.zeros((0, 2)), dtype=np.int64),
        outcome=np.array([row[1] for row in rows], dtype=np.int64),
    )


def fitted(rows: list[tuple[tuple[int, ...], int]], systems: int = 2) -> BradleyTerry:
    return bradley_terry(choices(rows, systems), reference="S1", how=Bootstrap(200))


def test_baseball_has_the_published_abilities() -> None:
    rows = [
        ((i, j), outcome)
        for i in range(7) for j in range(i + 1, 7)
        for outcome, count in ((0, WINS[i][j]), (1, WINS[j][i])) for _ in range(count)
    ]
    found = bradley_terry(
        choices(rows, 7, systems=TEAMS), reference="Baltimore", how=Bootstrap(0)
    )
    strengths = [one.log_strength.value for one in found.strengths]
    assert strengths == pytest.approx(ABILITIES, abs=6e-5)
    assert found.tie.reason == "no ties"
    assert found.position.reason == "the sides were not varied"


def davidson(rows: list[tuple[tuple[int, ...], int]], systems: int) -> Floats:
    """Return an independent fit of Davidson's nu and of strengths, in Davidson & Beaver's form.

    P(left) = a / (a + g b + nu sqrt(a b)), P(right) = g b / (...): strengths a, b; g the order.
    """

    def loss(x: Floats) -> float:
        strength = np.exp(np.concatenate([[0.0], x[: systems - 1]]))
        nu, order = np.exp(x[-2]), np.exp(x[-1])
        total = 0.0
        for (left, right), outcome in rows:
            a, b = strength[left], order * strength[right]
            tie = nu * np.sqrt(strength[left] * strength[right])
            part = {0: a, 1: b, TIE: tie}[outcome]
            total -= np.log(part / (a + b + tie))
        return float(total)

    start = np.zeros(systems + 1)
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20000, "maxfev": 20000}
    return np.asarray(minimize(loss, start, method="Nelder-Mead", options=options).x)


def test_ties_and_order_agree_with_an_independent_maximum_likelihood() -> None:
    random = np.random.default_rng(5)
    rows = []
    for _ in range(150):
        left, right = random.choice(3, 2, replace=False)
        lean = np.exp([left * 0.5 + 0.3, right * 0.5, (left + right) * 0.25])
        outcome = int(random.choice([0, 1, TIE], p=lean / lean.sum()))
        rows.append(((int(left), int(right)), outcome))
    found, expected = fitted(rows, 3), davidson(rows, 3)
    strengths = [one.log_strength.value for one in found.strengths[1:]]
    assert strengths == pytest.approx(expected[:2], abs=1e-5)
    # Their order effect is on the second alone: log g = -position, nu = exp(tie) sqrt(g).
    assert found.position.value == pytest.approx(-expected[-1], abs=1e-5)
    assert found.tie.value == pytest.approx(expected[-2] - expected[-1] / 2, abs=1e-5)


def test_the_position_term_is_that_of_a_logistic_regression() -> None:
    from statsmodels.discrete.discrete_model import Logit

    random = np.random.default_rng(2)
    sides = [(0, 1) if left else (1, 0) for left in random.integers(2, size=80)]
    rows = [(side, int(random.random() > 0.55)) for side in sides]
    design = np.array([[1.0 if row[0][0] == 1 else -1.0, 1.0] for row in rows])
    left_won = np.array([row[1] == 0 for row in rows], dtype=np.float64)
    expected = Logit(left_won, design).fit(disp=0).params
    found = fitted(rows)
    assert found.strengths[1].log_strength.value == pytest.approx(expected[0], abs=1e-6)
    assert found.position.value == pytest.approx(expected[1], abs=1e-6)


def test_two_systems_without_order_have_the_log_odds_in_closed_form() -> None:
    rows = [((0, 1), 0)] * 3 + [((0, 1), 1)] * 6 + [((0, 1), TIE)] * 3
    found = fitted(rows)
    assert found.strengths[1].log_strength.value == pytest.approx(np.log(2))
    assert found.preferred_over_reference["S2"].value == pytest.approx((6 + 1.5) / 12)
    # Davidson: tie / sqrt(win * loss) = nu.
    assert found.tie.value == pytest.approx(np.log(3 / np.sqrt(18)))


def test_a_choice_among_three_answers_is_luces() -> None:
    rows = [((0, 1, 2), best) for best, count in enumerate((10, 20, 30)) for _ in range(count)]
    found = fitted(rows, 3)
    assert found.strengths[1].log_strength.value == pytest.approx(np.log(2))
    assert found.strengths[2].log_strength.value == pytest.approx(np.log(3))


def test_a_system_that_always_wins_has_no_finite_strength() -> None:
    found = fitted([((0, 1), 1)] * 5 + [((1, 0), 0)] * 5)
    assert "no finite estimate" in str(found.reason)
    assert found.strengths[1].log_strength.value is None
    assert found.strengths[1].preferred == 10


def test_a_group_that_always_wins_has_no_finite_strength_either() -> None:
    inner = [((0, 1), 0), ((0, 1), 1), ((2, 3), 0), ((2, 3), 1)]
    found = fitted([*inner, ((0, 2), 1), ((1, 3), 1)], 4)
    assert "no finite estimate" in str(found.reason)


def test_systems_never_compared_are_disconnected() -> None:
    rows = [((0, 1), 0), ((0, 1), 1), ((2, 3), 0), ((2, 3), 1)]
    assert "not connected" in str(fitted(rows, 4).reason)


def test_only_ties_and_no_preference_are_undefined() -> None:
    assert fitted([((0, 1), TIE)] * 4).reason == "every comparison is a tie"
    assert fitted([]).reason == "no preferences"


def test_items_are_resampled_not_preferences() -> None:
    """Ten raters who copy each other know no more than one."""
    once = [((0, 1), 0), ((1, 0), 1), ((0, 1), 1), ((1, 0), 0), ((0, 1), 0), ((1, 0), 0)] * 6
    single = bradley_terry(choices(once), reference="S1", how=Bootstrap(400))
    copied = bradley_terry(
        choices(once * 10, item=np.tile(np.arange(36), 10)), reference="S1", how=Bootstrap(400)
    )
    one, ten = single.preferred_over_reference["S2"], copied.preferred_over_reference["S2"]
    assert one.high is not None
    assert one.low is not None
    assert ten.high is not None
    assert ten.low is not None
    assert ten.high - ten.low == pytest.approx(one.high - one.low, rel=0.05)


def test_skipped_tasks_are_counted() -> None:
    found = bradley_terry(
        choices([((0, 1), 0), ((0, 1), 1)], skipped=4), reference="S1", how=Bootstrap(0)
    )
    assert found.n_skipped == 4
