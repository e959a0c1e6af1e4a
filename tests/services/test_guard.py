"""What a door of the guard does beside the rights of each function, which the matrix holds."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused
from cbt_core.services import guard
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task, own_work
from cbt_core.services.report import study_report
from cbt_core.services.report.study_report import Wish
from cbt_core.services.results import study_results
from cbt_core.services.studies import contents, lifecycle, registration
from db import engine
from db.engine import Database
from db.tables.trail import access_log
from tests import making
from tests.making import Made, make_study

STRANGER = Person(99, "X99")


@pytest.fixture
def made(database: Database, tmp_path: Path, now: datetime) -> Made:
    return make_study(database, tmp_path, now, raters=("R01",), protocol="[design]\noverlap = 1\n")


def denials(database: Database) -> list[tuple[str, str, int | None, str]]:
    columns = access_log.c
    query = select(columns.actor, columns.action, columns.study_id, columns.detail)
    with database.reading() as connection:
        rows = connection.execute(
            query.where(columns.action.startswith("denied:")).order_by(columns.id)).all()
    return [tuple(row) for row in rows]  # type: ignore[misc]


def test_a_refusal_for_the_state_of_things_is_noted_once_a_call(
    database: Database, made: Made, now: datetime
) -> None:
    rater = made.raters["R01"]
    view = making.open_next(database, rater, made.slug, now)
    lifecycle.lock(database, TERMINAL, slug=made.slug, now=now)
    for _ in range(2):
        with pytest.raises(Refused):
            desk_task.save(database, rater, body=making.press(view), now=now)
    assert denials(database) == 2 * [("R01", "denied:save", made.study_id, "rating.locked")]


def test_a_service_that_calls_services_is_noted_once_under_its_own_name(
    database: Database, made: Made, now: datetime
) -> None:
    with pytest.raises(Refused):
        study_report.report_zip(database, STRANGER, slug=made.slug, now=now)
    both = making.give_role(
        database, made.raters["R01"], made.study_id, Role.LEAD, now)
    with pytest.raises(Refused):
        study_report.report_zip(database, both, slug=made.slug, now=now)
    assert denials(database) == [
        ("X99", "denied:report_zip", made.study_id, "access.not_allowed"),
        ("R01", "denied:report_zip", made.study_id, "export.no_results_for_raters"),
    ]


def test_what_a_report_withholds_is_no_refused_call(
    database: Database, made: Made, now: datetime
) -> None:
    lead = making.lead(database, made.study_id, now)
    labels = making.give_role(database, lead, made.study_id, Role.ANNOTATOR, now)
    with database.reading() as connection:
        plan = registration.registered(connection, made.study_id)
    found = study_report.gather(
        database, labels, slug=made.slug, plan=plan, wish=Wish(bootstrap=10), now=now)
    assert found.labels_withheld == "labels.no_results_for_annotators"
    assert denials(database) == []
    with pytest.raises(Refused):
        study_results.label_results(database, labels, slug=made.slug, now=now, bootstrap=10)
    assert [act for _, act, _, _ in denials(database)] == ["denied:label_results"]


@pytest.mark.parametrize("act", [
    lambda *args, **more: desk_task.open_task(*args, token=None, **more),
    admission.standing, admission.finish_guide, own_work.hours, own_work.confirm_final,
])
def test_a_stranger_is_told_no_more_than_if_the_study_did_not_exist(
    database: Database, made: Made, now: datetime, act: Callable[..., object]
) -> None:
    told = []
    for slug in (made.slug, "words of a person"):
        with pytest.raises(Refused) as refused:
            act(database, STRANGER, slug=slug, now=now)
        told.append((refused.value.code, refused.value.values))
    assert told[0] == told[1]
    assert "words of a person" not in str(denials(database))


def test_a_task_of_others_is_told_as_one_that_does_not_exist(
    database: Database, made: Made, now: datetime
) -> None:
    view = making.open_next(database, made.raters["R01"], made.slug, now)
    body = making.press(view)
    for sent in (body, {**body, "task": "words of a person"}):
        with pytest.raises(Refused, match=str(Refused(guard.UNKNOWN_TASK))):
            desk_task.save(database, STRANGER, body=sent, now=now)
    assert denials(database) == [
        ("X99", "denied:save", made.study_id, "rating.unknown_task"),
        ("X99", "denied:save", None, "rating.unknown_task"),
    ]


@pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="a server's writers wait for one another")
def test_a_refusal_stands_where_it_cannot_be_noted(
    database: Database, made: Made, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.1)
    with database.writing(), pytest.raises(Refused):  # somebody else's turn, and no end of it
        contents.setup_for(database, STRANGER, slug=made.slug, now=now)
    assert denials(database) == []


def test_who_is_let_in_is_asked_anew_in_every_transaction(
    database: Database, made: Made, now: datetime
) -> None:
    lead = making.lead(database, made.study_id, now)
    door = guard.as_onlooker(
        database, lead, study=made.slug, role=Role.RATER, act="look", now=now)
    with door.steps():
        task_draw.assign(database, TERMINAL, slug=made.slug, raters=[lead.code], now=now)
        with pytest.raises(Refused), door.reading():
            pytest.fail("let in who rates by now")
