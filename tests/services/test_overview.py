"""What a lead watches: pace, what is missing, practice; and scores as far as the stage allows."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.submission import Work
from cbt_core.errors import Refused
from cbt_core.instruments.shipped import FOLDER
from cbt_core.services.desk import admission, desk_task
from cbt_core.services.studies import lifecycle, overview
from cbt_core.services.studies.overview import Pace, Watch
from db import audit
from db.columns import stamp
from db.engine import Database
from tests import label_study as labels
from tests import making
from tests.making import Made


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return making.make_study(database, tmp_path, now)


@pytest.fixture
def lead(database: Database, study: Made, now: datetime) -> Person:
    return making.lead(database, study.study_id, now)


def rate_some(database: Database, study: Made, code: str, count: int, at: datetime) -> None:
    """Rate a number of tasks of a rater at a moment."""
    rater = study.raters[code]
    for _ in range(count):
        view = making.open_next(database, rater, study.slug, at)
        desk_task.save(database, rater, body=making.press(view), now=at)


def skip_one(database: Database, study: Made, code: str, reason: str, at: datetime) -> None:
    rater = study.raters[code]
    view = making.open_next(database, rater, study.slug, at)
    body = making.press(view, skip={"reason": reason, "note": ""})
    desk_task.skip(database, rater, body=body, now=at)


def watch(database: Database, lead: Person, now: datetime) -> Watch:
    return overview.watch(database, lead, slug="trial", now=now)


def pace(seen: Watch, code: str) -> Pace:
    return next(one for one in seen.people if one.code == code)


def test_done_skipped_and_waiting_tasks_add_up(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 3, now)
    skip_one(database, study, "R01", "too_distressing", now)
    seen = watch(database, lead, now)
    mine = pace(seen, "R01")
    assert (mine.done, mine.skipped, mine.left, mine.total) == (3, 1, 4, 8)
    assert (seen.done, seen.skipped, seen.total) == (3, 1, 24)


def test_the_end_follows_from_the_pace_since_the_first_save(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 2, now)
    rate_some(database, study, "R01", 2, now + timedelta(days=2))
    mine = pace(watch(database, lead, now + timedelta(days=2)), "R01")
    assert mine.per_day == pytest.approx(2.0)
    assert mine.finish == now + timedelta(days=4)  # 4 tasks left at 2 a day


def test_two_tasks_are_too_few_to_tell_an_end(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 2, now)
    assert pace(watch(database, lead, now), "R01").finish is None


def test_nobody_is_behind_before_anybody_has_begun(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    assert {one.behind for one in watch(database, lead, now).people} == {""}


def test_who_is_behind_is_told_with_the_reason(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 6, now)
    rate_some(database, study, "R02", 1, now)
    seen = watch(database, lead, now)
    assert {one.code: one.behind for one in seen.people} == {
        "R01": "", "R02": "", "R03": "not_begun",
    }
    rate_some(database, study, "R03", 6, now)
    assert pace(watch(database, lead, now), "R02").behind == "slow"
    later = watch(database, lead, now + timedelta(days=5))
    assert {one.behind for one in later.people} == {"idle"}


def test_who_has_finished_is_never_behind(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 8, now)
    assert pace(watch(database, lead, now + timedelta(days=30)), "R01").behind == ""


def test_missing_scores_stand_by_scale_and_reason(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = making.open_next(database, rater, "trial", now)
    entries = making.entries(view)
    entries["scores"]["A"]["relevance"] = "cannot_rate"
    desk_task.save(database, rater, body=making.press(view, entries=entries), now=now)
    skip_one(database, study, "R01", "not_competent", now)
    seen = watch(database, lead, now)
    assert [(m.scale, m.reason, m.count) for m in seen.missing] == [
        ("relevance", "cannot_rate", 1)
    ]
    assert dict(seen.given) == {"relevance": 1, "structure": 2, "helpfulness": 2}
    assert dict(seen.skips) == {"not_competent": 1}


def test_watching_is_for_the_lead(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    with pytest.raises(Refused):
        watch(database, study.raters["R01"], now)
    with pytest.raises(Refused):
        overview.chain_head(database, study.raters["R01"], slug="trial", now=now)


def test_the_head_is_that_of_the_studys_chain(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    with database.reading() as connection:
        expected = audit.head(connection, study.study_id)
    assert overview.chain_head(database, lead, slug="trial", now=now) == expected


def test_a_rater_who_fails_practice_twice_waits_for_the_lead(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    file = (FOLDER / "practice-cbt-3.toml").as_posix()
    made = making.make_study(
        database, tmp_path, now, protocol=f'[rater]\npractice = "{file}"\npass_mark = 1.0\n'
    )
    mine, rater = making.lead(database, made.study_id, now), made.raters["R01"]
    for state in ("again", "held"):
        item, _, count = admission.practice_item(database, rater, slug="trial", now=now)
        for _ in range(count):
            assert item is not None
            wrong = {slot: {scale: (value + 1) % 3 for scale, value in scales.items()}
                     for slot, scales in item.key.items()}
            admission.answer_practice(
                database, rater, slug="trial", item=item.id, scores=wrong, now=now
            )
            item, _, _ = admission.practice_item(database, rater, slug="trial", now=now)
        found = watch(database, mine, now).practice[0]
        assert (found.code, found.right, found.state) == ("R01", 0, state)
    admission.let_in(database, mine, slug="trial", code="R01", now=now)
    assert watch(database, mine, now).practice[0].state == "passed"


def test_an_annotators_last_save_counts_in_status_and_pace(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = labels.make_label_study(database, tmp_path, now, slug="texts")
    who = made.annotators["N01"]
    view = labels.open_next(database, who, made.slug, now)
    desk_task.save(
        database, who, body=labels.press(view, labels=["mind-reading"]), work=Work.LABEL, now=now)
    status = lifecycle.status(database, TERMINAL, slug=made.slug, now=now)
    assert [row.last_at for row in status.raters] == [stamp(now)]
    seen = overview.watch(database, TERMINAL, slug=made.slug, now=now)
    assert [one.last_at for one in seen.people] == [now]
