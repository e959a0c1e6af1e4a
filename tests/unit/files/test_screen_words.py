"""Screening: risk by phrases, what gives a system away, what names a person; always linear."""

import time

import pytest

from cbt_core.domain.study import ImportedAnswer, ImportedItem, ImportedStudy, Risk
from cbt_core.files.screen_words import private_kinds, risk_of, screen, words


def study(question: str = "怎么办？", risk: Risk | None = None, **answers: str) -> ImportedStudy:
    """Return a study of one item."""
    given = {system: ImportedAnswer(text) for system, text in answers.items()}
    item = ImportedItem(key="n1", question=question, risk=risk, answers=given, row=7)
    return ImportedStudy((item,), tuple(answers))


def kinds(found: ImportedStudy) -> set[str]:
    """Return the kinds of warnings of a study."""
    return {problem.code for problem in screen(found).warnings}


@pytest.mark.parametrize(
    "text",
    [
        "我最近总想自杀",
        "有時候真的不想活了",
        "她又开始自残，用刀划手臂",
        "我真想杀了他",
        "小时候被邻居性侵",
        "I keep thinking about how to kill myself.",
        "Suicide is on my mind",
        "My father hits me, it is domestic violence",
    ],
)
def test_plain_words_of_harm_are_high_risk(text: str) -> None:
    assert risk_of(text) is Risk.HIGH


@pytest.mark.parametrize(
    "text",
    [
        "活着好累",
        "感到绝望",
        "爸爸经常打我",
        "班里的同学霸凌我",
        "I feel hopeless",
        "He hit me twice",
    ],
)
def test_words_that_may_mean_harm_are_possible_risk(text: str) -> None:
    assert risk_of(text) is Risk.POSSIBLE


@pytest.mark.parametrize(
    "text",
    [
        "好久不见想死你了",
        "跳楼价大甩卖",
        "工作太多，晚上睡不好",
        "a murder mystery",
        "grapefruit",
        "",
    ],
)
def test_words_said_without_meaning_harm_are_no_risk(text: str) -> None:
    assert risk_of(text) is Risk.NONE


def test_a_risk_that_was_given_is_kept_and_not_marked_as_detected() -> None:
    found = screen(study("我想自杀", risk=Risk.NONE))
    assert found.risks == {"n1": Risk.NONE}
    assert found.detected == frozenset()


def test_a_detected_risk_is_marked_as_detected() -> None:
    found = screen(study("我想自杀"))
    assert found.risks == {"n1": Risk.HIGH}
    assert found.detected == {"n1"}


@pytest.mark.parametrize("phrase", words("risk", "high"))
def test_every_high_phrase_is_found(phrase: str) -> None:
    assert risk_of(f"，{phrase.upper()}。") is Risk.HIGH


@pytest.mark.parametrize("phrase", words("leak", "models") + words("leak", "phrases"))
def test_every_phrase_that_gives_a_model_away_is_found(phrase: str) -> None:
    assert kinds(study(red=f"您好，{phrase.lower()}。")) == {"leak_phrase"}


def test_a_system_of_the_study_is_found_in_an_answer_whatever_its_case() -> None:
    found = study(**{"zebra-lora": "我是 ZEBRA-LoRA，", "base": "a base for trust"})
    assert kinds(found) == {"leak_system"}


def test_a_proverb_is_no_model() -> None:
    assert kinds(study(red="海纳百川，有容乃大")) == set()


def test_a_warning_stands_at_the_answer_it_is_about() -> None:
    (problem,) = screen(study(red="作为AI，我认为", blue="慢慢来")).warnings
    assert (problem.row, problem.field) == (7, "answer:red")


def test_answers_of_very_different_length_are_told() -> None:
    assert kinds(study(red="短" * 10, blue="长" * 20_000)) == {"lengths_unequal"}
    assert kinds(study(red="短" * 300, blue="长" * 900)) == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("电话13812345678", "phone"),
        ("13812345678 2026", "phone"),
        ("+86 138 1234 5678", "phone"),
        ("010-12345678", "phone"),
        ("call 415-555-2671", "phone"),
        ("wang.li@mail.example.cn", "mail"),
        ("微信号是abc_12345", "chat"),
        ("WeChat: lily2026", "chat"),
        ("QQ：12345678", "chat"),
        ("11010519491231002X", "card"),
    ],
)
def test_what_names_a_person_is_found(text: str, kind: str) -> None:
    assert kind in private_kinds(text)


@pytest.mark.parametrize(
    "text",
    ["2026-11-23 10:00", "@所有人 好的", "3.14159265358", "1 2 3", "微信聊天记录很长", "a @ b"],
)
def test_ordinary_numbers_and_words_name_nobody(text: str) -> None:
    assert private_kinds(text) == set()


@pytest.mark.parametrize(
    "unit",
    ["a@", "1 ", "1-", "138", "微信", "wx: ", "Gp", "作为一", "a" * 63 + "é@", "@" + "a." * 40],
)
def test_screening_takes_time_in_proportion_to_the_text(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = (unit * characters)[:characters]
        began = time.process_time()
        for _ in range(3):
            screen(study(text, red=text))
        return time.process_time() - began

    seconds(100)
    assert seconds(400_000) < 12 * seconds(50_000) + 0.5
