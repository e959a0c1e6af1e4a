"""What cleaning washes out, what it leaves out, and that it says why."""

from collections import Counter

import pytest

from cbt_core.domain.study import ImportedItem
from cbt_core.generation.dataset.clean_texts import Rules, clean, washed

LONG = "最近总觉得自己做什么都不对，晚上也睡不好，想听听大家的建议。"


def item(key: str, question: str, description: str = "") -> ImportedItem:
    return ImportedItem(key, question, description)


@pytest.mark.parametrize(
    ("raw", "clear"),
    [
        ("<p>我很难过&nbsp;</p>真的<br/>不知道怎么办", "我很难过\n真的\n不知道怎么办"),
        ("我\u200b很\ufeff难过\u0085", "我很难过"),
        ("我很难过。加微信 abc12345 免费领取资料。怎么办？", "我很难过。怎么办？"),
        ("打13800138000找我。我睡不着。", "我睡不着。"),
        ("我很难过[图片]", "我很难过"),
        ('<a href="x" target=_blank>我</a><!-- 广告 -->很难过', "我很难过"),
        ("三岁 < 五岁，a<b 且 b>c", "三岁 < 五岁，a<b 且 b>c"),
        ("我去医院  \n\n\n 看过\t医生", "我去医院\n看过 医生"),
    ],
)
def test_washing(raw: str, clear: str) -> None:
    assert washed(raw) == clear


def test_washing_twice_changes_nothing_more() -> None:
    once = washed("<div>加QQ 123456789 咨询！</div>\n我&amp;他&lt;吵架&gt;了\u200d。")
    assert washed(once) == once


def test_every_item_left_out_has_its_reason() -> None:
    cleaned = clean([
        item("a", "怎么走出来？", LONG), item("b", "怎么办"), item("c", "<p></p>", LONG),
        item("d", "Why does my boss shout at me every single day?"),
        item("e", "怎么走出来?", LONG), item("f", "怎么走出来？", LONG.replace("也", "都")),
        item("g", "很长", "长" * 6000),
    ])
    assert [one.key for one in cleaned.kept] == ["a"]
    assert {one.key: (one.reason, one.of) for one in cleaned.dropped} == {
        "b": ("too_short", ""), "c": ("nothing_left", ""), "d": ("other_language", ""),
        "e": ("exact_duplicate", "a"), "f": ("near_duplicate", "a"), "g": ("too_long", ""),
    }
    assert cleaned.reasons()["too_short"] == 1


def test_an_english_dataset_keeps_english_and_drops_chinese() -> None:
    cleaned = clean([item("a", "Why am I never good enough for anyone?"), item("b", LONG)],
                    Rules(language="en"))
    assert [one.key for one in cleaned.kept] == ["a"]


def test_a_chain_of_likenesses_loses_no_more_than_what_repeats_something_kept() -> None:
    letters = "".join(chr(0x4E00 + 5 * place) for place in range(232))
    first, second, third = letters[:200], letters[16:216], letters[32:232]  # .85 alike, or .72
    cleaned = clean([item("a", first), item("b", second), item("c", third)])
    assert [one.key for one in cleaned.kept] == ["a", "c"]


def test_what_was_washed_is_counted() -> None:
    changes: Counter[str] = Counter()
    washed("<b>好</b>", changes)
    washed("好", changes)
    assert changes == {"html": 1}
