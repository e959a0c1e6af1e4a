"""``judge`` and ``study judge``: a model scores answers with the raters' instrument."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cbt_core.commands.common import command, desk, now, open_database, path_type, warn
from cbt_core.commands.model_options import (
    asks_a_model,
    carried_out,
    noted_in,
    options_of,
    require_end,
)
from cbt_core.commands.study import group
from cbt_core.domain.people import TERMINAL
from cbt_core.settings import ROOT, Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.tasks.judgement import Judgement
    from cbt_core.services.runs.model_run import Plan
    from db.engine import Database


RUNS = ROOT / "data" / "runs"
NAME_HELP = "Name of the judge in tables and reports, for instance the model's."
EXAMPLES_HELP = "Add the worked examples of the raters' guide; never of the texts judged."


def add_to(parent: click.Group) -> None:
    """Add `judge`; `study judge` joins the group `study` as it is defined."""
    command(
        parent, "judge",
        example="judge --answers answers.jsonl --questions questions.jsonl --judge my-judge "
        "--backend openai --model MODEL --base-url http://127.0.0.1:8000/v1 --out judged.jsonl",
    )(judge_files)


@command(
    group, "judge",
    example="study judge trial --judge my-judge --backend openai --model MODEL "
    "--base-url http://127.0.0.1:8000/v1",
)
@click.argument("slug")
@click.option("--judge", "name", required=True, help=NAME_HELP)
@asks_a_model
@click.option("--examples", is_flag=True, help=EXAMPLES_HELP)
@click.option("--out", type=path_type(), help="JSONL of the run; default: data/runs.")
def judge_study(
    *, slug: str, name: str, examples: bool, out: Path | None, resume: bool, yes: bool,
    **given: object,
) -> None:
    """Let a model score a study's answers, blinded, with the raters' own instrument."""
    from cbt_core.services.runs import judgements

    database, settings = open_database(), Settings.from_environment()
    plan = judgements.plan_study(
        database, TERMINAL, slug=slug, judge=name, options=options_of(given, resume=resume),
        place=out or _place(slug, name), settings=settings, now=now(), examples=examples,
    )
    _run(plan, settings, database, yes=yes)
    kept = judgements.store(database, TERMINAL, plan=plan, now=now())
    click.echo(say(
        "judgement.stored", desk().language, slug=slug, judge=name, scores=kept.scores,
        answers=kept.answers, unrated=kept.unrated, known=kept.known,
    ))


@click.option("--answers", type=path_type(), required=True, help="Answers of one or more systems.")
@click.option("--questions", type=path_type(), required=True, help="Their questions, or PsyQA.")
@click.option("--judge", "name", required=True, help=NAME_HELP)
@asks_a_model
@click.option("--out", type=path_type(), required=True, help="JSONL to write, a row per answer.")
@click.option("--instrument", default="cbt-3", show_default=True, metavar="ID|FILE",
              help="Scales and step checklist.")
@click.option("--steps", is_flag=True, help="Which of the five steps an answer shows, not scores.")
@click.option("--examples", is_flag=True, help=EXAMPLES_HELP)
@click.option("--lang-prompt", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def judge_files(
    *, answers: Path, questions: Path, name: str, out: Path, instrument: str, steps: bool,
    examples: bool, lang_prompt: str, resume: bool, yes: bool, **given: object,
) -> None:
    """Let a model score answers of a file, or say which of the five steps they show."""
    from cbt_core.generation.tasks.judgement import judgement_of
    from cbt_core.generation.tasks.questions import Questions
    from cbt_core.instruments import load_instrument
    from cbt_core.services.runs import model_run

    settings, database = Settings.from_environment(), noted_in(given)
    loaded, options = load_instrument(instrument), options_of(given, resume=resume)
    task = judgement_of(
        answers, Questions(questions), judge=name, instrument=loaded, language=lang_prompt,
        steps=steps, examples=examples,
    )
    plan = model_run.plan(
        task, options, place=out, settings=settings, database=database, now=now()
    )
    warn(task.warnings)
    _run(plan, settings, database, yes=yes)


def _run(
    plan: "Plan[Judgement]", settings: Settings, database: "Database | None", *, yes: bool
) -> None:
    """Run, and say what came of it; never a score of a system."""
    outcome = carried_out(plan, settings, database, yes=yes)
    require_end(outcome, "judgement")
    click.echo(say("judgement.done", desk().language, rows=outcome.rows, file=outcome.out))


def _place(slug: str, name: str) -> Path:
    """Return where a study's run lies when nothing else is said."""
    plain = "".join(one if one.isalnum() or one in "-_." else "_" for one in name)
    RUNS.mkdir(parents=True, exist_ok=True)
    return RUNS / f"judge-{slug}-{plain}.jsonl"
