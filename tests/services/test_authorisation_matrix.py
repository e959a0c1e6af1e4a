"""Who may do what: every public service function, called as every kind of person."""

import hashlib
import importlib
import inspect
import os
import pkgutil
import shutil
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
from cbt_core.generation.tasks import detection as tasks_detection
from cbt_core.generation.tasks import judgement as tasks_judgement
from cbt_core.generation.tasks.model_task import Model
from cbt_core.generation.tasks.questions import Questions
from cbt_core.http import routes
from cbt_core.services.access import sessions
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task, escalations, own_work
from cbt_core.services.export import study_export
from cbt_core.services.labels import (
    adjudication,
    adjudication_queue,
    adjudicator_view,
    machine_proposals,
)
from cbt_core.services.labels.adjudicator_view import Place
from cbt_core.services.operations import demo_study, storage
from cbt_core.services.people import roster
from cbt_core.services.report import study_report
from cbt_core.services.report import study_report as reports
from cbt_core.services.report.study_report import Wish
from cbt_core.services.results import disagreements, study_results
from cbt_core.services.runs import (
    control,
    dataset,
    detections,
    egress,
    judgements,
    outputs,
    segment_scores,
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
from db.trail_models import access_log
from tests import labelling as labels
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

WITHOUT_RIGHTS: Mapping[str, str] = {
    "access.change_passphrase": "asks for the old secret; tests/services/test_access.py",
    "authorisation.noting": "a guard, not a wish",
    "authorisation.require": "a guard, not a wish",
    "egress.require_lead": "a guard, not a wish",
    "guards.require_inviter": "a guard, not a wish",
    "guards.require_keeper": "a guard, not a wish",
    "guards.require_terminal": "a guard, not a wish",
    "running.require_runner": "a guard, not a wish",
    "studies.led_by": "a guard, not a wish",
}
"""Functions that take a person, but whose answer does not rest on a role."""

WITHOUT_PERSON: Mapping[str, str] = {
    "scopes.scope": "which lock to take",
    "scopes.scope_of_task": "which lock to take",
    "reporting.gathering.true_names": "takes names out of texts; its callers have asked who",
    "access.demonstration_offered": "what the sign-in page shows",
    "access.demonstration_sign_in": "refuses by itself beyond loopback; test_access",
    "access.person_of": "turns a token into a person",
    "access.sign_in": "asks for a secret",
    "access.sign_out": "ends the token it is given",
    "access.verified_sign_in": "after OIDC; test_access",
    "accounts.named": "used behind a guard",
    "demonstrating.load_demonstration": "terminal command; test_demonstration",
    "demonstrating_labels.label_all": "part of loading the demonstration",
    "demonstrating_labels.propose_machine_labels": "part of loading the demonstration",
    "disagreeing.refresh": "reckons; used behind a guard",
    "doctor.examine": "terminal command; reads settings",
    "run_work.work": "terminal command; asks again whether the starter still may; test_running",
    "running_plans.preview_of": "used behind a guard",
    "running_process.launch": "used behind a guard",
    "running_process.runs_folder": "where files lie",
    "storing.exists": "is there a file",
    "storing.prepare": "at the start of the server",
    "storing.require_current": "at the start of the server",
    "throttling.account_of": "part of signing in",
    "throttling.failed": "part of signing in",
    "training_runs.study_questions": "held against training rows at the terminal; shown to nobody",
    "training_runs.train_file": "terminal command; writes no table",
}
"""Functions that take a database and no person: each with the reason why that is right."""

UNLOGGED = {
    "joining.accept_consent", "joining.answer_practice", "joining.answer_profile",
    "joining.finish_guide", "joining.let_in", "joining.practice_item", "joining.standing",
    "own_work.confirm_final", "own_work.done_tasks", "own_work.guess", "own_work.hours",
    "own_work.shown_again", "storing.back_up", "storing.check_all", "storing.restore",
    "storing.upgrade", "storing.verify",
}
"""Refused, but not yet noted in the access log; a function that begins to be must leave here."""


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
    shown = own_work.shown_again(world.database, who, slug="trial")
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


def untimed(function: Callable[..., object], **more: object) -> Call:
    return lambda world, who: function(world.database, who, slug="trial", **more)


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
        slug = {} if function is adjudicator_view.decide_view else {"slug": "labels"}
        return function(world.database, who, body=body, now=NOW, **slug)
    return call


CASE = {"case_id": 1, "text": "seen"}
def detection(world: World, who: Person) -> tasks_detection.Detection:
    return detections.plan_study(
        world.database, who, slug="labels", model=Model("echo", "echo"),
        place=world.folder / "none.jsonl", settings=Settings(database=""), now=NOW)


def judgement(world: World, who: Person) -> tasks_judgement.Judging:
    return judgements.plan_study(
        world.database, who, slug="trial", judge="j", model=Model("echo", "echo"),
        place=world.folder / "none.jsonl", settings=Settings(database=""), now=NOW)


MATRIX: Mapping[str, Row] = {
    "access.set_language": Row(
        lambda w, who: sessions.set_language(w.database, who, language="en"), EVERYBODY),
    "access.sign_out_everywhere": Row(
        lambda w, who: sessions.sign_out_everywhere(w.database, who, NOW), EVERYBODY),
    "accounts.identity_of": Row(on_account(roster.identity_of), "rater terminal"),
    "accounts.set_identity": Row(
        on_account(roster.set_identity, name="N", email=""), "rater terminal"),
    "adjudicating.decide": Row(decided(adjudication.decide), "lead"),
    "adjudicating.open_case": Row(of_labels(adjudication.open_case, item="Q001"), LEADS),
    "adjudicating.queue": Row(of_labels(adjudication_queue.queue), LEADS),
    "adjudication_view.decide_view": Row(decided(adjudicator_view.decide_view), "lead"),
    "adjudication_view.open_view": Row(
        of_labels(adjudicator_view.open_view, item=None, place=Place()), LEADS),
    "amending.amend": Row(amended, LEADS),
    "assigning.assign": Row(of_study(task_draw.assign, raters=["R01", "R02"]), LEADS),
    "assigning.preview": Row(of_study(task_draw.preview, raters=["R01", "R02"]), LEADS),
    "assigning.release": Row(of_study(task_draw.release, rater="R02", reason="ill"), LEADS),
    "detecting.plan_study": Row(lambda w, who: detection(w, who), LEADS),
    "disagreements.case": Row(of_study(disagreements.case, item="Q001"), LEADS),
    "disagreements.split_items": Row(of_study(disagreements.split_items), LEADS),
    "egress.allow_source": Row(
        lambda w, who: egress.allow_source(
            w.database, who, source="psyqa", agreement="signed", now=NOW), ANY_LEAD),
    "egress.deny_source": Row(
        lambda w, who: egress.deny_source(w.database, who, source="psyqa", now=NOW), ANY_LEAD),
    "egress.sources": Row(lambda w, who: egress.sources(w.database, who, now=NOW), ANY_LEAD),
    "escalating.queue": Row(of_study(escalations.queue), LEADS),
    "escalations.read": Row(of_study(escalations.read, case_id=1), LEADS),
    "escalations.note": Row(of_study(escalations.note, **CASE), LEADS),
    "escalations.handle": Row(of_study(escalations.handle, **CASE), LEADS),
    "escalations.reopen": Row(of_study(escalations.reopen, **CASE), LEADS, before=handle_case),
    "export_contents.table_names": Row(of_study(study_export.table_names), LEADS),
    "exporting.export_study": Row(
        lambda w, who: study_export.export_study(
            w.database, who, slug="trial", folder=w.folder / "out", now=NOW), LEADS),
    "dataset_splitting.study_items": Row(
        lambda w, who: dataset.study_items(w.database, who, slugs=["trial"], now=NOW),
        LEADS),
    "gating.gates_of_study": Row(of_study(answer_gates.gates_of_study), LEADS),
    "exporting.export_zip": Row(
        of_study(study_export.export_zip, form="csv", unblinded=False), LEADS
    ),
    "importing.create_study": Row(new_study, "terminal"),
    "joining.accept_consent": Row(of_study(admission.accept_consent), RATERS),
    "joining.answer_practice": Row(
        of_study(admission.answer_practice, item="P1", scores={}), RATERS, tells=Invalid),
    "joining.answer_profile": Row(of_study(admission.answer_profile, answers={}), RATERS),
    "joining.finish_guide": Row(of_study(admission.finish_guide), RATERS),
    "joining.let_in": Row(of_study(admission.let_in, code="R01"), LEADS),
    "joining.my_studies": Row(lambda w, who: admission.my_studies(w.database, who), EVERYBODY),
    "joining.practice_item": Row(untimed(admission.practice_item), RATERS),
    "joining.standing": Row(untimed(admission.standing), RATERS),
    "judging_study.plan_study": Row(lambda w, who: judgement(w, who), LEADS),
    "judging_study.store": Row(  # no run has been made: told so, but not refused
        lambda w, who: judgements.store(
            w.database, who, judging=judgement(w, TERMINAL), now=NOW),
        LEADS, tells=StudyError),
    "label_results.label_results": Row(
        of_study(study_results.label_results, bootstrap=10), LEADS, tells=StudyError),
    "labelling.keep_draft": Row(marked(desk_task.keep_draft, draft_body), "annotator"),
    "labelling.open_task": Row(
        lambda w, who: desk_task.open_task(
            w.database, who, slug="labels", token=w.label_view["task"]["task"],
            work=Work.LABEL, now=NOW),
        "annotator"),
    "labelling.save": Row(
        marked(desk_task.save, lambda view: labels.press(view, verdict="none", certainty=2)),
        "annotator"),
    "labelling.skip": Row(marked(desk_task.skip, label_skip_body), "annotator"),
    "lifecycle.item_progress": Row(of_study(lifecycle.item_progress), LEADS),
    "lifecycle.lock": Row(of_study(lifecycle.lock), LEADS),
    "lifecycle.status": Row(of_study(lifecycle.status), LEADS),
    "lifecycle.unblind": Row(of_study(lifecycle.unblind, reason="all in"), LEADS, before=lock),
    "lifecycle.unlock": Row(of_study(lifecycle.unlock, reason="one more"), LEADS, before=lock),
    "lifecycle.withdraw_item": Row(
        of_study(lifecycle.withdraw_item, key="Q004", reason="a name in it"), LEADS),
    "metric_scores.import_segments": Row(
        of_study(segment_scores.import_segments, path=Path("none.jsonl")), LEADS,
        tells=StudyError),
    "overview.chain_head": Row(of_study(overview.chain_head), LEADS),
    "overview.watch": Row(of_study(overview.watch), LEADS),
    "own_work.confirm_final": Row(
        of_study(own_work.confirm_final), RATERS, before=rate_everything),
    "own_work.done_tasks": Row(untimed(own_work.done_tasks), RATERS),
    "own_work.guess": Row(guesses, RATERS, before=make_final),
    "own_work.hours": Row(untimed(own_work.hours), RATERS),
    "own_work.shown_again": Row(untimed(own_work.shown_again), RATERS),
    "people.add_person": Row(
        lambda w, who: roster.add_person(
            w.database, who, code="R77", now=NOW, study_id=w.study_id), LEADS),
    "people.disable": Row(on_account(roster.disable), "terminal"),
    "people.forget": Row(on_account(roster.forget), "terminal"),
    "people.leave_study": Row(
        lambda w, who: roster.leave_study(
            w.database, who, code="R01", role=Role.RATER, study_id=w.study_id, now=NOW), LEADS),
    "people.list_people": Row(
        lambda w, who: roster.list_people(w.database, who, now=NOW, study_id=w.study_id), LEADS),
    "people.reset": Row(on_account(roster.reset), LEADS),
    "proposing.propose": Row(
        lambda w, who: machine_proposals.propose(
            w.database, who, slug="labels", source="machine", now=NOW, proposals=()), LEADS),
    "rating.keep_draft": Row(posted(desk_task.keep_draft, draft_body), "rater"),
    "rating.open_task": Row(
        lambda w, who: desk_task.open_task(
            w.database, who, slug="trial", token=w.view["task"]["task"], now=NOW), "rater"),
    "rating.save": Row(posted(desk_task.save, making.press), "rater"),
    "rating.skip": Row(posted(desk_task.skip, skip_body), "rater"),
    "registration.register": Row(  # the world has been rated: too late, but not a refusal
        of_study(registration.register, language="en"), LEADS, tells=StudyError),
    "results.everything": Row(of_study(study_results.everything, bootstrap=10), LEADS),
    "results.state": Row(of_study(study_results.state), LEADS),
    "running.forget": Row(of_run(control.forget), "terminal", tells=StudyError),
    "running.one_run": Row(of_run(control.one_run, act="look"), "terminal", tells=StudyError),
    "running.preview": Row(of_wish(control.preview), "terminal", tells=StudyError),
    "running.resume": Row(of_run(control.resume, settings=Settings("")), "terminal",
                          tells=StudyError),
    "running.start": Row(of_wish(control.start, token="token-of-a-form"), "terminal",
                         tells=StudyError),
    "running.stop": Row(of_run(control.stop), "terminal", tells=StudyError),
    "running.watch": Row(lambda w, who: control.watch(w.database, who, now=NOW), "terminal"),
    "running_plans.study_questions": Row(of_study(wishes.study_questions), LEADS),
    "running_rows.chosen": Row(of_runs(outputs.chosen, act="look"), "terminal",
                               tells=StudyError),
    "running_rows.page": Row(of_runs(outputs.page, offset=0, limit=5), "terminal",
                             tells=StudyError),
    "running_studies.check": Row(of_runs(outputs.check), "terminal", tells=StudyError),
    "running_studies.send": Row(of_runs(outputs.send, slug="new", title="New"),
                                "terminal", tells=StudyError),
    "simulating.simulate_ratings": Row(
        of_study(demo_study.simulate_ratings, raters=["R01"], seed=1), LEADS,
        tells=StudyError),  # the study is a real one
    "storing_detections.store": Row(
        lambda w, who: detections.store(
            w.database, who, detection=detection(w, TERMINAL), now=NOW),
        LEADS, tells=StudyError),
    "storing.back_up": Row(
        lambda w, who: storage.back_up(w.database, who, file=w.folder / "copy.db"), "terminal"),
    "storing.check_all": Row(lambda w, who: storage.check_all(w.database, who), "terminal"),
    "storing.restore": Row(
        lambda w, who: storage.restore(w.database, who, file=w.folder / "no.db"),
        "terminal", tells=StudyError),
    "storing.upgrade": Row(
        lambda w, who: storage.upgrade(w.database, who, now=NOW), "terminal"),
    "storing.verify": Row(untimed(storage.verify), LEADS),
    "studies.item_counts": Row(of_study(contents.item_counts), LEADS),
    "studies.items_page": Row(of_study(contents.items_page), LEADS),
    "studies.listing": Row(lambda w, who: contents.listing(w.database, who), EVERYBODY),
    "studies.setup_for": Row(of_study(contents.setup_for), LEADS),
    "studies.systems_of": Row(of_study(contents.systems_of), LEADS),
    "studies.versions": Row(of_study(contents.versions), LEADS),
    "study_analysis.analyse": Row(of_study(study_results.analyse, bootstrap=10), LEADS),
    "reporting.gathering.gather": Row(gathered, LEADS),
    "reporting.making.report_files": Row(of_study(reports.report_files, wish=QUICK), LEADS),
    "reporting.making.report_zip": Row(of_study(reports.report_zip, wish=QUICK), LEADS),
    "reporting.making.write_report": Row(
        lambda w, who: reports.write_report(
            w.database, who, slug="trial", folder=w.folder / "report", now=NOW, wish=QUICK),
        LEADS),
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
            if name.startswith("_") or function.__module__ != loaded.__name__:
                continue
            hints = set(typing.get_type_hints(function).values())
            if Database in hints and (Person in hints) is with_person:
                found[f"{short}.{name}"] = function
    return found


def content(database: Database) -> str:
    """Return a hash of everything stored but the access log."""
    digest = hashlib.sha256()
    with database.reading() as connection:
        for table in metadata.sorted_tables:
            if table is not access_log:
                digest.update(repr(connection.execute(select(table)).all()).encode())
    return digest.hexdigest()


def denials(database: Database, who: Person) -> int:
    query = select(access_log.c.id).where(
        access_log.c.actor == who.code, access_log.c.action.startswith("denied:"))
    with database.reading() as connection:
        return len(connection.execute(query).all())


def test_every_service_function_with_a_person_has_a_row() -> None:
    assert set(doors(with_person=True)) == set(MATRIX) | set(WITHOUT_RIGHTS)


def test_every_service_function_without_a_person_has_a_reason() -> None:
    assert set(doors(with_person=False)) == set(WITHOUT_PERSON)


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
    before, noted = content(world.database), denials(world.database, who)
    with pytest.raises(Refused):
        row.call(world, who)
    assert content(world.database) == before
    assert (denials(world.database, who) > noted) is (name not in UNLOGGED)


@pytest.mark.parametrize("kind", EVERYBODY.split())
def test_nobody_exports_system_names_before_unblinding(world: World, kind: str) -> None:
    with pytest.raises(Refused):
        study_export.export_zip(
            world.database, world.people[kind], slug="trial", form="csv", unblinded=True, now=NOW)


@pytest.mark.parametrize("kind", EVERYBODY.split())
@pytest.mark.parametrize("name", ["rating.save", "rating.skip", "rating.keep_draft"])
def test_a_locked_study_takes_no_entry_from_anybody(world: World, name: str, kind: str) -> None:
    lock(world)
    before = content(world.database)
    with pytest.raises((Refused, Conflict)):
        MATRIX[name].call(world, world.people[kind])
    assert content(world.database) == before


def test_a_lead_who_rates_sees_no_scores_while_the_study_is_open(world: World) -> None:
    both = making.give_role(
        world.database, world.people["lead"], world.study_id, Role.RATER, NOW)
    for name in ("results.everything", "study_analysis.analyse", "reporting.making.report_files"):
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
