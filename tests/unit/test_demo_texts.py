"""The demonstration study: its texts are alike in all but CBT structure, and safe to show."""

import re
from collections import Counter
from functools import cache
from statistics import fmean

import pytest

from cbt_core.demo.simulated import (
    BASELINE,
    CBT,
    RATING_SEED,
    SCALES,
    MarkedQuote,
    demo_distortions,
    demo_file,
    demo_protocol,
    simulated_raters,
    simulated_scores,
)
from cbt_core.domain.study import ImportedItem, Risk
from cbt_core.files.protocol import load_protocol
from cbt_core.files.screen_words import screen
from cbt_core.files.study import read_study
from cbt_core.instruments.shipped import defaults, load_scheme
from cbt_core.stats.agreement.figures import core_agreement
from cbt_core.stats.ratings import Columns, gather

LANGUAGES = ("zh", "en")
MODELS = re.compile(
    r"gpt|llama|qwen|baichuan|chatglm|claude|gemini|deepseek|百川|通义|文心|\bAI\b|人工智能|语言模型"
    r"|language model|作为一名咨询师|认知行为|\bCBT\b",
    re.IGNORECASE,
)
HALF_WIDTH = re.compile(r"[一-鿿”][,.?!:;()\"']|[,.?!:;()\"'][一-鿿“]")


@cache
def items(language: str) -> tuple[ImportedItem, ...]:
    return tuple(read_study(study_file=demo_file(language), strict=True).items)


def texts(item: ImportedItem) -> list[str]:
    return [item.question, item.description, *(one.text for one in item.answers.values())]


def ratio(item: ImportedItem) -> float:
    lengths = [len(one.text) for one in item.answers.values()]
    return max(lengths) / min(lengths)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_24_items_each_with_an_answer_by_both_systems(language: str) -> None:
    found = items(language)
    assert [item.key for item in found] == [f"D{number:02}" for number in range(1, 25)]
    assert all(tuple(item.answers) == (BASELINE, CBT) for item in found)


def test_both_languages_mark_the_same_four_items_for_risk() -> None:
    marked = [{item.key: item.risk for item in items(language)} for language in LANGUAGES]
    assert marked[0] == marked[1]
    assert Counter(marked[0].values()) == {Risk.NONE: 20, Risk.POSSIBLE: 2, Risk.HIGH: 2}


def test_the_chinese_texts_keep_their_lengths() -> None:
    for item in items("zh"):
        assert 15 <= len(item.question) <= 30, item.key
        assert 100 <= len(item.description) <= 220, item.key
        assert all(330 <= len(one.text) <= 430 for one in item.answers.values()), item.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_length_does_not_tell_the_systems_apart(language: str) -> None:
    found = items(language)
    assert all(ratio(item) <= 1.1 for item in found)
    means = [fmean(len(item.answers[name].text) for item in found) for name in (BASELINE, CBT)]
    assert max(means) / min(means) < 1.05


@pytest.mark.parametrize("language", LANGUAGES)
def test_format_does_not_tell_the_systems_apart(language: str) -> None:
    for item in items(language):
        for answer in item.answers.values():
            assert not re.search(r"\n|^\s*[-*#•]|[一二三四五]、|[(（]\d[)）]", answer.text), (
                item.key
            )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_answer_opens_or_ends_like_another(language: str) -> None:
    answers = [one.text for item in items(language) for one in item.answers.values()]
    stem = 4 if language == "zh" else 12
    assert max(Counter(text[:stem] for text in answers).values()) <= 2
    assert len({text[-2 * stem :] for text in answers}) == len(answers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_names_a_model_or_the_method(language: str) -> None:
    assert not [item.key for item in items(language) if MODELS.search("\n".join(texts(item)))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_holds_a_phone_number(language: str) -> None:
    everything = [text for item in items(language) for text in texts(item)]
    everything.append(demo_protocol().read_text(encoding="utf-8"))
    assert not [text for text in everything if re.search(r"\d[\d\s-]{3,}\d", text)]


def test_chinese_is_punctuated_in_full_width() -> None:
    for item in items("zh"):
        assert not any(HALF_WIDTH.search(text) for text in texts(item)), item.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_import_finds_nothing_to_warn_of(language: str) -> None:
    assert screen(read_study(study_file=demo_file(language))).warnings == ()


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "急救|危机"), ("en", "emergency|crisis service")]
)
def test_every_answer_to_a_risk_item_names_people_and_services(language: str, words: str) -> None:
    people = "妻子|亲友|女儿|老公|信得过" if language == "zh" else "wife|daughter|husband|trust"
    for item in (item for item in items(language) if item.risk is not Risk.NONE):
        for answer in item.answers.values():
            assert re.search(words, answer.text), item.key
            assert re.search(people, answer.text), item.key


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_quoted_distortion_stands_once_in_its_description(language: str) -> None:
    descriptions = {item.key: item.description for item in items(language)}
    assert [one.item for one in demo_distortions()] == list(descriptions)
    for one in demo_distortions():
        for mark in (*one.reference, *one.machine):
            assert descriptions[one.item].count(mark.quote(language)) == 1, mark.quote.en


def test_distortions_bear_labels_of_the_scheme_and_use_them_all() -> None:
    known = {label.id for label in load_scheme("burns-12").labels}
    marked = [mark for one in demo_distortions() for mark in (*one.reference, *one.machine)]
    assert {mark.label for mark in marked} <= known
    assert {mark.label for one in demo_distortions() for mark in one.reference} == known


def test_nearly_half_of_the_machine_labels_are_wrong() -> None:
    def labels(marks: tuple[MarkedQuote, ...]) -> set[str]:
        return {mark.label for mark in marks}

    right = sum(len(labels(one.reference) & labels(one.machine)) for one in demo_distortions())
    proposed = sum(len(labels(one.machine)) for one in demo_distortions())
    assert 0.5 <= right / proposed <= 0.6


def test_the_protocol_is_an_exempt_study_of_pairs() -> None:
    protocol = load_protocol(demo_protocol()).protocol
    assert protocol.ethics.recorded
    assert (protocol.design.panel.value, protocol.design.overlap, protocol.design.seed) == (
        "pairs", 3, 7,
    )  # fmt: skip
    assert protocol.steps == "none"
    assert protocol.raters.practice
    assert protocol.support_text is not None


def test_the_same_seed_simulates_the_same_scores_in_any_order() -> None:
    forward = simulated_scores(items("zh"), RATING_SEED)
    backward = simulated_scores(tuple(reversed(items("en"))), RATING_SEED)
    assert {(one.item, one.rater): one for one in forward} == {
        (one.item, one.rater): one for one in backward
    }
    assert forward != simulated_scores(items("zh"), RATING_SEED + 1)


def test_simulated_structure_differs_clearly_and_relevance_hardly() -> None:
    found = simulated_scores(items("zh"))
    gap = {
        scale: fmean(one.scores[CBT][scale] - one.scores[BASELINE][scale] for one in found)
        for scale in SCALES
    }
    assert gap["structure"] > 0.7
    assert 0.1 < gap["helpfulness"] < 0.5
    assert abs(gap["relevance"]) < 0.15


def test_simulated_raters_agree_moderately_and_differ_in_severity() -> None:
    found = simulated_scores(items("zh"))
    rows = [(one.item, name, one.rater, one.scores[name]) for one in found for name in one.scores]
    columns = Columns(
        item=[row[0] for row in rows],
        system=[row[1] for row in rows],
        rater=[row[2] for row in rows],
        values={scale: [row[3][scale] for row in rows] for scale in SCALES},
    )
    values = {scale: [0, 1, 2] for scale in SCALES}
    figures = core_agreement(gather(columns), values=values, bootstrap=0).json()["scales"]
    assert all(0.4 <= figures[scale]["ALL"]["alpha_ordinal"]["value"] <= 0.7 for scale in SCALES)
    means = [fmean(row[3]["structure"] for row in rows if row[2] == code)
             for code in simulated_raters()]  # fmt: skip
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_simulated_flags_quote_their_answer_and_bear_known_kinds(language: str) -> None:
    found = items(language)
    answers = {(item.key, name): one.text for item in found for name, one in item.answers.items()}
    flags = [(one.item, flag) for one in simulated_scores(found) for flag in one.flags]
    assert len(flags) == 2
    for item, flag in flags:
        assert answers[item, flag.system].count(flag.quote(language)) == 1
        assert flag.kind in {kind.id for kind in defaults().flag_kinds}
        assert flag.severity in {one.id for one in defaults().severities}


def test_each_simulated_rater_left_one_comment() -> None:
    found = simulated_scores(items("zh"))
    assert sorted(one.rater for one in found if one.comment) == sorted(simulated_raters())
