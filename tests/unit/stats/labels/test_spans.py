"""Agreement on characters: by hand, and against a form that looks at every character."""

from itertools import combinations
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.stats.labels.annotators import Setting, labels_agreement
from cbt_core.stats.labels.label_sets import LabelRow, gather
from cbt_core.stats.labels.spans import Documents, SpanRow

LENGTHS = {"Q1": 10, "Q2": 6}


def spans_of(
    spans: list[tuple[str, str, int, int]], labelled: list[tuple[str, str]], bootstrap: int = 0
) -> dict[str, Any]:
    sets = gather([LabelRow(item, who, {"a"}) for item, who in labelled], ["a"])
    rows = [SpanRow(*one, "a") for one in spans]
    found: Any = labels_agreement(sets, Setting(bootstrap), Documents(rows, LENGTHS)).json()
    return dict(found["spans"])


def test_alpha_and_f1_by_hand() -> None:
    # Q1, 10 characters: x marks 0-4, y marks 2-6. Pairs of values 20; marked 8; the two differ on
    # 0, 1, 4, 5. D_o = 2*4/20 = .4; D_e = 2*8*12 / (20*19) = 192/380. alpha = 1 - .4*380/192.
    # F1 = 2*2 / (4 + 4) = .5.
    found = spans_of([("Q1", "x", 0, 4), ("Q1", "y", 2, 6)], [("Q1", "x"), ("Q1", "y")])
    assert found["char_alpha"]["value"] == pytest.approx(1 - 0.4 * 380 / 192)
    assert found["char_f1"]["value"] == pytest.approx(0.5)


def test_a_document_counts_for_whoever_labelled_it_also_without_a_span() -> None:
    labelled = [("Q1", "x"), ("Q1", "y"), ("Q2", "x"), ("Q2", "y")]
    found = spans_of([("Q1", "x", 0, 4), ("Q1", "y", 0, 4), ("Q2", "x", 0, 3)], labelled)
    assert found["char_f1"]["value"] == pytest.approx(2 * 4 / (7 + 4))
    without = spans_of([("Q1", "x", 0, 4), ("Q1", "y", 0, 4), ("Q2", "x", 0, 3)], labelled[:3])
    assert without["char_f1"]["value"] == pytest.approx(1.0)


def test_pairs_are_pooled_by_what_they_marked_and_told_one_by_one() -> None:
    # Q1: x 0-4, y 0-4, z 4-6; Q2: x 0-3, y nothing. x-y: 2*4/(7+4); x-z: 0/(4+2); y-z: 0/(4+2).
    labelled = [("Q1", "x"), ("Q1", "y"), ("Q1", "z"), ("Q2", "x"), ("Q2", "y")]
    found = spans_of(
        [("Q1", "x", 0, 4), ("Q1", "y", 0, 4), ("Q1", "z", 4, 6), ("Q2", "x", 0, 3)], labelled)
    assert found["char_f1"]["value"] == pytest.approx(8 / 11 / 3)
    assert found["char_f1_pooled"]["value"] == pytest.approx(8 / (11 + 6 + 6))
    assert [(one["a"], one["b"], one["n"]) for one in found["char_f1_pairs"]] == [
        ("x", "y", 2), ("x", "z", 1), ("y", "z", 1)]
    assert [one["f1"] for one in found["char_f1_pairs"]] == [pytest.approx(8 / 11), 0.0, 0.0]


def test_a_pair_that_marked_nothing_is_told_without_a_figure() -> None:
    found = spans_of([], [("Q1", "x"), ("Q1", "y")])
    assert found["char_f1_pairs"] == [{"a": "x", "b": "y", "n": 1, "f1": None}]
    assert found["char_f1_pooled"]["value"] is None


def test_undefined_span_figures_say_why() -> None:
    both = [("Q1", "x"), ("Q1", "y")]
    assert spans_of([], both)["char_alpha"]["reason"] == "no character was marked"
    alone = spans_of([("Q1", "x", 0, 4)], [("Q1", "x")])
    assert alone["char_f1"]["reason"] == "no document was labelled by two annotators"
    everything = [("Q1", "x", 0, 10), ("Q1", "y", 0, 10)]
    assert spans_of(everything, both)["char_alpha"]["reason"] == (
        "every character was marked by everybody")
    assert spans_of(everything, both)["char_f1"]["value"] == 1.0
    sets = gather([LabelRow("Q1", "x", {"a"})])
    plain: Any = labels_agreement(sets, Setting(0)).json()
    assert plain["spans"]["char_alpha"]["reason"] == "no spans were given"


PLACES = st.tuples(
    st.sampled_from(["Q1", "Q2"]), st.sampled_from(["x", "y", "z"]), st.integers(0, 5),
    st.integers(1, 5),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(PLACES, max_size=8))
def test_figures_equal_the_form_by_character(places: list[tuple[str, str, int, int]]) -> None:
    spans = [(item, who, start, min(start + long, LENGTHS[item]))
             for item, who, start, long in places]
    labelled = [(item, who) for item in LENGTHS for who in "xyz" if (item, who) != ("Q2", "z")]
    found = spans_of(spans, labelled)
    marks = {who: np.full(sum(LENGTHS.values()), np.nan) for who in "xyz"}
    for item, who in labelled:
        at = 0 if item == "Q1" else LENGTHS["Q1"]
        marks[who][at : at + LENGTHS[item]] = 0
    for item, who, start, end in spans:
        at = 0 if item == "Q1" else LENGTHS["Q1"]
        if (item, who) in labelled:
            marks[who][at + start : at + end] = 1
    table = np.stack(list(marks.values()))
    if len(set(table[~np.isnan(table)])) > 1:
        expected = krippendorff.alpha(table, level_of_measurement="nominal")
        assert found["char_alpha"]["value"] == pytest.approx(expected)
    else:
        assert found["char_alpha"]["value"] is None
    expected_f1 = f1_by_hand(marks)
    assert found["char_f1"]["value"] == (
        None if expected_f1 is None else pytest.approx(expected_f1))


def f1_by_hand(marks: dict[str, Any]) -> float | None:
    values = []
    for a, b in combinations(sorted(marks), 2):
        both = ~np.isnan(marks[a]) & ~np.isnan(marks[b])
        first, second = marks[a][both], marks[b][both]
        if (first + second).sum():
            values.append(2 * (first * second).sum() / (first + second).sum())
    return float(np.mean(values)) if values else None
