"""Every byte sent to a rater's browser in a whole small study: nothing tells who wrote what.

The rater signs in, reads home, consent, profile and guide, rates six pairs, corrects
one through `my work`, answers the closing question, and tries to download. Counted are whole
messages: answers of the server to a request, and frames of the websocket.
"""

import base64
import hashlib
import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.services.assignment import task_draw
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from cbt_core.words import section
from db.engine import Database
from db.tables.desk import task, task_slot
from db.tables.studies import answer, system
from tests.browser.acts import enter, secret_of, wait_for_item
from tests.browser.conftest import Served
from tests.browser.wiretap import Message, Wiretap, listening
from tests.conftest import NOW
from tests.making import enrol

pytestmark = pytest.mark.browser

ITEMS = 6
SYSTEMS = ("zebra-baseline-XQ7", "walrus-lora-KJ3")
ORIGINS = {"model": "giraffe-7b", "adapter": "okapi-adapter-9", "prompt": "tapir-prompt-v4",
           "run": "ibex-run-0931"}
SOURCE = {"source": "quokka-corpus-2", "licence": "lemur-licence"}
KEYS = {f"Q-narwhal-{number}": number for number in range(1, ITEMS + 1)}
SECRETS = (*SYSTEMS, *ORIGINS.values(), *SOURCE.values(), *KEYS)
SLUG = "wire-study"
WORDS = {name: section(name, "zh") for name in ("begin", "closing", "my_work", "sheet")}

NUMBERS = {
    "sequence", "done", "total", "minutes_left", "number", "revision", "draft_sequence", "value",
    "confidence", "start", "end", "minutes", "risk_items", "relevance", "structure", "helpfulness",
}
"""The only keys of the sheet's JSON under which a number stands: none is an id."""


@dataclass(frozen=True)
class Session:
    """A whole session: what was sent, whole and by message."""

    database: Database
    sent: bytes
    messages: list[Message]

    def sheets(self) -> list[dict[str, Any]]:
        """Return the JSON answers of the sheet's routes, in order of arrival on a connection."""
        return [json.loads(one.body) for one in self.messages if one.path.startswith("/api/")]


def text_of(place: int, number: int) -> str:
    return f"<{number}·{place}>" + "这一种回答的内容，与别的都不相同。" * (6 + place)


def files(folder: Path) -> StudyFiles:
    questions, answers = folder / "questions.jsonl", folder / "answers.jsonl"
    lines = [
        {"id": key, "question": f"第{number}题的提问", "description": "一些经过。" * 5, **SOURCE}
        for key, number in KEYS.items()
    ]
    questions.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in lines), "utf-8")
    rows = [{"id": key, "system": name, "answer": text_of(place, number), **ORIGINS}
            for key, number in KEYS.items() for place, name in enumerate(SYSTEMS)]
    answers.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in rows), "utf-8")
    return StudyFiles(questions=questions, answers=(answers,))


def prepare(database: Database, folder: Path) -> None:
    protocol = folder / "protocol.toml"
    protocol.write_text(
        '[design]\noverlap = 1\nrepeats = 0.0\n[sheet]\npreference = "off"\n'
        f'[analysis]\nbaseline = "{SYSTEMS[0]}"\n', "utf-8")
    made = creation.create_study(
        database, TERMINAL, slug=SLUG, title="研究一", files=files(folder), now=NOW,
        protocol=protocol)
    enrol(database, "R01", made.study_id, Role.RATER, NOW)
    task_draw.assign(database, TERMINAL, slug=SLUG, raters=["R01"], now=NOW)


def go_through(page: Page, url: str) -> None:
    """Do everything a rater does, from the first page to thanks."""
    page.goto(url)
    begin, closing = WORDS["begin"], WORDS["closing"]
    page.goto(f"{url}/begin")
    page.get_by_text(begin["agree"]).click()
    page.get_by_role("button", name=begin["accept"], exact=True).click()
    page.get_by_role("button", name=begin["next"], exact=True).click()
    page.get_by_role("button", name=begin["guide_read"], exact=True).click()
    page.locator("fieldset.scale").first.wait_for()
    for number in range(1, ITEMS + 1):
        wait_for_item(page, number)
        for key in "211201s":
            page.keyboard.press(key)
    page.locator("fieldset.scale").first.wait_for(state="detached")
    page.goto(f"{url}/guide")
    page.locator("h1").wait_for()
    page.goto(f"{url}/my-work")
    page.get_by_role("button", name=WORDS["my_work"]["open"], exact=True).first.click()
    page.locator("fieldset.scale").first.wait_for()
    page.goto(f"{url}/closing")
    page.get_by_text(closing["sure"]).click()
    page.get_by_role("button", name=closing["make_final"], exact=True).click()
    groups = page.get_by_role("radiogroup")
    groups.nth(ITEMS - 1).wait_for()
    for number in range(ITEMS):
        groups.nth(number).get_by_text("A", exact=True).click()
    page.get_by_role("button", name=closing["send"], exact=True).click()
    page.get_by_text(closing["thanks"], exact=True).wait_for()


@pytest.fixture(scope="module")
def session(
    browser: Browser, served: Served, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    """Yield everything that was sent to the browser in a whole study."""
    prepare(served.database, tmp_path_factory.mktemp("wire"))
    with listening(served.port) as tap:
        secret = secret_of(served.database, "R01")
        context, page = enter(browser, replace(served, url=tap.url), "R01", secret)
        go_through(page, tap.url)
        for path in (f"/download/export/{SLUG}", f"/download/export/{SLUG}?unblinded=1"):
            assert page.request.get(f"{tap.url}{path}").status == 403
        context.close()
        yield Session(served.database, tap.sent, tap.messages())


def forms(name: str) -> Iterator[bytes]:
    """Yield a name as it might stand in the wire: plain, coded, hashed."""
    for spelt in {name, name.lower(), name.upper()}:
        raw = spelt.encode()
        yield raw
        yield base64.b64encode(raw)[:-3]
        yield raw.hex().encode()
        for method in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s"):
            yield from coded(hashlib.new(method, raw).digest())
        for size in (8, 16, 20, 32):
            yield from coded(hashlib.blake2b(raw, digest_size=size).digest())


def coded(digest: bytes) -> Iterator[bytes]:
    yield digest[:8]
    yield digest.hex()[:12].encode()
    yield digest.hex()[:12].upper().encode()
    yield base64.b64encode(digest)[:10]
    yield base64.urlsafe_b64encode(digest)[:10]


def test_the_tap_heard_the_whole_session(session: Session) -> None:
    kinds = {(one.kind, one.path.split("?")[0]) for one in session.messages}
    for path in ("/", "/sign-in", "/begin", "/guide", "/my-work", "/closing",
                 "/api/sheet/open", "/api/sheet/save", f"/download/export/{SLUG}"):
        assert ("http", path) in kinds
    frames = [one for one in session.messages if one.kind == "frame"]
    assert len(frames) > 100
    assert any("知情同意书".encode() in one.body for one in frames)
    assert sum("saved" in one for one in session.sheets()) == ITEMS


@pytest.mark.parametrize("name", SECRETS)
def test_no_name_and_no_hash_of_it_reaches_the_browser(session: Session, name: str) -> None:
    bodies = b"\n".join(one.head + one.body for one in session.messages)
    for form in forms(name):
        assert form not in session.sent
        assert form not in bodies


def strings(thing: object) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from strings(value)


def decoded(message: Message) -> dict[str, Any]:
    frame = ForwardMsg()
    frame.ParseFromString(message.body)
    return dict(MessageToDict(frame))


def test_no_masked_name_reaches_the_browser(session: Session) -> None:
    with session.database.reading() as connection:
        masked = list(connection.execute(select(system.c.masked)).scalars())
    assert len(masked) == len(SYSTEMS)
    pattern = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in masked), re.IGNORECASE)
    data: list[object] = list(session.sheets())
    data += [decoded(one) for one in session.messages if one.kind == "frame"]
    scripts = re.compile(r"function|=>|@keyframes|\{[^}]*:[^}]*\}")  # our own code and style
    for text in strings(data):
        assert scripts.search(text) or not pattern.search(text), text[:200]


def numbers(thing: object, key: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(thing, dict):
        for name, value in thing.items():
            yield from numbers(value, name)
    elif isinstance(thing, list):
        for value in thing:
            yield from numbers(value, key)
    elif isinstance(thing, int | float) and not isinstance(thing, bool):
        yield key, thing


def test_no_number_in_the_sheet_is_an_id(session: Session) -> None:
    for found in session.sheets():
        assert {key for key, _ in numbers(found)} <= NUMBERS


def test_every_answer_is_sent_once_for_each_time_its_task_is_opened(session: Session) -> None:
    """In the sheet's JSON: once at its turn, once more for the task opened again from my work.

    In websocket frames: once in the closing question alone, as often as that screen was drawn.
    Anywhere else (pages, scripts, downloads): never.
    """
    shown: dict[str, set[str]] = {}
    times: dict[str, int] = {}
    for found in session.sheets():
        view = found.get("view") or {}
        if view.get("task"):
            for slot in view["task"]["slots"]:
                shown.setdefault(slot["text"], set()).add(view["task"]["task"])
                times[slot["text"]] = times.get(slot["text"], 0) + 1
                raw = json.dumps(found, ensure_ascii=False)
                assert raw.count(slot["text"]) == 1
    texts = {text_of(place, number) for place in (0, 1) for number in KEYS.values()}
    assert set(times) == texts
    assert all(len(tasks) == 1 for tasks in shown.values())
    opened_again = [text for text, count in times.items() if count == 2]
    assert len(opened_again) == len(SYSTEMS)
    assert set(times.values()) == {1, 2}
    for message in session.messages:
        if message.kind == "http" and not message.path.startswith("/api/"):
            assert not any(text.encode() in message.body for text in texts)


def test_answers_stand_in_frames_of_the_closing_question_alone(session: Session) -> None:
    texts = [text_of(place, number) for place in (0, 1) for number in KEYS.values()]
    asked = WORDS["closing"]["question"].encode()
    holding = [one for one in session.messages
               if one.kind == "frame" and any(text.encode() in one.body for text in texts)]
    assert holding
    pages = {one.path for one in holding}
    with_question = {one.path for one in session.messages
                     if one.kind == "frame" and asked in one.body}
    assert pages <= with_question
    for text in texts:
        assert max(one.body.count(text.encode()) for one in holding) == 1


def test_the_slots_change_sides(session: Session) -> None:
    with session.database.reading() as connection:
        left = connection.execute(
            select(answer.c.system_id)
            .join(task_slot, task_slot.c.answer_id == answer.c.id)
            .join(task, task.c.id == task_slot.c.task_id)
            .where(task_slot.c.slot == "A").order_by(task.c.position)
        ).scalars().all()
    assert sorted(left.count(one) for one in set(left)) == [ITEMS // 2, ITEMS // 2]


def test_a_wiretap_sees_a_name_that_is_sent(served: Served) -> None:
    with listening(served.port) as tap:
        heard = ask(tap, "/healthz?zebra-baseline-XQ7")
    assert heard.path.endswith(SYSTEMS[0])
    assert heard.body == b"ok"


def ask(tap: Wiretap, path: str) -> Message:
    with urllib.request.urlopen(f"{tap.url}{path}") as answered:
        answered.read()
    return tap.messages()[0]
