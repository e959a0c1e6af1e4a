"""Who may do what: every public service function, called as every kind of person."""

import ast
import hashlib
import importlib
import inspect
import os
import pkgutil
import shutil
import textwrap
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from cbt_core import services
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.errors import Conflict, Invalid, Refused, StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.tasks import answers as tasks_answers
from cbt_core.generation.tasks import detection as tasks_detection
from cbt_core.generation.tasks import judgement as tasks_judgement
from cbt_core.generation.tasks.questions import Questions
from cbt_core.http import routes
from cbt_core.services import guard
from cbt_core.services.access import sessions
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task, escalations, own_work
from cbt_core.services.export import study_export
from cbt_core.services.labels import adjudication, adjudication_queue, machine_proposals
from cbt_core.services.labels.adjudication import Place
from cbt_core.services.operations import demo_study, storage
from cbt_core.services.people import roster
from cbt_core.services.report import study_report
from cbt_core.services.report import study_report as reports
from cbt_core.services.report.study_report import Wish
from cbt_core.services.results import disagreements, segment_scores, study_results
from cbt_core.services.runs import (
    browser_run,
    dataset,
    detections,
    egress,
    judgements,
    model_run,
    outputs,
    wishes,
)
from cbt_core.services.runs.wishes import Asked
from cbt_core.services.studies import (
    answer_gates,
    contents,
    creation,
    lifecycle,
    overview,
    protocols,
    registration,
)
from cbt_core.services.studies.creation import StudyFiles
from cbt_core.settings import Settings
from db import migrate
from db.columns import metadata
from db.engine import Database
from db.tables.trail import access_log
from tests import label_study as labels
from tests import making
from tests.conftest import NOW

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="rights do not rest on the storage"
)

EVERYBODY = "nobody rater other_rater annotator lead other_lead terminal"
LEADS = "lead terminal"
ANY_LEAD = "lead other_lead terminal"
RATERS = "rater other_rater"

QUICK = Wish(bootstrap=10)

BEHIND: Mapping[str, str] = {
    "runs.egress.note_sending": "writes down what is about to leave, behind the sender's door",
}
"""Functions that take a person and open no door: each with the reason why that is right."""

WITHOUT_RIGHTS: Mapping[str, str] = {
    "access.sessions.change_passphrase": "asks for the old secret; tests/services/test_access.py",
}
"""Functions that open a door, but whose answer does not rest on a role."""

WITHOUT_PERSON: Mapping[str, str] = {
    "access.sessions.account_of": "part of signing in",
    "access.sessions.demonstration_offered": "what the sign-in page shows",
    "access.sessions.demonstration_sign_in": "refuses by itself beyond loopback; test_access",
    "access.sessions.failed": "part of signing in",
    "access.sessions.person_of": "turns a token into a person",
    "access.sessions.sign_in": "asks for a secret",
    "access.sessions.sign_out": "ends the token it is given",
    "access.sessions.verified_sign_in": "after OIDC; test_access",
    "labels.adjudication_queue.refresh": "reckons; used behind a door",
    "operations.demo_study.label_all": "part of loading the demonstration",
    "operations.demo_study.load_demonstration": "terminal command; test_demonstration",
    "operations.demo_study.propose_machine_labels": "part of loading the demonstration",
    "operations.doctor.examine": "terminal command; reads settings",
    "operations.storage.exists": "is there a file",
    "operations.storage.prepare": "at the start of the server",
    "operations.storage.require_current": "at the start of the server",
    "report.study_report.true_names": "takes names out of texts; its callers have asked who",
    "runs.browser_run.launch": "used behind a door",
    "runs.browser_run.runs_folder": "where files lie",
    "runs.browser_run.work": "terminal command; asks again who started it; test_runs",
    "runs.egress.require_sendable": "asks what may leave, not who may send",
    "runs.model_run.plan": "checks a task; nothing is sent",
    "runs.tuned_model.study_questions": "held against training rows at the terminal, never shown",
    "runs.tuned_model.train_file": "terminal command; writes no table",
    "runs.wishes.preview_of": "used behind a door",
}
"""Functions that take a database and no person: each with the reason why that is right."""

@dataclass(frozen=True)
class World:
    """Three studies and one person of each kind; `task`, `label_task` belong to the first ones."""

    database: Database
    people: Mapping[str, Person]
    study_id: int
    view: Mapping[str, Any]
    label_view: Mapping[str, Any]
    folder: Path


Call = Callable[[World, Person], object]


@dataclass(frozen=True)
class Row:
    """One function: how it is called, who may, and what must happen first.

    `tells` names an error that a person who may is told all the same (not a refusal).
    """

    call: Call
    allowed: str
    before: Callable[[World], object] | None = None
    tells: type[StudyError] | None = None


def lock(world: World) -> None:
    lifecycle.lock(world.database, TERMINAL, slug="trial", now=NOW)


def rate_everything(world: World) -> None:
    for kind in RATERS.split():
        making.rate_all(world.database, world.people[kind], "trial", NOW)


def make_final(world: World) -> None:
    rate_everything(world)
    for kind in RATERS.split():
        own_work.confirm_final(world.database, world.people[kind], slug="trial", now=NOW)


def handle_case(world: World) -> None:
    escalations.handle(world.database, TERMINAL, slug="trial", case_id=1, text="done", now=NOW)


def skip_body(view: Mapping[str, Any]) -> dict[str, Any]:
    return {**making.press(view), "skip": {"reason": "too_distressing", "note": ""}}


def label_skip_body(view: Mapping[str, Any]) -> dict[str, Any]:
    return {**labels.press(view), "skip": {"reason": "too_distressing", "note": ""}}


def draft_body(view: Mapping[str, Any]) -> dict[str, Any]:
    return {"task": view["task"]["task"], "sequence": 1, "entries": {}, "base_revision": 0}


def new_study(world: World, who: Person) -> object:
    (world.folder / "new").mkdir()
    file = making.study_file(world.folder / "new")
    return creation.create_study(
        world.database, who, slug="new", title="New", files=StudyFiles(study_file=file), now=NOW)


def amended(world: World, who: Person) -> object:
    file = world.folder / "amended.toml"
    file.write_text(f'{PROTOCOL}\n[study]\ntitle = "Another title"\n', "utf-8")
    return protocols.amend(
        world.database, who, slug="trial", protocol=file, reason="typing error", now=NOW)


def guesses(world: World, who: Person) -> object:
    rates = who.has(Role.RATER, world.study_id)
    shown = own_work.shown_again(world.database, who, slug="trial", now=NOW) if rates else []
    answers = {one.task: ("dont_know", "") for one in shown}
    return own_work.guess(world.database, who, slug="trial", answers=answers, now=NOW)


def of_study(function: Callable[..., object], **more: object) -> Call:
    """Return a call on the study `trial` at a fixed time."""
    return lambda world, who: function(world.database, who, slug="trial", now=NOW, **more)


def gathered(world: World, who: Person) -> object:
    """Gather what a report needs beside the analysis, with the plan as it is registered."""
    with world.database.reading() as connection:
        plan = registration.registered(connection, world.study_id)
    return study_report.gather(
        world.database, who, slug="trial", plan=plan, wish=QUICK, now=NOW)


def of_run(function: Callable[..., object], **more: object) -> Call:
    """Return a call on a run that does not exist: whoever may is told so."""
    return lambda world, who: function(world.database, who, code="0" * 12, now=NOW, **more)


def of_runs(function: Callable[..., object], **more: object) -> Call:
    return lambda world, who: function(world.database, who, codes=["0" * 12], now=NOW, **more)


def of_wish(function: Callable[..., object], **more: object) -> Call:
    """Return a call with a backend that does not exist: nothing is started."""
    return lambda world, who: function(
        world.database, who, asked=Asked("s", "none"), questions=Questions(Path("none.jsonl")),
        settings=Settings(world.database.url), now=NOW, **more)


def on_account(function: Callable[..., object], **more: object) -> Call:
    return lambda world, who: function(world.database, who, code="R01", now=NOW, **more)


def posted(
    function: Callable[..., object], body: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Call:
    return lambda world, who: function(world.database, who, body=body(world.view), now=NOW)


def marked(
    function: Callable[..., object], body: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Call:
    return lambda world, who: function(
        world.database, who, body=body(world.label_view), work=Work.LABEL, now=NOW)


def of_labels(function: Callable[..., object], **more: object) -> Call:
    """Return a call on the study `labels` at a fixed time."""
    return lambda world, who: function(world.database, who, slug="labels", now=NOW, **more)


def decided(function: Callable[..., object]) -> Call:
    """Return a call that decides on an item of the study `labels`."""
    def call(world: World, who: Person) -> object:
        case = adjudication.open_case(
            world.database, TERMINAL, slug="labels", item="Q001", now=NOW)
        body = {
            "task": "labels/Q001", "item": "Q001", "token": "t", "seen": case.seen,
            "base_revision": 0, "entries": {"verdict": "none", "reason": "plain"},
        }
        slug = {} if function is adjudication.decide_view else {"slug": "labels"}
        return function(world.database, who, body=body, now=NOW, **slug)
    return call


CASE = {"case_id": 1, "text": "seen"}
def detection(world: World, who: Person) -> model_run.Plan[tasks_detection.Detection]:
    return detections.plan_study(
        world.database, who, slug="labels", options=Options("echo", "echo"),
        place=world.folder / "none.jsonl", settings=Settings(database=""), now=NOW)


def judgement(world: World, who: Person) -> model_run.Plan[tasks_judgement.Judgement]:
    return judgements.plan_study(
        world.database, who, slug="trial", judge="j", options=Options("echo", "echo"),
        place=world.folder / "none.jsonl", settings=Settings(database=""), now=NOW)


def asked(planned: Callable[[World, Person], model_run.Plan[Any]]) -> Call:
    """Return a call that lets an echo do what was planned for the terminal."""
    return lambda world, who: model_run.ask(
        planned(world, TERMINAL), settings=Settings(world.database.url), database=world.database,
        person=who, now=NOW)


def answers(world: World, _: Person) -> model_run.Plan[tasks_answers.Answers]:
    file = world.folder / "questions.jsonl"
    file.write_text('{"id": "Q1", "question": "why?"}\n', encoding="utf-8")
    return model_run.plan(
        tasks_answers.answers_to(Questions(file), system="s"), Options("echo", "echo"),
        place=world.folder / "answers.jsonl", settings=Settings(world.database.url),
        database=world.database, now=NOW)


MATRIX: Mapping[str, Row] = {
    "access.sessions.set_language": Row(
        lambda w, who: sessions.set_language(w.database, who, language="en", now=NOW), EVERYBODY),
    "access.sessions.sign_out_everywhere": Row(
        lambda w, who: sessions.sign_out_everywhere(w.database, who, NOW), EVERYBODY),
    "assignment.task_draw.assign": Row(of_study(task_draw.assign, raters=["R01", "R02"]), LEADS),
    "assignment.task_draw.preview": Row(of_study(task_draw.preview, raters=["R01", "R02"]), LEADS),
    "assignment.task_draw.release": Row(
        of_study(task_draw.release, rater="R02", reason="ill"), LEADS),
    "desk.admission.accept_consent": Row(of_study(admission.accept_consent), RATERS),
    "desk.admission.answer_practice": Row(
        of_study(admission.answer_practice, item="P1", scores={}), RATERS, tells=Invalid),
    "desk.admission.answer_profile": Row(of_study(admission.answer_profile, answers={}), RATERS),
    "desk.admission.finish_guide": Row(of_study(admission.finish_guide), RATERS),
    "desk.admission.let_in": Row(of_study(admission.let_in, code="R01"), LEADS),
    "desk.admission.my_studies": Row(
        lambda w, who: admission.my_studies(w.database, who, now=NOW), EVERYBODY),
    "desk.admission.practice_item": Row(of_study(admission.practice_item), RATERS),
    "desk.admission.standing": Row(of_study(admission.standing), RATERS),
    "desk.desk_task.keep_draft": Row(posted(desk_task.keep_draft, draft_body), "rater"),
    "desk.desk_task.keep_draft: labels": Row(
        marked(desk_task.keep_draft, draft_body), "annotator"),
    "desk.desk_task.open_task": Row(
        lambda w, who: desk_task.open_task(
            w.database, who, slug="trial", token=w.view["task"]["task"], now=NOW), "rater"),
    "desk.desk_task.open_task: labels": Row(
        lambda w, who: desk_task.open_task(
            w.database, who, slug="labels", token=w.label_view["task"]["task"],
            work=Work.LABEL, now=NOW),
        "annotator"),
    "desk.desk_task.save": Row(posted(desk_task.save, making.press), "rater"),
    "desk.desk_task.save: labels": Row(
        marked(desk_task.save, lambda view: labels.press(view, verdict="none", certainty=2)),
        "annotator"),
    "desk.desk_task.skip": Row(posted(desk_task.skip, skip_body), "rater"),
    "desk.desk_task.skip: labels": Row(marked(desk_task.skip, label_skip_body), "annotator"),
    "desk.escalations.handle": Row(of_study(escalations.handle, **CASE), LEADS),
    "desk.escalations.note": Row(of_study(escalations.note, **CASE), LEADS),
    "desk.escalations.queue": Row(of_study(escalations.queue), LEADS),
    "desk.escalations.read": Row(of_study(escalations.read, case_id=1), LEADS),
    "desk.escalations.reopen": Row(of_study(escalations.reopen, **CASE), LEADS, before=handle_case),
    "desk.own_work.confirm_final": Row(
        of_study(own_work.confirm_final), RATERS, before=rate_everything),
    "desk.own_work.done_tasks": Row(of_study(own_work.done_tasks), RATERS),
    "desk.own_work.guess": Row(guesses, RATERS, before=make_final),
    "desk.own_work.hours": Row(of_study(own_work.hours), RATERS),
    "desk.own_work.shown_again": Row(of_study(own_work.shown_again), RATERS),
    "export.study_export.export_study": Row(
        lambda w, who: study_export.export_study(
            w.database, who, slug="trial", folder=w.folder / "out", now=NOW), LEADS),
    "export.study_export.export_zip": Row(
        of_study(study_export.export_zip, form="csv", unblinded=False), LEADS
    ),
    "export.study_export.table_names": Row(of_study(study_export.table_names), LEADS),
    "labels.adjudication.decide": Row(decided(adjudication.decide), "lead"),
    "labels.adjudication.decide_view": Row(decided(adjudication.decide_view), "lead"),
    "labels.adjudication.open_case": Row(of_labels(adjudication.open_case, item="Q001"), LEADS),
    "labels.adjudication.open_view": Row(
        of_labels(adjudication.open_view, item=None, place=Place()), LEADS),
    "labels.adjudication_queue.queue": Row(of_labels(adjudication_queue.queue), LEADS),
    "labels.machine_proposals.propose": Row(
        lambda w, who: machine_proposals.propose(
            w.database, who, slug="labels", source="machine", now=NOW, proposals=()), LEADS),
    "operations.demo_study.simulate_ratings": Row(
        of_study(demo_study.simulate_ratings, raters=["R01"], seed=1), LEADS,
        tells=StudyError),  # the study is a real one
    "operations.storage.back_up": Row(
        lambda w, who: storage.back_up(w.database, who, file=w.folder / "copy.db", now=NOW),
        "terminal"),
    "operations.storage.check_all": Row(
        lambda w, who: storage.check_all(w.database, who, now=NOW), "terminal"),
    "operations.storage.restore": Row(
        lambda w, who: storage.restore(w.database, who, file=w.folder / "no.db", now=NOW),
        "terminal", tells=StudyError),
    "operations.storage.upgrade": Row(
        lambda w, who: storage.upgrade(w.database, who, now=NOW), "terminal"),
    "operations.storage.verify": Row(of_study(storage.verify), LEADS),
    "people.roster.add_person": Row(
        lambda w, who: roster.add_person(
            w.database, who, code="R77", now=NOW, study_id=w.study_id), LEADS),
    "people.roster.disable": Row(on_account(roster.disable), "terminal"),
    "people.roster.forget": Row(on_account(roster.forget), "terminal"),
    "people.roster.identity_of": Row(on_account(roster.identity_of), "rater terminal"),
    "people.roster.leave_study": Row(
        lambda w, who: roster.leave_study(
            w.database, who, code="R01", role=Role.RATER, study_id=w.study_id, now=NOW), LEADS),
    "people.roster.list_people": Row(
        lambda w, who: roster.list_people(w.database, who, now=NOW, study_id=w.study_id), LEADS),
    "people.roster.reset": Row(on_account(roster.reset), LEADS),
    "people.roster.set_identity": Row(
        on_account(roster.set_identity, name="N", email=""), "rater terminal"),
    "report.study_report.gather": Row(gathered, LEADS),
    "report.study_report.report_files": Row(of_study(reports.report_files, wish=QUICK), LEADS),
    "report.study_report.report_zip": Row(of_study(reports.report_zip, wish=QUICK), LEADS),
    "report.study_report.write_report": Row(
        lambda w, who: reports.write_report(
            w.database, who, slug="trial", folder=w.folder / "report", now=NOW, wish=QUICK),
        LEADS),
    "results.disagreements.case": Row(of_study(disagreements.case, item="Q001"), LEADS),
    "results.disagreements.split_items": Row(of_study(disagreements.split_items), LEADS),
    "results.segment_scores.import_segments": Row(
        of_study(segment_scores.import_segments, path=Path("none.jsonl")), LEADS,
        tells=StudyError),
    "results.study_results.analyse": Row(of_study(study_results.analyse, bootstrap=10), LEADS),
    "results.study_results.everything": Row(
        of_study(study_results.everything, bootstrap=10), LEADS),
    "results.study_results.label_results": Row(
        of_study(study_results.label_results, bootstrap=10), LEADS, tells=StudyError),
    "results.study_results.state": Row(of_study(study_results.state), LEADS),
    "runs.browser_run.forget": Row(of_run(browser_run.forget), "terminal", tells=StudyError),
    "runs.browser_run.one_run": Row(of_run(browser_run.one_run, ), "terminal", tells=StudyError),
    "runs.browser_run.preview": Row(of_wish(browser_run.preview), "terminal", tells=StudyError),
    "runs.browser_run.resume": Row(of_run(browser_run.resume, settings=Settings("")), "terminal",
                          tells=StudyError),
    "runs.browser_run.start": Row(of_wish(browser_run.start, token="token-of-a-form"), "terminal",
                         tells=StudyError),
    "runs.browser_run.stop": Row(of_run(browser_run.stop), "terminal", tells=StudyError),
    "runs.browser_run.watch": Row(
        lambda w, who: browser_run.watch(w.database, who, now=NOW), "terminal"),
    "runs.dataset.study_items": Row(
        lambda w, who: dataset.study_items(w.database, who, slugs=["trial"], now=NOW),
        LEADS),
    "runs.detections.plan_study": Row(lambda w, who: detection(w, who), LEADS),
    "runs.detections.store": Row(
        lambda w, who: detections.store(
            w.database, who, plan=detection(w, TERMINAL), now=NOW),
        LEADS, tells=StudyError),
    "runs.egress.allow_source": Row(
        lambda w, who: egress.allow_source(
            w.database, who, source="psyqa", agreement="signed", now=NOW), ANY_LEAD),
    "runs.egress.deny_source": Row(
        lambda w, who: egress.deny_source(w.database, who, source="psyqa", now=NOW), ANY_LEAD),
    "runs.egress.sources": Row(lambda w, who: egress.sources(w.database, who, now=NOW), ANY_LEAD),
    "runs.judgements.plan_study": Row(lambda w, who: judgement(w, who), LEADS),
    "runs.judgements.store": Row(  # no run has been made: told so, but not refused
        lambda w, who: judgements.store(
            w.database, who, plan=judgement(w, TERMINAL), now=NOW),
        LEADS, tells=StudyError),
    "runs.model_run.ask:answers": Row(asked(answers), ANY_LEAD),
    "runs.model_run.ask:detection": Row(asked(detection), ANY_LEAD),
    "runs.model_run.ask:judgement": Row(asked(judgement), ANY_LEAD),
    "runs.outputs.check": Row(of_runs(outputs.check), "terminal", tells=StudyError),
    "runs.outputs.chosen": Row(of_runs(outputs.chosen, ), "terminal",
                               tells=StudyError),
    "runs.outputs.page": Row(of_runs(outputs.page, offset=0, limit=5), "terminal",
                             tells=StudyError),
    "runs.outputs.send": Row(of_runs(outputs.send, slug="new", title="New"),
                                "terminal", tells=StudyError),
    "runs.wishes.study_questions": Row(of_study(wishes.study_questions), LEADS),
    "studies.answer_gates.gates_of_study": Row(of_study(answer_gates.gates_of_study), LEADS),
    "studies.contents.item_counts": Row(of_study(contents.item_counts), LEADS),
    "studies.contents.items_page": Row(of_study(contents.items_page), LEADS),
    "studies.contents.listing": Row(
        lambda w, who: contents.listing(w.database, who, now=NOW), EVERYBODY),
    "studies.contents.setup_for": Row(of_study(contents.setup_for), LEADS),
    "studies.contents.systems_of": Row(of_study(contents.systems_of), LEADS),
    "studies.contents.versions": Row(of_study(contents.versions), LEADS),
    "studies.creation.create_study": Row(new_study, "terminal"),
    "studies.lifecycle.item_progress": Row(of_study(lifecycle.item_progress), LEADS),
    "studies.lifecycle.lock": Row(of_study(lifecycle.lock), LEADS),
    "studies.lifecycle.status": Row(of_study(lifecycle.status), LEADS),
    "studies.lifecycle.unblind": Row(
        of_study(lifecycle.unblind, reason="all in"), LEADS, before=lock),
    "studies.lifecycle.unlock": Row(
        of_study(lifecycle.unlock, reason="one more"), LEADS, before=lock),
    "studies.lifecycle.withdraw_item": Row(
        of_study(lifecycle.withdraw_item, key="Q004", reason="a name in it"), LEADS),
    "studies.overview.chain_head": Row(of_study(overview.chain_head), LEADS),
    "studies.overview.watch": Row(of_study(overview.watch), LEADS),
    "studies.protocols.amend": Row(amended, LEADS),
    "studies.registration.register": Row(  # the world has been rated: too late, but not a refusal
        of_study(registration.register, language="en"), LEADS, tells=StudyError),
}

PROTOCOL = "[design]\noverlap = 1\n[rater]\nbreak_after_minutes = 0\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make the studies and people once; every cell works on a copy of the file."""
    folder = tmp_path_factory.mktemp("world")
    for name in ("trial", "labels", "elsewhere"):
        (folder / name).mkdir()
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    trial = making.make_study(
        database, folder / "trial", NOW, raters=("R01", "R02"), protocol=PROTOCOL, items=8)
    other = making.make_study(
        database, folder / "elsewhere", NOW, raters=("R09",), slug="elsewhere", items=4,
        protocol="[design]\noverlap = 1\n")
    labelled = labels.make_label_study(database, folder / "labels", NOW)
    lead = making.lead(database, trial.study_id, NOW)
    kinds = {
        "nobody": nobody(database, other.study_id),
        "rater": trial.raters["R01"],
        "other_rater": trial.raters["R02"],
        "annotator": labelled.annotators["N01"],
        "lead": making.give_role(database, lead, labelled.study_id, Role.LEAD, NOW),
        "other_lead": making.lead(database, other.study_id, NOW, code="L02"),
        "terminal": TERMINAL,
    }
    raise_a_flag(database, kinds["rater"])
    view = making.open_next(database, kinds["rater"], "trial", NOW)
    label_view = labels.open_next(database, kinds["annotator"], "labels", NOW)
    database.close()
    return World(database, kinds, trial.study_id, view, label_view, folder)


def nobody(database: Database, study_id: int) -> Person:
    """Add a person who holds no role any more."""
    making.enrol(database, "X01", study_id, Role.RATER, NOW)
    return making.person(database, "X01", study_id)


def raise_a_flag(database: Database, rater: Person) -> None:
    """Save one task with a serious flag: the case that leads read."""
    view = making.open_next(database, rater, "trial", NOW)
    flag = {"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "",
            "start": None, "end": None}
    body = making.press(view, entries=making.entries(view, flags=[flag]))
    desk_task.save(database, rater, body=body, now=NOW)


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "concord.db"
    shutil.copy(template.database.path, file)
    database = Database(f"sqlite:///{file}")
    yield World(database, template.people, template.study_id, template.view,
                template.label_view, tmp_path)
    database.close()


def doors(*, with_person: bool) -> dict[str, Callable[..., object]]:
    """Return every public service function on a database, with or without a person."""
    found = {}
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        loaded = importlib.import_module(module.name)
        short = module.name.removeprefix(f"{services.__name__}.")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if name.startswith("_") or function.__module__ != loaded.__name__ or short == "guard":
                continue
            hints = set(typing.get_type_hints(function).values())
            if hints & {Database, Database | None} and (Person in hints) is with_person:
                found[f"{short}.{name}"] = function
    return found


def function_of(row: str) -> str:
    """Return the function of a row; a function that does two kinds of work has a row for each."""
    return row.partition(":")[0]


@cache
def act_of(name: str) -> str:
    """Return the act under which a service function opens its door."""
    return act_in(doors(with_person=True)[name])


def act_in(function: Callable[..., object]) -> str:
    """Return the act under which a function opens its door, read from its source.

    A door that is made and never gone through would let everybody in: it does not count.
    """
    source = ast.parse(textwrap.dedent(inspect.getsource(function)))
    made = {
        target.id: node.value for node in ast.walk(source) if isinstance(node, ast.Assign)
        for target in node.targets if isinstance(target, ast.Name)
    }
    acts = set()
    for node in ast.walk(source):
        door: ast.expr | None = None
        if isinstance(node, ast.Attribute) and node.attr in USES:
            door = made.get(node.value.id) if isinstance(node.value, ast.Name) else node.value
        elif isinstance(node, ast.withitem):
            door = node.context_expr
        if isinstance(door, ast.Call) and ast.unparse(door.func).startswith("guard."):
            acts |= {ast.literal_eval(word.value) for word in door.keywords if word.arg == "act"}
    assert len(acts) == 1, f"{function} does not come in through services/guard.py under one act"
    return str(acts.pop())


USES = {"check", "reading", "steps", "writing"}


def content(database: Database) -> str:
    """Return a hash of everything stored but the access log."""
    digest = hashlib.sha256()
    with database.reading() as connection:
        for table in metadata.sorted_tables:
            if table is not access_log:
                digest.update(repr(connection.execute(select(table)).all()).encode())
    return digest.hexdigest()


def denials(database: Database) -> list[tuple[str, str, str]]:
    """Return who was refused what and why, as the access log tells it."""
    columns = access_log.c
    query = select(columns.actor, columns.action, columns.detail).order_by(columns.id)
    with database.reading() as connection:
        rows = connection.execute(query.where(columns.action.startswith("denied:"))).all()
    return [(row.actor, row.action, row.detail) for row in rows]


def test_every_service_function_with_a_person_has_a_row() -> None:
    assert set(doors(with_person=True)) == {
        *map(function_of, MATRIX), *WITHOUT_RIGHTS, *BEHIND}


def test_every_service_function_without_a_person_has_a_reason() -> None:
    assert set(doors(with_person=False)) == set(WITHOUT_PERSON)


def test_every_service_function_comes_in_through_the_guard_under_its_own_name() -> None:
    acts = {name: act_of(name) for name in {*map(function_of, MATRIX), *WITHOUT_RIGHTS}}
    for name, act in acts.items():
        words = name.rpartition(".")[2].split("_")
        assert set(words) <= set(act.split("_")), f"{name} is noted as {act}"
    assert len(set(acts.values())) == len(acts), Counter(acts.values()).most_common(3)


def test_a_door_that_nobody_goes_through_does_not_count() -> None:
    def around(database: Database, person: Person) -> object:
        guard.as_terminal(database, person, act="around", now=NOW)
        return contents.listing(database, person, now=NOW)

    def through(database: Database, person: Person) -> object:
        owner = guard.as_terminal(database, person, act="through", now=NOW)
        with owner.reading() as connection:
            return connection

    assert act_in(through) == "through"
    with pytest.raises(AssertionError, match="does not come in"):
        act_in(around)


def test_nothing_but_the_guard_asks_for_roles_and_notes_refusals() -> None:
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        source = inspect.getsource(importlib.import_module(module.name))
        if module.name.endswith(".guard"):
            continue
        assert "denied:" not in source, module.name
        assert ".has(" not in source or module.name in ASKS_FOR_ITSELF, module.name


ASKS_FOR_ITSELF: Mapping[str, str] = {
    "cbt_core.services.studies.contents": "tells the person's own roles; refuses nothing",
}


@pytest.mark.parametrize("kind", EVERYBODY.split())
@pytest.mark.parametrize("name", MATRIX)
def test_a_person_may_do_this_or_is_refused_and_it_is_noted(
    world: World, name: str, kind: str
) -> None:
    row, who = MATRIX[name], world.people[kind]
    if row.before:
        row.before(world)
    if kind in row.allowed.split():
        if row.tells:
            with pytest.raises(row.tells) as told:
                row.call(world, who)
            assert not isinstance(told.value, Refused)
        else:
            row.call(world, who)
        return
    before = content(world.database)
    with pytest.raises(Refused) as refused:
        row.call(world, who)
    assert content(world.database) == before
    assert denials(world.database) == [
        (who.code, f"denied:{act_of(function_of(name))}", refused.value.code)]


def test_a_wrong_old_secret_is_noted_as_a_refusal(world: World) -> None:
    rater = world.people["rater"]
    with pytest.raises(Refused) as refused:
        sessions.change_passphrase(
            world.database, rater, old="x", new="木棉灯笼江河湖海", now=NOW)
    assert denials(world.database) == [
        (rater.code, "denied:change_passphrase", refused.value.code)]


@pytest.mark.parametrize("kind", EVERYBODY.split())
def test_nobody_exports_system_names_before_unblinding(world: World, kind: str) -> None:
    with pytest.raises(Refused):
        study_export.export_zip(
            world.database, world.people[kind], slug="trial", form="csv", unblinded=True, now=NOW)


@pytest.mark.parametrize("kind", EVERYBODY.split())
@pytest.mark.parametrize("name", ["save", "skip", "keep_draft"])
def test_a_locked_study_takes_no_entry_from_anybody(world: World, name: str, kind: str) -> None:
    lock(world)
    before = content(world.database)
    with pytest.raises((Refused, Conflict)):
        MATRIX[f"desk.desk_task.{name}"].call(world, world.people[kind])
    assert content(world.database) == before


def test_a_lead_who_rates_sees_no_scores_while_the_study_is_open(world: World) -> None:
    both = making.give_role(
        world.database, world.people["lead"], world.study_id, Role.RATER, NOW)
    for name in ("results.study_results.everything", "results.study_results.analyse",
                 "report.study_report.report_files"):
        with pytest.raises(Refused):
            MATRIX[name].call(world, both)


def test_a_rater_cannot_score_a_label_task(world: World) -> None:
    both = making.give_role(
        world.database, world.people["annotator"], next(iter(world.people["annotator"].roles)),
        Role.RATER, NOW)
    body = {**making.press(world.view), "task": world.label_view["task"]["task"]}
    with pytest.raises(Refused) as refused:
        desk_task.save(world.database, both, body=body, now=NOW)
    assert refused.value.code == "rating.unknown_task"


def test_a_visitor_reaches_no_route(world: World) -> None:
    settings = Settings(database=world.database.url)
    made = routes(world.database, settings)
    behind = [route for route in made if isinstance(route, Route)
              and route.path.startswith(("/api/", "/download/"))]
    assert len(behind) >= 10
    with TestClient(Starlette(routes=made), base_url="http://127.0.0.1:8501") as client:
        for route in behind:
            path = route.path.replace("{slug:str}", "trial")
            method = "GET" if "GET" in (route.methods or ()) else "POST"
            headers = {"Origin": "http://127.0.0.1:8501"}
            sent = {} if method == "GET" else {"json": {}}
            answer = client.request(method, path, headers=headers, **sent)
            assert answer.status_code == 401, path
