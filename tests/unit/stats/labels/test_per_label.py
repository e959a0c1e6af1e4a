"""Figures of single labels: against scikit-learn and krippendorff, AC1 by hand, undefined cases."""

from typing import Any

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from cbt_core.stats.labels.annotators import Setting, labels_agreement
from cbt_core.stats.labels.label_sets import LabelRow, gather

RANDOM = np.random.default_rng(8)
GIVEN = RANDOM.random((3, 60)) < 0.4
"""Whether each of three annotators gives the label to each of sixty items."""


def figures(given: Any, **more: Any) -> dict[str, Any]:
    """Return the figures of label `a`; nan in `given` (annotators, items) leaves no row."""
    rows = [
        LabelRow(f"Q{item:02d}", f"N{who}", {"a"} if value else set())
        for who, values in enumerate(given) for item, value in enumerate(values)
        if not np.isnan(value)
    ]
    found: Any = labels_agreement(gather(rows, ["a"]), Setting(bootstrap=0, **more)).json()
    return dict(found["labels"]["a"])


def test_kappa_of_each_pair_equals_scikit_learn() -> None:
    pairs = {(one["a"], one["b"]): one for one in figures(GIVEN.astype(float))["kappa_pairs"]}
    assert len(pairs) == 3
    for (a, b), one in pairs.items():
        expected = cohen_kappa_score(GIVEN[int(a[1])], GIVEN[int(b[1])])
        assert one["kappa"] == pytest.approx(expected)
        assert one["n"] == 60


def test_nominal_alpha_equals_krippendorff_with_rows_missing() -> None:
    given = GIVEN.astype(float)
    given[RANDOM.random(given.shape) < 0.2] = np.nan
    expected = krippendorff.alpha(given, level_of_measurement="nominal")
    assert figures(given)["alpha_nominal"]["value"] == pytest.approx(expected)


def test_ac1_and_prevalence_by_hand() -> None:
    # Two annotators, five items: 1/1, 1/0, 0/0, 0/0, 0/0. p_a = 4/5; prevalence = mean(1, .5, 0, 0,
    # 0) = .3; p_e = 2 * .3 * .7 = .42; AC1 = (.8 - .42) / (1 - .42) = .38 / .58.
    found = figures([[1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])
    assert found["prevalence"] == pytest.approx(0.3)
    assert found["percent_agreement"]["value"] == pytest.approx(0.8)
    assert found["ac1"]["value"] == pytest.approx(0.38 / 0.58)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([[1.0, np.nan], [np.nan, 1.0]], "the annotators have no item in common"),
        ([[1.0, 0.0], [1.0, np.nan]], "fewer than 2 common items"),
        ([[1.0, 1.0], [1.0, 0.0]], "an annotator gave the same answer to every common item"),
    ],
)
def test_an_undefined_kappa_is_null_with_its_reason(given: Any, reason: str) -> None:
    (pair,) = figures(given)["kappa_pairs"]
    assert pair["kappa"] is None
    assert pair["reason"] == reason


def test_a_rare_label_has_no_interval_that_would_mislead() -> None:
    rows = [LabelRow(f"Q{n:02d}", who, {"a"} if n == 0 else set())
            for n in range(30) for who in "xy"]
    found: Any = labels_agreement(gather(rows, ["a"]), Setting(bootstrap=300)).json()
    alpha = found["labels"]["a"]["alpha_nominal"]
    assert alpha["value"] == pytest.approx(1.0)
    assert (alpha["low"], alpha["high"], alpha["reason"]) == (None, None, "unstable")


def test_any_counts_a_set_with_at_least_one_label() -> None:
    rows = [LabelRow("Q1", "x", {"a"}), LabelRow("Q1", "y", {"b"}), LabelRow("Q2", "x", set()),
            LabelRow("Q2", "y", {"a"})]
    found: Any = labels_agreement(gather(rows), Setting(bootstrap=0)).json()
    assert found["any"]["percent_agreement"]["value"] == 0.5
    assert found["any"]["prevalence"] == 0.75
