"""Labelling on a real database: alone first, then with the machine's labels."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.services.desk import admission, desk_task
from cbt_core.services.export import study_export
from cbt_core.services.labels import machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from cbt_core.services.studies import lifecycle
from db import audit
from db.engine import Database
from db.tables.desk import draft, task
from db.tables.labels import label, label_submission, proposal_answer, span
from tests import label_study as made
from tests.label_study import DESCRIPTION, LabelStudy, make_label_study, open_next, press
from tests.making import enrol, person

SOURCE = "gpt-secret-7b"
DULL = "他们一定觉得我很无趣"


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> LabelStudy:
    return make_label_study(database, tmp_path, now)


@pytest.fixture
def annotator(study: LabelStudy) -> Person:
    return study.annotators["N01"]


def propose(database: Database, now: datetime, *found: Proposed) -> None:
    start = DESCRIPTION.index(DULL)
    usual = [
        one
        for number in (1, 2, 3)
        for one in (
            Proposed(f"Q{number:03d}", "读心术", "description", start, start + len(DULL)),
            Proposed(f"Q{number:03d}", "labeling"),
        )
    ]
    machine_proposals.propose(
        database, TERMINAL, slug="labels", proposals=found or usual, source=SOURCE, now=now
    )


def save(database: Database, who: Person, body: dict[str, Any], now: datetime) -> dict[str, Any]:
    return dict(desk_task.save(database, who, body=body, work=Work.LABEL, now=now))


def count(database: Database, table: object) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def refusal_of(database: Database, who: Person, body: dict[str, Any], now: datetime) -> Invalid:
    with pytest.raises(Invalid) as refused:
        desk_task.save(database, who, body=body, work=Work.LABEL, now=now)
    assert count(database, label_submission) == 0
    return refused.value


def test_offsets_are_python_offsets_and_the_server_cuts_the_words(
    database: Database, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    marks = [made.span(view, DULL, "mind-reading"),
             made.span(view, "cafe\u0301待久了就会好👩‍👩‍👧", "magnification"),
             made.span(view, "😔", "labeling")]
    save(database, annotator, press(view, spans=marks), now)
    with database.reading() as connection:
        quotes = set(connection.execute(select(span.c.quote)).scalars())
    assert quotes == {DULL, "cafe\u0301待久了就会好👩‍👩‍👧", "😔"}


def test_overlapping_spans_and_several_labels_of_one_span_are_all_kept(
    database: Database, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    wide = made.span(view, f"{DULL}，以后也不会再叫我了", "fortune-telling")
    narrow = made.span(view, DULL, "mind-reading")
    save(database, annotator, press(
        view, spans=[wide, narrow, {**narrow, "label": "magnification"}, narrow],
        labels=["labeling", "mind-reading"]), now)
    assert count(database, span) == 3
    with database.reading() as connection:
        rows = connection.execute(select(label.c.label, label.c.whole).order_by(label.c.label))
        assert [tuple(row) for row in rows] == [
            ("fortune-telling", 0), ("labeling", 1), ("magnification", 0), ("mind-reading", 1)]


@pytest.mark.parametrize("verdict", ["none", "unsure"])
def test_none_and_unsure_are_said_not_left_out(
    database: Database, annotator: Person, now: datetime, verdict: str
) -> None:
    view = open_next(database, annotator, "labels", now)
    assert refusal_of(database, annotator, press(view), now).missing == ((None, "labels"),)
    save(database, annotator, press(view, verdict=verdict), now)
    with database.reading() as connection:
        assert connection.execute(select(label_submission.c.outcome)).scalar() == verdict


@pytest.mark.parametrize(
    "change",
    [
        {"field": "answer"}, {"field": None}, {"start": -1}, {"start": 5, "end": 5},
        {"end": 10_000}, {"start": "0"}, {"start": True}, {"start": 1.0}, {"label": "sadness"},
        {"label": None}, {"label": ["labeling"]}, {"end": None},
    ],
)
def test_a_span_that_does_not_fit_the_text_or_the_scheme_is_refused(
    database: Database, annotator: Person, now: datetime, change: dict[str, object]
) -> None:
    view = open_next(database, annotator, "labels", now)
    sent = {**made.span(view, DULL, "mind-reading"), **change}
    refusal_of(database, annotator, press(view, spans=[sent]), now)


@pytest.mark.parametrize(
    "entries",
    [
        {"verdict": "none", "labels": ["labeling"]}, {"verdict": "perhaps"}, {"labels": "labeling"},
        {"spans": {}}, {"labels": ["labeling"], "certainty": 4},
        {"labels": ["labeling"], "certainty": True}, {"labels": ["labeling"], "note": 7},
        {"labels": ["labeling"], "answers": {"1": {"answer": "confirmed"}}},
        {"labels": ["labeling"], "note": "长" * 4001}, {"spans": [{}] * 201},
    ],
)
def test_entries_that_contradict_themselves_are_refused(
    database: Database, annotator: Person, now: datetime, entries: dict[str, object]
) -> None:
    refusal_of(
        database, annotator, press(open_next(database, annotator, "labels", now), **entries), now
    )


def test_proposals_are_sent_only_after_the_blind_save(
    database: Database, study: LabelStudy, annotator: Person, now: datetime
) -> None:
    without = json.dumps(open_next(database, annotator, "labels", now)["task"]["proposals"])
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    assert json.dumps(view["task"]["proposals"]) == without == "[]"
    assert view["task"]["round"] == "blind"
    desk_task.keep_draft(
        database, annotator, body={**press(view), "sequence": 1}, work=Work.LABEL, now=now)
    view = open_next(database, annotator, "labels", now)
    assert view["task"]["proposals"] == []
    after = save(database, annotator, press(view, labels=["labeling"]), now)["view"]
    assert after["task"]["task"] == view["task"]["task"]
    assert after["task"]["round"] == "model"
    assert [one["label"] for one in after["task"]["proposals"]] == ["mind-reading", "labeling"]
    assert SOURCE not in json.dumps(after)


def test_each_proposal_is_confirmed_changed_or_rejected_and_both_rounds_are_kept(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    second = save(database, annotator, press(view, labels=["magnification"]), now)["view"]
    first, other = (one["id"] for one in second["task"]["proposals"])
    with pytest.raises(Invalid) as refused:
        save(database, annotator, press(
            second, labels=["magnification"], answers={first: {"answer": "confirmed"}}), now)
    assert refused.value.missing == ((None, f"proposal:{other}"),)
    answers = {first: {"answer": "confirmed"},
               other: {"answer": "changed", **made.span(second, DULL, "fortune-telling")}}
    after = save(database, annotator, press(second, labels=["magnification"], answers=answers), now)
    assert after["view"]["task"]["task"] != view["task"]["task"]
    assert after["view"]["progress"]["done"] == 1
    with database.reading() as connection:
        rows = connection.execute(
            select(label_submission.c.round, label.c.label, label.c.origin)
            .join(label, label.c.submission_id == label_submission.c.id)
            .order_by(label_submission.c.round, label.c.label))
        assert [tuple(row) for row in rows] == [
            ("blind", "magnification", "own"), ("model", "fortune-telling", "model"),
            ("model", "magnification", "own"), ("model", "mind-reading", "model")]
        given = connection.execute(
            select(proposal_answer.c.answer, proposal_answer.c.label, proposal_answer.c.field)
            .order_by(proposal_answer.c.proposal_id))
        assert [tuple(row) for row in given] == [
            ("confirmed", "", ""), ("changed", "fortune-telling", "description")]


def test_all_proposals_may_be_rejected_and_none_stays_none(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    second = save(database, annotator, press(view, verdict="none"), now)["view"]
    assert second["task"]["entries"]["verdict"] == "none"
    answers = {one["id"]: {"answer": "rejected"} for one in second["task"]["proposals"]}
    save(database, annotator, press(second, verdict="none", answers=answers), now)
    with database.reading() as connection:
        outcomes = connection.execute(select(label_submission.c.outcome)).scalars().all()
    assert outcomes == ["none", "none"]
    assert count(database, label) == 0


def test_the_blind_round_is_closed_once_the_proposals_were_shown(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    second = save(database, annotator, press(view, labels=["labeling"]), now)["view"]
    answers = {one["id"]: {"answer": "rejected"} for one in second["task"]["proposals"]}
    save(database, annotator, press(second, labels=["labeling"], answers=answers), now)
    token = view["task"]["task"]
    again = desk_task.open_task(
        database, annotator, slug="labels", token=token, work=Work.LABEL, now=now)
    assert again["task"]["round"] == "model"  # type: ignore[index]
    assert again["task"]["corrects"] is True  # type: ignore[index]
    body = press(again, labels=["magnification"], answers=answers)
    with pytest.raises(Invalid) as refused:
        save(database, annotator, body, now)
    assert (None, "reason") in refused.value.missing
    body["entries"]["reason"] = "重新读过"
    save(database, annotator, body, now)
    with database.reading() as connection:
        rounds = connection.execute(
            select(label_submission.c.round).order_by(label_submission.c.revision)).scalars().all()
    assert rounds == ["blind", "model", "model"]


def test_a_seat_counts_a_task_once_after_its_last_round(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    second = save(database, annotator, press(view, labels=["labeling"]), now)["view"]
    assert second["progress"]["done"] == 0
    answers = {one["id"]: {"answer": "confirmed"} for one in second["task"]["proposals"]}
    done = save(database, annotator, press(second, answers=answers), now)["view"]
    assert done["progress"]["done"] == 1
    standing = admission.standing(database, annotator, slug="labels", now=now, role=Role.ANNOTATOR)
    assert (standing.done, standing.total) == (1, 3)


def test_blind_only_never_shows_proposals(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind")
    propose(database, now)
    who = study.annotators["N01"]
    view = open_next(database, who, "labels", now)
    after = save(database, who, press(view, labels=["labeling"]), now)["view"]
    assert after["task"]["task"] != view["task"]["task"]
    assert after["task"]["proposals"] == []
    assert after["progress"]["done"] == 1


def test_correction_only_shows_proposals_at_once_in_one_round(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="correct")
    propose(database, now)
    who = study.annotators["N01"]
    view = open_next(database, who, "labels", now)
    assert len(view["task"]["proposals"]) == 2
    answers = {one["id"]: {"answer": "confirmed"} for one in view["task"]["proposals"]}
    after = save(database, who, press(view, answers=answers), now)["view"]
    assert after["task"]["task"] != view["task"]["task"]
    with database.reading() as connection:
        assert connection.execute(select(label_submission.c.round)).scalar() == "model"


def test_without_proposals_there_is_no_second_round(
    database: Database, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    after = save(database, annotator, press(view, labels=["labeling"]), now)["view"]
    assert after["task"]["task"] != view["task"]["task"]


def test_the_same_press_twice_is_one_revision(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    body = press(open_next(database, annotator, "labels", now), labels=["labeling"])
    first, second = (save(database, annotator, body, now) for _ in range(2))
    assert second["saved"]["repeated"] is True
    assert second["saved"]["revision"] == first["saved"]["revision"] == 1
    assert second["view"]["task"]["round"] == "model"
    assert count(database, label_submission) == 1


def test_a_token_with_other_labels_and_a_stale_tab_are_refused(
    database: Database, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    body = press(view, labels=["labeling"])
    save(database, annotator, body, now)
    for changed, code in (
        ({**body, "entries": {**body["entries"], "labels": ["magnification"]}},
         "rating.token_reused"),
        (press(view, labels=["magnification"]), "rating.changed_elsewhere"),
    ):
        with pytest.raises(Conflict) as refused:
            save(database, annotator, changed, now)
        assert refused.value.code == code
    assert count(database, label_submission) == 1


def test_a_draft_is_shown_again_and_goes_with_the_save(
    database: Database, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    body = press(view, labels=["labeling"])
    assert desk_task.keep_draft(
        database, annotator, body={**body, "sequence": 4}, work=Work.LABEL, now=now) == 4
    assert desk_task.keep_draft(
        database, annotator, body={**body, "sequence": 3}, work=Work.LABEL, now=now) == 4
    again = open_next(database, annotator, "labels", now)
    assert again["task"]["entries"]["labels"] == ["labeling"]
    save(database, annotator, body, now)
    assert count(database, draft) == 0


def test_a_draft_of_an_earlier_round_does_not_enter_the_next_one(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    body = press(open_next(database, annotator, "labels", now), labels=["labeling"])
    save(database, annotator, body, now)
    with pytest.raises(Conflict):
        desk_task.keep_draft(
            database, annotator, body={**body, "sequence": 9}, work=Work.LABEL, now=now)
    assert count(database, draft) == 0


def test_a_skip_keeps_its_reason_and_is_no_label(
    database: Database, annotator: Person, tmp_path: Path, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    body = {**press(view), "skip": {"reason": "too_distressing", "note": ""}}
    with pytest.raises(Invalid):
        desk_task.skip(
            database, annotator, body={**body, "skip": {"reason": "lazy"}},
            work=Work.LABEL, now=now)
    reason = view["options"]["skip_reasons"][0]["id"]
    body["skip"] = {"reason": reason, "note": "太难受"}
    after = desk_task.skip(database, annotator, body=body, work=Work.LABEL, now=now)
    assert after["view"]["task"]["task"] != view["task"]["task"]  # type: ignore[index]
    tables = exported(database, tmp_path, now)
    assert tables["labels"] == []
    assert tables["label_skips"][0]["reason"] == reason


def test_only_the_own_label_tasks_open(
    database: Database, study: LabelStudy, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    enrol(database, "N02", study.study_id, Role.ANNOTATOR, now)
    other = person(database, "N02", study.study_id, Role.ANNOTATOR)
    rater = person(database, "N01", study.study_id, Role.RATER)
    for who in (other, rater):
        with pytest.raises(Refused):
            desk_task.save(
                database, who, body=press(view, labels=["labeling"]), work=Work.LABEL, now=now)
    with pytest.raises(Refused):
        desk_task.open_task(database, rater, slug="labels", token=None, work=Work.LABEL, now=now)
    with pytest.raises(Refused):
        desk_task.open_task(
            database, annotator, slug="labels", token=view["task"]["task"], now=now
        )


def test_a_locked_study_can_be_read_and_shows_nothing_new(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    save(database, annotator, press(view, labels=["labeling"]), now)
    lifecycle.lock(database, TERMINAL, slug="labels", now=now)
    token = view["task"]["task"]
    again = desk_task.open_task(
        database, annotator, slug="labels", token=token, work=Work.LABEL, now=now)
    assert again["task"]["read_only"] is True  # type: ignore[index]
    assert again["task"]["proposals"] == []  # type: ignore[index]
    with pytest.raises(Refused) as refused:
        desk_task.save(
            database, annotator, body=press(again, labels=["magnification"]),
            work=Work.LABEL, now=now)
    assert refused.value.code == "rating.locked"
    assert open_next(database, annotator, "labels", now)["state"] == "closed"


def test_finished_tasks_can_be_gone_back_to(
    database: Database, annotator: Person, now: datetime
) -> None:
    first = open_next(database, annotator, "labels", now)
    assert first["previous"] is None
    second = save(database, annotator, press(first, labels=["labeling"]), now)["view"]
    assert second["previous"] == first["task"]["task"]
    again = desk_task.open_task(
        database, annotator, slug="labels", token=second["previous"], work=Work.LABEL, now=now)
    assert again["task"]["entries"]["labels"] == ["labeling"]  # type: ignore[index]
    assert again["previous"] is None


def test_the_trail_holds_the_labels_but_no_word_of_a_person(
    database: Database, study: LabelStudy, annotator: Person, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    save(database, annotator, press(
        view, spans=[made.span(view, DULL, "mind-reading")], note="私下的话"), now)
    with database.reading() as connection:
        entries = audit.entries(connection, study.study_id)
        assert audit.verify(connection, study.study_id) is None
    assert entries[-1].action == "labels"
    assert "mind-reading" in entries[-1].payload
    assert DULL not in entries[-1].payload
    assert "私下的话" not in entries[-1].payload


@pytest.mark.parametrize(
    ("proposed", "code"),
    [
        (Proposed("Q999", "labeling"), "annotation.unknown_item"),
        (Proposed("Q001", "sadness"), "annotation.proposal_unknown_label"),
        (Proposed("Q001", "labeling", "description", 3, 9999), "annotation.proposal_out_of_range"),
        (Proposed("Q001", "labeling", "answer", 0, 1), "annotation.proposal_out_of_range"),
    ],
)
def test_a_wrong_proposal_refuses_the_whole_set(
    database: Database, study: LabelStudy, annotator: Person, now: datetime,
    proposed: Proposed, code: str,
) -> None:
    with pytest.raises(Invalid) as refused:
        propose(database, now, Proposed("Q001", "labeling"), proposed)
    assert refused.value.code == code
    view = open_next(database, annotator, "labels", now)
    after = save(database, annotator, press(view, labels=["labeling"]), now)["view"]
    assert after["task"]["task"] != view["task"]["task"]


def test_the_export_cuts_the_marked_words_and_keeps_the_rounds_apart(
    database: Database, study: LabelStudy, annotator: Person, tmp_path: Path, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    marks = [made.span(view, DULL, "mind-reading"), made.span(view, "一个朋友也没有", "labeling")]
    second = save(database, annotator, press(view, spans=marks, certainty=2), now)["view"]
    answers = {one["id"]: {"answer": "rejected"} for one in second["task"]["proposals"]}
    third = save(
        database, annotator, press(second, labels=["magnification"], answers=answers), now)["view"]
    save(database, annotator, press(third, verdict="unsure"), now)
    tables = exported(database, tmp_path, now)
    text = {row["item_id"]: row["text"] for row in tables["documents"]}
    cut = [text[row["item_id"]][row["start"]:row["end"]] for row in tables["spans"]]
    assert sorted(cut) == sorted([DULL, "一个朋友也没有"])
    assert sorted(row["labels"] or "" for row in tables["labels"]) == [
        "<unsure>", "labeling|mind-reading"]
    assert [row["labels"] for row in tables["labels_second"]] == ["magnification"]
    assert [row["answer"] for row in tables["proposal_answers"]] == ["rejected", "rejected"]
    assert {row["round"] for row in tables["labels"]} == {"blind"}
    assert all("source" not in row for row in tables["proposals"])


def test_a_correction_is_exported_in_place_of_what_it_corrects(
    database: Database, annotator: Person, tmp_path: Path, now: datetime
) -> None:
    view = open_next(database, annotator, "labels", now)
    save(database, annotator, press(view, labels=["labeling"]), now)
    token = view["task"]["task"]
    again = desk_task.open_task(
        database, annotator, slug="labels", token=token, work=Work.LABEL, now=now)
    save(database, annotator, press(again, labels=["magnification"], reason="重读"), now)
    tables = exported(database, tmp_path, now)
    assert [(row["labels"], row["revision"]) for row in tables["labels"]] == [("magnification", 2)]
    assert [row["labels"] for row in tables["label_revisions"]] == ["labeling", "magnification"]


def test_an_open_second_round_is_taken_up_again(
    database: Database, annotator: Person, now: datetime
) -> None:
    propose(database, now)
    view = open_next(database, annotator, "labels", now)
    save(database, annotator, press(view, labels=["labeling"]), now)
    again = open_next(database, annotator, "labels", now)
    assert again["task"]["task"] == view["task"]["task"]
    assert again["task"]["round"] == "model"
    assert again["task"]["entries"]["labels"] == ["labeling"]
    with database.reading() as connection:
        states = connection.execute(select(task.c.state)).scalars().all()
    assert sorted(states) == ["opened", "waiting", "waiting"]


def exported(database: Database, folder: Path, now: datetime) -> dict[str, list[dict[str, Any]]]:
    place = folder / "export"
    study_export.export_study(
        database, TERMINAL, slug="labels", folder=place, form="jsonl", now=now)
    return {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for file in place.glob("*.jsonl")
    }
