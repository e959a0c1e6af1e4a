"""``labels detect``: a model names the distortions in texts, as proposals or in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cbt_core.commands.common import command, desk, now, open_database, path_type, warn
from cbt_core.commands.labels import group
from cbt_core.commands.model_options import (
    asks_a_model,
    carried_out,
    noted_in,
    options_of,
    require_end,
)
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.settings import ROOT, Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.tasks.detection import Detection
    from cbt_core.services.runs.model_run import Plan
    from db.engine import Database


RUNS = ROOT / "data" / "runs"
EXAMPLE = (
    "labels detect --study trial --backend openai --model MODEL "
    "--base-url http://127.0.0.1:8000/v1"
)


def add_to(parent: click.Group) -> None:
    """Nothing to add: `detect` joins the group `labels` as it is defined."""


@command(group, "detect", example=EXAMPLE)
@click.option("--study", "slug", metavar="SLUG", help="Store proposals in this study.")
@click.option("--questions", type=path_type(), help="Questions file, or PsyQA.")
@asks_a_model
@click.option("--scheme", metavar="ID|FILE", help="Labels; default burns-12. A study has its own.")
@click.option("--lang-prompt", type=click.Choice(["zh", "en"]),
              help="Language of the prompt; default: the study's, else zh.")
@click.option("--out", type=path_type(), help="JSONL to write; default: data/runs (a study).")
@click.option("--leave-seen", is_flag=True, help="Leave out items whose machine round was seen.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first questions of the file.")
@click.option("--gold", type=path_type(), help="Gold file: item_id, gold …")
@click.option("--gold-out", type=path_type(), help="CSV for `labels evaluate`: gold and model.")
@click.option("--answers", type=path_type(), help="Answers file to fill with the labels.")
@click.option("--answers-out", type=path_type(), help="The filled answers file.")
def detect(
    *, slug: str | None, questions: Path | None, out: Path | None, resume: bool, yes: bool,
    leave_seen: bool, **given: object,
) -> None:
    """Let a model name distortions: in a study as proposals, or in a file of questions."""
    from cbt_core.services.runs import detections, model_run

    _check(slug, questions, out, given)
    settings = Settings.from_environment()
    place = out or _place(slug or "")
    database = open_database() if slug else noted_in(given)
    options = options_of(given, resume=resume)
    if slug and database:
        plan = detections.plan_study(
            database, TERMINAL, slug=slug, options=options, place=place,
            settings=settings, now=now(), language=str(given["lang_prompt"] or ""),
            leave_seen=leave_seen,
        )
    else:
        plan = model_run.plan(
            _task(given, questions or Path()), options, place=place, settings=settings,
            database=database, now=now(),
        )
    warn(plan.task.warnings)
    if plan.task.left_out:
        click.echo(say("detection.left_out", desk().language, count=plan.task.left_out), err=True)
    outcome = carried_out(plan, settings, database, yes=yes)
    require_end(outcome, "detection")
    _tell_rows(place)
    _after(plan, database, given)


def _check(
    slug: str | None, questions: Path | None, out: Path | None, given: Mapping[str, object]
) -> None:
    if (slug is None) == (questions is None):
        raise StudyError("detection.which")
    if slug and given["scheme"]:
        raise StudyError("detection.study_scheme")
    if questions and out is None:
        raise StudyError("detection.needs_out")
    for option in ("gold", "answers"):
        if bool(given[option]) != bool(given[f"{option}_out"]):
            raise StudyError(
                "detection.gold_needs_out", option=f"--{option}", other=f"--{option}-out")


def _place(slug: str) -> Path:
    """Return where a study's run lies when nothing else is said."""
    RUNS.mkdir(parents=True, exist_ok=True)
    return RUNS / f"detect-{slug}.jsonl"


def _task(given: Mapping[str, object], questions: Path) -> "Detection":
    from cbt_core.generation.tasks.detection import detection_in
    from cbt_core.generation.tasks.questions import Questions
    from cbt_core.instruments import load_scheme

    limit = given["limit"]
    return detection_in(
        Questions(questions, limit=limit if isinstance(limit, int) else None),
        scheme=load_scheme(str(given["scheme"] or "burns-12")),
        language=str(given["lang_prompt"] or "zh"),
    )


def _tell_rows(place: Path) -> None:
    from cbt_core.generation.tasks.detection_files import counts_of

    counts = counts_of(place)
    click.echo(say(
        "detection.done", desk().language, rows=counts.rows, with_labels=counts.with_labels,
        without=counts.rows - counts.with_labels, unplaced=counts.unplaced, unknown=counts.unknown,
        file=place,
    ))


def _after(
    plan: "Plan[Detection]", database: "Database | None", given: Mapping[str, object]
) -> None:
    """Store proposals, merge gold, fill answers: whatever was asked for."""
    from cbt_core.generation.tasks import detection_files
    from cbt_core.services.runs import detections

    language, place, task = desk().language, plan.place, plan.task
    if task.slug and database:
        kept = detections.store(database, TERMINAL, plan=plan, now=now())
        click.echo(say(
            "detection.stored", language, slug=task.slug, proposals=kept.proposals,
            items=kept.items, nothing=kept.nothing, known=kept.known, seen=kept.seen,
            withdrawn=kept.withdrawn,
        ))
    gold, gold_out = given["gold"], given["gold_out"]
    if isinstance(gold, Path) and isinstance(gold_out, Path):
        merged = detection_files.merge_gold(gold, detected=place, out=gold_out)
        warn(merged.warnings)
        click.echo(say(
            "detection.merged", language, rows=merged.rows, file=gold_out,
            unusable=merged.unusable, missing=merged.missing, scheme=task.scheme.id,
        ))
    answers, answers_out = given["answers"], given["answers_out"]
    if isinstance(answers, Path) and isinstance(answers_out, Path):
        rows = detection_files.fill_answers(answers, detected=place, out=answers_out)
        click.echo(say("detection.filled", language, rows=rows, file=answers_out))
