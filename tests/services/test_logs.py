"""A full run with forced errors: no word of a person, no secret and no token reaches a log."""

import http.client
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.services.access import sessions
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, escalations
from cbt_core.services.export import study_export
from cbt_core.services.people import roster
from cbt_core.services.studies import creation, lifecycle
from cbt_core.services.studies.creation import StudyFiles
from db import migrate
from db.engine import Database
from db.tables.trail import access_log, audit
from tests import making
from tests.browser.conftest import Served
from tests.reliability.http_desk import Browser, Refusal, served_desk

QUESTION, ANSWER = "哨兵提问：夜里总是醒", "哨兵回答：先写下来"
COMMENT, REASON, NOTE = "哨兵评语：语气生硬", "哨兵理由：看错了", "哨兵备注：已联系"
NAME, EMAIL = "哨兵姓名王小明", "sentinel.wang@example.org"
PASSPHRASE = "sentinel horse battery staple 42"
PROFILE, QUOTE = "哨兵职业", "哨兵回答"
MARKED = "sentinel"


@dataclass(frozen=True)
class Run:
    """What a run left behind; `secrets` are the values that were made up on the way."""

    database: Database
    log: Path
    secrets: tuple[str, ...]


def study(database: Database, folder: Path, now: datetime) -> int:
    rows = [
        {"id": f"Q{number}", "question": f"{QUESTION}{number}", "description": f"{QUESTION}细节",
         "answers": {name: f"{ANSWER}{name}{number}" for name in making.SYSTEMS}}
        for number in range(1, 7)
    ]
    file, protocol = folder / "study.jsonl", folder / "protocol.toml"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    protocol.write_text("[design]\noverlap = 1\nrepeats = 0.0\n", "utf-8")
    return creation.create_study(
        database, TERMINAL, slug="trial", title="研究", files=StudyFiles(study_file=file), now=now,
        protocol=protocol).study_id


def post_form(port: int, path: str, **fields: str) -> tuple[int, str]:
    """Send a form as the sign-in page does; return status and cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, urlencode(fields), {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"http://127.0.0.1:{port}"})
    answer = connection.getresponse()
    answer.read()
    cookie = answer.getheader("Set-Cookie") or ""
    return answer.status, cookie.partition(";")[0].partition("=")[2]


def post_raw(port: int, path: str, body: bytes, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, {
        "Content-Type": "application/json", "Cookie": f"concord_session={token}",
        "Origin": f"http://127.0.0.1:{port}"})
    return connection.getresponse().status


def refused(browser: Browser, path: str, body: object) -> Refusal:
    with pytest.raises(Refusal) as found:
        browser.post(path, body)
    return found.value


def rate(browser: Browser, port: int, token: str) -> None:
    """Save with a comment and a flag, correct with a reason, and make every mistake on the way."""
    view = browser.post("/api/sheet/open", {"study": "trial", "task": None})["view"]
    flag = {"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": QUOTE,
            "start": 0, "end": 4}
    body = making.press(view, entries=making.entries(view, comment=COMMENT, flags=[flag]))
    draft = {"task": body["task"], "sequence": 1, "base_revision": 0, "entries": body["entries"]}
    browser.post("/api/sheet/draft", draft)
    wrong = {**body, "entries": {"scores": {"A": {"relevance": COMMENT}}, "comment": COMMENT}}
    assert refused(browser, "/api/sheet/save", wrong).status == 422
    assert refused(browser, "/api/sheet/save", {**body, "task": COMMENT}).status == 404
    assert refused(browser, "/api/sheet/open", {"study": COMMENT, "task": None}).status == 404
    assert post_raw(port, "/api/sheet/save", f'{{"comment": "{COMMENT}'.encode(), token) == 400
    assert post_raw(port, "/api/sheet/save", b"\xff" + COMMENT.encode("gbk"), token) == 400
    browser.post("/api/sheet/save", body)
    again = browser.post("/api/sheet/open", {"study": "trial", "task": body["task"]})["view"]
    corrected = making.press(again, entries=making.entries(again, 2, comment=COMMENT,
                                                           reason=REASON))
    browser.post("/api/sheet/save", corrected)
    reused = {**corrected, "entries": making.entries(again, 0, comment=COMMENT, reason=REASON)}
    assert refused(browser, "/api/sheet/save", reused).status == 409


def break_the_storage(database: Database, *, whole: bool) -> None:
    """Take the table of scores away behind the server's back, or put it back."""
    raw = sqlite3.connect(database.path)
    before, after = ("score", "score_gone") if not whole else ("score_gone", "score")
    raw.execute("PRAGMA legacy_alter_table=ON")
    raw.execute(f"ALTER TABLE {before} RENAME TO {after}")
    raw.commit()
    raw.close()


def fail(browser: Browser, database: Database) -> None:
    """Save while a table is missing: an error nobody foresaw, with the comment among its values."""
    view = browser.post("/api/sheet/open", {"study": "trial", "task": None})["view"]
    break_the_storage(database, whole=False)
    body = making.press(view, entries=making.entries(view, comment=COMMENT))
    found = refused(browser, "/api/sheet/save", body)
    assert (found.status, found.code) == (500, "access.fault")
    break_the_storage(database, whole=True)
    browser.post("/api/sheet/save", body)


def sign_in(served: Served, secret: str) -> str:
    """Fail in three ways, then sign in."""
    for code, tried in (("R01", PASSPHRASE + "x"), (PASSPHRASE, "R01"), (EMAIL, NAME)):
        assert post_form(served.port, "/sign-in", code=code, secret=tried)[1] == ""
    status, token = post_form(served.port, "/sign-in", code="R01", secret=secret)
    assert status == 303
    assert len(token) > 20
    return token


def lead(database: Database, who: Person, now: datetime, folder: Path) -> None:
    """Do what a lead does, with words in every place that takes them."""
    escalations.read(database, who, slug="trial", case_id=1, now=now)
    escalations.handle(database, who, slug="trial", case_id=1, text=NOTE, now=now)
    with pytest.raises(StudyError):
        escalations.handle(database, who, slug="trial", case_id=1, text=NOTE, now=now)
    lifecycle.lock(database, who, slug="trial", now=now)
    study_export.export_study(database, who, slug="trial", folder=folder / "out", now=now)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Yield what a study from import to export left in the logs."""
    folder, now = tmp_path_factory.mktemp("run"), datetime.now(UTC)
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    study_id = study(database, folder, now)
    issued = roster.add_person(
        database, TERMINAL, code="R01", role=Role.RATER, study_id=study_id, now=now).secret or ""
    roster.set_identity(database, TERMINAL, code="R01", name=NAME, email=EMAIL, now=now)
    task_draw.assign(database, TERMINAL, slug="trial", raters=["R01"], now=now)
    rater = making.person(database, "R01", study_id, Role.RATER)
    admission.accept_consent(database, rater, slug="trial", now=now)
    admission.answer_profile(database, rater, slug="trial", answers={"profession": None}, now=now)
    admission.finish_guide(database, rater, slug="trial", now=now)
    sessions.change_passphrase(database, rater, old=issued, new=PASSPHRASE, now=now)
    with served_desk(database, folder) as served:
        token = sign_in(served, PASSPHRASE)
        browser = Browser(served.port, token)
        rate(browser, served.port, token)
        fail(browser, database)
        post_form(served.port, "/sign-out")
        lead(database, making.lead(database, study_id, now), now, folder)
        yield Run(database, served.log, (issued, token))
    database.close()


def everything_planted(run: Run) -> tuple[str, ...]:
    return (QUESTION, ANSWER, COMMENT, REASON, NOTE, NAME, EMAIL, PASSPHRASE, PROFILE, QUOTE,
            MARKED, "哨兵", *run.secrets)


def spellings(text: str) -> Iterator[bytes]:
    """Yield a text as it might stand in a log."""
    yield text.encode()
    yield text.encode("unicode_escape")
    yield repr(text).encode()[1:-1]
    yield urlencode({"": text}).encode()[1:]
    yield text.upper().encode()


def rows(database: Database, *columns: object) -> bytes:
    with database.reading() as connection:
        found = connection.execute(select(*columns)).all()  # type: ignore[call-overload]
    return "\n".join(str(tuple(row)) for row in found).encode()


@pytest.mark.slow
def test_the_servers_log_holds_no_word_of_a_person(run: Run) -> None:
    log = run.log.read_bytes()
    assert b"fault" in log, "the forced error left no trace: the test showed nothing"
    assert b"Traceback" not in log
    for planted in everything_planted(run):
        assert not any(spelt in log for spelt in spellings(planted)), planted


@pytest.mark.slow
def test_the_access_log_holds_no_word_of_a_person(run: Run) -> None:
    found = rows(run.database, *access_log.c)
    assert b"denied:save" in found
    for planted in everything_planted(run):
        assert not any(spelt in found for spelt in spellings(planted)), planted


@pytest.mark.slow
def test_the_audit_trail_holds_no_word_of_a_person(run: Run) -> None:
    found = rows(run.database, *audit.c)
    assert b"correction" in found
    for planted in everything_planted(run):
        assert not any(spelt in found for spelt in spellings(planted)), planted


@pytest.mark.slow
def test_the_planted_words_are_in_the_database_itself(run: Run) -> None:
    content = run.database.path.read_bytes() + Path(f"{run.database.path}-wal").read_bytes()
    for planted in (QUESTION, ANSWER, COMMENT, REASON, NOTE, NAME, EMAIL):
        assert planted.encode() in content
    assert PASSPHRASE.encode() not in content
    assert not any(secret.encode() in content for secret in run.secrets)
