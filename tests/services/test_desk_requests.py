"""What the desk believes of a request: its shape, and of which revision it was made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cbt_core.domain.people import Person
from cbt_core.domain.submission import Work
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.http import routes
from cbt_core.routes.common import COOKIE
from cbt_core.services.desk import admission, desk_task, own_work
from cbt_core.settings import Settings
from db.engine import Database
from db.tables.desk import draft, practice, score, submission
from db.tables.labels import label_submission
from tests import label_study, making
from tests.reliability.desk import sign_in

HERE = "http://127.0.0.1:8501"

NOT_THE_NUMBER_1 = [True, 1.0, "1", [1], {"1": 1}]
"""What Python takes for 1, or what looks like it."""


@dataclass(frozen=True)
class Seat:
    """A person at work in a study, and how what they enter looks."""

    database: Database
    person: Person
    slug: str
    work: Work
    now: datetime

    def open(self, token: str | None = None) -> dict[str, Any]:
        """Return what the screen shows of a task."""
        return dict(desk_task.open_task(
            self.database, self.person, slug=self.slug, token=token, work=self.work, now=self.now))

    def press(self, view: dict[str, Any], *, first: bool = True) -> dict[str, Any]:
        """Return what the screen posts at a save."""
        reason = "" if first else "read again"
        if self.work is Work.LABEL:
            return label_study.press(view, labels=["labeling"], reason=reason)
        return making.press(view, entries=making.entries(view, 1, reason=reason))

    def draft(self, view: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return what the screen posts while other entries are not saved yet."""
        other = {"labels": ["magnification"]} if self.work is Work.LABEL else (
            making.entries(view, 2))
        return {"task": view["task"]["task"], "sequence": 900, "entries": other,
                "base_revision": view["task"]["revision"], **more}

    def save(self, body: dict[str, Any]) -> dict[str, Any]:
        """Save."""
        return dict(desk_task.save(
            self.database, self.person, body=body, work=self.work, now=self.now))

    def skip(self, view: dict[str, Any]) -> dict[str, Any]:
        """Skip."""
        body = {**self.press(view), "skip": {"reason": "too_distressing"}}
        return dict(desk_task.skip(
            self.database, self.person, body=body, work=self.work, now=self.now))

    def keep(self, body: dict[str, Any]) -> int:
        """Keep a draft."""
        return desk_task.keep_draft(
            self.database, self.person, body=body, work=self.work, now=self.now)


@pytest.fixture(params=Work)
def seat(
    request: pytest.FixtureRequest, database: Database, tmp_path: Path, now: datetime
) -> Seat:
    """Return a rater with tasks, and an annotator with tasks."""
    if request.param is Work.LABEL:
        labels = label_study.make_label_study(database, tmp_path, now)
        return Seat(database, labels.annotators["N01"], labels.slug, Work.LABEL, now)
    made = making.make_study(database, tmp_path, now)
    return Seat(database, made.raters["R01"], made.slug, Work.RATE, now)


@pytest.fixture
def rater(database: Database, tmp_path: Path, now: datetime) -> Seat:
    made = making.make_study(
        database, tmp_path, now, protocol="[sheet]\nconfidence = true\npreference = 'optional'\n")
    return Seat(database, made.raters["R01"], made.slug, Work.RATE, now)


@pytest.fixture
def post(rater: Seat) -> Iterator[Callable[[str, object], Response]]:
    """Yield what the rater's browser does."""
    app = Starlette(routes=routes(rater.database, Settings(database=rater.database.url)))
    with TestClient(app, base_url=HERE) as client:
        client.cookies.set(COOKIE, sign_in(rater.database, rater.person.id))
        yield lambda path, body: client.post(
            f"/api/sheet/{path}", json=body, headers={"Origin": HERE})


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def entered(view: dict[str, Any]) -> object:
    """Return the first thing entered in a view: a score, or the labels."""
    given = view["task"]["entries"]
    return given["labels"] if "labels" in given else given["scores"]["A"]["relevance"]


# --- drafts -----------------------------------------------------------------------------------
def test_a_draft_sent_before_a_save_and_arriving_after_it_is_refused(seat: Seat) -> None:
    view = seat.open()
    token = view["task"]["task"]
    body = seat.press(view)
    seat.save(body)
    with pytest.raises(Conflict) as refused:
        seat.keep(seat.draft(view))
    assert refused.value.code == "rating.changed_elsewhere"
    assert count(seat.database, draft) == 0
    again = seat.open(token)
    assert entered(again) == (["labeling"] if seat.work is Work.LABEL else 1)
    assert again["task"]["draft_sequence"] == 0


def test_a_second_devices_draft_of_an_older_revision_is_refused(seat: Seat) -> None:
    first = seat.open()
    seat.save(seat.press(first))
    second = seat.open(first["task"]["task"])
    seat.save(seat.press(second, first=False))
    for stale in (first, second):
        with pytest.raises(Conflict):
            seat.keep(seat.draft(stale))
    now_shown = seat.open(first["task"]["task"])
    assert now_shown["task"]["revision"] == 2
    assert seat.keep(seat.draft(now_shown)) == 900
    assert count(seat.database, draft) == 1


def test_a_draft_after_a_skip_is_refused(seat: Seat) -> None:
    view = seat.open()
    seat.skip(view)
    with pytest.raises(Conflict):
        seat.keep(seat.draft(view))
    assert count(seat.database, draft) == 0


def test_a_draft_waits_behind_the_save_of_the_same_task(seat: Seat) -> None:
    """Two connections: both wait in the study's queue, and are served in order of arrival."""
    view = seat.open()
    ends: list[object] = []

    def act(what: Callable[[dict[str, Any]], object], body: dict[str, Any]) -> None:
        try:
            ends.append(what(body))
        except Conflict as refusal:
            ends.append(refusal.code)

    saving = Thread(target=act, args=(seat.save, seat.press(view)))
    drafting = Thread(target=act, args=(seat.keep, seat.draft(view)))
    (study_id,) = seat.person.roles
    with seat.database.writing(study_id):
        saving.start()
        saving.join(0.5)
        drafting.start()
        drafting.join(0.5)
        assert saving.is_alive()
        assert drafting.is_alive()
    saving.join()
    drafting.join()
    assert ends[1] == "rating.changed_elsewhere"
    assert count(seat.database, draft) == 0


@pytest.mark.parametrize("base", [None, True, 0.0, "0", -1, [0]])
def test_a_draft_says_of_which_revision_it_was_made(seat: Seat, base: object) -> None:
    view = seat.open()
    body = seat.draft(view)
    del body["base_revision"]
    for sent in (body, {**body, "base_revision": base}):
        with pytest.raises(Invalid) as refused:
            seat.keep(sent)
        assert refused.value.code == "rating.malformed"
    assert count(seat.database, draft) == 0


def test_a_stale_draft_is_told_to_the_browser(
    rater: Seat, post: Callable[[str, object], Response]
) -> None:
    view = post("open", {"study": rater.slug, "task": None}).json()["view"]
    body = rater.draft(view)
    assert post("draft", body).json() == {"sequence": 900}
    assert post("save", rater.press(view)).status_code == 200
    stale = post("draft", {**body, "sequence": 901})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "rating.changed_elsewhere")
    del body["base_revision"]
    missing = post("draft", body)
    assert (missing.status_code, missing.json()["error"]["code"]) == (422, "rating.malformed")
    assert count(rater.database, draft) == 0


# --- final scores -----------------------------------------------------------------------------
def test_final_scores_are_shown_and_nothing_of_them_changes(
    rater: Seat, post: Callable[[str, object], Response]
) -> None:
    posted = making.rate_all(rater.database, rater.person, rater.slug, rater.now)
    token = posted[0]["task"]
    assert rater.keep(rater.draft(rater.open(token))) == 900
    own_work.confirm_final(rater.database, rater.person, slug=rater.slug, now=rater.now)
    stored = count(rater.database, submission), count(rater.database, draft)

    view = rater.open(token)
    assert view["task"]["read_only"] is True
    assert entered(view) == 1  # what was saved, not the draft
    assert view["task"]["draft_sequence"] == 0
    changes: list[tuple[Callable[[Any], object], Any]] = [
        (rater.save, rater.press(view, first=False)), (rater.keep, rater.draft(view)),
        (rater.skip, view),
    ]
    for change, what in changes:
        with pytest.raises(Refused) as refused:
            change(what)
        assert refused.value.code == "rating.final"

    shown = post("open", {"study": rater.slug, "task": token}).json()["view"]
    assert shown["task"]["read_only"] is True
    skip = {**rater.press(view), "skip": {"reason": "too_distressing", "note": ""}}
    for path, body in (
        ("save", rater.press(view, first=False)), ("draft", rater.draft(view)), ("skip", skip),
    ):
        answer = post(path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (423, "rating.final")
    assert (count(rater.database, submission), count(rater.database, draft)) == stored


def test_making_scores_final_waits_behind_a_save(rater: Seat) -> None:
    making.rate_all(rater.database, rater.person, rater.slug, rater.now)
    (study_id,) = rater.person.roles
    ending = Thread(target=lambda: own_work.confirm_final(
        rater.database, rater.person, slug=rater.slug, now=rater.now))
    with rater.database.writing(study_id):
        ending.start()
        ending.join(0.5)
        assert ending.is_alive()
    ending.join()


# --- types ------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [*NOT_THE_NUMBER_1, 0, 4])
def test_confidence_is_a_whole_number_from_1_to_3(rater: Seat, value: object) -> None:
    view = rater.open()
    sent = making.entries(view, confidence=value)
    with pytest.raises(Invalid) as refused:
        rater.save(making.press(view, entries=sent))
    assert refused.value.code == "rating.out_of_range"
    assert refused.value.missing == ((None, "confidence"),)
    assert count(rater.database, submission) == 0


@pytest.mark.parametrize("value", NOT_THE_NUMBER_1)
def test_what_is_not_asked_for_still_has_its_type(
    database: Database, tmp_path: Path, now: datetime, value: object
) -> None:
    made = making.make_study(database, tmp_path, now)  # asks for no confidence
    view = making.open_next(database, made.raters["R01"], "trial", now)
    body = making.press(view, entries=making.entries(view, confidence=value))
    with pytest.raises(Invalid):
        desk_task.save(database, made.raters["R01"], body=body, now=now)


@pytest.mark.parametrize("value", NOT_THE_NUMBER_1)
@pytest.mark.parametrize("path", ["save", "draft", "skip"])
def test_numbers_of_a_press_are_whole_numbers(
    rater: Seat, post: Callable[[str, object], Response], path: str, value: object
) -> None:
    view = rater.open()
    body = {**rater.press(view), "sequence": 1, "skip": {"reason": "too_distressing"}}
    answer = post(path, {**body, "base_revision": value})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "rating.malformed")
    assert count(rater.database, score) == 0


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ({"scores": {"A": {"relevance": 1.0}}}, ("A", "relevance")),
        ({"task_scores": {"overall": True}}, (None, "overall")),
        ({"steps": {"A": {"agenda": "1"}}}, ("A", "step:agenda")),
        ({"preference": 1}, (None, "preference")),
        ({"flags": [{"slot": "A", "kind": "x", "severity": "y", "start": True}]}, (None, "flags")),
    ],
)
def test_a_wrong_type_is_named_by_its_place(
    rater: Seat, entries: dict[str, object], place: tuple[str | None, str]
) -> None:
    view = rater.open()
    with pytest.raises(Invalid) as refused:
        rater.save(making.press(view, entries={**making.entries(view), **entries}))
    assert (refused.value.code, refused.value.missing) == ("rating.out_of_range", (place,))


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"scores": []}, "rating.malformed"), ({"scores": {"Z": {}}}, "rating.malformed"),
        ({"flags": {}}, "rating.malformed"), ({"comment": 7}, "rating.malformed"),
        ({"comment": "nul\0"}, "rating.malformed"), ({"comment": "\ud83d"}, "rating.malformed"),
        ({"comment": "长" * 4001}, "rating.too_long"), ({"flags": [{}] * 21}, "rating.too_long"),
    ],
)
def test_what_cannot_be_read_is_refused(
    rater: Seat, entries: dict[str, object], code: str
) -> None:
    view = rater.open()
    with pytest.raises(Invalid) as refused:
        rater.save(making.press(view, entries={**making.entries(view), **entries}))
    assert refused.value.code == code


def test_unknown_keys_are_left_out(rater: Seat) -> None:
    view = rater.open()
    body = making.press(view, entries={**making.entries(view), "colour": "red"}, theme="dark")
    assert rater.save(body)["saved"]["revision"] == 1


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_practice_score_is_a_whole_number(
    database: Database, tmp_path: Path, now: datetime, value: Any
) -> None:
    made = making.make_study(
        database, tmp_path, now, protocol='[rater]\npractice = "default"\n')
    rater = made.raters["R01"]
    item, _, _ = admission.practice_item(database, rater, slug=made.slug, now=now)
    assert item is not None
    given = {slot: dict.fromkeys(key, value) for slot, key in item.key.items()}
    with pytest.raises(Invalid):
        admission.answer_practice(
            database, rater, slug=made.slug, item=item.id, scores=given, now=now)
    assert count(database, practice) == 0


@pytest.mark.parametrize("value", NOT_THE_NUMBER_1)
def test_certainty_and_places_of_labels_are_whole_numbers(
    database: Database, tmp_path: Path, now: datetime, value: object
) -> None:
    study = label_study.make_label_study(database, tmp_path, now)
    seat = Seat(database, study.annotators["N01"], study.slug, Work.LABEL, now)
    view = seat.open()
    span = {"field": "question", "start": value, "end": 4, "label": "labeling"}
    for entries in ({"labels": ["labeling"], "certainty": value}, {"spans": [span]}):
        with pytest.raises(Invalid) as refused:
            seat.save(label_study.press(view, **entries))
        assert refused.value.code == "annotation.out_of_range"
    assert count(database, label_submission) == 0
