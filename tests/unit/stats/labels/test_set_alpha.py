"""Alpha over label sets: hand-worked, against nltk, against a naive form on random data."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.stats.labels.annotators import Setting, labels_agreement
from cbt_core.stats.labels.label_sets import LabelRow, gather, jaccard, masi

PLAIN = Setting(bootstrap=0)
Rows = Sequence[tuple[str, str, set[str] | None]]


def agreement(rows: Rows, **more: Any) -> dict[str, Any]:
    sets = gather([LabelRow(*row) for row in rows], more.pop("labels", None))
    return dict(labels_agreement(sets, more.pop("setting", PLAIN)).json())


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a", "b"}, {"a", "b"}, 0.0),
        ({"a"}, {"a", "b"}, 1 - (1 / 2) * (2 / 3)),  # one holds the other
        ({"a", "c"}, {"a", "b"}, 1 - (1 / 3) * (1 / 3)),  # they meet
        ({"a"}, {"b"}, 1.0),
        (set(), {"a"}, 1.0),  # nothing in common, although the empty set is a subset
        (set(), set(), 0.0),  # "no distortion" twice is agreement
    ],
)
def test_masi_distance_by_hand(first: set[str], second: set[str], expected: float) -> None:
    sizes = [np.array([float(len(one))]) for one in (first & second, first, second)]
    assert 1 - masi(*sizes)[0] == pytest.approx(expected)


def test_alpha_with_empty_sets_by_hand() -> None:
    # Q1 {a},{a}  Q2 {},{}  Q3 {a},{a,b}  Q4 {},{b}: 8 values, 4 pairs.
    # MASI distances within items: 0, 0, 1 - 1/2 * 2/3 = 2/3, 1. D_o = (0 + 0 + 2/3 + 1) / 4 = 5/12.
    # Values: {a} x 3, {} x 3, {a,b} x 1, {b} x 1. Ordered pairs of different sets, with distance:
    # {a}-{} 2*9*1 = 18; {a}-{ab} 2*3*2/3 = 4; {a}-{b} 2*3*1 = 6; {}-{ab} 2*3*1 = 6;
    # {}-{b} 2*3*1 = 6; {ab}-{b} 2*1*2/3 = 4/3. Sum 41 1/3 = 124/3; D_e = 124/3 / (8*7) = 31/42.
    # alpha = 1 - (5/12) / (31/42) = 1 - 35/62 = 27/62.
    rows: Rows = [
        ("Q1", "x", {"a"}), ("Q1", "y", {"a"}), ("Q2", "x", set()), ("Q2", "y", set()),
        ("Q3", "x", {"a"}), ("Q3", "y", {"a", "b"}), ("Q4", "x", set()), ("Q4", "y", {"b"}),
    ]
    found = agreement(rows)
    assert found["alpha_masi"]["value"] == pytest.approx(27 / 62)
    # Jaccard: D_o = (1/2 + 1) / 4 = 3/8; {a}-{ab} 2*3*1/2 = 3, {ab}-{b} 1: 18+3+6+6+6+1 = 40;
    # D_e = 40/56; alpha = 1 - (3/8) / (5/7) = 19/40.
    assert found["alpha_jaccard"]["value"] == pytest.approx(19 / 40)


def test_alpha_equals_nltk_where_no_set_is_empty() -> None:
    agree = pytest.importorskip("nltk.metrics.agreement")
    distance = pytest.importorskip("nltk.metrics.distance")
    random = np.random.default_rng(3)
    rows: list[tuple[str, str, set[str] | None]] = []
    for item in range(40):
        for annotator in "xyz":
            chosen = [label for label in "abcd" if random.random() < 0.4] or ["a"]
            rows.append((f"Q{item}", annotator, set(chosen)))
    data = [(a, i, frozenset(given or ())) for i, a, given in rows]
    found = agreement(rows)
    for key, measure in (("alpha_masi", distance.masi_distance),
                         ("alpha_jaccard", distance.jaccard_distance)):
        task = agree.AnnotationTask(data=data, distance=measure)
        assert found[key]["value"] == pytest.approx(task.alpha(), abs=1e-12)


LABELS = "abc"
SETS = st.one_of(st.none(), st.sets(st.sampled_from(LABELS)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(SETS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_alpha_equals_the_naive_form(table: list[list[set[str] | None]]) -> None:
    rows = [(f"Q{item}", f"N{who}", labels)
            for item, given in enumerate(table) for who, labels in enumerate(given)]
    found = agreement(rows, labels=list(LABELS))
    for key, measure in (("alpha_masi", masi), ("alpha_jaccard", jaccard)):
        expected = naive(table, measure)
        if expected is None:
            assert found[key]["value"] is None
            assert found[key]["reason"]
        else:
            assert found[key]["value"] == pytest.approx(expected)


def naive(table: list[list[set[str] | None]], measure: Any) -> float | None:
    """Return 1 - D_o / D_e from all ordered pairs, with no shortcut."""
    def apart(one: set[str], other: set[str]) -> float:
        return float(1 - measure(*(np.array([float(len(part))])
                                   for part in (one & other, one, other)))[0])

    units = [[one for one in given if one is not None] for given in table]
    units = [unit for unit in units if len(unit) > 1]
    pool = [one for unit in units for one in unit]
    if not pool:
        return None
    observed = sum(
        apart(one, other) / (len(unit) - 1)
        for unit in units for one, other in permutations(unit, 2)
    ) / len(pool)
    expected = sum(apart(one, other) for one, other in permutations(pool, 2))
    expected /= len(pool) * (len(pool) - 1)
    return 1 - observed / expected if expected > 1e-12 else None


def test_unsure_is_missing_and_no_row_is_no_labelling() -> None:
    decided: Rows = [
        ("Q1", "x", {"a"}), ("Q1", "y", {"a"}), ("Q2", "x", {"b"}), ("Q2", "y", {"a"}),
    ]
    more: Rows = [*decided, ("Q1", "z", None), ("Q3", "x", {"b"})]
    assert agreement(more)["alpha_masi"] == agreement(decided)["alpha_masi"]
    assert agreement(more)["flow"]["unsure"] == 1


def test_all_alike_is_undefined_with_the_reason() -> None:
    rows: Rows = [("Q1", "x", set()), ("Q1", "y", set()), ("Q2", "x", set()), ("Q2", "y", set())]
    found = agreement(rows, labels=["a"])
    assert found["alpha_masi"]["value"] is None
    assert found["alpha_masi"]["reason"] == "all annotators gave the same everywhere"
    assert found["labels"]["a"]["percent_agreement"]["value"] == 1.0
    assert found["labels"]["a"]["alpha_nominal"]["value"] is None


def test_one_annotator_alone_has_no_agreement() -> None:
    found = agreement([("Q1", "x", {"a"}), ("Q2", "x", set())])
    assert found["alpha_masi"]["reason"] == "no item was labelled by two annotators"
    assert found["labels"]["a"]["prevalence"] == 0.5


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows: Rows = [(f"Q{n}", who, {"a"} if n % size else {"b"})
                  for n in range(12) for size, who in ((2, "x"), (3, "y"))]
    setting = Setting(bootstrap=50, seed=5)
    assert agreement(rows, setting=setting) == agreement(list(reversed(rows)), setting=setting)


def test_intervals_equal_those_of_plain_resampling_in_law() -> None:
    # The same draws, done slowly: rows of drawn items copied under new names.
    rows: Rows = [(f"Q{n:02d}", who, {"a"} if (n * size) % 5 < 2 else {"b"} if n % 3 else set())
                  for n in range(30) for size, who in ((1, "x"), (3, "y"))]
    found = agreement(rows, setting=Setting(bootstrap=400, seed=2))["alpha_masi"]
    random = np.random.default_rng(11)
    slow = []
    for _ in range(400):
        drawn = random.integers(30, size=30)
        copied = [(f"C{at}", who, given) for at, n in enumerate(drawn)
                  for item, who, given in rows if item == f"Q{n:02d}"]
        slow.append(agreement(copied)["alpha_masi"]["value"])
    low, high = np.quantile(slow, [0.025, 0.975])
    assert found["low"] == pytest.approx(low, abs=0.06)
    assert found["high"] == pytest.approx(high, abs=0.06)
