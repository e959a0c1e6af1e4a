"""The items that split the raters: order, filters, and what may be told at which stage."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.services.results import disagreements, study_results
from cbt_core.services.studies import lifecycle
from cbt_core.stats import ratings
from db.engine import Database
from tests import making
from tests.making import Made


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    made = making.make_study(database, tmp_path, now)
    for code, value in (("R01", 0), ("R02", 1), ("R03", 2)):
        making.rate_all(database, made.raters[code], made.slug, now, value)
    return made


@pytest.fixture
def lead(database: Database, study: Made, now: datetime) -> Person:
    return making.lead(database, study.study_id, now)


def lock(database: Database, lead: Person, now: datetime) -> None:
    lifecycle.lock(database, lead, slug="trial", now=now)


def test_lowest_against_highest_is_the_whole_range(
    database: Database, lead: Person, now: datetime
) -> None:
    found = disagreements.split_items(database, lead, slug="trial", now=now)
    assert len(found) == 8
    assert {one.gap for one in found} == {1.0}
    # scores 0, 1, 2 of range 2: variance 2/3 of a point, so a sixth of the squared range
    assert found[0].spread == pytest.approx((2 / 3 / 4) ** 0.5)
    assert found[0].differing == found[0].units == 6


def test_raters_who_agree_split_nothing(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = making.make_study(database, tmp_path, now)
    for rater in made.raters.values():
        making.rate_all(database, rater, made.slug, now, 2)
    lead = making.lead(database, made.study_id, now)
    assert disagreements.split_items(database, lead, slug="trial", now=now) == ()


def test_an_excluded_item_is_not_listed(database: Database, lead: Person, now: datetime) -> None:
    lifecycle.withdraw_item(database, lead, slug="trial", key="Q001", reason="twice", now=now)
    found = disagreements.split_items(database, lead, slug="trial", now=now)
    assert "Q001" not in {one.key for one in found}


def test_before_the_lock_no_answer_is_tied_to_its_scores(
    database: Database, lead: Person, now: datetime
) -> None:
    found = disagreements.case(database, lead, slug="trial", item="Q001", now=now)
    assert found.is_masked
    assert [one.name for one in found.answers] == ["", ""]
    assert found.columns == ("A", "B")
    with pytest.raises(Refused):
        disagreements.split_items(database, lead, slug="trial", system="S1", now=now)


def test_letters_do_not_follow_systems_over_items() -> None:
    """The first answer stored is not always A: else letters would be masked names."""
    placed = [
        disagreements._letters(item, [2 * item - 1, 2 * item])[2 * item - 1]
        for item in range(1, 41)
    ]
    assert 10 <= placed.count("A") <= 30


def test_from_the_lock_on_answers_bear_masked_names(
    database: Database, lead: Person, now: datetime
) -> None:
    lock(database, lead, now)
    found = disagreements.case(database, lead, slug="trial", item="Q001", now=now)
    assert found.columns == ("S1", "S2")
    assert len(found.scores) == 3
    assert sorted(one.values["S1", "relevance"] for one in found.scores) == [0, 1, 2]
    assert len(disagreements.split_items(database, lead, slug="trial", system="S1", now=now)) == 8


def test_true_names_wait_for_the_unblinding(
    database: Database, lead: Person, now: datetime
) -> None:
    lock(database, lead, now)
    lifecycle.unblind(database, lead, slug="trial", reason="planned", now=now)
    found = disagreements.case(database, lead, slug="trial", item="Q001", now=now)
    assert found.columns == ("baseline", "zebra-lora")


def test_what_does_not_exist_is_named(database: Database, lead: Person, now: datetime) -> None:
    with pytest.raises(StudyError, match="Q999"):
        disagreements.case(database, lead, slug="trial", item="Q999", now=now)
    with pytest.raises(StudyError):
        disagreements.split_items(database, lead, slug="trial", scale="beauty", now=now)


def test_a_lead_who_rates_is_refused_before_the_lock(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    both = making.give_role(database, lead, study.study_id, Role.RATER, now)
    for call in (
        lambda: disagreements.split_items(database, both, slug="trial", now=now),
        lambda: disagreements.case(database, both, slug="trial", item="Q001", now=now),
        lambda: study_results.state(database, both, slug="trial", now=now),
        lambda: study_results.everything(database, both, slug="trial", now=now, bootstrap=0),
    ):
        with pytest.raises(Refused):
            call()


def test_the_state_changes_with_what_is_decided(
    database: Database, lead: Person, now: datetime
) -> None:
    before = study_results.state(database, lead, slug="trial", now=now)
    assert study_results.state(database, lead, slug="trial", now=now) == before
    lock(database, lead, now)
    assert study_results.state(database, lead, slug="trial", now=now) != before


def test_the_results_screen_reads_a_study_once(
    database: Database, lead: Person, now: datetime
) -> None:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    def statements(act: Callable[..., object]) -> int:
        asked.clear()
        event.listen(Engine, "before_cursor_execute", note)
        act(database, lead, slug="trial", now=now, bootstrap=0)
        event.remove(Engine, "before_cursor_execute", note)
        return len(asked)

    assert statements(study_results.everything) == statements(study_results.analyse) > 0


def test_shares_by_system_wait_for_the_lock(
    database: Database, lead: Person, now: datetime
) -> None:
    found = study_results.everything(database, lead, slug="trial", now=now, bootstrap=0)
    assert {one.system for one in found.shares} == {ratings.POOLED}
    lock(database, lead, now)
    found = study_results.everything(database, lead, slug="trial", now=now, bootstrap=0)
    assert {one.system for one in found.shares} == {ratings.POOLED, "S1", "S2"}
