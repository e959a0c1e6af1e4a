"""The five steps, found by rules in flowing text; lengths and forms, counted."""

import json
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pytest

from cbt_core.demo.simulated import demo_file
from cbt_core.metrics.structure import (
    FOLDER,
    SIGNATURE,
    distinct,
    figures,
    frequent_characters,
    marks,
    steps_of,
    structure,
    structure_scores,
    summary,
)

# Judged by reading every Chinese answer of the demonstration: the steps it takes. The answers of
# system cbt take all five, but that of D13 which opens without a word of empathy. Those of the
# baseline give kind advice: none names a thought or puts a question. Answers where a step may be
# argued about (D10, D18, D24 of the baseline) are left out.
CBT = {f"D{number:02d}": "12345" for number in range(1, 25)} | {"D13": "2345"}
BASELINE = {
    "D01": "145", "D02": "14", "D03": "145", "D04": "145", "D05": "145", "D06": "14",
    "D07": "145", "D08": "145", "D09": "145", "D11": "145", "D12": "145", "D13": "145",
    "D14": "145", "D15": "145", "D16": "145", "D17": "145", "D19": "145", "D20": "145",
    "D21": "145", "D22": "145", "D23": "145",
}


def answers(language: str, system: str) -> dict[str, str]:
    rows = map(json.loads, demo_file(language).read_text("utf-8").splitlines())
    return {row["id"]: row["answers"][system] for row in rows}


def agreement(judged: dict[str, str], texts: dict[str, str], language: str) -> float:
    """Return the share of (answer, step) on which rule and reader agree."""
    pairs = [
        ((str(step) in steps), step in steps_of(texts[key], language))
        for key, steps in judged.items() for step in range(1, 6)
    ]
    return float(np.mean([one == other for one, other in pairs]))


def test_rules_and_reader_agree_on_the_chinese_demonstration() -> None:
    assert agreement(CBT, answers("zh", "cbt"), "zh") >= 0.97
    assert agreement(BASELINE, answers("zh", "baseline"), "zh") >= 0.95


def test_no_baseline_answer_is_said_to_name_a_thought_or_to_ask() -> None:
    found = [set(steps_of(text)) for text in answers("zh", "baseline").values()]
    assert not any(steps & {2, 3} for steps in found)


def test_rules_find_most_steps_of_the_english_demonstration() -> None:
    judged = {f"D{number:02d}": "12345" for number in range(1, 25)}
    judged |= {"D13": "2345", "D22": "2345"}
    assert agreement(judged, answers("en", "cbt"), "en") >= 0.95
    found = [set(steps_of(text, "en")) for text in answers("en", "baseline").values()]
    assert sum(2 in steps for steps in found) <= 1


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", ()),
        ("好的。", ()),
        ("哈哈，今天天气不错，中午吃什么。", ()),
        ("听得出来，您这段时间很不容易。", (1,)),
        ("您心里似乎有一个念头：“我一定会失败。”", (2,)),
        ("有没有哪一次，结果并不像您担心的那样？", (3,)),
        ("您好。建议每天写下三件小事，坚持两周看看变化。", (4,)),
    ],
)
def test_a_sentence_shows_the_step_it_takes(text: str, steps: Sequence[int]) -> None:
    assert steps_of(text) == tuple(steps)


def test_headings_and_numbers_are_neither_needed_nor_enough() -> None:
    headed = "1. 验证和共情：\n2. 识别：\n3. 挑战：\n4. 策略：\n5. 鼓励："
    assert len(steps_of(headed)) <= 1
    assert "\n" not in answers("zh", "cbt")["D01"]


def test_a_question_that_is_only_quoted_is_no_challenge() -> None:
    assert 3 not in steps_of("您可以对他说：“这个急不急，明天可以吗？”然后看看反应。")


def test_a_mark_points_at_the_words_that_speak_for_a_step() -> None:
    text = answers("zh", "cbt")["D01"]
    found = {mark.step: text[mark.start : mark.end] for mark in marks(text)}
    assert set(found) == {1, 2, 3, 4, 5}
    assert found[3].endswith("？")


def test_distinct_n_by_hand() -> None:
    assert distinct(["a", "b", "a", "b"], 1) == 0.5
    assert distinct(["a", "b", "a", "b"], 2) == pytest.approx(2 / 3)  # ab ba ab
    assert distinct([], 1) == 0.0
    assert distinct(["a"], 2) == 0.0


def test_forms_are_counted() -> None:
    text = "## 建议\n1. 先休息。\n- 再散步！😊\n**记住**：您很棒？"
    found = figures(text)
    assert (found.headings, found.list_items, found.bold, found.emoji) == (1, 2, 1, 1)
    assert (found.questions, found.paragraphs) == (1, 4)


def test_rare_characters_are_those_outside_level_one_of_gb_2312() -> None:
    assert len(frequent_characters()) == 3755  # GB 2312-1980
    assert figures("你好").rare_characters == 0.0
    assert figures("饕餮你好").rare_characters == 0.5
    assert figures("hello", "en").rare_characters is None


def test_scores_come_one_per_answer() -> None:
    texts = list(answers("zh", "cbt").values())
    scores = structure_scores(texts)
    assert {len(values) for values in scores.values()} == {24}
    assert scores["steps"][0] == sum(scores[f"step_{step}"][0] for step in range(1, 6))
    assert scores["length"][0] == structure(texts[0]).figures.length
    assert np.isnan(structure_scores(["Hello there."], "en")["rare_characters"][0])


def test_a_summary_says_that_it_is_automatic_and_has_intervals() -> None:
    found = summary(list(answers("zh", "baseline").values()), bootstrap=200, seed=3)
    assert str(found["method"]).startswith("automatic")
    scores = found["scores"]
    assert isinstance(scores, dict)
    assert scores["step_5"]["low"] < scores["step_5"]["value"] < scores["step_5"]["high"]
    assert scores["distinct_1_corpus"]["low"] is None
    assert found == summary(list(answers("zh", "baseline").values()), bootstrap=200, seed=3)


def test_a_summary_of_nothing_has_reasons() -> None:
    scores = summary([], bootstrap=10)["scores"]
    assert isinstance(scores, dict)
    assert all(value["value"] is None and value["reason"] for value in scores.values())


def test_a_summary_without_replicates_has_no_intervals() -> None:
    scores = summary(["听得出来您很难过。"], bootstrap=0)["scores"]
    assert isinstance(scores, dict)
    assert scores["length"] == {"value": 9.0, "low": None, "high": None, "reason": None}


def test_changed_rules_have_a_new_version_in_the_signature() -> None:
    """Stored scores are known by the signature: whoever changes a cue raises `rules.v`."""
    digests = {
        name: sha256((FOLDER / f"structure.{name}.toml").read_bytes()).hexdigest()[:16]
        for name in ("zh", "en")
    }
    assert "rules.v1" in SIGNATURE
    assert digests == {"zh": "5429ffa610456c61", "en": "0949fb70d0852fb3"}
