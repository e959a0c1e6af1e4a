"""Whether form alone tells two systems apart: beside scikit-learn, and where it should say no."""

import random

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from cbt_core.demo.simulated import demo_file
from cbt_core.files.study import read_study
from cbt_core.generation.gates.recognition import LEAST_ITEMS, _fit, auc, tell

CLAUSES = (
    "先看看当时的念头", "写下支持的证据", "和朋友聊一聊", "每天散步二十分钟", "想想最坏会怎样",
    "把事情分成几步", "给自己一点时间", "留意身体的感觉",
)


def plain_text(dice: random.Random) -> str:
    return "，".join(dice.choices(CLAUSES, k=12)) + "。"


def test_the_auc_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    low, high = draw.integers(0, 9, 60).astype(float), draw.integers(2, 11, 60).astype(float)
    expected = roc_auc_score(np.repeat([0, 1], 60), np.concatenate([low, high]))
    assert auc(low, high).value == pytest.approx(expected)


def test_the_interval_of_the_auc_holds_the_truth_about_95_times_in_100() -> None:
    draw, held = np.random.default_rng(7), 0
    for _ in range(400):  # answers to one item are alike: scores share the item's part
        item = draw.normal(size=60)
        found = auc(item + draw.normal(size=60), item + 1 + draw.normal(size=60))
        held += (found.low or 0) <= 0.6915 <= (found.high or 1)  # Phi(1 / 2): sd of difference 2
    assert 0.92 <= held / 400 <= 0.98


def test_the_classifier_is_the_ridge_logistic_regression_of_scikit_learn() -> None:
    draw = np.random.default_rng(2)
    inputs = draw.normal(size=(80, 4))
    target = (inputs @ [1.0, -2.0, 0.0, 0.5] + draw.normal(size=80) > 0).astype(float)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(inputs, target)
    ours = _fit(inputs, target)
    assert ours[:-1] == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours[-1] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_answers_of_one_form_cannot_be_told_apart() -> None:
    dice = random.Random(3)
    found = tell("a", "b", [(plain_text(dice), plain_text(dice)) for _ in range(300)])
    assert found.auc.value == pytest.approx(0.5, abs=0.08)
    assert not found.told
    assert found.features == ()


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        (lambda text: f"1. {text}\n2. {text[:60]}。", "lists"),
        (lambda text: f"亲爱的朋友，{text}", "opening:亲爱的朋"),
        (lambda text: f"{text}祝您早日康复。", "closing:您早日康复"),
        (lambda text: text.replace("，", "？", 3), "questions"),
        (lambda text: f"## 建议\n{text}", "headings"),
        (lambda text: text + "😊", "emoji"),
    ],
)
def test_the_trait_that_betrays_a_system_is_named(change: object, feature: str) -> None:
    dice = random.Random(4)
    pairs = [(plain_text(dice), change(plain_text(dice))) for _ in range(60)]  # type: ignore[operator]
    found = tell("a", "b", pairs)
    assert found.told
    assert found.auc.value == pytest.approx(1.0, abs=0.02)
    assert found.pairs == pytest.approx(1.0, abs=0.02)
    assert feature in {trait.name for trait in found.features}


def test_too_few_items_give_a_reason() -> None:
    dice = random.Random(5)
    found = tell("a", "b", [(plain_text(dice), plain_text(dice))] * (LEAST_ITEMS - 1))
    assert found.auc.value is None
    assert found.auc.reason


def test_answers_that_are_all_the_same_give_a_reason() -> None:
    found = tell("a", "b", [("好的。", "好的。")] * 30)
    assert found.auc.value is None


def test_the_two_systems_of_the_demonstration_differ_in_their_questions() -> None:
    study = read_study(study_file=demo_file("zh"))
    pairs = [(one.answers["baseline"].text, one.answers["cbt"].text) for one in study.items]
    found = tell("baseline", "cbt", pairs)
    assert found.told
    assert found.features[0].name == "questions"


def test_what_betrays_is_the_same_whichever_system_comes_first() -> None:
    dice = random.Random(4)
    texts = [(plain_text(dice), f"首先，{plain_text(dice)}") for _ in range(40)]
    there = {trait.name for trait in tell("a", "b", texts).features}
    back = {trait.name for trait in tell("b", "a", [(b, a) for a, b in texts]).features}
    assert there == back
    assert any(name.startswith("opening:") for name in back)
