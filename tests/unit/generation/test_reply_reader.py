"""Replies as models write them: what is understood, what is refused and why."""

import json

import pytest

from cbt_core.generation.tasks.reply_reader import Evidence, Fault, Parsed, parse_reply
from cbt_core.instruments import load_scheme

SCHEME = load_scheme("burns-12")
WHOLE = {
    "answer": "听起来您很难受。", "steps": {"validation": "听起来您很难受。"},
    "distortions": [{"name": "读心术", "evidence": "他们一定在议论我"}], "risk": "none",
}
TEXT = json.dumps(WHOLE, ensure_ascii=False)
EXPECTED = Parsed(
    "听起来您很难受。", {"validation": "听起来您很难受。"}, ("mind-reading",),
    (Evidence("mind-reading", "他们一定在议论我"),), (), "none",
)


@pytest.mark.parametrize("reply", [
    TEXT,
    "\ufeff" + TEXT,
    f"```json\n{TEXT}\n```",
    f"好的，以下是回答：\n```\n{TEXT}\n```\n希望有帮助。",
    f"<think>先想想 {{\"answer\": 1}}</think>\n{TEXT}",
    TEXT.replace("}]", "},]"),
    TEXT.replace('"none"}', '"none",}'),
    TEXT.replace(":", "：").replace(", ", "，"),
    TEXT.translate(str.maketrans("{}[]", "｛｝［］")),
    json.dumps(WHOLE, ensure_ascii=False, indent=2),
    f"占位符 {{question}} 不算。{TEXT}",
    TEXT.replace('"answer"', "“answer”").replace('"risk"', "“risk”"),
])
def test_one_reply_is_understood_in_every_form(reply: str) -> None:
    assert parse_reply(reply, "json", SCHEME) == EXPECTED


def test_marks_inside_an_answer_stay_as_they_are() -> None:
    answer = "他说“不行”，｛真的｝：, ] } 是吗？"
    reply = "{" + f'"answer": {json.dumps(answer, ensure_ascii=False)}, "distortions": [],' + "}"
    found = parse_reply(reply, "json", SCHEME)
    assert isinstance(found, Parsed)
    assert found.answer == answer


@pytest.mark.parametrize(("reply", "cause", "detail"), [
    ("", "empty", "no text"),
    ("  \n", "empty", "no text"),
    ("<think>想啊想", "empty", "no text"),
    ("我很理解您。", "not_json", "no JSON object"),
    (TEXT[:-9], "not_json", "cut off before its end"),
    (TEXT[:20], "not_json", "cut off before its end"),
    ('{"answer": "a", b}', "not_json", "not readable as JSON"),
    ('{"distortions": []}', "wrong_schema", "answer is missing"),
    ('{"answer": 5, "distortions": []}', "wrong_schema", "answer is no text"),
    ('{"answer": " ", "distortions": []}', "empty", "answer is empty"),
    ('{"answer": "a"}', "wrong_schema", "distortions is missing"),
    ('{"answer": "a", "distortions": 3}', "wrong_schema", "distortions is no list"),
    ('{"answer": "a", "distortions": [3]}', "wrong_schema", "distortions is no list"),
    ("[" * 100_000, "not_json", "no JSON object"),
    ('{"a":' * 30_000, "not_json", "cut off before its end"),
    ("{" + "x" * 300_000, "not_json", "too long"),
])
def test_a_useless_reply_is_a_failure_with_its_reason(
    reply: str, cause: str, detail: str
) -> None:
    assert parse_reply(reply, "json", SCHEME) == Fault(cause, detail)  # type: ignore[arg-type]


@pytest.mark.parametrize(("written", "labels"), [
    (["Mind reading", "mind_reading", "读心术"], ("mind-reading",)),
    ("读心术、以偏概全", ("mind-reading", "overgeneralization")),
    ({"读心术": "原话"}, ("mind-reading",)),
    ([{"label": "magnification"}], ("magnification",)),
    (None, ()),
    (["无"], ()),
    ("none", ()),
    ([], ()),
])
def test_distortions_are_found_by_id_and_by_name_in_both_languages(
    written: object, labels: tuple[str, ...]
) -> None:
    found = parse_reply(json.dumps({"answer": "a", "distortions": written}), "json", SCHEME)
    assert isinstance(found, Parsed)
    assert (found.distortions, found.unknown) == (labels, ())


def test_names_outside_the_scheme_are_kept_not_dropped() -> None:
    reply = json.dumps({"answer": "a", "distortions": ["读心术", "受害者心态", "受害者心态"]})
    found = parse_reply(reply, "json", SCHEME)
    assert isinstance(found, Parsed)
    assert (found.distortions, found.unknown) == (("mind-reading",), ("受害者心态",))


@pytest.mark.parametrize(("risk", "found"), [
    ("high", "high"), ("可能", "possible"), ("无", "none"), ("Low", "possible"), ("?", ""),
    (None, ""), (1, ""),
])
def test_risk_is_one_of_three_words_or_unsaid(risk: object, found: str) -> None:
    parsed = parse_reply(json.dumps({"answer": "a", "distortions": [], "risk": risk}), "json")
    assert isinstance(parsed, Parsed)
    assert parsed.risk == found


def test_plain_text_is_the_answer_when_the_prompt_asks_for_text() -> None:
    assert parse_reply("<think>嗯</think> 我在听。 ", "text") == Parsed("我在听。", {})


def test_steps_may_be_named_numbered_or_in_order() -> None:
    for steps in ({"1": "a", "2": "b"}, ["a", "b"], {"validation": "a", "key_thought": "b"}):
        found = parse_reply(
            json.dumps({"answer": "x", "distortions": [], "steps": steps}), "json")
        assert isinstance(found, Parsed)
        assert found.steps == {"validation": "a", "key_thought": "b"}
