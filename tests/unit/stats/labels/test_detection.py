"""A machine against gold: every figure against scikit-learn, the paper's row, undefined cases."""

from collections.abc import Set
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from cbt_core.stats.labels.annotators import Setting
from cbt_core.stats.labels.detection import (
    IMPLIED,
    PREVALENCE,
    TABLE_3,
    Evaluation,
    JudgedRow,
    evaluate,
)

LABELS = ["a", "b", "c", "d"]
"""d occurs on neither side: the macro average over all labels counts it as 0."""

RANDOM = np.random.default_rng(12)
GOLD = np.column_stack([RANDOM.random((200, 3)) < 0.25, np.zeros(200, dtype=bool)])
MODEL = np.column_stack([GOLD[:, :3] ^ (RANDOM.random((200, 3)) < 0.2), np.zeros(200, dtype=bool)])


def sets_of(given: Any) -> list[Set[str]]:
    return [{label for label, held in zip(LABELS, row, strict=True) if held} for row in given]


def judged(gold: list[Set[str]], model: list[Set[str]], **more: Any) -> dict[str, Any]:
    rows = [JudgedRow(f"Q{at:03d}", *pair) for at, pair in enumerate(zip(gold, model, strict=True))]
    labels = more.pop("labels", LABELS)
    setting = Setting(**{"bootstrap": 0, **more})
    return evaluate(Evaluation(rows=rows, labels=labels), setting).json()


FOUND = judged(sets_of(GOLD), sets_of(MODEL))


def test_binary_figures_equal_scikit_learn() -> None:
    gold, model = GOLD.any(axis=1), MODEL.any(axis=1)
    binary = FOUND["binary"]
    tn, fp, fn, tp = confusion_matrix(gold, model).ravel()
    assert [binary[cell] for cell in ("tp", "fp", "fn", "tn")] == [tp, fp, fn, tn]
    precision, recall, f1, _ = precision_recall_fscore_support(gold, model, average="binary")
    assert binary["accuracy"] == pytest.approx(accuracy_score(gold, model))
    assert binary["precision"] == pytest.approx(precision)
    assert binary["recall"] == pytest.approx(recall)
    assert binary["f1"] == pytest.approx(f1)
    assert binary["specificity"] == pytest.approx(tn / (tn + fp))
    assert binary["kappa"] == pytest.approx(cohen_kappa_score(gold, model))
    assert binary["prevalence_gold"] == pytest.approx(gold.mean())
    assert binary["prevalence_model"] == pytest.approx(model.mean())


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_averages_equal_scikit_learn_with_zero_divisions_as_zero(average: str) -> None:
    expected = precision_recall_fscore_support(GOLD, MODEL, average=average, zero_division=0)
    for key, value in zip(("precision", "recall", "f1"), expected, strict=False):
        assert FOUND[average][key] == pytest.approx(value)


def test_macro_supported_leaves_out_labels_gold_never_has() -> None:
    expected = precision_recall_fscore_support(
        GOLD[:, :3], MODEL[:, :3], average="macro", zero_division=0)
    for key, value in zip(("precision", "recall", "f1"), expected, strict=False):
        assert FOUND["macro_supported"][key] == pytest.approx(value)
    assert FOUND["macro_supported"]["n_labels"] == 3
    assert FOUND["macro"]["n_labels"] == 4


def test_per_label_figures_equal_scikit_learn() -> None:
    expected = precision_recall_fscore_support(GOLD, MODEL, average=None, zero_division=0)
    for at, label in enumerate(LABELS[:3]):
        for key, values in zip(("precision", "recall", "f1"), expected, strict=False):
            assert FOUND["per_label"][label][key] == pytest.approx(values[at])
        kappa = cohen_kappa_score(GOLD[:, at], MODEL[:, at])
        assert FOUND["per_label"][label]["kappa"] == pytest.approx(kappa)


def test_undefined_figures_are_null_with_reasons() -> None:
    label = FOUND["per_label"]["d"]
    assert (label["precision"], label["recall"], label["f1"], label["kappa"]) == (None,) * 4
    assert label["reasons"]["precision"] == "the model never gives it"
    assert FOUND["reasons"]["per_label.d.recall"] == "gold never has it"
    assert label["accuracy"] == 1.0
    silent = judged([{"a"}, {"a"}], [set(), set()])
    assert silent["binary"]["precision"] is None
    assert silent["binary"]["f1"] == 0.0
    assert silent["binary"]["specificity"] is None
    assert silent["reasons"]["binary.specificity"] == "gold always has it"
    nothing = judged([], [])
    assert nothing["binary"]["accuracy"] is None
    assert nothing["macro"]["f1"] is None
    assert nothing["reasons"]["macro.f1"] == "no items"


def test_the_interval_of_accuracy_is_that_of_a_share() -> None:
    found = judged(sets_of(GOLD), sets_of(MODEL), bootstrap=2000)["binary"]
    accuracy, interval = found["accuracy"], found["intervals"]["accuracy"]
    half = 1.96 * (accuracy * (1 - accuracy) / 200) ** 0.5
    assert interval["low"] == pytest.approx(accuracy - half, abs=0.012)
    assert interval["high"] == pytest.approx(accuracy + half, abs=0.012)


def test_the_papers_row_stands_beside_ours_and_nothing_is_invented() -> None:
    paper = FOUND["paper"]
    assert {key: paper["binary"][key] for key in TABLE_3} == {
        "accuracy": 0.69, "recall": 0.93, "f1": 0.65}  # CBT-LLM, Table 3
    for key in ("precision", "specificity", "kappa", "tp"):
        assert paper["binary"][key] is None
        assert paper["binary"]["reasons"][key]
    assert round(100 * PREVALENCE, 1) == 54.4  # CBT-LLM, Table 1: 12,136 of 22,327


def test_what_the_papers_row_implies_holds_for_every_table_that_fits_it() -> None:
    # All 2 x 2 tables of 500 whose accuracy, recall and F1 round to .69, .93 and .65.
    fitting = []
    for positive in range(1, 500):
        low, high = int(0.925 * positive), int(0.935 * positive) + 1
        for tp in range(low, high + 1):
            if not 0.925 <= tp / positive < 0.935:
                continue
            for fp in range(501 - positive):
                tn, fn = 500 - positive - fp, positive - tp
                accuracy, f1 = (tp + tn) / 500, 2 * tp / (2 * tp + fp + fn)
                if 0.685 <= accuracy < 0.695 and 0.645 <= f1 < 0.655:
                    chance = (positive * (tp + fp) + (fp + tn) * (fn + tn)) / 250_000
                    fitting.append({
                        "precision": tp / (tp + fp), "specificity": tn / (tn + fp),
                        "kappa": (accuracy - chance) / (1 - chance),
                        "prevalence_gold": positive / 500, "prevalence_model": (tp + fp) / 500})
    assert len(fitting) == 53  # the number known from an independent count
    for key, (low, high) in IMPLIED.items():
        values = [one[key] for one in fitting]
        assert low <= min(values) < low + 0.001
        assert high - 0.001 < max(values) <= high


def test_a_label_beyond_the_scheme_is_a_distortion_but_no_label() -> None:
    rows = [JudgedRow("Q1", set(), set(), beyond_gold=True), JudgedRow("Q2", set(), set())]
    found: Any = evaluate(Evaluation(rows=rows, labels=["a"]), Setting(0)).json()
    assert (found["binary"]["fn"], found["binary"]["tn"]) == (1, 1)
    assert found["per_label"]["a"]["fn"] == 0


def test_unequal_chances_of_being_drawn_are_told_and_weighed() -> None:
    # Q1 drawn with certainty (correct), Q2 with 1 in 4 (wrong): 1 / (1 + 4) = .2.
    rows = [JudgedRow("Q1", {"a"}, {"a"}, chance=1.0), JudgedRow("Q2", {"a"}, set(), chance=0.25)]
    found: Any = evaluate(Evaluation(rows=rows, labels=["a"]), Setting(0)).json()
    assert found["binary"]["accuracy"] == 0.5
    assert found["binary_weighted"]["accuracy"] == pytest.approx(0.2)
    assert "unequal chances" in found["note"]
    assert "note" not in FOUND
