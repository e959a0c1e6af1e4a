"""Gold labels: adjudicated where there is a decision, else what most annotators said alone."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from cbt_core.analysis.gold import GoldLabels, majority
from cbt_core.domain.people import TERMINAL
from cbt_core.domain.submission import Work
from cbt_core.services.desk import desk_task
from cbt_core.services.labels import machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from cbt_core.services.results.study_rows import gold_of, with_undecided
from cbt_core.services.studies import lifecycle
from db.columns import stamp
from db.engine import Database
from db.tables.desk import exclusion
from tests.label_study import LabelStudy, make_label_study, open_next, press

READING, BLAME, SHOULD = "mind-reading", "self-blame", "should-statements"


def sets(*votes: str) -> list[frozenset[str]]:
    return [frozenset(one.split()) for one in votes]


def label(
    database: Database, study: LabelStudy, now: datetime, code: str, *entries: dict[str, Any]
) -> None:
    """Let an annotator save these entries, each on the task that comes next."""
    who = study.annotators[code]
    for one in entries:
        view = open_next(database, who, study.slug, now)
        desk_task.save(database, who, body=press(view, **one), work=Work.LABEL, now=now)


def gold(database: Database, study: LabelStudy) -> dict[str, GoldLabels]:
    with database.reading() as connection:
        return gold_of(connection, study.study_id)


def test_a_label_needs_more_than_half_of_the_annotators() -> None:
    found = majority(sets("a b", "a", "c"))
    assert found == GoldLabels(frozenset("a"), "majority", 3)


def test_an_even_split_is_no_majority_and_is_told() -> None:
    found = majority(sets("a b", "a", "a b", "c"))
    assert (found.labels, found.tied) == (frozenset("a"), frozenset("b"))


def test_two_annotators_agree_on_none() -> None:
    assert majority(sets("", "")) == GoldLabels(frozenset(), "majority", 2)


def test_different_distortions_are_not_none() -> None:
    found = majority(sets("a", "b", "c"))
    assert (found.rule, found.is_decided, found.has_any) == ("undecided", False, True)


def test_none_needs_more_than_half_too() -> None:
    assert majority(sets("", "", "a")) == GoldLabels(frozenset(), "majority", 3)
    split = majority(sets("", "a"))
    assert (split.rule, split.has_any, split.tied) == ("undecided", None, frozenset("a"))
    several = majority(sets("", "a", "b"))
    assert (several.rule, several.has_any) == ("undecided", True)


def test_one_annotator_is_counted_apart() -> None:
    assert majority(sets("a")).is_single
    assert not majority(sets("a", "a")).is_single


def test_gold_is_the_majority_of_the_last_blind_revisions(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=1,
                             annotators=("N01", "N02", "N03"))
    label(database, study, now, "N01", {"labels": [READING, BLAME]})
    label(database, study, now, "N02", {"labels": [READING]})
    label(database, study, now, "N03", {"verdict": "none"})
    assert gold(database, study) == {"Q001": GoldLabels(frozenset({READING}), "majority", 3)}


def test_an_undecided_item_is_left_out_of_gold(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=1,
                             annotators=("N01", "N02"))
    label(database, study, now, "N01", {"labels": [READING]})
    label(database, study, now, "N02", {"labels": [BLAME]})
    assert gold(database, study) == {}
    with database.reading() as connection:
        assert with_undecided(connection, study.study_id)["Q001"].has_any


def test_unsure_and_skipped_are_no_votes(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=1,
                             annotators=("N01", "N02"))
    label(database, study, now, "N01", {"labels": [READING]})
    label(database, study, now, "N02", {"verdict": "unsure"})
    assert gold(database, study)["Q001"].is_single


def test_what_was_adopted_from_the_machine_is_no_gold(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, items=1)
    machine_proposals.propose(database, TERMINAL, slug=study.slug, source="model",
                      proposals=[Proposed("Q001", SHOULD)], now=now)
    label(database, study, now, "N01", {"labels": [READING]})
    view = open_next(database, study.annotators["N01"], study.slug, now)
    answer = {view["task"]["proposals"][0]["id"]: {"answer": "confirmed"}}
    desk_task.save(database, study.annotators["N01"],
                   body=press(view, labels=[READING], answers=answer), work=Work.LABEL, now=now)
    assert gold(database, study)["Q001"].labels == {READING}


def test_a_study_of_corrections_alone_has_no_gold_by_majority(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="correct", items=1)
    label(database, study, now, "N01", {"labels": [READING]})
    assert gold(database, study) == {}


def test_an_excluded_annotator_does_not_vote(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=1,
                             annotators=("N01", "N02"))
    label(database, study, now, "N01", {"labels": [READING]})
    label(database, study, now, "N02", {"labels": [BLAME]})
    with database.writing() as connection:
        connection.execute(insert(exclusion), {
            "study_id": study.study_id, "person_id": study.annotators["N01"].id,
            "reason": "failed", "actor": "terminal", "at": stamp(now)})
    assert gold(database, study)["Q001"] == GoldLabels(frozenset({BLAME}), "majority", 1)


def test_a_withdrawn_item_has_no_gold(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=2)
    label(database, study, now, "N01", {"labels": [READING]}, {"labels": [BLAME]})
    lifecycle.withdraw_item(database, TERMINAL, slug=study.slug, key="Q001", reason="real name",
                           now=now)
    assert list(gold(database, study)) == ["Q002"]
