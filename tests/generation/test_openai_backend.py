"""The openai backend against a host on loopback: how it asks, waits, counts and gives up."""

import asyncio
import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend import BACKENDS
from cbt_core.generation.backend.allowance import Budget, Prices, Retrying
from cbt_core.generation.backend.catalogue import Options, make_backend
from cbt_core.generation.backend.exchange import REPLY, Decoding, Failure, Message, Reply, Request
from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend
from cbt_core.generation.run.journal import Outcome
from cbt_core.generation.run.runner import run
from tests.generation.loopback import OK, RATE, Host, answer_to, reply
from tests.generation.test_failing_host import requests, to_row

KEY = {"CONCORD_API_KEY": "sk-secret-of-this-test"}


def endpoint(host: Host, **more: object) -> Endpoint:
    given: dict[str, object] = {
        "base_url": host.url, "allowed": host.listed, "timeout": 30.0, "concurrency": 4,
        "retrying": Retrying(tries=3, first=0.01, longest=2.0), **more,
    }
    return Endpoint(**given)  # type: ignore[arg-type]


def ask(host: Host, asked: Sequence[Request], **more: object) -> list[Reply | Failure]:
    async def all_of_it() -> list[Reply | Failure]:
        backend = OpenAIBackend("m", endpoint(host, **more), KEY)
        try:
            return [(await backend.reply([request]))[0] for request in asked]
        finally:
            await backend.close()

    return asyncio.run(all_of_it())


def one(text: str = "question 1", **decoding: object) -> Request:
    return Request("q1", (Message("user", text),), Decoding(**decoding), REPLY)  # type: ignore[arg-type]


def test_a_reply_comes_with_its_tokens_calls_and_model() -> None:
    with Host() as host:
        found = ask(host, [one()])[0]
    assert isinstance(found, Reply)
    assert json.loads(found.text)["answer"] == answer_to("question 1")
    assert (found.prompt_tokens, found.reply_tokens, found.attempts) == (20, 20, 1)
    assert (found.model, found.finish) == ("m", "stop")


def test_the_schema_is_enforced_where_the_host_offers_it() -> None:
    with Host() as host:
        ask(host, [one(temperature=0.7, top_p=0.9, seed=5)])
    body = host.bodies[0]
    assert body["response_format"]["json_schema"]["schema"] == REPLY
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.7, 0.9, 5)


@pytest.mark.parametrize(("forms", "last"), [
    (("json_object", "text"), "json_object"), (("text",), None),
])
def test_a_host_without_schemas_is_asked_in_a_simpler_form_and_remembered(
    forms: tuple[str, ...], last: str | None
) -> None:
    with Host(forms=forms) as host:
        found = ask(host, [one(), one(), one()])
    assert all(isinstance(reply, Reply) for reply in found)
    used = [body.get("response_format", {}).get("type") for body in host.bodies]
    assert used[-3:] == [last] * 3
    assert len(used) == 3 + (1 if last else 2)


def test_a_host_that_breaks_on_schemas_is_asked_in_a_simpler_form() -> None:
    # llama.cpp's server answers 500 to json_schema (reference: run on this project's machine).
    class Breaks(Host):
        async def _chat(self, asked: dict[str, object]) -> bytes:
            form = asked.get("response_format")
            if isinstance(form, dict) and form["type"] == "json_schema":
                return reply(500, {"error": {"message": "not supported"}})
            return await super()._chat(asked)

    with Breaks() as host:
        found = ask(host, [one(), one()], retrying=Retrying(tries=6, first=0.01))
    assert all(isinstance(reply, Reply) for reply in found)


@pytest.mark.parametrize("name", ["temperature", "seed", "max_tokens"])
def test_a_setting_the_host_refuses_is_left_out_and_named_in_the_manifest(name: str) -> None:
    class Refuses(Host):
        async def _chat(self, asked: dict[str, object]) -> bytes:
            if name in asked:
                return reply(400, {"error": {
                    "message": f"unsupported: {name}; use max_completion_tokens"
                    if name == "max_tokens" else "unsupported", "param": name}})
            return await super()._chat(asked)

    async def tried(host: Host) -> tuple[Reply | Failure, object]:
        backend = OpenAIBackend("m", endpoint(host), KEY)
        found = (await backend.reply([one(temperature=0.5)]))[0]
        told = backend.describe()["settings_left_out"]
        await backend.close()
        return found, told

    with Refuses() as host:
        found, told = asyncio.run(tried(host))
    assert isinstance(found, Reply)
    assert told == ([] if name == "max_tokens" else [name])
    assert ("max_completion_tokens" in host.bodies[-1]) == (name == "max_tokens")


def test_everybody_waits_when_the_host_asks_for_a_pause() -> None:
    class Pauses(Host):
        async def _chat(self, asked: dict[str, object]) -> bytes:
            if not self.calls:
                self.calls["first"] += 1
                return reply(429, {"error": {"message": "wait"}}, retry_after="0.6")
            return await super()._chat(asked)

    with Pauses() as host:
        start = time.monotonic()
        found = ask(host, [one()])[0]
        taken = time.monotonic() - start
    assert isinstance(found, Reply)
    assert found.attempts == 2
    assert taken >= 0.6


def test_tries_are_counted_and_end(tmp_path: Path) -> None:
    with Host(lambda question, call: RATE) as host:
        found = ask(host, [one()])[0]
    assert found == Failure("q1", "rate_limited", "429", passing=True, attempts=3)
    assert host.calls["question 1"] == 3


@pytest.mark.parametrize(("status", "code", "sentence"), [
    (401, "", "generation.not_authorised"), (404, "model_not_found", "generation.not_there"),
    (429, "insufficient_quota", "generation.no_credit"), (402, "", "generation.no_credit"),
])
def test_what_no_patience_can_help_stops_the_run(
    status: int, code: str, sentence: str, tmp_path: Path
) -> None:
    with Host(status=status, code=code) as host, pytest.raises(StudyError) as refused:
        run(requests(50), OpenAIBackend("m", endpoint(host), KEY), place=tmp_path / "a.jsonl",
            to_row=to_row, config={})
    assert refused.value.code == sentence


@pytest.mark.parametrize(("code", "cause"), [
    ("context_length_exceeded", "bad_request"), ("content_filter", "refused_by_host"),
])
def test_a_text_the_host_will_not_take_is_not_sent_again(code: str, cause: str) -> None:
    with Host(status=400, code=code) as host:
        found = ask(host, [Request("q1", (Message("user", "q"),))])[0]
    assert isinstance(found, Failure)
    assert (found.cause, found.passing, found.attempts) == (cause, False, 1)


def test_no_connection_is_a_failure_that_may_pass() -> None:
    with Host() as host:
        gone = replace(endpoint(host), retrying=Retrying(tries=2, first=0.01))
    backend = OpenAIBackend("m", gone, KEY)
    found = asyncio.run(backend.reply([one()]))[0]
    assert isinstance(found, Failure)
    assert (found.cause, found.passing, found.attempts) == ("no_connection", True, 2)


def spend(tmp_path: Path, host: Host, budget: Budget, *, resume: bool = False) -> Outcome:
    prices = Prices(prompt=1000.0, reply=2000.0)  # a call costs 0.02 + 0.04
    backend = OpenAIBackend("m", endpoint(host, prices=prices, budget=budget), KEY)
    return run(requests(50), backend, place=tmp_path / "a.jsonl", to_row=to_row, config={},
               resume=resume)


def test_a_budget_is_never_overdrawn_over_all_sessions(tmp_path: Path) -> None:
    with Host() as host:
        first = spend(tmp_path, host, Budget(money=2.0))
        again = spend(tmp_path, host, Budget(money=2.0), resume=True)
        calls = sum(host.calls.values())
        last = spend(tmp_path, host, Budget(money=100.0), resume=True)
    assert first.ended == again.ended == "budget_spent"
    assert first.cost == pytest.approx(first.rows * 0.06)
    assert 1.5 < (again.cost or 0) <= 2.0
    assert calls == again.rows
    assert (last.finished, last.rows) == (True, 50)
    assert last.cost == pytest.approx(50 * 0.06)


def test_a_token_budget_holds_without_prices(tmp_path: Path) -> None:
    with Host() as host:
        backend = OpenAIBackend("m", endpoint(host, budget=Budget(tokens=1_000)), KEY)
        outcome = run(requests(50), backend, place=tmp_path / "a", to_row=to_row, config={})
    assert outcome.ended == "budget_spent"
    assert outcome.prompt_tokens + outcome.reply_tokens <= 1_000
    assert outcome.cost is None


def test_calls_are_spaced_to_the_rate_that_was_set() -> None:
    with Host() as host:
        start = time.monotonic()
        ask(host, [one() for _ in range(4)], per_minute=600.0)
    assert time.monotonic() - start >= 0.3


def test_the_key_is_sent_to_the_host_and_stands_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Host(lambda question, call: OK if call > 1 else RATE) as host, caplog.at_level(
        logging.DEBUG
    ):
        backend = OpenAIBackend("m", endpoint(host), KEY)
        run(requests(3), backend, place=tmp_path / "a.jsonl", to_row=to_row, config={})
        shown = repr(backend) + str(backend.describe())
    assert host.keys == {"Bearer sk-secret-of-this-test"}
    kept = "".join(file.read_text("utf-8") for file in tmp_path.iterdir())
    assert "sk-secret" not in kept + shown + caplog.text


def test_a_host_beyond_this_machine_needs_a_key() -> None:
    with pytest.raises(StudyError) as refused:
        OpenAIBackend("m", Endpoint("https://a.example/v1", ("a.example",)), {})
    assert refused.value.code == "generation.no_key"


def test_the_factory_knows_its_backends_and_refuses_the_rest() -> None:
    assert make_backend(Options("echo", "")).name == "echo"
    with pytest.raises(StudyError) as refused:
        make_backend(Options("magic", "m"))
    assert all(name in str(refused.value) for name in BACKENDS)
    with pytest.raises(StudyError, match="adapter"):
        make_backend(Options("openai", "m", adapter="a"), allowed_hosts=("api.openai.com",))


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Host() as host, Host() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{proxy.port}")
        assert isinstance(ask(host, [one()])[0], Reply)
    assert proxy.bytes_read == 0
