"""Figures as text: what a reader sees is the figure, its limits, or why there is none."""

import pytest

from cbt_core.report.blocks import Figure, decimals, in_words, p_value, told
from cbt_core.stats.values import Reason


@pytest.mark.parametrize(("figure", "words"), [
    (Figure(0.4664, 0.2111, 0.6549), "0.47 [0.21,\u00a00.65]"),
    (Figure(-0.0138, -0.2226, 0.2083), "\u22120.01 [\u22120.22,\u00a00.21]"),
    (Figure(0.639, 0.542, 0.736, form="share"), "63.9 % [54.2,\u00a073.6]"),
    (Figure(1.4722, digits=3), "1.472"),
    (Figure(0.0002, form="p"), "< 0.001"),
    (Figure(0.0499, form="p"), "0.050"),
])
def test_a_figure_is_told_with_its_limits(figure: Figure, words: str) -> None:
    assert told(figure, "en") == words


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert decimals(-0.004) == "0.00"


def test_an_undefined_figure_tells_why_in_the_language() -> None:
    figure = Figure(None, reason=Reason.ALL_EQUAL.text)
    assert told(figure, "en") == "all ratings are equal"
    assert told(figure, "zh") == "所有评分相同"


def test_reasons_of_label_figures_are_told_in_chinese_too() -> None:
    assert in_words("gold or model is the same for every item", "zh") == (
        "参照标签或模型对所有题目都相同"
    )


def test_p_is_never_told_as_nought() -> None:
    assert p_value(0.0) == "< 0.001"
