"""The runner: order, resuming, stopping, failing; with backends that do as they are told."""

import asyncio
import json
import threading
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from cbt_core import version
from cbt_core.errors import StudyError
from cbt_core.generation.backend.catalogue import Limits
from cbt_core.generation.backend.exchange import Cause, Failure, Message, Reply, Request
from cbt_core.generation.run.journal import Outcome, Progress, Row, beside
from cbt_core.generation.run.runner import run
from cbt_core.version import VERSION

Said = Callable[[Request, int], Reply | Failure]


class Puppet:
    """Says what a function says; `asked` counts the calls of each key."""

    name = "puppet"
    model = "puppet"
    batch_size = 3
    concurrency = 4

    def __init__(self, said: Said | None = None, pause: float = 0.0) -> None:
        self.said: Said = said or (lambda request, call: Reply(request.key, "ok"))
        self.pause = pause
        self.asked: dict[str, int] = {}
        self.under_way = self.most = 0
        self.closed = False

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Say it."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        assert len(batch) <= self.batch_size
        await asyncio.sleep(self.pause * (hash(batch[0].key) % 3))
        self.under_way -= 1
        found = []
        for request in batch:
            self.asked[request.key] = self.asked.get(request.key, 0) + 1
            found.append(self.said(request, self.asked[request.key]))
        return found

    def describe(self) -> Mapping[str, object]:
        """Return a name."""
        return {"name": self.name}

    async def close(self) -> None:
        """Note it."""
        self.closed = True


def requests(count: int) -> list[Request]:
    return [Request(f"q{number}", (Message("user", "?"),)) for number in range(count)]


def go(
    out: Path, backend: Puppet, count: int = 20, *, resume: bool = False,
    config: Mapping[str, object] | None = None, stop: threading.Event | None = None,
    limits: Limits | None = None, told: list[Progress] | None = None,
) -> Outcome:
    def to_row(request: Request, reply: Reply) -> Row | Failure:
        if reply.text == "useless":
            return Failure(request.key, "wrong_schema", "no answer", reply.text)
        return {"id": request.key, "answer": reply.text}

    return run(
        requests(count), backend, place=out, to_row=to_row, config=config or {}, resume=resume,
        total=count, stop=stop, limits=limits,
        on_progress=told.append if told is not None else None,
    )


def ids(out: Path) -> list[str]:
    return [json.loads(line)["id"] for line in out.read_text("utf-8").splitlines()]


def failing(cause: Cause, *, passing: bool, until: int = 99) -> Said:
    def said(request: Request, call: int) -> Reply | Failure:
        if request.key == "q5" and call < until:
            return Failure(request.key, cause, "why", passing=passing)
        return Reply(request.key, "ok")

    return said


def test_rows_stand_in_the_order_of_the_questions(tmp_path: Path) -> None:
    backend = Puppet(pause=0.005)
    outcome = go(tmp_path / "a", backend, 50)
    assert ids(tmp_path / "a") == [f"q{number}" for number in range(50)]
    assert outcome.rows == 50
    assert backend.most == backend.concurrency
    assert backend.closed
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "a.manifest.json"]


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    go(tmp_path / "a", Puppet())
    before, again = (tmp_path / "a").read_bytes(), Puppet()
    assert go(tmp_path / "a", again, resume=True).before == 20
    assert again.asked == {}
    assert (tmp_path / "a").read_bytes() == before


def test_a_finished_file_is_never_overwritten(tmp_path: Path) -> None:
    go(tmp_path / "a", Puppet())
    for resume, config, code in (
        (False, {}, "generation.out_exists"), (True, {"seed": 2}, "generation.other_settings"),
    ):
        with pytest.raises(StudyError) as refused:
            go(tmp_path / "a", Puppet(), resume=resume, config=config)
        assert refused.value.code == code
    (tmp_path / "a.manifest.json").unlink()
    with pytest.raises(StudyError):
        go(tmp_path / "a", Puppet(), resume=True)


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    stop = threading.Event()

    def said(request: Request, call: int) -> Reply | Failure:
        if request.key == "q6":
            stop.set()
        return Reply(request.key, "ok")

    first = go(tmp_path / "a", Puppet(said, pause=0.06), 200, stop=stop)
    assert first.ended == "stopped"
    assert 0 < first.rows < 200
    assert not (tmp_path / "a").exists()
    second = Puppet()
    assert go(tmp_path / "a", second, 200, resume=True).before == first.rows
    assert len(second.asked) == 200 - first.rows
    assert ids(tmp_path / "a") == [f"q{number}" for number in range(200)]


def test_calls_that_outlast_the_grace_are_given_up_and_asked_again(tmp_path: Path) -> None:
    class Hangs(Puppet):
        async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
            if batch[0].key == "q3":
                await asyncio.sleep(60)
            return await super().reply(batch)

    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    first = go(tmp_path / "a", Hangs(), stop=stop, limits=Limits(grace_seconds=0.1))
    assert (first.ended, first.rows) == ("stopped", 17)
    assert go(tmp_path / "a", Puppet(), resume=True).rows == 20


def test_a_passing_failure_is_asked_again_at_the_end(tmp_path: Path) -> None:
    backend = Puppet(failing("server_error", passing=True, until=3))
    outcome = go(tmp_path / "a", backend)
    assert (outcome.rows, outcome.failed) == (20, 0)
    assert backend.asked["q5"] == 3
    row = json.loads((tmp_path / "a").read_text().splitlines()[5])
    assert (row["id"], row["attempt"]) == ("q5", 3)


def test_a_lasting_failure_is_asked_once_and_kept_with_its_reason(tmp_path: Path) -> None:
    backend = Puppet(failing("bad_request", passing=False))
    outcome = go(tmp_path / "a", backend)
    kept = json.loads(beside(tmp_path / "a", ".failed.jsonl").read_text())
    assert (outcome.rows, outcome.failed, dict(outcome.causes)) == (19, 1, {"bad_request": 1})
    assert backend.asked["q5"] == 1
    assert (kept["id"], kept["cause"], kept["detail"]) == ("q5", "bad_request", "why")
    manifest = json.loads(beside(tmp_path / "a", ".manifest.json").read_text())
    assert (manifest["failures"], manifest["counts"]["rows"]) == ({"bad_request": 1}, 19)


def test_a_useless_reply_is_asked_for_with_another_seed(tmp_path: Path) -> None:
    seeds: list[int] = []

    def said(request: Request, call: int) -> Reply | Failure:
        if request.key != "q5":
            return Reply(request.key, "ok")
        seeds.append(request.decoding.seed)
        return Reply("q5", "useless" if len(seeds) < 3 else "ok")

    assert go(tmp_path / "a", Puppet(said)).failed == 0
    assert seeds == [1, 2, 3]
    assert json.loads((tmp_path / "a").read_text().splitlines()[5])["seed"] == 3


def test_a_spent_budget_leaves_the_question_open(tmp_path: Path) -> None:
    outcome = go(tmp_path / "a", Puppet(failing("budget_spent", passing=True)))
    assert (outcome.ended, outcome.failed) == ("budget_spent", 0)
    assert go(tmp_path / "a", Puppet(), resume=True).rows == 20


def test_a_host_that_never_answers_is_given_up_soon(tmp_path: Path) -> None:
    backend = Puppet(lambda request, call: Failure(request.key, "no_connection"))
    outcome = go(tmp_path / "a", backend, 5_000)
    assert (outcome.ended, outcome.rows) == ("unreachable", 0)
    assert len(backend.asked) < 100
    assert go(tmp_path / "a", Puppet(), 5_000, resume=True).rows == 5_000


def test_an_error_that_ends_the_run_keeps_the_rows_so_far(tmp_path: Path) -> None:
    def said(request: Request, call: int) -> Reply | Failure:
        if request.key == "q17":
            raise StudyError("generation.no_credit", host="h")
        return Reply(request.key, "ok")

    backend = Puppet(said)
    with pytest.raises(StudyError):
        go(tmp_path / "a", backend)
    assert backend.closed
    after = Puppet()
    outcome = go(tmp_path / "a", after, resume=True)
    assert (outcome.rows, outcome.before) == (20, 20 - len(after.asked))
    assert outcome.before >= 12


def test_two_requests_with_one_key_are_refused(tmp_path: Path) -> None:
    twice = [*requests(4), *requests(1)]
    with pytest.raises(StudyError) as refused:
        run(twice, Puppet(), place=tmp_path / "a", config={},
            to_row=lambda request, reply: {"id": request.key})
    assert refused.value.code == "generation.key_twice"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as refused:
        go(tmp_path / "none" / "a", Puppet())
    assert refused.value.code == "storage.no_folder"


def test_progress_ends_at_the_truth(tmp_path: Path) -> None:
    told: list[Progress] = []
    go(tmp_path / "a", Puppet(failing("bad_request", passing=False)), told=told)
    last = told[-1]
    assert (last.done, last.failed, last.total, last.seconds_left) == (19, 1, 20, 0)
    assert all(one.done <= other.done for one, other in pairwise(told))


def test_no_more_rows_wait_in_memory_than_may(tmp_path: Path) -> None:
    outcome = go(tmp_path / "a", Puppet(), 500, limits=Limits(waiting_rows=4))
    assert outcome.rows == 500


def test_the_manifest_names_this_version() -> None:
    assert VERSION == version.VERSION


def test_memory_grows_by_ids_only_not_by_texts(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        text = "十" * 2_000
        made = (
            Request(f"q{number}", (Message("user", f"{number}{text}"),)) for number in range(count)
        )
        tracemalloc.start()
        run(made, Puppet(), place=tmp_path / str(count), config={},
            limits=Limits(waiting_rows=16),  # what may wait to be written is the same for both
            to_row=lambda request, reply: {"id": request.key, "answer": text})
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert (peak(4_000) - peak(1_000)) / 3_000 < 1_000  # bytes a row; a row has 10,000
