"""Generations in processes of their own: started once, watched, stopped, killed, resumed, sent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services.people import roster
from cbt_core.services.runs import browser_run, outputs, wishes
from cbt_core.services.runs.browser_run import Watched
from cbt_core.services.runs.wishes import Asked, command_of, options_of
from cbt_core.settings import ROOT, Settings
from db import people as stored_people
from db import runs
from db.engine import Database
from db.tables.trail import audit
from tests.generation.loopback import Host

SENTINEL = "哨兵提问：夜里总是醒"
ECHO = Asked("cbt-model", "echo", prompt="plain")
TOKEN = "token-of-a-form"
PATIENCE_SECONDS = 120
SERVER = """
import signal, sys
from datetime import UTC, datetime
from pathlib import Path
from cbt_core.domain.people import Person
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services.runs import browser_run
from cbt_core.services.runs.wishes import Asked
from cbt_core.settings import Settings
from db.engine import Database
url, file, folder, person_id = sys.argv[1:]
browser_run.DATA = Path(folder)
who = Person(int(person_id), "L01", "en", may_create_studies=True)
print(browser_run.start(
    Database(url), who, asked=Asked("s", "echo", prompt="plain", delay=0.5),
    questions=Questions(Path(file)), token="token-of-a-form", settings=Settings(url),
    now=datetime.now(UTC)), flush=True)
signal.pause()
"""
"""Stands for the server: starts a run and waits to be killed."""


def present() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def settings(database: Database) -> Settings:
    return Settings(database=database.url)


@pytest.fixture
def lead(database: Database, now: datetime) -> Person:
    roster.add_person(database, TERMINAL, code="L01", now=now, role=Role.LEAD)
    with database.reading() as connection:
        found = stored_people.by_code(connection, "L01")
    assert found is not None
    return Person(found.id, "L01", "en", may_create_studies=True)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep runs on PostgreSQL, whose files lie nowhere, out of the server's folder."""
    monkeypatch.setattr(browser_run, "DATA", tmp_path)


@pytest.fixture(autouse=True)
def no_process_left(database: Database) -> Iterator[None]:
    yield
    with database.reading() as connection:
        left = [one.pid for one in runs.active(connection)]
    for pid in left:
        if pid and pid != os.getpid():
            kill(pid)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def questions(folder: Path, count: int = 5, source: str = "") -> Questions:
    file = folder / "questions.jsonl"
    rows = (
        {"id": f"Q{number:03d}", "question": f"{SENTINEL}{number}", "source": source,
         "description": "觉得自己什么都做不好。"}
        for number in range(count)
    )
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return Questions(file, name="mine.jsonl")


def begin(
    database: Database, who: Person, asked: Asked, given: Questions, token: str = TOKEN
) -> str:
    return browser_run.start(
        database, who, asked=asked, questions=given, token=token,
        settings=Settings(database=database.url), now=present(),
    )


def seen(database: Database, who: Person, code: str) -> Watched:
    return browser_run.one_run(database, who, code=code, now=present())


def until(
    database: Database, who: Person, code: str, fits: Callable[[Watched], bool]
) -> Watched:
    end = time.monotonic() + PATIENCE_SECONDS
    found = seen(database, who, code)
    while not fits(found):
        assert time.monotonic() < end, "the run never came there"
        time.sleep(0.1)
        found = seen(database, who, code)
    return found


def over(found: Watched) -> bool:
    return not found.active


def rows_of(found: Watched) -> list[str]:
    text = browser_run.answers_file(found.run).read_text("utf-8")
    return [json.loads(line)["id"] for line in text.splitlines()]


def entries(database: Database, action: str) -> list[str]:
    with database.reading() as connection:
        wanted = select(audit.c.payload).where(audit.c.action == action)
        return [row.payload for row in connection.execute(wanted)]


def test_a_run_works_in_a_process_of_its_own_to_the_end(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    code = begin(database, lead, ECHO, questions(tmp_path))
    found = until(database, lead, code, over)
    assert (found.state, found.run.done, found.run.failed) == ("finished", 5, 0)
    assert rows_of(found) == [f"Q{number:03d}" for number in range(5)]
    assert len(entries(database, "run_started")) == 1


def test_no_question_reaches_the_log_the_row_or_the_trail(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    code = begin(database, lead, ECHO, questions(tmp_path))
    found = until(database, lead, code, over)
    log = (Path(found.run.folder) / browser_run.LOG).read_text("utf-8")
    assert "finished" in log
    kept = log + json.dumps(found.run.config, ensure_ascii=False)
    kept += "".join(entries(database, "run_started"))
    assert SENTINEL not in kept


def test_two_presses_of_one_form_make_one_run(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    given = questions(tmp_path)
    assert begin(database, lead, ECHO, given) == begin(database, lead, ECHO, given)
    assert len(browser_run.watch(database, lead, now=present())) == 1
    assert len(entries(database, "run_started")) == 1


def test_a_run_goes_on_when_the_server_is_killed_with_its_whole_group(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    given = questions(tmp_path, 240)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, database.url, str(given.path), str(tmp_path), str(lead.id)],
        start_new_session=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert server.stdout is not None
    code = server.stdout.readline().strip()
    until(database, lead, code, lambda one: one.run.done > 0)
    os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
    found = until(database, lead, code, over)
    assert (found.state, len(rows_of(found))) == ("finished", 240)


def test_a_killed_run_is_seen_as_lost_and_resumed_has_every_row_once(
    database: Database, lead: Person, tmp_path: Path, settings: Settings
) -> None:
    asked = replace(ECHO, delay=0.4)
    code = begin(database, lead, asked, questions(tmp_path, 400))
    working = until(database, lead, code, lambda one: one.run.done > 0)
    assert working.run.pid
    os.kill(working.run.pid, signal.SIGKILL)
    lost = until(database, lead, code, over)
    assert lost.state == "lost"
    assert "unexpectedly" in lost.told("en")
    browser_run.resume(database, lead, code=code, settings=settings, now=present())
    found = until(database, lead, code, over)
    assert found.state == "finished"
    assert rows_of(found) == [f"Q{number:03d}" for number in range(400)]


def test_a_run_that_is_asked_to_stop_keeps_its_rows_and_goes_on_later(
    database: Database, lead: Person, tmp_path: Path, settings: Settings
) -> None:
    code = begin(database, lead, replace(ECHO, delay=0.4), questions(tmp_path, 400))
    until(database, lead, code, lambda one: one.run.done > 0)
    browser_run.stop(database, lead, code=code, now=present())
    found = until(database, lead, code, over)
    assert found.state == "stopped"
    assert 0 < found.run.done < 400
    assert not browser_run.answers_file(found.run).exists()
    browser_run.resume(database, lead, code=code, settings=settings, now=present())
    assert until(database, lead, code, lambda one: one.run.status == "running").active
    browser_run.stop(database, lead, code=code, now=present())
    again = until(database, lead, code, over)
    assert again.run.done >= found.run.done


def test_a_host_that_is_not_listed_sees_not_one_byte(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    with Host() as host:
        asked = Asked("cbt-model", "openai", model="m", base_url=host.url, prompt="plain")
        with pytest.raises(StudyError) as refused:
            begin(database, lead, asked, questions(tmp_path))
        assert refused.value.code == "egress.host_not_allowed"
        assert host.bytes_read == 0
    assert not browser_run.watch(database, lead, now=present())


def test_a_source_that_may_not_leave_is_named_before_the_start(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    with Host() as host:
        settings = Settings(database=database.url, allowed_hosts=host.listed)
        asked = Asked("cbt-model", "openai", model="m", base_url=host.url, prompt="plain")
        given = questions(tmp_path, source="PsyQA")
        told = browser_run.preview(
            database, lead, asked=asked, questions=given, settings=settings, now=present())
        assert told.reason is not None
        assert [(one.source, one.texts) for one in told.sources] == [("PsyQA", 5)]
        with pytest.raises(StudyError) as refused:
            browser_run.start(database, lead, asked=asked, questions=given, token=TOKEN,
                          settings=settings, now=present())
        assert refused.value.code == "egress.source_closed"
        assert host.bytes_read == 0


def test_a_listed_host_is_asked_and_what_was_sent_is_audited_under_the_leads_code(
    database: Database, lead: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCORD_API_KEY", "sk-sentinel-key")
    with Host() as host:
        settings = Settings(database=database.url, allowed_hosts=host.listed)
        asked = Asked("cbt-model", "openai", model="m", base_url=host.url, prompt="cbt",
                      price_in=1.0, price_out=2.0)
        given = questions(tmp_path)
        told = browser_run.preview(
            database, lead, asked=asked, questions=given, settings=settings, now=present())
        assert told.host == host.listed[0]
        assert told.cost == pytest.approx(
            (told.prompt_tokens * 1.0 + told.reply_tokens * 2.0) / 1_000_000)
        assert host.bytes_read == 0
        code = browser_run.start(database, lead, asked=asked, questions=given, token=TOKEN,
                             settings=settings, now=present())
        found = until(database, lead, code, over)
    assert (found.state, found.run.done) == ("finished", 5)
    with database.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.action == "texts_sent")).all()
    assert [row.actor for row in rows] == ["L01"]
    kept = "".join(file.read_text("utf-8") for file in Path(found.run.folder).iterdir())
    assert "sk-sentinel-key" not in kept + json.dumps(found.run.config)


def test_too_many_questions_are_not_started_but_given_as_a_command(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    settings = Settings(database=database.url, browser_questions=4)
    told = browser_run.preview(database, lead, asked=ECHO, questions=questions(tmp_path),
                           settings=settings, now=present())
    assert told.too_many
    assert told.command.startswith("python -m cbt_core generate --questions QUESTIONS.jsonl")
    with pytest.raises(StudyError) as refused:
        browser_run.start(database, lead, asked=ECHO, questions=questions(tmp_path), token=TOKEN,
                      settings=settings, now=present())
    assert refused.value.code == "runs.too_many"


@pytest.mark.parametrize("asked", [
    Asked("s", "transformers", model="/etc"), Asked("s", "transformers", model="../secrets"),
    Asked("s", "echo", prompt="/etc/passwd"), Asked("s", "echo", scheme="/etc/passwd"),
    Asked("s", "transformers", model="m", adapter="../.."), Asked("s", "own"),
])
def test_nothing_that_comes_from_a_browser_is_followed_as_a_path(
    asked: Asked, tmp_path: Path
) -> None:
    with pytest.raises(StudyError) as refused:
        options_of(asked)
    assert refused.value.code in {"runs.not_offered", "runs.no_such_model"}


def test_a_run_belongs_to_whoever_started_it(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    code = begin(database, lead, ECHO, questions(tmp_path))
    other = Person(99, "L02", "en", may_create_studies=True)
    assert browser_run.watch(database, other, now=present()) == []
    for act in (browser_run.stop, browser_run.forget):
        with pytest.raises(StudyError) as refused:
            act(database, other, code=code, now=present())
        assert refused.value.code == "runs.unknown"
    until(database, lead, code, over)
    assert [one.run.code for one in browser_run.watch(database, TERMINAL, now=present())] == [code]


def test_somebody_who_may_not_create_studies_starts_nothing(
    database: Database, tmp_path: Path
) -> None:
    with pytest.raises(Refused):
        begin(database, Person(5, "R01", "zh"), ECHO, questions(tmp_path))


def test_a_run_of_a_lead_who_was_disabled_meanwhile_sends_nothing(
    database: Database, lead: Person, tmp_path: Path, settings: Settings
) -> None:
    code = begin(database, lead, replace(ECHO, delay=0.4), questions(tmp_path, 400))
    until(database, lead, code, lambda one: one.run.done > 0)
    browser_run.stop(database, lead, code=code, now=present())
    until(database, lead, code, over)
    roster.disable(database, TERMINAL, code="L01", now=present())
    browser_run.resume(database, TERMINAL, code=code, settings=settings, now=present())
    found = until(database, TERMINAL, code, over)
    assert (found.state, found.run.message.code) == ("failed", "access.not_allowed")


def test_two_systems_are_read_side_by_side_and_become_one_study(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    given = questions(tmp_path)
    codes = [
        begin(database, lead, replace(ECHO, system=name, prompt=prompt), given, f"token-{name}")
        for name, prompt in (("first", "plain"), ("second", "cbt"))
    ]
    for code in codes:
        until(database, lead, code, over)
    page = outputs.page(database, lead, codes=codes, offset=3, limit=10, now=present())
    assert (page.total, page.systems) == (5, ("first", "second"))
    assert [line.key for line in page.lines] == ["Q003", "Q004"]
    assert all(cell.answer and cell.finish == "stop" for line in page.lines for cell in line.cells)
    told, left_out = outputs.check(database, lead, codes=codes, now=present())
    assert (told.items, told.systems, left_out) == (5, ("first", "second"), 0)
    assert told.gates is not None
    made = outputs.send(
        database, lead, codes=codes, slug="sent", title="Sent", now=present())
    assert (made.counts.items, made.counts.answers) == (5, 10)
    assert len(entries(database, "runs_sent")) == 1


def test_questions_without_an_answer_are_left_out_of_the_study_and_counted(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    code = begin(database, lead, ECHO, questions(tmp_path))
    found = until(database, lead, code, over)
    file = browser_run.answers_file(found.run)
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[1:]), "utf-8")
    told, left_out = outputs.check(database, lead, codes=[code], now=present())
    assert (told.items, left_out) == (4, 1)


def test_runs_of_other_questions_are_not_read_side_by_side(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    first = begin(database, lead, ECHO, questions(tmp_path), "token-first")
    other = begin(database, lead, ECHO, questions(tmp_path, 4), "token-other")
    for code in (first, other):
        until(database, lead, code, over)
    with pytest.raises(StudyError) as refused:
        outputs.page(
            database, lead, codes=[first, other], offset=0, limit=5, now=present())
    assert refused.value.code == "runs.other_questions"


def test_a_forgotten_run_keeps_its_row_and_no_text(
    database: Database, lead: Person, tmp_path: Path
) -> None:
    code = begin(database, lead, ECHO, questions(tmp_path))
    folder = Path(until(database, lead, code, over).run.folder)
    browser_run.forget(database, lead, code=code, now=present())
    assert not folder.exists()
    assert seen(database, lead, code).run.done == 5
    with pytest.raises(StudyError):
        outputs.page(database, lead, codes=[code], offset=0, limit=5, now=present())


def test_a_run_without_a_sign_of_life_is_lost_even_if_its_number_is_somebody_elses(
    database: Database, lead: Person, now: datetime
) -> None:
    with database.writing() as connection:
        runs.add(connection, code="0" * 12, actor="L01", config={}, folder="", total=3, now=now)
        runs.claim(connection, "0" * 12, pid=os.getpid(), now=now)
    found = browser_run.one_run(
        database, lead, code="0" * 12, now=now + timedelta(seconds=61))
    assert found.state == "lost"


def test_the_command_for_many_questions_is_quoted_for_a_shell() -> None:
    told = command_of(replace(ECHO, system="a; rm -rf b"))
    assert "--system 'a; rm -rf b'" in told


def test_the_prompt_that_is_shown_is_the_one_that_is_sent() -> None:
    told = wishes.prompt_text(replace(ECHO, prompt="cbt"))
    assert "{question}" in told
    assert "{distortions}" not in told
