"""Lock, unlock, unblind, withdraw, amend: each once, dated, with its reason."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.services.desk import desk_task
from cbt_core.services.studies import contents, creation, lifecycle, protocols, study_setup
from db import audit
from db.engine import Database
from tests.making import Made, lead, make_study, open_next, press, rate_all, study_file

REASON = "as planned"


@pytest.fixture
def made(database: Database, tmp_path: Path, now: datetime) -> Made:
    return make_study(database, tmp_path, now, items=4)


def test_nothing_is_saved_in_a_locked_study(database: Database, made: Made, now: datetime) -> None:
    rater = made.raters["R01"]
    view = open_next(database, rater, made.slug, now)
    lifecycle.lock(database, TERMINAL, slug=made.slug, now=now)
    with pytest.raises(StudyError):
        desk_task.save(database, rater, body=press(view), now=now)
    assert lifecycle.status(database, TERMINAL, slug=made.slug, now=now).done == 0


def test_a_study_without_tasks_cannot_be_locked(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    creation.create_study(
        database, TERMINAL, slug="empty", title="T", now=now,
        files=creation.StudyFiles(study_file=study_file(tmp_path)),
    )
    with pytest.raises(StudyError, match="Nothing is assigned"):
        lifecycle.lock(database, TERMINAL, slug="empty", now=now)


def test_a_study_is_unlocked_before_the_unblinding_only(
    database: Database, made: Made, now: datetime
) -> None:
    lifecycle.lock(database, TERMINAL, slug=made.slug, now=now)
    opened = lifecycle.unlock(database, TERMINAL, slug=made.slug, reason=REASON, now=now)
    assert (opened.stage, opened.locked_at) == ("open", None)
    lifecycle.lock(database, TERMINAL, slug=made.slug, now=now)
    lifecycle.unblind(database, TERMINAL, slug=made.slug, reason=REASON, now=now)
    with pytest.raises(StudyError, match="stays as it is"):
        lifecycle.unlock(database, TERMINAL, slug=made.slug, reason=REASON, now=now)
    with pytest.raises(StudyError, match="stays as it is"):
        lifecycle.unblind(database, TERMINAL, slug=made.slug, reason=REASON, now=now)


def test_an_open_study_is_not_unblinded(database: Database, made: Made, now: datetime) -> None:
    with pytest.raises(StudyError, match="Lock it first"):
        lifecycle.unblind(database, TERMINAL, slug=made.slug, reason=REASON, now=now)


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2_001])
def test_an_act_without_a_fit_reason_is_refused(
    database: Database, made: Made, now: datetime, reason: str
) -> None:
    lifecycle.lock(database, TERMINAL, slug=made.slug, now=now)
    for act in (lifecycle.unlock, lifecycle.unblind):
        with pytest.raises(StudyError, match="reason"):
            act(database, TERMINAL, slug=made.slug, reason=reason, now=now)
    assert contents.listing(database, TERMINAL, now=now)[0].study.stage == "locked"


def test_every_turn_stands_in_the_trail(database: Database, made: Made, now: datetime) -> None:
    own = lead(database, made.study_id, now)
    lifecycle.withdraw_item(database, own, slug=made.slug, key="Q002", reason="错字", now=now)
    lifecycle.lock(database, own, slug=made.slug, now=now)
    lifecycle.unlock(database, own, slug=made.slug, reason="one more day", now=now)
    lifecycle.lock(database, own, slug=made.slug, now=now)
    lifecycle.unblind(database, own, slug=made.slug, reason=REASON, now=now)
    with database.reading() as connection:
        entries = audit.entries(connection, made.study_id)
        assert audit.verify(connection, made.study_id) is None
    told = [(one.action, json.loads(one.payload).get("reason")) for one in entries
            if one.actor == "L01"]
    assert told == [
        ("item.withdraw", "错字"), ("study.lock", None), ("study.unlock", "one more day"),
        ("study.lock", None), ("study.unblind", REASON),
    ]


def test_a_withdrawn_item_is_asked_no_more_and_what_was_rated_stays(
    database: Database, made: Made, now: datetime
) -> None:
    rate_all(database, made.raters["R01"], made.slug, now)
    open_next(database, made.raters["R02"], made.slug, now)
    taken = lifecycle.withdraw_item(
        database, TERMINAL, slug=made.slug, key="Q002", reason=REASON, now=now
    )
    found = lifecycle.status(database, TERMINAL, slug=made.slug, now=now)
    assert taken == 2
    assert [(row.code, row.done, row.total) for row in found.raters] == [
        ("R01", 4, 4), ("R02", 0, 3), ("R03", 0, 3),
    ]
    assert found.coverage.withdrawn == 1
    assert open_next(database, made.raters["R03"], made.slug, now)["progress"]["total"] == 3
    for code in ("R02", "R03"):
        assert len(rate_all(database, made.raters[code], made.slug, now)) == 3
    with pytest.raises(StudyError, match="was withdrawn on 2026-11-23"):
        lifecycle.withdraw_item(
            database, TERMINAL, slug=made.slug, key="Q002", reason=REASON, now=now
        )


def test_an_unknown_item_is_not_withdrawn(database: Database, made: Made, now: datetime) -> None:
    with pytest.raises(StudyError, match="no item Q999"):
        lifecycle.withdraw_item(
            database, TERMINAL, slug=made.slug, key="Q999", reason=REASON, now=now
        )


def test_status_counts_tasks_and_hours(database: Database, made: Made, now: datetime) -> None:
    rate_all(database, made.raters["R01"], made.slug, now)
    found = lifecycle.status(database, TERMINAL, slug=made.slug, now=now)
    assert (found.done, found.total) == (4, 12)
    assert found.hours == pytest.approx(4 * 61.5 / 3600, rel=0.05)
    assert (found.coverage.complete, found.coverage.partial) == (0, 4)
    assert [row.done for row in lifecycle.item_progress(
        database, TERMINAL, slug=made.slug, now=now)] == [1, 1, 1, 1]


def test_an_amended_protocol_is_in_force_and_the_old_one_stays(
    database: Database, made: Made, tmp_path: Path, now: datetime
) -> None:
    rate_all(database, made.raters["R01"], made.slug, now)
    file = _protocol(tmp_path, "[sheet]\nconfidence = true\n")
    protocols.amend(
        database, TERMINAL, slug=made.slug, protocol=file, reason="reviewer 2", now=now
    )
    with database.reading() as connection:
        assert study_setup.current(connection, made.study_id).protocol.sheet.confidence
    versions = contents.versions(database, TERMINAL, slug=made.slug, now=now)
    assert [(one.version, one.reason) for one in versions] == [(1, ""), (2, "reviewer 2")]
    with pytest.raises(StudyError, match="in force already"):
        protocols.amend(
            database, TERMINAL, slug=made.slug, protocol=file, reason=REASON, now=now
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[instrument]\nscales = "overall-5"\n', "scales can no longer change"),
        ('[instrument]\nlabels = "c2d2-7"\n', "label scheme can no longer change"),
        ('[study]\nlanguage = "en"\n', "language"),
        ('[design]\npanel = "single"\n', "panel form can no longer change"),
    ],
)
def test_what_was_measured_with_cannot_be_amended(
    database: Database, made: Made, tmp_path: Path, now: datetime, text: str, told: str
) -> None:
    rate_all(database, made.raters["R01"], made.slug, now)
    with pytest.raises(StudyError, match=told):
        protocols.amend(
            database, TERMINAL, slug=made.slug, protocol=_protocol(tmp_path, text), reason=REASON,
            now=now,
        )
    assert len(contents.versions(database, TERMINAL, slug=made.slug, now=now)) == 1


def test_scales_may_change_and_change_back_before_the_first_rating(
    database: Database, made: Made, tmp_path: Path, now: datetime
) -> None:
    for number, scales in enumerate(("overall-5", "cbt-3", "overall-5"), start=2):
        file = _protocol(
            tmp_path, f'[study]\ntitle = "{number}"\n[instrument]\nscales = "{scales}"\n'
        )
        protocols.amend(
            database, TERMINAL, slug=made.slug, protocol=file, reason=REASON, now=now
        )
        with database.reading() as connection:
            found = study_setup.current(connection, made.study_id)
        assert (found.instrument.id, found.study.title) == (scales, str(number))


ACTS = {
    "lock": lambda d, p, slug, now: lifecycle.lock(d, p, slug=slug, now=now),
    "unlock": lambda d, p, slug, now: lifecycle.unlock(d, p, slug=slug, reason="x", now=now),
    "unblind": lambda d, p, slug, now: lifecycle.unblind(d, p, slug=slug, reason="x", now=now),
    "withdraw": lambda d, p, slug, now: lifecycle.withdraw_item(
        d, p, slug=slug, key="Q001", reason="x", now=now),
    "status": lambda d, p, slug, now: lifecycle.status(d, p, slug=slug, now=now),
    "amend": lambda d, p, slug, now: protocols.amend(
        d, p, slug=slug, protocol=Path("p.toml"), reason="x", now=now),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_the_studys_own_lead_may(
    database: Database, made: Made, now: datetime, act: str
) -> None:
    others = (made.raters["R01"], Person(77, "L77", roles={made.study_id + 1: frozenset(Role)}))
    for person in others:
        with pytest.raises(Refused):
            ACTS[act](database, person, made.slug, now)


def _protocol(folder: Path, text: str) -> Path:
    file = folder / "amended.toml"
    file.write_text(text, "utf-8")
    return file
