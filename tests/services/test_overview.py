"""What a lead watches: pace, what is missing, practice; and scores as far as the stage allows."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused
from cbt_core.instruments.shipped import FOLDER
from cbt_core.services import joining, lifecycle, overview, rating, score_overview
from cbt_core.services.overview import Pace, Watch
from db import audit
from db.engine import Database
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
        rating.save(database, rater, body=making.press(view), now=at)


def skip_one(database: Database, study: Made, code: str, reason: str, at: datetime) -> None:
    rater = study.raters[code]
    view = making.open_next(database, rater, study.slug, at)
    body = making.press(view, skip={"reason": reason, "note": ""})
    rating.skip(database, rater, body=body, now=at)


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
    rating.save(database, rater, body=making.press(view, entries=entries), now=now)
    skip_one(database, study, "R01", "not_competent", now)
    seen = watch(database, lead, now)
    assert [(m.scale, m.reason, m.count) for m in seen.missing] == [
        ("relevance", "cannot_rate", 1)
    ]
    assert dict(seen.given) == {"relevance": 1, "structure": 2, "helpfulness": 2}
    assert dict(seen.skips) == {"not_competent": 1}


def test_only_the_newest_revision_counts(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = making.open_next(database, rater, "trial", now)
    rating.save(database, rater, body=making.press(view), now=now)
    again = dict(rating.open_task(
        database, rater, slug="trial", token=view["task"]["task"], now=now
    ))
    entries = making.entries(again, 2, reason="read again")
    rating.save(database, rater, body=making.press(again, entries=entries), now=now)
    found = score_overview.scores(database, lead, slug="trial", now=now)
    assert {(one.n, one.mean) for one in found.raters} == {(2, 2.0)}


def test_watching_is_for_the_lead(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    with pytest.raises(Refused):
        watch(database, study.raters["R01"], now)
    with pytest.raises(Refused):
        score_overview.scores(database, study.raters["R01"], slug="trial", now=now)
    with pytest.raises(Refused):
        overview.chain_head(database, study.raters["R01"], slug="trial", now=now)


def test_before_the_unblinding_scores_hold_no_system(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 8, now)
    assert not score_overview.scores(database, lead, slug="trial", now=now).systems
    lifecycle.lock(database, lead, slug="trial", now=now)
    assert not score_overview.scores(database, lead, slug="trial", now=now).systems


def test_means_by_system_average_items_not_ratings(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    """One rater gives 0, the others 2: every item's mean is 4/3, and so is the system's."""
    for code, value in (("R01", 0), ("R02", 2), ("R03", 2)):
        making.rate_all(database, study.raters[code], "trial", now, value)
    lifecycle.lock(database, lead, slug="trial", now=now)
    lifecycle.unblind(database, lead, slug="trial", reason="planned", now=now)
    found = score_overview.scores(database, lead, slug="trial", now=now)
    assert {one.system for one in found.systems} == {"baseline", "zebra-lora"}
    for one in found.systems:
        assert one.n_items == 8
        assert one.mean == pytest.approx(4 / 3)
        assert one.low == pytest.approx(4 / 3)  # items do not differ: neither do resamples
        assert one.high == pytest.approx(4 / 3)


def test_a_withdrawn_item_leaves_the_scores(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    rate_some(database, study, "R01", 8, now)
    lifecycle.withdraw_item(database, lead, slug="trial", key="Q001", reason="leak", now=now)
    found = score_overview.scores(database, lead, slug="trial", now=now)
    assert {one.n for one in found.raters} == {14}


def test_a_lead_who_rates_sees_scores_only_after_the_lock(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    both = making.give_role(database, lead, study.study_id, Role.RATER, now)
    rate_some(database, study, "R01", 2, now)
    with pytest.raises(Refused, match="You rate in this study"):
        score_overview.scores(database, both, slug="trial", now=now)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    assert score_overview.scores(database, both, slug="trial", now=now).raters


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
        item, _, count = joining.practice_item(database, rater, slug="trial")
        for _ in range(count):
            assert item is not None
            wrong = {slot: {scale: (value + 1) % 3 for scale, value in scales.items()}
                     for slot, scales in item.key.items()}
            joining.answer_practice(
                database, rater, slug="trial", item=item.id, scores=wrong, now=now
            )
            item, _, _ = joining.practice_item(database, rater, slug="trial")
        found = watch(database, mine, now).practice[0]
        assert (found.code, found.right, found.state) == ("R01", 0, state)
    joining.let_in(database, mine, slug="trial", code="R01", now=now)
    assert watch(database, mine, now).practice[0].state == "passed"
