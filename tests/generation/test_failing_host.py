"""A host that fails in every way we know: no row is lost, none is doubled."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cbt_core.generation.backend.allowance import Retrying
from cbt_core.generation.backend.catalogue import Limits
from cbt_core.generation.backend.exchange import REPLY, Decoding, Failure, Message, Reply, Request
from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend
from cbt_core.generation.run.journal import Row
from cbt_core.generation.run.runner import run
from cbt_core.generation.tasks.reply_reader import Fault, parse_reply
from tests.generation.counts import ROWS
from tests.generation.loopback import FAULTS, OK, SLOW, Host, answer_to

KEY = {"CONCORD_API_KEY": "test-key-never-stored"}
QUICK = Retrying(tries=4, first=0.01, longest=5.0)


def requests(count: int) -> Iterator[Request]:
    for number in range(count):
        yield Request(f"q{number:05}", (Message("user", f"question {number}"),),
                      Decoding(max_new_tokens=64), REPLY)


def to_row(request: Request, reply: Reply) -> Row | Failure:
    found = parse_reply(reply.text, "json")
    if isinstance(found, Fault):
        return Failure(request.key, found.cause, found.detail, reply.text)
    return {"id": request.key, "answer": found.answer}


def backend(host: Host, concurrency: int = 32, timeout: float = 1.0) -> OpenAIBackend:
    endpoint = Endpoint(base_url=host.url, allowed=host.listed, concurrency=concurrency,
                        timeout=timeout, retrying=QUICK)
    return OpenAIBackend("model", endpoint, KEY)


def rows(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def moody(question: str, call: int) -> str:
    """Fail the first call of a third of the questions, each in its way; a few fail twice more."""
    number = int(question.split()[-1])
    if number % 3 or call > 1 + 2 * (number % 30 == 0):
        return OK
    deed = FAULTS[number // 3 % len(FAULTS)]
    return OK if deed == SLOW and number % 10 else deed  # a time-out costs the test a second


def test_no_row_is_lost_or_doubled_by_a_host_that_fails(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    with Host(moody) as host:
        outcome = run(requests(ROWS), backend(host), place=out, to_row=to_row, config={},
                      limits=Limits(rounds=3))
    found = rows(out)
    assert outcome.finished
    assert outcome.failed == 0
    assert [row["id"] for row in found] == [request.key for request in requests(ROWS)]
    assert all(
        row["answer"] == answer_to(f"question {number}") for number, row in enumerate(found)
    )
    assert host.most_at_once > 1
    assert not out.with_name("answers.jsonl.part").exists()


def test_a_question_that_never_works_is_kept_with_its_reason_and_stops_nothing(
    tmp_path: Path,
) -> None:
    out = tmp_path / "answers.jsonl"
    bad = {f"question {number}": deed for number, deed in enumerate(FAULTS) if deed != SLOW}
    with Host(lambda question, call: bad.get(question, OK)) as host:
        outcome = run(requests(30), backend(host), place=out, to_row=to_row, config={})
    failed = rows(out.with_name("answers.jsonl.failed.jsonl"))
    assert outcome.rows == 30 - len(bad)
    assert {row["id"] for row in failed} == {f"q{int(one.split()[1]):05}" for one in bad}
    assert Counter(row["cause"] for row in failed) == Counter(outcome.causes)
    assert "<html>busy</html>" in {row["text"] for row in failed}


def test_failed_questions_are_asked_again_when_the_run_is_resumed(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    sick = {"question 3"}
    with Host(lambda question, call: "500" if question in sick else OK) as host:
        first = run(requests(10), backend(host), place=out, to_row=to_row, config={})
        calls = dict(host.calls)
        sick.clear()
        second = run(requests(10), backend(host), place=out, to_row=to_row, config={}, resume=True)
    assert (first.rows, first.failed) == (9, 1)
    assert (second.rows, second.failed, second.before) == (10, 0, 9)
    assert [row["id"] for row in rows(out)] == [request.key for request in requests(10)]
    assert all(host.calls[one] == calls[one] for one in calls if one != "question 3")
    assert not out.with_name("answers.jsonl.failed.jsonl").exists()


def test_a_host_that_is_down_stops_the_run_and_nothing_is_lost(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    limits = Limits(patience=20)
    with Host(lambda question, call: OK if int(question.split()[1]) < 40 else "500") as host:
        outcome = run(requests(400), backend(host), place=out, to_row=to_row, config={},
                      limits=limits)
        assert outcome.ended == "unreachable"
        assert outcome.rows == 40
        host.behaviour = lambda question, call: OK
        again = run(requests(400), backend(host), place=out, to_row=to_row, config={}, resume=True)
    assert again.finished
    assert [row["id"] for row in rows(out)] == [request.key for request in requests(400)]
