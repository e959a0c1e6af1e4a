"""Splits that do not leak, the same for the same seed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.errors import StudyError
from cbt_core.generation.dataset.splits import SPLITS, leaks_between, split

LETTERS = [chr(0x4E00 + 7 * place) for place in range(600)]


def asked(count: int, copies: int = 0, seed: int = 1) -> list[tuple[str, str]]:
    """Return questions with descriptions; the last `copies` repeat the first with one change."""
    dice = random.Random(seed)
    rows = [("".join(dice.choices(LETTERS, k=20)), "".join(dice.choices(LETTERS, k=90)))
            for _ in range(count)]
    return rows + [(question, f"{text[:-1]}嗯") for question, text in rows[:copies]]


def test_near_duplicates_stay_together() -> None:
    made = split(asked(200, copies=40), shares=(0.6, 0.2, 0.2), seed=3)
    where = {place: name for name in SPLITS for place in made.parts[name]}
    assert len(where) == 240
    assert all(where[place] == where[200 + place] for place in range(40))
    assert made.largest_group == 2
    assert leaks_between(asked(200, copies=40), made.parts) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 80), st.integers(0, 5), st.sampled_from([(0.8, 0.1, 0.1), (1, 0, 0)]))
def test_every_row_goes_somewhere_once_and_shares_are_met_by_a_row(
    count: int, seed: int, shares: tuple[float, float, float]
) -> None:
    made = split(asked(count), shares=shares, seed=seed)
    assert sorted(place for name in SPLITS for place in made.parts[name]) == list(range(count))
    for name, share in zip(SPLITS, shares, strict=True):
        assert abs(len(made.parts[name]) - share * count) <= 1


def test_the_same_seed_makes_the_same_split_and_another_seed_another() -> None:
    rows = asked(100)
    first, again, other = (split(rows, shares=(0.8, 0.1, 0.1), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.parts["test"] != other.parts["test"]


def test_items_of_a_study_go_nowhere() -> None:
    rows = asked(60)
    near = (rows[5][0], rows[5][1].replace(rows[5][1][3], "嗯", 1))
    made = split(rows, shares=(0.8, 0.1, 0.1), seed=1, against={"trial": [near], "other": []})
    assert made.excluded == {"other": (), "trial": (5,)}
    assert all(5 not in made.parts[name] for name in SPLITS)


@pytest.mark.parametrize("shares", [(0.8, 0.1), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1), ()])
def test_shares_that_are_none_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(StudyError, match="sum 1"):
        split(asked(5), shares=shares, seed=1)
