"""What is missing, counted by reason, and how far it could move a difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.stats.bias.missingness import AskedPairs, Bounds, bounds, tally

NAN = float("nan")
score = st.sampled_from([0.0, 1.0, 2.0, NAN])


def of(item: list[int], own: list[float], base: list[float]) -> Bounds:
    asked = AskedPairs(np.array(item, dtype=np.int64), np.array(own), np.array(base))
    return bounds(asked, system="S2", scale="s", lowest=0, highest=2)


def test_scores_asked_for_are_counted_by_reason() -> None:
    cells = [("S1", "s", ""), ("S1", "s", "cannot_rate"), ("S1", "s", "skipped:known"),
             ("S1", "s", "skipped:known"), ("S2", "s", "not_done")]
    one, two = tally(cells)
    assert (one.expected, one.given, one.share) == (4, 1, 0.75)
    assert one.reasons == {"cannot_rate": 1, "skipped:known": 2}
    assert (two.expected, two.given) == (1, 0)


def test_missing_scores_at_the_ends_of_the_scale() -> None:
    # Item 0: d = 1 and, with the system's score missing beside a 1: -1 or +1. Item 1: d = 0.
    found = of([0, 0, 1], [2, NAN, 1], [1, 1, 1])
    assert (found.n_items, found.n_pairs, found.n_incomplete) == (2, 3, 1)
    assert found.observed == pytest.approx(0.5)
    assert found.worst == pytest.approx(0.0)
    assert found.best == pytest.approx(0.5)


def test_nothing_missing_leaves_no_doubt() -> None:
    found = of([0, 1], [2, 1], [1, 1])
    assert found.observed == found.worst == found.best == 0.5


def test_everything_missing_leaves_everything_open() -> None:
    found = of([0, 1], [NAN, NAN], [NAN, NAN])
    assert (found.observed, found.worst, found.best) == (None, -2.0, 2.0)


def test_nothing_asked_is_none() -> None:
    found = of([], [], [])
    assert (found.observed, found.worst, found.best) == (None, None, None)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), score, score), min_size=1, max_size=12))
def test_every_filling_lies_between_the_bounds(rows: list[tuple[int, float, float]]) -> None:
    item, own, base = zip(*rows, strict=True)
    found = of(list(item), list(own), list(base))
    middle = of(list(item), *([1.0 if x != x else x for x in column] for column in (own, base)))
    assert found.worst is not None
    assert found.best is not None
    assert middle.observed is not None
    assert found.worst - 1e-9 <= middle.observed <= found.best + 1e-9
