"""Blinding indices against the published trials."""

import numpy as np
import pytest

from cbt_core.stats.bias.blinding import Guesses, bang, blinding, james

# Counts of the help page of R's package BI: guesses (rows) treatment, placebo, don't know by true
# arm. James, Bang T, Bang P: the CRISP row as R BI 1.2.0 gives it (Bang, Ni & Davis 2004), the
# others from the printed formulas.
TRIALS = {
    "crisp": ([[82, 27], [25, 29], [170, 83]], 0.7479, 0.2058, 0.0144),
    "investigators": ([[48, 22], [4, 30], [330, 319]], 0.8964, 0.1152, 0.0216),
    "coordinators": ([[94, 52], [11, 44], [289, 284]], 0.8234, 0.2107, -0.0211),
    "patients": ([[143, 104], [14, 57], [188, 175]], 0.7051, 0.3739, -0.1399),
}


def guesses(cells: list[list[int]], arms: tuple[str, ...] = ("T", "P")) -> Guesses:
    """Return counts whose last row is don't know."""
    table = np.array(cells)
    return Guesses(arms, table[:-1], table[-1])


@pytest.mark.parametrize("name", TRIALS)
def test_james_and_bang_equal_the_published_trials(name: str) -> None:
    cells, expected_james, treatment, placebo = TRIALS[name]
    counts = guesses(cells)
    assert james(counts).value == pytest.approx(expected_james, abs=5e-5)
    assert bang(counts, 0).value == pytest.approx(treatment, abs=5e-5)
    assert bang(counts, 1).value == pytest.approx(placebo, abs=5e-5)


def test_errors_and_limits_equal_those_r_bi_prints() -> None:
    # As printed for the investigators: James .896 (.011) .875 to .918; Bang .115 (.018) .080 to
    # .150 and .022 (.019) -.016 to .060.
    counts = guesses(TRIALS["investigators"][0])
    printed = {
        james(counts): (0.011, 0.875, 0.918),
        bang(counts, 0): (0.018, 0.080, 0.150),
        bang(counts, 1): (0.019, -0.016, 0.060),
    }
    for index, (se, low, high) in printed.items():
        assert index.se is not None
        assert index.low is not None
        assert index.high is not None
        assert (round(index.se, 3), round(index.low, 3), round(index.high, 3)) == (se, low, high)


def test_the_generalised_index_equals_bang_with_two_arms() -> None:
    counts = guesses(TRIALS["crisp"][0])
    assert bang(counts, 0, generalised=True) == bang(counts, 0)


def test_pure_guessing_among_three_arms_is_zero_only_in_the_generalised_index() -> None:
    counts = guesses([[10] * 3, [10] * 3, [10] * 3, [5] * 3], arms=("a", "b", "c"))
    assert bang(counts, 0).value == pytest.approx(-10 / 35)
    assert bang(counts, 0, generalised=True).value == pytest.approx(0)
    assert james(counts).reason == "defined for exactly 2 arms"


def test_only_dont_know_is_james_1_and_no_bang() -> None:
    counts = guesses([[0, 0], [0, 0], [10, 12]])
    assert james(counts).value == 1
    assert bang(counts, 0).value is None
    assert bang(counts, 0).reason == "every guess is don't know"


def test_an_arm_without_guesses_has_no_index() -> None:
    counts = guesses([[5, 0], [3, 0], [2, 0]])
    assert bang(counts, 1).reason == "no guesses"
    assert james(guesses([[0, 0]] * 3)).reason == "no guesses"
    assert james(guesses([[5, 0], [0, 0], [2, 0]])).reason is not None


def test_all_right_is_james_0_and_bang_1() -> None:
    counts = guesses([[20, 0], [0, 20], [0, 0]])
    assert james(counts).value == pytest.approx(0)
    assert bang(counts, 1).value == 1


def test_the_json_tells_counts_beside_the_indices() -> None:
    body = blinding(guesses(TRIALS["crisp"][0])).json()
    assert body["counts"]["T"] == {"n": 277, "correct": 82, "wrong": 25, "dont_know": 170}  # type: ignore[index]
    assert set(body) >= {"james", "bang"}
