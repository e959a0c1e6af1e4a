"""What comes with Concord loads, is complete in both languages, and says what it should."""

import tomllib
from pathlib import Path

import pytest

from cbt_core.domain.instrument import Text
from cbt_core.domain.study import SLOTS
from cbt_core.instruments import (
    defaults,
    load_crosswalk,
    load_instrument,
    load_scheme,
    shipped_instruments,
    shipped_schemes,
)
from cbt_core.instruments.shipped import FOLDER

SIGNATURES = [
    "cbt-3@1#b34a4b1f",
    "overall-5@1#c635dca3",
    "burns-12@1#f103eb1e",
    "cbt-bench-10@1#8c12489d",
    "c2d2-7@1#3fe4e943",
    "cbt-llm-5@1#dfaa4983",
]
"""Wording is measurement: who changes a word raises the version, and then this list."""

OTHERS = {"crosswalk", "defaults", "practice-cbt-3"}


def words_in(found: object) -> list[dict[str, str]]:
    """Return every {zh, en} table in a parsed file."""
    if isinstance(found, dict):
        if set(found) <= {"zh", "en"} and found:
            return [found]
        return [one for value in found.values() for one in words_in(value)]
    return [one for value in found for one in words_in(value)] if isinstance(found, list) else []


def chinese(text: str) -> int:
    """Return the number of Chinese characters."""
    return sum("\u4e00" <= character <= "\u9fff" for character in text)


def test_every_toml_file_of_the_folder_is_known() -> None:
    found = {path.stem for path in FOLDER.glob("*.toml")}
    assert found == {*shipped_instruments(), *shipped_schemes(), *OTHERS}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_both_languages_are_complete_and_are_what_they_claim(path: Path) -> None:
    tables = words_in(tomllib.loads(path.read_text("utf-8")))
    assert tables
    for words in tables:
        assert set(words) == {"zh", "en"}
        assert words["en"].strip()
        assert chinese(words["en"]) == 0
        assert chinese(words["zh"]) > 0 or not any(one.isalpha() for one in words["zh"])


@pytest.mark.parametrize("scheme", ["burns-12", "cbt-bench-10", "c2d2-7", "cbt-llm-5"])
def test_the_number_in_a_scheme_s_name_is_its_number_of_labels(scheme: str) -> None:
    labels = load_scheme(scheme).labels
    assert len(labels) == int(scheme.rpartition("-")[2])
    assert all(len(label.examples) == 2 and label.near_miss.zh for label in labels)


def test_burns_12_has_the_names_of_socialcd() -> None:
    # Column names of SocialCD-3K (HongzhiQ/SupervisedVsLLM-EfficacyEval).
    names = (
        "非此即彼 以偏概全 心理过滤 否定正面思考 读心术 先知错误 "
        "放大 情绪化推理 应该式 乱贴标签 罪责归己 罪责归他"
    )
    assert [label.name.zh for label in load_scheme("burns-12").labels] == names.split()


def test_only_the_second_hand_scheme_is_marked_so() -> None:
    marked = [scheme for scheme in shipped_schemes() if load_scheme(scheme).second_hand]
    assert marked == ["cbt-llm-5"]
    assert "二手" in load_scheme("cbt-llm-5").name.zh


def test_cbt_3_has_three_scales_from_0_to_2_with_labels_that_fit_a_button() -> None:
    scales = load_instrument("cbt-3").scales
    assert [scale.id for scale in scales] == ["relevance", "structure", "helpfulness"]
    for scale in scales:
        assert [choice.value for choice in scale.values] == [0, 1, 2]
        assert scale.cannot_rate
        assert all(len(choice.label.zh) <= 6 for choice in scale.values)
        assert all(len(choice.anchor.zh) > len(choice.label.zh) for choice in scale.values)


def test_cbt_3_has_a_worked_example_for_every_value_of_every_scale() -> None:
    instrument = load_instrument("cbt-3")
    shown = [(example.scale, example.value) for example in instrument.examples]
    assert shown == [
        (scale.id, choice.value) for scale in instrument.scales for choice in scale.values
    ]


def test_the_structure_scale_asks_for_no_headings() -> None:
    structure = load_instrument("cbt-3").scale("structure")
    assert "不要求标题或编号" in structure.question.zh
    assert "自然成段即可" in structure.values[2].anchor.zh


def test_the_checklist_has_the_five_steps_of_the_paper() -> None:
    steps = load_instrument("cbt-3").steps
    assert [step.id for step in steps] == ["1", "2", "3", "4", "5"]
    assert [step.name.zh for step in steps[:2]] == ["认可与共情", "核心信念"]


def test_overall_5_has_one_ordinal_scale_and_one_nominal_question() -> None:
    overall, comfortable = load_instrument("overall-5").scales
    assert [choice.value for choice in overall.values] == [1, 2, 3, 4, 5]
    assert (overall.measure, comfortable.measure) == ("ordinal", "nominal")
    assert len(comfortable.values) == 3


def test_a_label_is_found_by_any_of_its_names() -> None:
    scheme = load_scheme("cbt-bench-10")
    for written in ("mind-reading", "Mind Reading", "mind_reading", "读心术"):
        found = scheme.find(written)
        assert found is not None
        assert found.id == "mind-reading"
    assert scheme.find("blaming others") is None


@pytest.mark.parametrize("scheme", shipped_schemes())
def test_no_two_labels_of_a_scheme_answer_to_the_same_name(scheme: str) -> None:
    found = load_scheme(scheme)
    for label in found.labels:
        for written in (label.id, label.name.zh, label.name.en, *label.aliases):
            assert found.find(written) == label


@pytest.mark.parametrize("scheme", shipped_schemes())
def test_every_label_stands_in_the_crosswalk(scheme: str) -> None:
    crosswalk = load_crosswalk()
    for label in load_scheme(scheme).labels:
        own = crosswalk.matches(label.id, source=scheme, target=scheme)
        assert own[0].label == label.id


def test_the_crosswalk_tells_the_same_from_the_partly_alike() -> None:
    crosswalk = load_crosswalk()
    found = crosswalk.matches("catastrophizing", source="cbt-llm-5", target="burns-12")
    assert [(match.label, match.exact) for match in found] == [
        ("magnification", True),
        ("fortune-telling", False),
    ]
    assert crosswalk.matches("blaming-others", source="burns-12", target="c2d2-7") == ()


def test_default_lists_have_the_ids_that_exports_use() -> None:
    found = defaults()
    assert [choice.id for choice in found.severities] == ["minor", "moderate", "serious"]
    assert [choice.id for choice in found.flag_kinds] == [
        "unsafe_advice", "medical_advice", "invented_fact", "validates_distortion", "overwhelming",
        "other",
    ]  # fmt: skip
    assert {"too_distressing", "not_competent", "unreadable"} <= {
        choice.id for choice in found.skip_reasons
    }


@pytest.mark.parametrize(
    "said", ["存档", "无法联系作者", "停止或退出", "质量核对题", "重复出现", "代号"]
)
def test_the_consent_says_what_a_board_will_look_for(said: str) -> None:
    assert said in defaults().consent.zh


def test_the_ai_notice_is_the_agreed_one() -> None:
    assert defaults().ai_notice.zh == "以下回答可能由模型或人撰写，仅供研究评定"


def test_no_default_profile_question_has_a_choice_to_decline() -> None:
    # The screen offers "decline" beside every question; a choice of that name would double it.
    assert all(
        "decline" not in choice for field in defaults().profile for choice, _ in field.choices
    )
    assert [field.id for field in defaults().profile] == [
        "profession", "licence", "orientation", "cbt_training", "years",
    ]  # fmt: skip


def test_words_are_said_in_the_language_asked_for() -> None:
    assert Text("切题程度", "Relevance")("zh") == "切题程度"
    assert Text("切题程度", "Relevance")("en") == "Relevance"
    assert SLOTS[0] == "A"


def test_no_word_was_changed_without_raising_the_version() -> None:
    instruments = [load_instrument(name).signature for name in shipped_instruments()]
    assert [
        *instruments,
        *(load_scheme(name).signature for name in shipped_schemes()),
    ] == SIGNATURES
