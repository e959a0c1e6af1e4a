"""``labels detect``: a model names the distortions in texts, as proposals or in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cbt_core.commands.asking_options import asks_a_model, confirm, model_of, require_end
from cbt_core.commands.common import command, desk, now, open_database, path_type, warn
from cbt_core.commands.generate_group import existing_database, interruptible
from cbt_core.commands.generate_progress import ProgressLine
from cbt_core.commands.labels_group import group
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.settings import ROOT, Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.tasks.detection import Detection
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
    from cbt_core.services.runs import detections

    _check(slug, questions, out, given)
    settings = Settings.from_environment()
    place = out or _place(slug or "")
    database = open_database() if slug else _for_file(given)
    if slug and database:
        planned = detections.plan_study(
            database, TERMINAL, slug=slug, model=model_of(given), place=place,
            settings=settings, now=now(), language=str(given["lang_prompt"] or ""),
            leave_seen=leave_seen,
        )
    else:
        planned = _of_file(given, questions or Path(), place, settings, database)
    if planned.left_out:
        click.echo(say("detection.left_out", desk().language, count=planned.left_out), err=True)
    confirm(planned.asking, resume=resume, yes=yes)
    line = ProgressLine(desk().language)
    with interruptible() as stop:
        outcome = detections.detect(
            planned, settings=settings, database=database, person=TERMINAL, now=now(),
            resume=resume, on_progress=line.show, stop=stop,
        )
    line.end()
    require_end(outcome, "detection.some_failed")
    _tell_rows(place)
    _after(planned, place, database, given)


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


def _for_file(given: Mapping[str, object]) -> "Database | None":
    return existing_database() if given["backend"] == "openai" else None


def _of_file(
    given: Mapping[str, object], questions: Path, place: Path, settings: Settings,
    database: "Database | None",
) -> "Detection":
    from cbt_core.generation.tasks.questions import Questions
    from cbt_core.instruments import load_scheme
    from cbt_core.services.runs import detections

    limit = given["limit"]
    planned, doubts = detections.plan_file(
        Questions(questions, limit=limit if isinstance(limit, int) else None), model_of(given),
        scheme=load_scheme(str(given["scheme"] or "burns-12")),
        language=str(given["lang_prompt"] or "zh"), place=place, settings=settings,
        database=database, now=now(),
    )
    warn(doubts)
    return planned


def _tell_rows(place: Path) -> None:
    from cbt_core.generation.tasks.detection_files import counts_of

    found = counts_of(place)
    click.echo(say(
        "detection.done", desk().language, rows=found.rows, with_labels=found.with_labels,
        without=found.rows - found.with_labels, unplaced=found.unplaced, unknown=found.unknown,
        file=place,
    ))


def _after(
    planned: "Detection", place: Path, database: "Database | None", given: Mapping[str, object]
) -> None:
    """Store proposals, merge gold, fill answers: whatever was asked for."""
    from cbt_core.generation.tasks import detection_files
    from cbt_core.services.runs import detections

    language = desk().language
    if planned.slug and database:
        kept = detections.store(database, TERMINAL, detection=planned, now=now())
        click.echo(say(
            "detection.stored", language, slug=planned.slug, proposals=kept.proposals,
            items=kept.items, nothing=kept.nothing, known=kept.known, seen=kept.seen,
            withdrawn=kept.withdrawn,
        ))
    gold, gold_out = given["gold"], given["gold_out"]
    if isinstance(gold, Path) and isinstance(gold_out, Path):
        merged = detection_files.merge_gold(gold, detected=place, out=gold_out)
        warn(merged.warnings)
        click.echo(say(
            "detection.merged", language, rows=merged.rows, file=gold_out,
            unusable=merged.unusable, missing=merged.missing, scheme=planned.scheme.id,
        ))
    answers, answers_out = given["answers"], given["answers_out"]
    if isinstance(answers, Path) and isinstance(answers_out, Path):
        rows = detection_files.fill_answers(answers, detected=place, out=answers_out)
        click.echo(say("detection.filled", language, rows=rows, file=answers_out))
