"""Prompts: the paper's five steps, the published template, and what their hash covers."""

from dataclasses import replace
from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import REPLY, STEPS
from cbt_core.generation.tasks.prompts import load_prompt, shipped_prompts
from cbt_core.instruments import load_scheme, shipped_schemes

SCHEME = load_scheme("burns-12")
PAPER_STEPS = ("验证和共情", "识别关键思维或信念", "提出挑战或反思", "提供策略或见解", "鼓励与前瞻")
"""Names of the five steps as two repositories quote the paper's prompt (arXiv 2403.16008)."""


def test_the_chinese_prompt_names_the_five_steps_of_the_paper_in_order() -> None:
    system = load_prompt("cbt", "zh").messages("问", "述", SCHEME)[0].content
    places = [system.index(name) for name in PAPER_STEPS]
    assert places == sorted(places)
    assert "专业的、富有同情心和具有助益性" in system
    assert "第2部分最重要" in system
    assert "不写小标题" in system


@pytest.mark.parametrize("scheme", shipped_schemes())
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_distortion_list_is_that_of_the_chosen_scheme(scheme: str, language: str) -> None:
    chosen = load_scheme(scheme)
    system = load_prompt("cbt", language).messages("q", "d", chosen)[0].content
    for label in chosen.labels:
        assert label.name(language) in system
        assert label.definition(language) in system
    assert "{distortions}" not in system


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_form_that_is_asked_for_is_the_form_that_is_required(language: str) -> None:
    prompt = load_prompt("cbt", language)
    system = prompt.messages("q", "", SCHEME)[0].content
    assert prompt.schema == REPLY
    for key in ("answer", "distortions", "evidence", "name", "risk", *STEPS):
        assert f'"{key}"' in system
    assert "JSON" in system  # some hosts refuse json_object without the word


def test_the_published_template_is_kept_to_the_character() -> None:
    # Model card of Hongbin37/CBT-LLM: system line, then "Human: {}\nAssistant: ".
    messages = load_prompt("cbt-llm").messages("我睡不着", "已经三天了")
    assert "".join(one.content for one in messages) == (
        "你是一名经验丰富的心理咨询师，专长于认知行为疗法, 以心理咨询师的身份回答以下问题。\n"
        "Human: 我睡不着已经三天了\nAssistant: "
    )


def test_the_plain_prompt_knows_nothing_of_cbt() -> None:
    for language in ("zh", "en"):
        text = "".join(one.content for one in load_prompt("plain", language).messages("q", "d"))
        assert "CBT" not in text
        assert "认知" not in text
        assert "cognitive" not in text


def test_plain_and_cbt_answers_get_the_same_rules_of_form() -> None:
    for language, rule in (("zh", "300至500字"), ("en", "200 to 350 words")):
        for name in ("plain", "cbt"):
            assert rule in load_prompt(name, language).system


def test_braces_in_a_question_are_text() -> None:
    asked = load_prompt("cbt", "zh").messages("{description} {distortions}", "述", SCHEME)[-1]
    assert asked.content == "问题：{description} {distortions}\n描述：述"


def test_a_missing_description_is_said() -> None:
    assert "（没有描述）" in load_prompt("cbt", "zh").messages("问", " ", SCHEME)[-1].content


def test_the_hash_covers_all_that_is_sent_but_the_question() -> None:
    prompt = load_prompt("cbt", "zh")
    hashes = {
        prompt.hash(SCHEME), prompt.hash(load_scheme("cbt-llm-5")),
        load_prompt("cbt", "en").hash(SCHEME), replace(prompt, version=2).hash(SCHEME),
        replace(prompt, system=prompt.system + "。").hash(SCHEME),
        replace(prompt, nothing="").hash(SCHEME),
        prompt.hash(replace(SCHEME, digest="0" * 64)),
    }
    assert len(hashes) == 7
    assert load_prompt("plain").hash() == load_prompt("plain").hash(SCHEME)


def test_a_prompt_with_a_list_needs_a_scheme() -> None:
    with pytest.raises(StudyError) as refused:
        load_prompt("cbt").messages("q")
    assert refused.value.code == "generation.no_scheme"


def test_an_own_prompt_may_be_plain_text_or_toml(tmp_path: Path) -> None:
    text, toml = tmp_path / "mine.txt", tmp_path / "mine.toml"
    text.write_text("请回答：{question}", "utf-8")
    toml.write_text('id = "own"\nversion = 3\nreply = "json"\nuser = "Q: {question}"\n', "utf-8")
    assert load_prompt(text).messages("为什么？")[0].content == "请回答：为什么？"
    own = load_prompt(toml)
    assert (own.id, own.version, own.reply) == ("own", 3, "json")


@pytest.mark.parametrize(("name", "content", "code"), [
    ("a.txt", "no place", "generation.prompt_question"),
    ("a.toml", 'user = "{question}"\nreply = "xml"', "generation.prompt_reply"),
    ("a.toml", 'user = "{question}"\nsistem = "x"', "instruments.unknown_key_near"),
    ("missing.txt", None, "generation.no_prompt"),
])
def test_a_file_that_is_no_prompt_is_refused(
    tmp_path: Path, name: str, content: str | None, code: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(StudyError) as refused:
        load_prompt(file)
    assert refused.value.code == code
    assert str(refused.value)


def test_every_shipped_prompt_loads() -> None:
    assert [load_prompt(name).id for name in shipped_prompts()] == list(shipped_prompts())
