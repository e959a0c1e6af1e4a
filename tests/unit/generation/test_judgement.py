"""A judge's prompt is the raters' instrument; its replies are held to the instrument's values."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbt_core.generation.backend.echo import SchemaEcho
from cbt_core.generation.backend.exchange import Failure, Reply, Request
from cbt_core.generation.run.runner import run
from cbt_core.generation.tasks.judgement import (
    judge_form,
    judged_scales,
    read_steps,
    read_verdicts,
    shots_among,
    steps_form,
)
from cbt_core.generation.tasks.reply_reader import Fault
from cbt_core.instruments import load_instrument

CBT = load_instrument("cbt-3")
WIDE = load_instrument("overall-5")


def told(**values: object) -> str:
    return json.dumps({key: {"reason": "so", "value": value} for key, value in values.items()})


def all_of(value: object, **more: object) -> str:
    return told(**{"relevance": value, "structure": value, "helpfulness": value, **more})


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("instrument", [CBT, WIDE], ids=lambda one: one.id)
def test_the_prompt_holds_the_raters_wording_word_for_word(
    instrument: Any, language: str
) -> None:
    said = judge_form(instrument, language).system
    for scale in judged_scales(instrument):
        assert scale.question(language) in said
        for value in scale.values:
            assert f"{value.value} = {value.label(language)}" in said
            assert value.anchor(language) in said


def test_the_schema_allows_the_scale_s_values_and_no_other() -> None:
    schema: Any = judge_form(CBT, "zh").schema
    assert schema["required"] == ["relevance", "structure", "helpfulness"]
    part = schema["properties"]["structure"]
    assert part["properties"]["value"]["enum"] == [0, 1, 2, None]
    assert list(part["properties"]) == ["reason", "value"]  # the reason comes before the score


def test_another_wording_has_another_hash() -> None:
    scale = replace(CBT.scales[0], cannot_rate=False)
    other = replace(CBT, scales=(scale, *CBT.scales[1:]))
    hashes = {judge_form(CBT, "zh").hash, judge_form(CBT, "en").hash,
              judge_form(other, "zh").hash, judge_form(CBT, "zh", examples=CBT.examples).hash}
    assert len(hashes) == 4


def test_a_whole_reply_gives_a_score_for_every_scale() -> None:
    found = read_verdicts(all_of(2, structure=0), CBT)
    assert not isinstance(found, Fault)
    assert [(one.scale, one.value, one.reason) for one in found] == [
        ("relevance", 2, "so"), ("structure", 0, "so"), ("helpfulness", 2, "so")]


def test_cannot_rate_is_a_missing_score_with_a_reason() -> None:
    found = read_verdicts(all_of(None), CBT)
    assert not isinstance(found, Fault)
    assert {one.value for one in found} == {None}
    strict = replace(CBT, scales=tuple(replace(one, cannot_rate=False) for one in CBT.scales))
    assert isinstance(read_verdicts(all_of(None), strict), Fault)


@pytest.mark.parametrize("value", [3, -1, 1.5, "two", True, [1], "", float("nan"), 10**40])
def test_a_value_that_is_not_the_scale_s_is_refused(value: object) -> None:
    found = read_verdicts(all_of(1, helpfulness=value), CBT)
    assert isinstance(found, Fault)
    assert (found.cause, found.detail) == ("wrong_schema", "helpfulness is out of range")


def test_a_missing_scale_makes_the_reply_of_no_use() -> None:
    found = read_verdicts(told(relevance=1, structure=1), CBT)
    assert isinstance(found, Fault)
    assert found.detail == "helpfulness is missing"


@pytest.mark.parametrize("value", ["1", 1.0, 1])
def test_a_number_may_be_written_as_text(value: object) -> None:
    found = read_verdicts(all_of(value), CBT)
    assert not isinstance(found, Fault)
    assert {one.value for one in found} == {1}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_steps_are_asked_in_the_words_of_the_checklist(language: str) -> None:
    said = steps_form(CBT, language).system
    for step in CBT.steps:
        assert step.definition(language) in said
    for value in CBT.step_values:
        assert value.anchor(language) in said


def test_every_step_is_present_partial_or_absent() -> None:
    reply = {str(step): {"reason": "", "presence": "Partial"} for step in range(1, 6)}
    found = read_steps(json.dumps(reply), CBT)
    assert not isinstance(found, Fault)
    assert [(one.step, one.presence) for one in found] == [
        (str(step), "partial") for step in range(1, 6)]
    reply["4"]["presence"] = "perhaps"
    assert isinstance(read_steps(json.dumps(reply), CBT), Fault)
    del reply["4"]
    assert isinstance(read_steps(json.dumps(reply), CBT), Fault)


def test_examples_made_of_the_texts_to_be_judged_are_found() -> None:
    example = CBT.examples[0]
    assert shots_among(CBT.examples, ["一道不相干的题目，说的是别的事情。", "好"]) == 0
    spaced = example.question.zh.replace("，", "， ")
    assert shots_among([example], [f"标题 {spaced}"]) == 1
    assert shots_among([example], [example.answer.en[5:-5]]) == 1


class Wavering:
    """Gives a wrong value first and a right one when asked again; never a right one to `bad`."""

    name, model, batch_size, concurrency = "wavering", "w", 1, 1

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer wrongly at first."""
        return [
            Reply(one.key, all_of(1 if one.decoding.seed > 1 and one.key != "bad" else 7))
            for one in batch
        ]

    def describe(self) -> dict[str, object]:
        """Say who this is."""
        return {"name": self.name}

    async def close(self) -> None:
        """Nothing is held."""


def test_out_of_range_is_asked_again_and_kept_when_it_stays_so(tmp_path: Path) -> None:
    form, out = judge_form(CBT, "en"), tmp_path / "judged.jsonl"

    def row(request: Request, reply: Reply) -> dict[str, object] | Failure:
        found = read_verdicts(reply.text, CBT)
        if isinstance(found, Fault):
            return Failure(request.key, found.cause, found.detail, reply.text)
        return {"id": request.key}

    outcome = run(
        (Request(key, form.messages("q", "", key), schema=form.schema) for key in ("good", "bad")),
        Wavering(), place=out, to_row=row, config={})
    assert (outcome.rows, dict(outcome.causes)) == (1, {"wrong_schema": 1})
    failed = json.loads((tmp_path / "judged.jsonl.failed.jsonl").read_text("utf-8"))
    assert (failed["id"], json.loads(failed["text"])["relevance"]["value"]) == ("bad", 7)


def test_the_dry_run_fills_every_form_with_usable_values() -> None:
    echo = SchemaEcho()
    for form, read in ((judge_form(CBT, "zh"), read_verdicts), (steps_form(CBT, "en"), read_steps)):
        asked = Request("k", form.messages("q", "", "a"), schema=form.schema)
        made = asyncio.run(echo.reply([asked]))
        assert isinstance(made[0], Reply)
        assert not isinstance(read(made[0].text, CBT), Fault)
