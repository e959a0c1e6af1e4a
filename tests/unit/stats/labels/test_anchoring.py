"""The anchoring effect by hand, and tables for heat maps."""

from typing import Any

import pytest

from cbt_core.instruments import load_crosswalk
from cbt_core.stats.labels.anchoring import Answered, TwoRounds, anchoring
from cbt_core.stats.labels.annotators import Setting
from cbt_core.stats.labels.label_sets import Mapped, confusion, cooccurrence

LABELS = ["a", "b", "c"]
ROUNDS = [
    TwoRounds("Q1", "x", {"a"}, {"a", "b"}, {"b"}),  # J 0 -> 1/2
    TwoRounds("Q1", "y", set(), {"b"}, {"b"}),  # J 0 -> 1
    TwoRounds("Q2", "x", {"a"}, {"c"}, {"c"}),  # J 0 -> 1, own label given up
    TwoRounds("Q2", "y", {"a"}, {"a"}, {"c"}),  # J 0 -> 0, stood firm
    TwoRounds("Q3", "x", set(), set(), set()),  # J 1 -> 1
]
ANSWERS = [Answered("b", "confirmed"), Answered("b", "confirmed"), Answered("c", "changed"),
           Answered("c", "rejected")]


def test_the_effect_is_the_mean_change_of_similarity_with_the_machine() -> None:
    found: Any = anchoring(ROUNDS, ANSWERS, LABELS, Setting(200)).json()
    assert found["similarity_before"]["value"] == pytest.approx(1 / 5)
    assert found["similarity_after"]["value"] == pytest.approx((0.5 + 1 + 1 + 0 + 1) / 5)
    assert found["effect"]["value"] == pytest.approx(2.5 / 5)
    assert found["effect"]["low"] <= 0.5 <= found["effect"]["high"]
    assert found["blind_dropped"]["value"] == pytest.approx(1 / 3)
    assert found["machine_adopted"]["value"] == pytest.approx(3 / 4)


def test_agreement_is_told_before_and_after_on_the_same_pairs() -> None:
    rounds = [TwoRounds("Q1", "x", {"a"}, {"a"}, {"a"}), TwoRounds("Q1", "y", {"b"}, {"a"}, {"a"}),
              TwoRounds("Q2", "x", {"b"}, {"b"}, {"b"}), TwoRounds("Q2", "y", {"b"}, {"b"}, {"b"})]
    found: Any = anchoring(rounds, [], LABELS, Setting(0)).json()
    # before: D_o = 2 * 1 / 4, D_e = 2 * 3 * 1 / (4 * 3) -> alpha 0; after: 1
    assert found["alpha_masi"]["before"]["value"] == pytest.approx(0.0)
    assert found["alpha_masi"]["after"]["value"] == pytest.approx(1.0)
    assert found["alpha_masi"]["difference"]["value"] == pytest.approx(1.0)
    assert found["labels"]["a"]["before"]["prevalence"] == pytest.approx(0.25)
    assert found["labels"]["a"]["after"]["prevalence"] == pytest.approx(0.5)


def test_adoption_and_rejection_are_counted_per_label() -> None:
    found: Any = anchoring(ROUNDS, ANSWERS, LABELS, Setting(0)).json()
    b, c = found["labels"]["b"], found["labels"]["c"]
    assert (b["answered"], b["confirmed"], b["confirmed_rate"], b["added"]) == (2, 2, 1.0, 2)
    assert (c["changed"], c["rejected"], c["rejected_rate"]) == (1, 1, 0.5)
    assert found["labels"]["a"]["dropped"] == 1
    assert found["labels"]["a"]["confirmed_rate"] is None


def test_without_a_second_round_everything_says_why() -> None:
    found: Any = anchoring([], ANSWERS, LABELS, Setting(50)).json()
    assert found["effect"] == {
        "value": None, "low": None, "high": None, "reason": "nobody saved labels in both rounds"}
    assert found["labels"]["b"]["confirmed"] == 2


def test_a_confusion_table_keeps_what_both_have_on_the_diagonal() -> None:
    table = confusion([({"a", "b"}, {"a", "c"}), (set(), {"b"}), (set(), set())], LABELS)
    assert table.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 1]]


def test_a_label_the_other_lacks_stands_against_none() -> None:
    table = confusion([({"a", "b"}, {"a"}), ({"c"}, set())], LABELS)
    assert table.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_cooccurrence_counts_sets_that_hold_both() -> None:
    table = cooccurrence([{"a", "b"}, {"a"}, set()], LABELS)
    assert table.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_labels_without_a_counterpart_are_counted_not_guessed() -> None:
    mapped = Mapped(load_crosswalk(), source="burns-12", target="cbt-llm-5")
    # fortune-telling only overlaps with catastrophizing; labeling has nothing alike in the five
    given = {"magnification", "fortune-telling", "labeling"}
    assert mapped.labels(given) == (frozenset({"catastrophizing"}), True)
    told = mapped.side((), ()).json()
    assert told["only_partly"] == {"fortune-telling": 1}
    assert told["not_mapped"] == {"labeling": 1}
    assert mapped.labels({"mind-reading"}) == (frozenset({"mind-reading"}), False)
