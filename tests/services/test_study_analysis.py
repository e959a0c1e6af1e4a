"""The analysis of a study: what each stage may show, and whether every section has its rows."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select

from cbt_core.analysis.study import Analysis
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.services.desk import desk_task, own_work
from cbt_core.services.results import study_results
from cbt_core.services.studies import lifecycle, protocols
from db.columns import stamp
from db.engine import Database
from db.tables.desk import exclusion
from db.tables.people import person
from db.tables.runs import judge_score, metric_score
from db.tables.studies import answer, item, system
from tests import making
from tests.making import Made

PROTOCOL = """
[analysis]
baseline = "baseline"
primary = {scale = "structure", system = "zebra-lora"}
bootstrap = 60
planned = ["alpha per scale", "judge: alternative annotator test, epsilon = .2"]
"""


def made(database: Database, folder: Path, now: datetime, protocol: str = PROTOCOL, **more: Any
         ) -> Made:
    return making.make_study(database, folder, now, protocol=protocol, **more)


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return made(database, tmp_path, now, items=12)


@pytest.fixture
def lead(database: Database, study: Made, now: datetime) -> Person:
    return making.lead(database, study.study_id, now)


def names(database: Database, study_id: int) -> dict[int, tuple[str, str]]:
    """Return by answer id: item key and the true name of the system."""
    with database.reading() as connection:
        rows = connection.execute(
            select(answer.c.id, item.c.key, system.c.name)
            .join(item, item.c.id == answer.c.item_id)
            .join(system, system.c.id == answer.c.system_id)
            .where(item.c.study_id == study_id)
        )
        return {row[0]: (row[1], row[2]) for row in rows}


def texts(database: Database) -> dict[str, str]:
    """Return the true name of the system by answer text."""
    with database.reading() as connection:
        rows = connection.execute(
            select(answer.c.text, system.c.name).join(system, system.c.id == answer.c.system_id)
        )
        return {row[0]: row[1] for row in rows}


def work(
    database: Database, study: Made, code: str, now: datetime, *, count: int = 99, seed: int = 0,
    favour: str = "zebra-lora", **more: Any,
) -> None:
    """Rate a rater's tasks: one point more for the favoured system, which is also preferred."""
    draw, rater, known = Random(f"{seed}{code}"), study.raters[code], texts(database)
    for _ in range(count):
        view = making.open_next(database, rater, study.slug, now)
        if view["state"] != "task":
            return
        entries = making.entries(view)
        for slot in view["task"]["slots"]:
            best = known[slot["text"]] == favour
            for scale in entries["scores"][slot["slot"]]:
                entries["scores"][slot["slot"]][scale] = draw.randint(0, 1) + best
            if best:
                entries["preference"] = slot["slot"]
        entries |= more
        desk_task.save(database, rater, body=making.press(view, entries=entries), now=now)


def everybody(database: Database, study: Made, now: datetime, **more: Any) -> None:
    for code in study.raters:
        work(database, study, code, now, **more)


def unblind(database: Database, now: datetime, slug: str = "trial") -> None:
    lifecycle.lock(database, TERMINAL, slug=slug, now=now)
    lifecycle.unblind(database, TERMINAL, slug=slug, reason="planned", now=now)


def analysed(database: Database, now: datetime, who: Person = TERMINAL, **more: Any) -> Analysis:
    return study_results.analyse(database, who, slug="trial", now=now, **more)


def exclude(
    database: Database, study: Made, now: datetime, *, code: str = "", key: str = ""
) -> None:
    with database.writing(study.study_id) as connection:
        who = connection.execute(select(person.c.id).where(person.c.code == code)).scalar()
        what = connection.execute(select(item.c.id).where(item.c.key == key)).scalar()
        connection.execute(insert(exclusion), {
            "study_id": study.study_id, "person_id": who, "item_id": what,
            "reason": "as planned", "actor": "L01", "at": stamp(now),
        })


def test_before_the_lock_nothing_tells_the_systems_apart(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    everybody(database, study, now)
    found = analysed(database, now, lead)
    assert found.masked
    assert (found.systems, found.reference, found.primary) == ((), None, None)
    for name in ("comparison", "bradley_terry", "length", "safety", "missing_bounds", "metrics",
                 "judges", "blinding"):
        assert getattr(found, name) is None
        assert found.withheld[name]
    assert all(set(strata) == {"ALL"} for strata in found.agreement.scales.values())
    assert {one.system for one in found.missingness} == {"ALL"}
    assert all(not one.differences for one in found.sensitivity.variants)
    told = json.dumps(found.json(), allow_nan=False)
    assert "zebra" not in told
    assert '"S1"' not in told


def test_after_the_lock_names_are_masked_and_no_baseline_is_marked(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    everybody(database, study, now)
    lifecycle.lock(database, lead, slug="trial", now=now)
    found = analysed(database, now, lead)
    assert found.systems == ("S1", "S2")
    assert found.reference == "S1"  # the first masked name, whichever system it hides
    assert found.primary is None
    assert found.blinding is None
    assert found.withheld == {"blinding": "closed until the study is unblinded"}
    assert found.comparison is not None
    assert found.comparison.baseline == "S1"
    assert "zebra" not in json.dumps(found.json(), allow_nan=False)


def test_once_unblinded_the_protocols_baseline_and_primary_stand(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    unblind(database, now)
    found = analysed(database, now)
    assert not found.masked
    assert found.withheld == {}
    assert found.reference == "baseline"
    assert found.primary == ("structure", "zebra-lora")
    assert found.comparison is not None
    row = found.comparison.scales["structure"].contrasts[0]
    assert (row.system, row.primary) == ("zebra-lora", True)
    assert row.difference.value == pytest.approx(1.0, abs=0.35)


def test_who_does_not_lead_is_refused(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    everybody(database, study, now)
    with pytest.raises(Refused):
        analysed(database, now, study.raters["R01"])


def test_a_lead_who_rates_waits_for_the_lock(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    everybody(database, study, now)
    both = making.give_role(database, lead, study.study_id, Role.RATER, now)
    with pytest.raises(Refused, match="You rate in this study"):
        analysed(database, now, both)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    assert analysed(database, now, both).systems


def test_a_study_nobody_has_rated_is_told_so(
    database: Database, study: Made, now: datetime
) -> None:
    with pytest.raises(StudyError, match="Nothing has been rated"):
        analysed(database, now)


def test_the_flow_counts_items_raters_and_tasks(
    database: Database, study: Made, lead: Person, now: datetime
) -> None:
    work(database, study, "R01", now)
    work(database, study, "R02", now, count=4)
    view = making.open_next(database, study.raters["R02"], "trial", now)
    skip = making.press(view, skip={"reason": "too_distressing", "note": ""})
    desk_task.skip(database, study.raters["R02"], body=skip, now=now)
    lifecycle.withdraw_item(database, lead, slug="trial", key="Q001", reason="leak", now=now)
    exclude(database, study, now, key="Q002")
    found = analysed(database, now).flow
    assert found.items.imported == 12
    assert found.items.withdrawn == {"Q001": "leak"}
    assert found.items.excluded == {"Q002": "as planned"}
    assert (found.items.rated, found.items.analysed) == (12, 10)
    assert (found.raters.joined, found.raters.began, found.raters.analysed) == (3, 2, 2)
    tasks = found.tasks
    assert (tasks.assigned, tasks.scored, tasks.skipped) == (36, 16, {"too_distressing": 1})
    assert tasks.scored == tasks.analysed + tasks.excluded
    assert tasks.assigned == (
        tasks.scored + sum(tasks.skipped.values()) + tasks.not_done + tasks.released
        + tasks.withdrawn
    )


def test_preferences_become_strengths(database: Database, study: Made, now: datetime) -> None:
    work(database, study, "R01", now)
    work(database, study, "R02", now, favour="baseline", count=3)
    unblind(database, now)
    found = analysed(database, now).bradley_terry
    assert found is not None
    counts = {one.system: (one.preferred, one.n) for one in found.strengths}
    assert counts == {"baseline": (3, 15), "zebra-lora": (12, 15)}
    assert found.preferred_over_reference["zebra-lora"].value == pytest.approx(0.8, abs=0.1)


def test_without_preferences_strengths_have_a_reason(
    database: Database, study: Made, now: datetime
) -> None:
    making.rate_all(database, study.raters["R01"], "trial", now)
    unblind(database, now)
    found = analysed(database, now)
    assert found.bradley_terry is not None
    assert found.bradley_terry.reason == "no preferences"
    assert found.bradley_terry.n_skipped == 12
    assert found.position.preferences.share.reason == "no comparison favours either side"


def test_repeats_become_test_retest_and_never_agreement(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    protocol = "[design]\nrepeats = 0.5\nrepeat_gap_tasks = 2\n" + PROTOCOL
    study = made(database, tmp_path, now, protocol, items=12)
    everybody(database, study, now)
    found = analysed(database, now)
    retest = found.retest["relevance"]
    assert retest.pooled.n == 3 * 6 * 2  # half of 12 tasks again, two answers each
    assert retest.same_order.n == 0  # sides are reversed by design
    assert retest.swapped_order.n == retest.pooled.n
    assert set(retest.by_rater) == {"R01", "R02", "R03"}
    assert found.flow.tasks.other == {"repeat": 18}
    assert found.agreement.pooled("relevance").counts.n_ratings == 3 * 12 * 2


def guess_all(
    database: Database, study: Made, code: str, now: datetime, choose: Mapping[str, str]
) -> None:
    """Guess the slot of the named system on every task shown again; empty: don't know."""
    rater, known = study.raters[code], texts(database)
    own_work.confirm_final(database, rater, slug="trial", now=now)
    answers = {}
    for one in own_work.shown_again(database, rater, slug="trial", now=now):
        slots = {known[text]: slot for slot, text in one.slots}
        answers[one.task] = (slots.get(choose[code], "dont_know"), "")
    own_work.guess(database, rater, slug="trial", answers=answers, now=now)


def test_guesses_become_one_record_a_pair(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    choose = {"R01": "zebra-lora", "R02": "baseline", "R03": ""}
    for code in choose:
        guess_all(database, study, code, now, choose)
    unblind(database, now)
    found = analysed(database, now).blinding
    assert found is not None
    assert (found.n, found.n_dont_know, found.n_left_out) == (30, 10, 0)
    assert found.accuracy_by_rater == {"R01": (10, 10), "R02": (0, 10), "R03": (0, 0)}
    assert found.pair_accuracy.value == 0.5
    assert found.bang_generalised["zebra-lora"].value == 0.0
    # Everybody preferred the tuned system, so R01 followed the own preference and R02 did not.
    assert {row.preference: (row.correct, row.wrong, row.dont_know)
            for row in found.with_preference}["target"] == (10, 10, 10)


def test_flags_become_rates_by_system(database: Database, study: Made, now: datetime) -> None:
    known = texts(database)
    for code in ("R01", "R02"):
        rater = study.raters[code]
        for number in range(12):
            view = making.open_next(database, rater, "trial", now)
            slot = next(one["slot"] for one in view["task"]["slots"]
                        if known[one["text"]] == "zebra-lora")
            flags = [{"slot": slot, "kind": "unsafe_advice", "quote": "",
                      "severity": "serious" if code == "R01" else "minor"}]
            entries = making.entries(view, flags=flags if number < 6 or code == "R01" else [])
            desk_task.save(database, rater, body=making.press(view, entries=entries), now=now)
    unblind(database, now)
    found = analysed(database, now).safety
    assert found is not None
    serious, every = found["serious"], found["any"]
    assert serious.systems["zebra-lora"].by_any.count == 12
    assert serious.systems["zebra-lora"].by_majority.count == 0
    assert serious.systems["baseline"].by_any.count == 0
    assert serious.differences[0].by_any.value == 1.0
    assert every.systems["zebra-lora"].by_majority.count == 6
    assert serious.systems["baseline"].raters_per_answer == (2, 2, 2)


def test_what_is_missing_stands_by_system_scale_and_reason(
    database: Database, study: Made, now: datetime
) -> None:
    known, rater = texts(database), study.raters["R01"]
    view = making.open_next(database, rater, "trial", now)
    entries = making.entries(view)
    slot = next(one["slot"] for one in view["task"]["slots"]
                if known[one["text"]] == "zebra-lora")
    entries["scores"][slot]["structure"] = "cannot_rate"
    desk_task.save(database, rater, body=making.press(view, entries=entries), now=now)
    view = making.open_next(database, rater, "trial", now)
    skip = making.press(view, skip={"reason": "known", "note": ""})
    desk_task.skip(database, rater, body=skip, now=now)
    work(database, study, "R02", now)
    unblind(database, now)
    found = analysed(database, now)
    cell = {(one.system, one.scale): one for one in found.missingness}
    mine, theirs = cell["zebra-lora", "structure"], cell["baseline", "structure"]
    assert mine.reasons == {"cannot_rate": 1, "not_done": 22, "skipped:known": 1}
    assert theirs.reasons == {"not_done": 22, "skipped:known": 1}
    assert (mine.expected, mine.given) == (36, 12)
    assert found.missing_bounds is not None
    bounds = {one.scale: one for one in found.missing_bounds}["structure"]
    assert bounds.worst is not None
    assert bounds.best is not None
    assert bounds.observed is not None
    assert bounds.worst < bounds.observed < bounds.best
    assert bounds.n_incomplete == 24


def test_exclusions_and_corrections_have_their_own_sets(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    exclude(database, study, now, code="R03")
    rater = study.raters["R01"]
    token = own_work.done_tasks(database, rater, slug="trial", now=now)[0][0].task
    view = dict(desk_task.open_task(database, rater, slug="trial", token=token, now=now))
    again = making.press(view, entries=making.entries(view, 2, reason="read again"))
    desk_task.save(database, rater, body=again, now=now)
    unblind(database, now)
    found = analysed(database, now)
    sets = {one.name: one for one in found.sensitivity.variants if one.scale == "relevance"}
    assert set(sets) == {"analysis", "with_excluded", "first_scores"}
    assert (sets["analysis"].n_raters, sets["with_excluded"].n_raters) == (2, 3)
    assert sets["first_scores"].n_ratings == sets["analysis"].n_ratings
    assert found.flow.raters.excluded == {"R03": "as planned"}
    assert found.flow.tasks.corrected == 1
    assert {one.low_without for one in found.sensitivity.leave_one_rater_out} <= {"R01", "R02"}


def store(database: Database, table: Any, study: Made, now: datetime, **more: Any) -> None:
    """Store a machine's score of every answer: 2 for the tuned system, else 0."""
    with database.writing(study.study_id) as connection:
        for place, (answer_id, (key, name)) in enumerate(names(database, study.study_id).items()):
            value = 2 if name == "zebra-lora" else 0
            connection.execute(insert(table), {
                "study_id": study.study_id, "answer_id": answer_id, "at": stamp(now),
                "value": value + (int(key[1:]) / 100 + place / 1e4 if table is metric_score else 0),
                **more,
            })


def test_stored_metrics_are_correlated_with_people(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    store(database, metric_score, study, now, metric="chrf", signature="chrf|v1")
    unblind(database, now)
    found = analysed(database, now)
    assert found.metrics is not None
    (metric,) = found.metrics.metrics
    assert (metric.metric, metric.n_answers) == ("chrf", 24)
    of_scale = metric.scales["structure"]
    assert of_scale.pooled.n == 24
    assert of_scale.pooled.spearman.value is not None
    assert of_scale.pooled.spearman.value > 0.5
    assert set(of_scale.by_system) == {"baseline", "zebra-lora"}
    assert found.metrics.ceiling["structure"].pooled.kendall.value is not None


def test_stored_judges_are_tested_apart_with_the_declared_epsilon(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    store(database, judge_score, study, now, judge="m1", scale="structure", prompt="p",
          instrument="i")
    unblind(database, now)
    found = analysed(database, now)
    assert found.judges is not None
    (judge,) = found.judges
    test = judge.scales["structure"]
    assert (judge.judge, test.n_items, test.n_humans) == ("m1", 12, 3)
    assert (test.epsilon, test.declared) == (0.2, True)
    assert test.winning_rate.value is not None
    assert found.agreement.pooled("structure").counts.n_raters == 3  # the judge is no rater


def test_nothing_stored_is_none(database: Database, study: Made, now: datetime) -> None:
    everybody(database, study, now)
    unblind(database, now)
    found = analysed(database, now)
    assert found.metrics is None
    assert found.judges is None


def test_what_the_plan_names_is_planned_and_the_rest_is_not(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    found = analysed(database, now)
    assert {name for name, yes in found.planned.items() if yes} == {
        "agreement", "comparison", "judges",
    }


def test_a_plan_changed_after_the_first_rating_is_a_deviation_and_plans_nothing(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    everybody(database, study, now)
    file = tmp_path / "later.toml"
    file.write_text(PROTOCOL.replace("alpha per scale", "alpha per scale, safety flags"), "utf-8")
    later = now + timedelta(days=3)
    protocols.amend(database, TERMINAL, slug="trial", protocol=file, reason="flags", now=later)
    found = analysed(database, later)
    assert not found.registered.before
    (deviation,) = found.registered.deviations
    assert (deviation.reason, deviation.changed) == ("flags", ("analysis.planned",))
    assert found.registered.plan_version == 1
    assert not found.planned["safety"]
    assert "safety flags" not in found.plan[0]


def test_the_plan_in_force_before_the_first_rating_is_registered(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now + timedelta(hours=1))
    found = analysed(database, now).registered
    assert found.before
    assert found.intact
    assert found.at < str(found.first_rating_at)
    assert found.digest == found.plan_digest
    assert found.declared_at is None


def test_the_same_data_have_the_same_signature(
    database: Database, study: Made, now: datetime
) -> None:
    work(database, study, "R01", now)
    work(database, study, "R02", now, count=3)
    once, again = analysed(database, now), analysed(database, now + timedelta(days=1))
    assert once.signature == again.signature
    assert once.json() == again.json()
    work(database, study, "R02", now, count=1)
    assert analysed(database, now).signature != once.signature


def test_length_is_looked_at_within_items(database: Database, study: Made, now: datetime) -> None:
    everybody(database, study, now)
    unblind(database, now)
    found = analysed(database, now).length
    assert found is not None
    # The texts of one item are equally long: nothing to adjust for, and it is said so.
    assert found["structure"].per_doubling.reason == "the answers' lengths do not vary"
    adjusted = found["structure"].adjusted["zebra-lora"]
    assert adjusted.mean_length_ratio == pytest.approx(1.0)
    assert adjusted.difference.reason == "the answers' lengths do not vary"


@pytest.mark.parametrize("systems", [("only",), ("baseline", "b", "c", "d")])
def test_one_system_and_four_are_analysed(
    database: Database, tmp_path: Path, now: datetime, systems: tuple[str, ...]
) -> None:
    panel = "single" if len(systems) == 1 else "all"
    protocol = f'[design]\npanel = "{panel}"\n[analysis]\nbootstrap = 20\n'
    study = made(database, tmp_path, now, protocol, systems=systems)
    everybody(database, study, now, favour=systems[-1])
    unblind(database, now)
    found = analysed(database, now)
    json.dumps(found.json(), allow_nan=False)
    assert (found.comparison is None) is (len(systems) == 1)
    assert found.position.scores["relevance"].n + found.position.scores["relevance"].n_equal == (
        0 if len(systems) == 1 else 3 * 8 * 6
    )


def test_one_rating_alone_is_enough_to_say_what_is_missing(
    database: Database, study: Made, now: datetime
) -> None:
    work(database, study, "R01", now, count=1)
    unblind(database, now)
    found = analysed(database, now)
    json.dumps(found.json(), allow_nan=False)
    assert found.comparison is not None
    assert found.comparison.scales["relevance"].contrasts[0].reason == (
        "fewer than 2 paired items"
    )


@contextmanager
def counted() -> Iterator[list[str]]:
    """Note every statement that reaches a database."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_results_screen_reads_a_study_no_more_often_than_its_analysis(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    with counted() as of_analysis:
        analysis = analysed(database, now)
    with counted() as of_everything:
        found = study_results.everything(
            database, TERMINAL, slug="trial", now=now, bootstrap=60)
    assert found.analysis.signature == analysis.signature
    assert len(of_everything) == len(of_analysis)
    assert {one.system for one in found.shares} == {"ALL", "S1", "S2"}
