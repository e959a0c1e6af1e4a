"""What may leave: nothing to a host that is not listed, nothing of a source that may not."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.backend.exchange import Message, Request
from cbt_core.generation.backend.hosts import require_host
from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend
from cbt_core.generation.tasks import answers
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services.runs import egress, model_run
from cbt_core.settings import Settings
from db import audit
from db.engine import Database
from tests.generation.loopback import Host

ANYWHERE = "http://127.0.0.1:9/v1"


def settings(*hosts: str) -> Settings:
    return Settings(database="", allowed_hosts=hosts)


def check(
    database: Database | None, sources: Mapping[str, int], now: datetime, url: str = ANYWHERE
) -> str:
    return egress.require_sendable(
        database, base_url=url, sources=sources, settings=settings("127.0.0.1"), now=now)


def code_of(database: Database | None, source: str, now: datetime) -> str:
    with pytest.raises(StudyError) as refused:
        check(database, {source: 1}, now)
    assert source.strip().lower() in str(refused.value)
    assert "source allow" in str(refused.value)
    return refused.value.code


@pytest.mark.parametrize("entry", [
    "127.0.0.1", "127.0.0.1:9", "http://127.0.0.1:9", "http://127.0.0.1",
])
def test_a_listed_host_is_allowed(entry: str) -> None:
    assert require_host(ANYWHERE, [entry]).shown == "127.0.0.1:9"


@pytest.mark.parametrize("entry", [
    "", "localhost", "127.0.0.1:10", "127.0.0.2", "27.0.0.1", "*", "0.0.0.0", "[::1]:9", "http://",
])
def test_every_other_entry_allows_nothing(entry: str) -> None:
    with pytest.raises(StudyError) as refused:
        require_host(ANYWHERE, [entry])
    assert refused.value.code == "egress.host_not_allowed"
    assert "127.0.0.1:9" in str(refused.value)
    assert "CONCORD_ALLOWED_HOSTS" in str(refused.value)


@pytest.mark.parametrize("url", [
    "https://api.example.com.evil.net/v1", "https://evil.net/api.example.com",
    "https://evil.net#api.example.com", "https://evil.net\\@api.example.com/v1",
    "https://apixexample.com/v1", "https://api.example.com@evil.net/v1", "ftp://api.example.com",
    "api.example.com/v1", "https:///v1", "https://api.example.com:99999/v1",
])
def test_an_address_that_only_looks_listed_is_refused(url: str) -> None:
    with pytest.raises(StudyError):
        require_host(url, ["api.example.com"])


def test_plain_http_beyond_this_machine_must_be_listed_as_such() -> None:
    with pytest.raises(StudyError) as refused:
        require_host("http://10.0.0.5:8000/v1", ["10.0.0.5:8000"])
    assert refused.value.code == "egress.plain_http"
    assert require_host("http://10.0.0.5:8000/v1", ["http://10.0.0.5:8000"]).port == 8000
    assert require_host("https://10.0.0.5:8000/v1", ["10.0.0.5"]).port == 8000
    assert require_host("http://[::1]:8000/v1", ["::1"]).loopback


def generate(file: Path, out: Path, url: str, database: Path, *more: str) -> int:
    return main([
        "generate", "--questions", str(file), "--system", "s", "--backend", "openai", "--model",
        "m", "--base-url", url, "--out", str(out), "--database", f"sqlite:///{database}", *more,
    ])


def questions(folder: Path, **more: str) -> Path:
    file = folder / "q.jsonl"
    lines = ({"id": f"q{number}", "question": f"Why {number}?", **more} for number in range(3))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return file


def test_an_unlisted_loopback_endpoint_sees_not_one_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = questions(tmp_path)
    with Host() as host:
        for listed in ("", "localhost", "api.openai.com", f"127.0.0.1:{host.port + 1}"):
            monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", listed)
            out = tmp_path / "a.jsonl"
            assert generate(file, out, host.url, tmp_path / "x.db", "--yes") == 1
            assert f"127.0.0.1:{host.port}" in capsys.readouterr().err
        assert host.bytes_read == 0
        assert sorted(one.name for one in tmp_path.iterdir()) == ["q.jsonl"]
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", f"127.0.0.1:{host.port}")
        assert generate(file, tmp_path / "a.jsonl", host.url, tmp_path / "x.db", "--yes") == 0
        assert host.bytes_read > 0


def test_a_listed_host_cannot_send_texts_on_to_another_one() -> None:
    with Host() as other, Host(redirect_to=other.url + "/chat/completions") as host:
        backend = OpenAIBackend(
            "m", Endpoint(host.url, host.listed, timeout=30.0), {"CONCORD_API_KEY": "k"})
        asyncio.run(backend.reply([Request("q", (Message("user", "secret words"),))]))
    assert other.bytes_read == 0


def test_a_client_led_astray_is_stopped_on_its_way_out() -> None:
    async def led_astray(backend: OpenAIBackend, elsewhere: str) -> None:
        backend.client.base_url = elsewhere  # type: ignore[assignment]
        await backend.reply([Request("q", (Message("user", "secret words"),))])

    with Host() as other, Host() as host:
        backend = OpenAIBackend("m", Endpoint(host.url, host.listed), {"CONCORD_API_KEY": "k"})
        with pytest.raises(StudyError) as refused:
            asyncio.run(led_astray(backend, other.url))
    assert refused.value.code == "egress.host_not_allowed"
    assert other.bytes_read == 0


@pytest.mark.parametrize("source", ["psyqa", "PsyQA", " ＰｓｙＱＡ "])
def test_psyqa_stays_here_until_an_agreement_is_recorded(
    database: Database, source: str, now: datetime
) -> None:
    with pytest.raises(StudyError) as refused:
        check(database, {source: 3, "own": 1}, now)
    assert refused.value.code == "egress.source_closed"
    egress.allow_source(
        database, TERMINAL, source=source, agreement="signed 2026-11-02", now=now)
    assert check(database, {source: 3, "own": 1}, now) == "127.0.0.1:9"


def test_psyqa_is_known_by_its_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.json"
    records = [{"questionID": 7, "question": "为什么", "description": "", "keywords": "焦虑"}]
    with Host() as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", f"127.0.0.1:{host.port}")
        for answers in ({}, {"answers": [{"answer_text": "x"}]}):
            file.write_text(json.dumps([{**records[0], **answers}]), "utf-8")
            assert generate(file, tmp_path / "a", host.url, tmp_path / "x.db", "--yes") == 1
            assert "source allow psyqa" in capsys.readouterr().err
        assert host.bytes_read == 0


def test_other_sources_may_go_to_listed_hosts_unless_that_is_denied(
    database: Database, now: datetime
) -> None:
    assert check(database, {"": 3, "own": 1}, now)
    egress.deny_source(database, TERMINAL, source="Own", now=now)
    assert code_of(database, "own", now) == "egress.source_denied"
    egress.allow_source(database, TERMINAL, source="own", agreement="ethics 12/26", now=now)
    assert check(database, {"own": 1}, now)


def test_an_agreement_ends_on_its_last_day(database: Database, now: datetime) -> None:
    egress.allow_source(database, TERMINAL, source="psyqa", agreement="one day", now=now,
                        valid_until=now.date())
    assert check(database, {"psyqa": 1}, now)
    tomorrow = datetime(2026, 11, 24, 0, 1, tzinfo=UTC)
    assert code_of(database, "psyqa", tomorrow) == "egress.source_expired"


def test_without_a_database_nothing_of_psyqa_leaves(now: datetime) -> None:
    assert code_of(None, "psyqa", now) == "egress.source_closed"


@pytest.mark.parametrize(("given", "code"), [
    ({"agreement": " "}, "egress.no_agreement"),
    ({"agreement": "a", "source": " "}, "egress.no_source"),
    ({"agreement": "a", "source": "x\n"  "y"}, "egress.no_source"),
    ({"agreement": "a", "valid_until": date(2026, 11, 22)}, "egress.past"),
])
def test_half_an_agreement_is_none(
    database: Database, now: datetime, given: dict[str, object], code: str
) -> None:
    with pytest.raises(StudyError) as refused:
        egress.allow_source(
            database, TERMINAL, **{"source": "psyqa", "now": now, **given})  # type: ignore[arg-type]
    assert refused.value.code == code


def test_only_a_lead_decides_and_refusals_are_noted(database: Database, now: datetime) -> None:
    lead = Person(5, "L01", roles={1: frozenset({Role.LEAD})})
    egress.allow_source(database, lead, source="psyqa", agreement="a", now=now)
    for person in (
        Person(6, "R01", roles={1: frozenset({Role.RATER})}), Person(7, "N01"),
        Person(8, "L09", roles={1: frozenset({Role.LEAD})}, demonstration=True),
    ):
        with pytest.raises(Refused):
            egress.deny_source(database, person, source="psyqa", now=now)
        with pytest.raises(Refused):
            egress.sources(database, person, now=now)
    assert [one.may_leave for one in egress.sources(database, lead, now=now)] == ["listed"]


def test_only_a_lead_lets_a_model_answer(
    tmp_path: Path, database: Database, now: datetime
) -> None:
    plan = model_run.plan(
        answers.answers_to(Questions(questions(tmp_path)), system="s"), Options("echo", "echo"),
        place=tmp_path / "a.jsonl", settings=settings(), database=database, now=now)
    rater = Person(6, "R01", roles={1: frozenset({Role.RATER})})
    lead = Person(5, "L01", roles={1: frozenset({Role.LEAD})})
    for place, person in ((database, rater), (None, rater), (None, lead)):
        with pytest.raises(Refused):
            model_run.ask(
                plan, settings=settings(), database=place, person=person, now=now)
    assert model_run.ask(
        plan, settings=settings(), database=database, person=lead, now=now).rows == 3


def test_decisions_are_in_the_system_chain_without_their_words(
    database: Database, now: datetime
) -> None:
    egress.allow_source(database, TERMINAL, source="psyqa", agreement="Dr Li signed", now=now)
    with database.reading() as connection:
        entry = audit.entries(connection, None)[-1]
        assert audit.verify(connection, None) is None
    assert (entry.action, entry.actor) == ("source_decided", "terminal")
    assert json.loads(entry.payload)["source"] == "psyqa"
    assert "Li" not in entry.payload


def test_what_is_sent_is_audited_before_it_leaves(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.is_sqlite:
        pytest.skip("the command is given a file")
    with Host() as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", f"127.0.0.1:{host.port}")
        assert generate(questions(tmp_path, source="own"), tmp_path / "a.jsonl", host.url,
                        database.path, "--yes") == 0
    with database.reading() as connection:
        entry = audit.entries(connection, None)[-1]
    sent = json.loads((tmp_path / "a.jsonl.manifest.json").read_text("utf-8"))["sent"]
    assert entry.action == "texts_sent"
    assert json.loads(entry.payload) == {
        "host": f"127.0.0.1:{host.port}", "texts": 3, "sources": {"own": 3},
        "run": json.loads(entry.payload)["run"]}
    assert [(one["texts"], one["audited"]) for one in sent] == [(3, True)]
    assert not (tmp_path / "egress.log").exists()


def test_without_a_database_what_is_sent_is_noted_beside_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Host() as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", f"127.0.0.1:{host.port}")
        assert generate(questions(tmp_path), tmp_path / "a.jsonl", host.url,
                        tmp_path / "none.db", "--yes") == 0
    noted = json.loads((tmp_path / "egress.log").read_text("utf-8"))
    assert (noted["host"], noted["texts"]) == (f"127.0.0.1:{host.port}", 3)
    assert not (tmp_path / "none.db").exists()


def test_nothing_is_sent_without_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())  # nobody is there to answer
    with Host() as host:
        monkeypatch.setenv("CONCORD_ALLOWED_HOSTS", f"127.0.0.1:{host.port}")
        assert generate(
            questions(tmp_path), tmp_path / "a.jsonl", host.url, tmp_path / "x.db") == 1
        said = capsys.readouterr().err
        assert host.bytes_read == 0
    assert f"127.0.0.1:{host.port}" in said
    assert "3 texts" in said
    assert "--yes" in said
