"""Blinding from a study: pairs, not arms; raters resampled; guarded words."""

from typing import Any

import numpy as np
import pytest

from cbt_core.stats.bias.blinding import (
    DONT_KNOW,
    Guesses,
    PairGuesses,
    StudyBlinding,
    bang,
    james,
    study_blinding,
)
from cbt_core.stats.resampling import Bootstrap
from cbt_core.words import say

LIKED = {"target": 1.0, "tie": 0.0, "other": -1.0, "": float("nan")}
Row = tuple[int, int, int, str]
"""Rater, slot of the system under study, slot guessed, what was preferred."""


def blinded(rows: list[Row], arms: tuple[str, ...] = ("base", "new"), **more: Any) -> StudyBlinding:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    rater, target, chosen = (np.array(column, dtype=np.int64) for column in columns[:3])
    guesses = PairGuesses(
        **{"rater": rater, "system": np.ones(len(rows), dtype=np.int64)} | more,
        target=target, chosen=chosen,
        preference=np.array([LIKED[name] for name in columns[3]], dtype=np.float64),
    )
    return study_blinding(
        guesses, arms=arms, raters={number: f"R{number}" for number in range(9)},
        systems={1: "new", 2: "newer"}, how=Bootstrap(500),
    )


def test_accuracy_is_over_decided_pairs_and_dont_know_stands_apart() -> None:
    found = blinded([(0, 0, 0, ""), (0, 1, 0, ""), (1, 1, 1, ""), (1, 0, DONT_KNOW, "")])
    assert (found.n, found.n_dont_know, found.n_raters) == (4, 1, 2)
    assert found.pair_accuracy.value == pytest.approx(2 / 3)
    assert found.dont_know_share.value == 0.25
    assert found.accuracy_by_rater == {"R0": (1, 2), "R1": (1, 1)}


def test_one_pair_is_one_record() -> None:
    """Counting both arms of a pair would give twice as many."""
    found = blinded([(0, 0, 0, "")] * 5)
    assert found.n == 5
    assert sum(row.correct + row.wrong + row.dont_know for row in found.with_preference) == 5


def test_two_arms_give_bang_and_james_of_the_answer_on_the_left() -> None:
    random = np.random.default_rng(4)
    rows: list[Row] = [
        (int(r), int(t), int(c), "") for r, t, c in zip(
            random.integers(4, size=60), random.integers(2, size=60),
            random.choice([0, 1, DONT_KNOW], size=60, p=[0.45, 0.3, 0.25]), strict=True,
        )
    ]
    counts, dont_know = np.zeros((2, 2), dtype=np.int64), np.zeros(2, dtype=np.int64)
    for _, target, chosen, _ in rows:
        true = 1 if target == 0 else 0  # which arm stood on the left
        if chosen == DONT_KNOW:
            dont_know[true] += 1
        else:
            counts[1 if chosen == 0 else 0, true] += 1
    table, found = Guesses(("base", "new"), counts, dont_know), blinded(rows)
    assert found.james.value == pytest.approx(james(table).value)
    for place, arm in enumerate(("base", "new")):
        assert found.bang[arm].value == pytest.approx(bang(table, place).value)


def test_crisp_gives_the_published_indices() -> None:
    # H. Bang, L. Ni, C. E. Davis 2004, CRISP: treatment .206, placebo .014, James .748.
    cells = ((1, 1, 82), (1, 0, 27), (0, 1, 25), (0, 0, 29), (None, 1, 170), (None, 0, 83))
    rows: list[Row] = []
    for guess, true, count in cells:
        target = 0 if true else 1
        chosen = DONT_KNOW if guess is None else (0 if guess else 1)
        rows += [(number % 7, target, chosen, "") for number in range(count)]
    found = blinded(rows)
    assert found.bang["new"].value == pytest.approx(0.206, abs=5e-4)
    assert found.bang["base"].value == pytest.approx(0.014, abs=5e-4)
    assert found.james.value == pytest.approx(0.748, abs=5e-4)


def test_more_arms_have_only_the_generalised_index_per_system() -> None:
    rows: list[Row] = [(0, 0, 0, ""), (1, 1, 1, ""), (1, 0, 1, ""), (0, 0, DONT_KNOW, "")]
    found = blinded(rows, ("base", "new", "newer"), system=np.array([1, 1, 2, 2]))
    assert found.bang == {}
    assert found.james.reason == "defined for exactly 2 arms"
    assert found.bang_generalised["new"].value == 1.0
    assert found.bang_generalised["newer"].value == -0.5  # one wrong, one don't know


def test_intervals_resample_raters() -> None:
    """Each of six raters is all right or all wrong: only six things are known, not sixty."""
    rows: list[Row] = [
        (rater, 0, int(rater < 3), "") for rater in range(6) for _ in range(10)
    ]
    found = blinded(rows).pair_accuracy
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 0.6
    assert blinded(rows, rater=np.arange(60) % 6).pair_accuracy.value == 0.5


def test_a_single_rater_has_no_interval_and_nothing_is_concluded() -> None:
    found = blinded([(0, 0, 0, ""), (0, 0, 1, "")])
    assert found.pair_accuracy.low is None
    assert found.interpretation[0] == "blinding_cannot_tell"


def test_guesses_that_follow_preference_are_said_to() -> None:
    rows: list[Row] = []
    for rater in range(8):
        rows += [(rater, 0, 0, "target"), (rater, 1, 0, "other"), (rater, 0, 0, "target")]
        rows += [(rater, 0, int(rater == 0), "target")]
    found = blinded(rows)
    assert found.follows_preference.value == pytest.approx(31 / 32)
    assert "blinding_follows_preference" in found.interpretation
    assert {row.preference: row.correct for row in found.with_preference}["target"] == 23


def test_only_dont_know_is_undefined_with_its_reason() -> None:
    found = blinded([(0, 0, DONT_KNOW, ""), (1, 1, DONT_KNOW, "")])
    assert found.pair_accuracy.reason == "every guess is don't know"
    assert found.bang["new"].reason == "every guess is don't know"
    assert found.bang_generalised["new"].reason == "every guess is don't know"
    assert found.james.value == 1.0


def test_no_guesses_at_all() -> None:
    found = blinded([])
    assert found.pair_accuracy.reason == "no guesses"
    assert found.james.reason == "no guesses"
    assert found.interpretation == ("blinding_cannot_tell",)


@pytest.mark.parametrize(("right", "code"), [(9, "blinding_above"), (1, "blinding_below")])
def test_an_interval_off_one_half_is_said_in_words(right: int, code: str) -> None:
    rows: list[Row] = [
        (rater, 0, int(number >= (right if rater else 5)), "")
        for rater in range(9) for number in range(10)
    ]
    found = blinded(rows)
    assert found.interpretation[0] == code
    for one in found.interpretation:
        assert say(f"stats.{one}", "en")
        assert say(f"stats.{one}", "zh")
