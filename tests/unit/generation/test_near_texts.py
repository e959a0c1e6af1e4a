"""Texts that are nearly the same are found, others are not; a thousand at a time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbt_core.generation.dataset.near_texts import (
    groups,
    near_matches,
    near_pairs,
    plain,
    question_matches,
)

COMMON = [chr(0x4E00 + 7 * place) for place in range(600)]


def texts(count: int, length: int = 80, seed: int = 1) -> list[str]:
    dice = random.Random(seed)
    return ["".join(dice.choices(COMMON, k=length)) for _ in range(count)]


def jaccard(one: str, other: str) -> float:
    """Return the definition, by sets of runs of three characters."""
    a, b = ({text[at : at + 3] for at in range(len(text) - 2)} for text in map(plain, (one, other)))
    return len(a & b) / len(a | b)


def test_a_text_with_one_character_changed_is_found_among_a_thousand() -> None:
    many = texts(1000)
    changed = many[17][:40] + "嗯" + many[17][41:]
    (pair,) = near_pairs([*many, changed])
    assert (pair.first, pair.second) == (17, 1000)
    assert pair.similarity == pytest.approx(jaccard(many[17], changed))


def test_spacing_width_case_and_punctuation_make_no_difference() -> None:
    (pair,) = near_pairs(["我真的很难过，ABC怎么办？", " 我 真的很难过,ａｂｃ怎么办? "])
    assert pair.similarity == 1.0


def test_texts_without_letters_are_like_no_other() -> None:
    assert near_pairs(["……", "？？", "", "。"]) == []


def test_short_texts_are_compared_too() -> None:
    (pair,) = near_pairs(["好", "好。", "不", "累"])
    assert (pair.first, pair.second) == (0, 1)


def test_many_copies_of_one_text_are_all_paired_with_the_first() -> None:
    found = near_pairs(["我最近总是睡不好觉"] * 300)
    assert len(found) == 299
    assert {pair.first for pair in found} == {0}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_what_is_found_is_what_the_definition_says(seed: int, changes: int) -> None:
    dice = random.Random(seed)
    one = texts(1, length=120, seed=seed)[0]
    letters = list(one)
    for place in dice.sample(range(len(letters)), changes):
        letters[place] = "嗯"
    other = "".join(letters)
    found = near_pairs([one, other])
    similarity = jaccard(one, other)
    if similarity >= 0.85:  # so near that a miss has a chance below one in 10,000
        assert [pair.similarity for pair in found] == [pytest.approx(similarity)]
    if similarity < 0.8:
        assert found == []


def test_groups_are_connected_by_chains() -> None:
    many = texts(3, length=200)
    second = many[0][:190] + many[1][:10]
    third = many[0][10:190] + many[1][:20]
    found = groups(5, near_pairs([many[0], many[1], second, many[2], third]))
    assert found == [[0, 2, 4], [1], [3]]


def test_matches_name_the_text_and_the_most_similar_other() -> None:
    studied = texts(50, seed=2)
    near = studied[7][:-1] + "嗯"
    asked = [*texts(500, seed=3), near, studied[9]]
    found = near_matches(asked, [near[:-4] + "啊啊啊啊", *studied])
    assert [(one.text, one.against) for one in found] == [(500, 8), (501, 10)]
    assert found[1].similarity == 1.0


def test_nothing_matches_where_there_is_nothing() -> None:
    assert near_matches([], ["一段文字"]) == []
    assert near_matches(["一段文字"], []) == []
    assert near_matches(["。"], ["！"]) == []


def test_a_question_shown_without_its_description_is_still_the_same_question() -> None:
    asked = [("和室友相处不好，我该怎么办才好呢", "很长的一段描述" * 20), ("怎么办", "另一段" * 30)]
    found = question_matches(asked, [("和室友相处不好，我该怎么办才好呢？", ""), ("怎么办", "")])
    assert [(one.text, one.against) for one in found] == [(0, 0)]
