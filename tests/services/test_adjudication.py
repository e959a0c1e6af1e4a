"""Adjudication: who decides what, on the sight of which labels, and what is kept of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.services.desk import desk_task
from cbt_core.services.labels import adjudication, adjudication_queue, machine_proposals
from cbt_core.services.labels.adjudication import Case, Place
from cbt_core.services.labels.adjudication_queue import Opinion, label_distances, span_distance
from cbt_core.services.labels.machine_proposals import Proposed
from cbt_core.services.results.study_rows import gold_of
from cbt_core.services.studies import lifecycle
from db import results
from db.engine import Database
from db.tables.trail import audit
from tests.label_study import DESCRIPTION, LabelStudy, make_label_study, open_next, press, span
from tests.making import give_role, lead

READING, BLAME, TELLING, SHOULD = (
    "mind-reading", "self-blame", "fortune-telling", "should-statements",
)
DULL = "他们一定觉得我很无趣"
TWO = ("N01", "N02")


def opinion(labels: str | None, *marks: tuple[int, int, str]) -> Opinion:
    return Opinion(
        None if labels is None else frozenset(labels.split()),
        frozenset(("question", at, name) for a, b, name in marks for at in range(a, b)),
    )


def put(
    database: Database, study: LabelStudy, now: datetime, code: str, *answers: Mapping[str, Any]
) -> None:
    """Let an annotator label the items one after the other; texts by words become spans."""
    who = study.annotators[code]
    waiting = dict(zip((f"Q{n:03d}" for n in range(1, len(answers) + 1)), answers, strict=True))
    for _ in answers:
        view = open_next(database, who, study.slug, now)
        months = view["task"]["question"].partition("市")[2].partition(" ")[0]
        entries = dict(waiting.pop(f"Q{int(months):03d}"))
        words = entries.pop("words", {})
        entries["spans"] = [span(view, quote, name) for quote, name in words.items()]
        saved = desk_task.save(database, who, body=press(view, **entries), work=Work.LABEL, now=now)
        after: Any = saved["view"]
        if after["state"] == "task" and after["task"]["round"] == "model":
            answers_given = {one["id"]: {"answer": "confirmed"}
                             for one in after["task"]["proposals"]}
            desk_task.save(
                database, who, body=press(after, answers=answers_given), work=Work.LABEL, now=now)


@pytest.fixture
def apart(database: Database, tmp_path: Path, now: datetime) -> LabelStudy:
    """Two annotators: on Q001 of one mind, on Q002 nothing in common, on Q003 partly."""
    study = make_label_study(database, tmp_path, now, mode="blind", annotators=TWO)
    put(database, study, now, "N01", {"labels": [READING]}, {"labels": [READING]},
        {"labels": [READING, BLAME]})
    put(database, study, now, "N02", {"labels": [READING]}, {"labels": [TELLING]},
        {"labels": [READING]})
    return study


@pytest.fixture
def judge(database: Database, apart: LabelStudy, now: datetime) -> Person:
    return lead(database, apart.study_id, now)


def body(case: Case, **entries: Any) -> dict[str, Any]:
    """Return what a press of "decide" sends."""
    base = {"labels": [], "spans": [], "verdict": None, "reason": "明确的读心"}
    return {
        "item": case.item, "token": uuid4().hex, "seen": case.seen,
        "base_revision": len(case.decisions), "entries": {**base, **entries},
    }


def decide(
    database: Database, who: Person, now: datetime, item: str = "Q002", **entries: Any
) -> adjudication.Decided:
    case = adjudication.open_case(database, who, slug="labels", item=item, now=now)
    return adjudication.decide(
        database, who, slug="labels", body=body(case, **entries), now=now)


def raw(database: Database, study: LabelStudy) -> object:
    with database.reading() as connection:
        return (
            results.submissions(connection, study.study_id),
            results.labels(connection, study.study_id),
            results.spans(connection, study.study_id),
        )


def test_distance_is_masi_and_two_empty_sets_are_alike() -> None:
    # By hand: {a,b} and {a}: Jaccard 1/2 times 2/3 for a subset; {a,b} and {b,c}: 1/3 times 1/3.
    items = [[opinion("a b"), opinion("a")], [opinion("a b"), opinion("b c")],
             [opinion(""), opinion("")], [opinion("a"), opinion("")]]
    assert label_distances(items) == pytest.approx([2 / 3, 8 / 9, 0, 1])


def test_distance_is_the_mean_over_pairs_and_unsure_is_apart_from_all() -> None:
    items = [[opinion("a"), opinion("a"), opinion("b")], [opinion("a"), opinion(None)],
             [opinion("a")]]
    assert label_distances(items) == pytest.approx([2 / 3, 1, 0])


def test_spans_are_compared_by_labelled_characters() -> None:
    one, other = opinion("a", (0, 4, "a")), opinion("a", (2, 4, "a"))
    assert span_distance([one, other]) == pytest.approx(1 - 2 * 2 / 6)
    assert span_distance([opinion(""), opinion("")]) == 0


def test_the_queue_begins_with_the_greatest_disagreement(
    database: Database, judge: Person, now: datetime
) -> None:
    found = adjudication_queue.queue(database, judge, slug="labels", now=now)
    assert [(row.item, row.disagreement) for row in found.rows] == [
        ("Q002", 1.0), ("Q003", pytest.approx(2 / 3)), ("Q001", 0.0)]
    assert (found.waiting, found.decided, found.has_blind_round) == (3, 0, True)


def test_the_queue_follows_new_labels_and_decisions(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    adjudication_queue.queue(database, judge, slug="labels", now=now)
    who = apart.annotators["N02"]
    tokens = [one.item for one in adjudication_queue.queue(
        database, judge, slug="labels", now=now).rows]
    assert tokens[0] == "Q002"
    decide(database, judge, now, labels=[READING])
    again = adjudication_queue.queue(database, judge, slug="labels", now=now)
    assert [row.item for row in again.rows] == ["Q003", "Q001"]
    revise(database, apart, who, "Q003", now, labels=[READING, BLAME])
    last = adjudication_queue.queue(database, judge, slug="labels", now=now)
    assert {row.disagreement for row in last.rows} == {0.0}


def revise(
    database: Database, study: LabelStudy, who: Person, item: str, now: datetime, **entries: Any
) -> None:
    """Save a finished task of the blind round once more."""
    with database.reading() as connection:
        token = connection.execute(text(
            "SELECT task.token FROM task JOIN item ON item.id = task.item_id"
            " WHERE item.key = :key AND task.person_id = :who"), {"key": item, "who": who.id}
        ).scalar_one()
    view: Any = desk_task.open_task(
        database, who, slug=study.slug, token=token, work=Work.LABEL, now=now)
    desk_task.save(
        database, who, body=press(view, reason="again", **entries), work=Work.LABEL, now=now)


def test_an_item_with_one_annotator_waits_only_where_it_is_asked_for(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=1, annotators=TWO)
    who = lead(database, study.study_id, now)
    put(database, study, now, "N01", {"labels": [READING]})
    assert adjudication_queue.queue(database, who, slug="labels", now=now).rows == ()
    every = adjudication_queue.queue(
        database, who, slug="labels", show="all", search="Q001", now=now
    )
    assert [row.annotators for row in every.rows] == [1]
    decide(database, who, now, "Q001", labels=[READING])


def test_pages_of_the_queue_hold_every_item_once(
    database: Database, judge: Person, now: datetime
) -> None:
    pages = [adjudication_queue.queue(database, judge, slug="labels", start=at, count=1, now=now)
             for at in range(3)]
    assert sorted(page.rows[0].item for page in pages) == ["Q001", "Q002", "Q003"]


def test_raw_labels_stand_side_by_side_under_numbers(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    case = adjudication.open_case(database, judge, slug="labels", item="Q002", now=now)
    assert [one.number for one in case.annotators] == [1, 2]
    assert {one.labels for one in case.annotators} == {(READING,), (TELLING,)}
    assert not any(code in json.dumps(asdict(case)) for code in apart.annotators)


def test_the_numbers_are_drawn_for_each_item(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", items=12, annotators=TWO)
    who = lead(database, study.study_id, now)
    put(database, study, now, "N01", *[{"labels": [READING]}] * 12)
    put(database, study, now, "N02", *[{"labels": [BLAME]}] * 12)
    first = {
        adjudication.open_case(database, who, slug="labels", item=f"Q{n:03d}", now=now)
        .annotators[0].labels
        for n in range(1, 13)
    }
    assert first == {(READING,), (BLAME,)}


def names_in(kind: type) -> set[str]:
    """Return every field name of a type and of the types it holds."""
    found = set()
    hints = get_type_hints(kind)
    for one in fields(kind):
        found.add(one.name)
        for part in (hints[one.name], *get_args(hints[one.name])):
            if is_dataclass(part) and isinstance(part, type):
                found |= names_in(part)
    return found


def test_what_an_adjudicator_gets_has_no_field_for_machine_or_second_round() -> None:
    assert names_in(Case) == {
        "item", "question", "description", "risk", "annotators", "decisions", "seen", "changed",
        "read_only", "number", "outcome", "labels", "whole", "spans", "certainty", "note",
        "field", "start", "end", "label", "revision", "reason", "adjudicator", "at",
    }


def test_what_the_machine_proposed_and_who_adopted_it_stays_away(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, items=1, annotators=TWO)
    who = lead(database, study.study_id, now)
    machine_proposals.propose(database, TERMINAL, slug="labels", source="gpt-secret", now=now,
                      proposals=[Proposed("Q001", SHOULD)])
    put(database, study, now, "N01", {"labels": [READING]})
    put(database, study, now, "N02", {"words": {DULL: READING}})
    case = adjudication.open_case(database, who, slug="labels", item="Q001", now=now)
    assert {one.labels for one in case.annotators} == {(READING,)}
    told = json.dumps(asdict(case))
    assert SHOULD not in told
    assert "gpt" not in told
    assert "model" not in told


def test_a_decision_is_a_record_of_its_own_and_raw_labels_stay(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    before = raw(database, apart)
    start = DESCRIPTION.index(DULL)
    place = {"field": "description", "start": start, "end": start + len(DULL), "label": READING}
    decide(database, judge, now, spans=[place], labels=[BLAME])
    assert raw(database, apart) == before
    case = adjudication.open_case(database, judge, slug="labels", item="Q002", now=now)
    last = case.decisions[-1]
    assert (last.labels, last.whole, last.reason) == (
        (READING, BLAME), (BLAME,), "明确的读心")
    assert [(one.start, one.end) for one in last.spans] == [(start, start + len(DULL))]


def test_gold_follows_the_last_revision_of_the_decision(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    decide(database, judge, now, labels=[READING])
    assert decide(database, judge, now, labels=[TELLING, BLAME]).revision == 2
    with database.reading() as connection:
        found = gold_of(connection, apart.study_id)
    assert (found["Q002"].labels, found["Q002"].rule) == ({TELLING, BLAME}, "adjudicated")
    assert (found["Q003"].labels, found["Q003"].rule) == ({READING}, "majority")
    decide(database, judge, now, verdict="unsure")
    with database.reading() as connection:
        assert "Q002" not in gold_of(connection, apart.study_id)


def test_the_same_press_again_is_one_decision(
    database: Database, judge: Person, now: datetime
) -> None:
    case = adjudication.open_case(database, judge, slug="labels", item="Q002", now=now)
    sent = body(case, verdict="none")
    first = adjudication.decide(database, judge, slug="labels", body=sent, now=now)
    again = adjudication.decide(database, judge, slug="labels", body=sent, now=now)
    assert (first.repeated, again.repeated, again.revision) == (False, True, 1)
    other = {**sent, "entries": {**sent["entries"], "verdict": "unsure"}}
    with pytest.raises(Conflict):
        adjudication.decide(database, judge, slug="labels", body=other, now=now)


def test_a_decision_on_labels_that_changed_is_refused(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    case = adjudication.open_case(database, judge, slug="labels", item="Q002", now=now)
    revise(database, apart, apart.annotators["N01"], "Q002", now, labels=[TELLING])
    with pytest.raises(Conflict, match="labelled this item meanwhile"):
        adjudication.decide(database, judge, slug="labels", body=body(case, verdict="none"),
                            now=now)


def test_labels_that_change_after_a_decision_are_told(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    decide(database, judge, now, labels=[READING])
    revise(database, apart, apart.annotators["N01"], "Q002", now, labels=[TELLING])
    decided = adjudication_queue.queue(database, judge, slug="labels", show="decided", now=now)
    assert [row.changed for row in decided.rows] == [True]
    case = adjudication.open_case(database, judge, slug="labels", item="Q002", now=now)
    assert case.changed


def test_two_leads_do_not_overwrite_each_other(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    other = lead(database, apart.study_id, now, "L02")
    case = adjudication.open_case(database, other, slug="labels", item="Q002", now=now)
    decide(database, judge, now, labels=[READING])
    with pytest.raises(Conflict, match="Somebody else"):
        adjudication.decide(database, other, slug="labels", body=body(case, verdict="none"),
                            now=now)


@pytest.mark.parametrize("entries", [
    {"labels": [READING], "reason": "  "}, {"labels": []}, {"labels": ["unknown"]},
    {"labels": [READING], "verdict": "none"},
    {"spans": [{"field": "question", "start": 0, "end": 10_000, "label": READING}]},
])
def test_a_decision_needs_a_reason_and_labels_that_fit(
    database: Database, judge: Person, now: datetime, entries: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        decide(database, judge, now, **entries)


def test_who_labels_an_item_neither_sees_nor_decides_it(
    database: Database, apart: LabelStudy, now: datetime
) -> None:
    party = give_role(database, apart.annotators["N01"], apart.study_id, Role.LEAD, now)
    assert adjudication_queue.queue(database, party, slug="labels", show="all", now=now).total == 0
    with pytest.raises(Refused, match="You label this item yourself"):
        adjudication.open_case(database, party, slug="labels", item="Q002", now=now)


def test_the_terminal_decides_nothing(
    database: Database, judge: Person, now: datetime
) -> None:
    case = adjudication.open_case(database, judge, slug="labels", item="Q002", now=now)
    with pytest.raises(Refused):
        adjudication.decide(database, TERMINAL, slug="labels", body=body(case, verdict="none"),
                            now=now)


def test_decisions_go_on_after_the_lock_and_end_with_the_unblinding(
    database: Database, judge: Person, now: datetime
) -> None:
    lifecycle.lock(database, TERMINAL, slug="labels", now=now)
    decide(database, judge, now, labels=[READING])
    lifecycle.unblind(database, TERMINAL, slug="labels", reason="done", now=now)
    with pytest.raises(Refused, match="unblinded"):
        decide(database, judge, now, "Q003", labels=[READING])


def test_a_study_of_corrections_says_that_it_has_no_blind_round(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="correct", items=1, annotators=TWO)
    who = lead(database, study.study_id, now)
    put(database, study, now, "N01", {"labels": [READING]})
    put(database, study, now, "N02", {"labels": [BLAME]})
    found = adjudication_queue.queue(database, who, slug="labels", show="all", now=now)
    assert (found.has_blind_round, found.waiting, found.total) == (False, 0, 1)
    case = adjudication.open_case(database, who, slug="labels", item="Q001", now=now)
    assert case.annotators == ()


def test_the_trail_holds_the_decision_and_no_words(
    database: Database, apart: LabelStudy, judge: Person, now: datetime
) -> None:
    decide(database, judge, now, labels=[READING])
    with database.reading() as connection:
        payload = connection.execute(
            select(audit.c.payload).where(audit.c.action == "adjudicate")).scalar_one()
    kept = json.loads(payload)
    assert kept["labels"] == [[READING, True]]
    assert "读心" not in payload
    assert "reason" not in kept


def test_the_database_itself_keeps_decisions_as_they_are(
    database: Database, judge: Person, now: datetime
) -> None:
    decide(database, judge, now, labels=[READING])
    with pytest.raises(DBAPIError), database.writing() as connection:
        connection.execute(text("UPDATE adjudication SET reason = 'x'"))


@pytest.mark.parametrize(
    "place",
    [{"start": True}, {"start": 0.0}, {"start": "0"}, {"start": -1}, {"show": "some"},
     {"search": 7}, {"search": "长" * 101}],
)
def test_a_place_in_the_queue_has_its_types(place: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        Place.of(place)
    assert refused.value.code == "rating.malformed"
