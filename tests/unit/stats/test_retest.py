"""Test-retest from repeats: agreement, quadratic kappa, shift; what is undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from cbt_core.stats.agreement.raters import Repeated, RetestOfScale, retest
from cbt_core.stats.resampling import Bootstrap
from tests.unit.stats.published import cohen_table

HOW = Bootstrap(300)
scores = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=10, max_size=40)


def of(pairs: list[tuple[float, float]], **more: object) -> RetestOfScale:
    table, count = np.array(pairs, dtype=np.float64).reshape(-1, 2), len(pairs)
    rows = {
        "item": np.arange(count), "rater": np.zeros(count, dtype=np.int64),
        "same_order": np.zeros(count, dtype=bool),
    } | more
    return retest(
        Repeated(first=table[:, 0], second=table[:, 1], **rows),  # type: ignore[arg-type]
        {0: "R1", 1: "R2"}, how=HOW,
    )


@settings(deadline=None, max_examples=60)
@given(scores)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    found = of(pairs).pooled.kappa_quadratic
    first, second = zip(*pairs, strict=True)
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert found.reason == "a rater gave one value only"
    else:
        expected = cohen_kappa_score(first, second, weights="quadratic", labels=[0, 1, 2])
        assert found.value == pytest.approx(expected)


def test_kappa_of_a_published_table() -> None:
    # J. Cohen 1968, n = 200, with quadratic weights (computed by sklearn on the printed table).
    table = cohen_table()
    expected = cohen_kappa_score(*table.T, weights="quadratic", labels=[0, 1, 2])
    found = of([tuple(row) for row in table])  # type: ignore[misc]
    assert found.pooled.kappa_quadratic.value == pytest.approx(expected)


def test_shift_is_second_less_first() -> None:
    found = of([(0, 1), (1, 1), (2, 1), (0, 2)]).pooled
    assert found.exact.value == 0.25
    assert found.shift.value == pytest.approx(0.5)
    assert found.kappa_quadratic.reason == "fewer than 10 common scores"


def test_same_and_swapped_order_stand_apart() -> None:
    found = of([(0, 0), (1, 1), (2, 0)], same_order=np.array([True, True, False]))
    assert (found.same_order.n, found.same_order.exact.value) == (2, 1.0)
    assert (found.swapped_order.n, found.swapped_order.exact.value) == (1, 0.0)
    assert found.pooled.n == 3


def test_raters_stand_apart() -> None:
    found = of([(0, 0), (1, 2), (2, 2)], rater=np.array([0, 1, 1]))
    assert {code: one.n for code, one in found.by_rater.items()} == {"R1": 1, "R2": 2}
    assert found.by_rater["R2"].exact.value == 0.5


def test_one_item_has_a_figure_but_no_interval() -> None:
    found = of([(0, 1)]).pooled.shift
    assert (found.value, found.low) == (1.0, None)
    assert found.reason == "a single item or rater: no interval"


def test_no_repeats_is_a_reason() -> None:
    found = of([])
    assert found.pooled.exact.reason == "no repeated task was rated"
    assert found.pooled.kappa_quadratic.reason == "no repeated task was rated"
    assert not found.by_rater


def test_names_have_no_shift() -> None:
    rows = Repeated(
        np.arange(2), np.zeros(2, dtype=np.int64), np.zeros(2), np.ones(2), np.zeros(2, dtype=bool)
    )
    found = retest(rows, {0: "R1"}, how=HOW, ordered=False).pooled
    assert found.shift.reason == "nominal scale"
    assert found.exact.value == 0.0


def test_the_interval_resamples_items_with_all_their_rows() -> None:
    pairs = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (2.0, 0.0), (1.0, 2.0)] * 4
    single = of(pairs).pooled.exact
    copied = of(pairs * 5, item=np.tile(np.arange(20), 5)).pooled.exact
    assert (copied.low, copied.high) == (single.low, single.high)
