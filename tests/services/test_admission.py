"""Consent, profile, guide and practice, in that order and never skipped."""

from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Invalid, Refused
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from db.engine import Database
from tests.conftest import NOW
from tests.making import enrol, lead, person, study_file

PRACTICE = '[rater]\npractice = "default"\npass_mark = 0.9\n'


@pytest.fixture
def rater(database: Database, tmp_path: Path, now: datetime) -> Person:
    (tmp_path / "protocol.toml").write_text(PRACTICE, "utf-8")
    made = creation.create_study(
        database, TERMINAL, slug="trial", title="研究一", now=now,
        files=StudyFiles(study_file=study_file(tmp_path)), protocol=tmp_path / "protocol.toml",
    )
    for code in ("R01", "R02", "R03"):
        enrol(database, code, made.study_id, Role.RATER, now)
    task_draw.assign(database, TERMINAL, slug="trial", raters=["R01", "R02", "R03"], now=now)
    return person(database, "R01", made.study_id, Role.RATER)


def step(database: Database, rater: Person) -> str:
    return admission.standing(database, rater, slug="trial", now=NOW).step


def practise(database: Database, rater: Person, now: datetime, *, right: bool) -> None:
    """Answer every practice item of one round, all right or all wrong."""
    while True:
        item, number, count = admission.practice_item(database, rater, slug="trial", now=now)
        assert item is not None
        scores = {
            slot: {scale: value if right else (value + 1) % 3 for scale, value in scales.items()}
            for slot, scales in item.key.items()
        }
        admission.answer_practice(
            database, rater, slug="trial", item=item.id, scores=scores, now=now
        )
        if number == count:
            return


def to_practice(database: Database, rater: Person, now: datetime) -> None:
    admission.accept_consent(database, rater, slug="trial", now=now)
    admission.answer_profile(database, rater, slug="trial", answers={}, now=now)
    admission.finish_guide(database, rater, slug="trial", now=now)


def test_the_steps_come_in_order(database: Database, rater: Person, now: datetime) -> None:
    assert step(database, rater) == "consent"
    admission.accept_consent(database, rater, slug="trial", now=now)
    assert step(database, rater) == "profile"
    admission.answer_profile(database, rater, slug="trial", answers={"years": None}, now=now)
    assert step(database, rater) == "guide"
    admission.finish_guide(database, rater, slug="trial", now=now)
    assert step(database, rater) == "practice"
    practise(database, rater, now, right=True)
    assert step(database, rater) == "work"


def test_no_task_is_shown_before_the_consent(
    database: Database, rater: Person, now: datetime
) -> None:
    with pytest.raises(Refused) as refused:
        desk_task.open_task(database, rater, slug="trial", token=None, now=now)
    assert refused.value.code == "rating.consent_first"


def test_two_failed_rounds_leave_the_decision_to_the_lead(
    database: Database, rater: Person, now: datetime
) -> None:
    to_practice(database, rater, now)
    practise(database, rater, now, right=False)
    assert step(database, rater) == "practice"
    practise(database, rater, now, right=False)
    assert step(database, rater) == "held"
    study_id = next(iter(rater.roles))
    with pytest.raises(Refused):
        admission.let_in(database, rater, slug="trial", code="R01", now=now)
    admission.let_in(database, lead(database, study_id, now), slug="trial", code="R01", now=now)
    assert step(database, rater) == "work"


def test_feedback_names_key_and_reason_per_score(
    database: Database, rater: Person, now: datetime
) -> None:
    to_practice(database, rater, now)
    item, _, _ = admission.practice_item(database, rater, slug="trial", now=now)
    assert item is not None
    result = admission.mark(item, {})
    assert result.right == 0
    assert result.asked == sum(len(scales) for scales in item.key.values())
    assert all(reason for _, _, _, _, reason in result.marks)


def test_a_profile_answer_outside_its_choices_is_refused(
    database: Database, rater: Person, now: datetime
) -> None:
    admission.accept_consent(database, rater, slug="trial", now=now)
    with pytest.raises(Invalid):
        admission.answer_profile(
            database, rater, slug="trial", answers={"profession": "astronaut"}, now=now
        )
