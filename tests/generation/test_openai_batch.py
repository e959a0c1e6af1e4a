"""The Batch API: handed in once, fetched once, and not paid for twice after a kill."""

import asyncio
import json
from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.backend.allowance import Budget, Prices
from cbt_core.generation.backend.openai_batch import BatchBackend, BatchMemory
from cbt_core.generation.backend.openai_chat import Endpoint
from cbt_core.generation.run.runner import run
from tests.generation.loopback import BAD_CONTENT, BROKEN, CUT, OK, Host, answer_to
from tests.generation.test_failing_host import requests, rows, to_row

KEY = {"CONCORD_API_KEY": "k"}


def backend(host: Host, folder: Path, **more: object) -> BatchBackend:
    endpoint = Endpoint(base_url=host.url, allowed=host.listed, timeout=30.0, **more)  # type: ignore[arg-type]
    return BatchBackend("m", endpoint, KEY, memory=folder / "batches.json", poll_seconds=0.01)


def small(host: Host, folder: Path, size: int = 10, **more: object) -> BatchBackend:
    made = backend(host, folder, **more)
    made.batch_size = size
    return made


def test_questions_go_in_batches_and_come_back_in_order(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    with Host() as host:
        outcome = run(requests(25), small(host, tmp_path), place=out, to_row=to_row, config={})
    assert outcome.rows == 25
    assert len(host.batches) == 3
    assert [row["answer"] for row in rows(out)] == [
        answer_to(f"question {number}") for number in range(25)]
    assert set(host.calls.values()) == {1}


def test_what_failed_in_a_batch_is_handed_in_again(tmp_path: Path) -> None:
    bad = {"question 1": BROKEN, "question 2": BAD_CONTENT, "question 3": CUT}
    with Host(lambda question, call: bad.get(question, OK) if call == 1 else OK) as host:
        outcome = run(requests(10), small(host, tmp_path), place=tmp_path / "a.jsonl",
                      to_row=to_row, config={})
    assert (outcome.rows, outcome.failed) == (10, 0)
    assert len(host.batches) == 2
    assert sum(host.calls.values()) == 13


def test_a_batch_that_was_handed_in_before_a_kill_is_not_handed_in_again(tmp_path: Path) -> None:
    async def killed_while_waiting(host: Host) -> None:
        task = asyncio.create_task(small(host, tmp_path).reply(list(requests(10))))
        while not host.batches:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()

    with Host(polls_until_done=10**9) as host:
        asyncio.run(killed_while_waiting(host))
        host.polls_until_done = 1
        outcome = run(requests(10), small(host, tmp_path), place=tmp_path / "a.jsonl",
                      to_row=to_row, config={})
    assert outcome.rows == 10
    assert len(host.batches) == 1
    assert set(host.calls.values()) == {1}


def test_a_batch_whose_id_was_lost_is_found_by_its_mark(tmp_path: Path) -> None:
    with Host() as host:
        run(requests(10), small(host, tmp_path), place=tmp_path / "a.jsonl", to_row=to_row,
            config={})
        memory = tmp_path / "batches.json"
        noted = json.loads(memory.read_text())
        memory.write_text(json.dumps({mark: {**one, "id": ""} for mark, one in noted.items()}))
        run(requests(10), small(host, tmp_path), place=tmp_path / "b.jsonl", to_row=to_row,
            config={})
    assert len(host.batches) == 1


def test_a_budget_bounds_what_is_handed_in(tmp_path: Path) -> None:
    prices, budget = Prices(1000.0, 1000.0), Budget(money=0.5)  # at worst 0.09 a question
    with Host() as host:
        outcome = run(
            requests(10), small(host, tmp_path, prices=prices, budget=budget),
            place=tmp_path / "a.jsonl", to_row=to_row, config={})
    assert outcome.ended == "budget_spent"
    assert 0 < outcome.rows < 10
    assert (outcome.cost or 0) <= 0.5
    assert sum(host.calls.values()) == outcome.rows


def test_a_batch_the_host_will_not_run_is_said_and_may_be_tried_again(tmp_path: Path) -> None:
    with Host(polls_until_done=10**9) as host:
        made = small(host, tmp_path)

        async def refused() -> None:
            task = asyncio.create_task(made.reply(list(requests(5))))
            while not host.batches:
                await asyncio.sleep(0.01)
            host.batches["batch-0"]["status"] = "failed"
            await task

        with pytest.raises(StudyError) as error:
            asyncio.run(refused())
    assert error.value.code == "generation.batch_failed"
    assert json.loads((tmp_path / "batches.json").read_text()) == {}


def test_a_memory_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("[1, 2")
    with pytest.raises(StudyError) as refused:
        BatchMemory(tmp_path / "m")
    assert refused.value.code == "generation.not_a_journal"
