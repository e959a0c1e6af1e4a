"""``generate``: questions to answers with provenance, resumable at any moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import command, desk, now, path_type, warn
from cbt_core.commands.model_options import (
    COUNT,
    POSITIVE,
    YES,
    carried_out,
    noted_in,
    options_of,
    paced,
    require_end,
)
from cbt_core.generation.backend import BACKENDS
from cbt_core.settings import Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.tasks.answers import Answers


EXAMPLE: Final = (
    "generate --questions questions.jsonl --system cbt-model --backend openai --model MODEL "
    "--base-url http://127.0.0.1:8000/v1 --out answers.jsonl"
)


def add_to(parent: click.Group) -> None:
    """Add this command to the program."""
    command(parent, "generate", example=EXAMPLE)(generate)


@click.option("--questions", type=path_type(), required=True, help="Questions file, or PsyQA.")
@click.option("--system", required=True, help="Name of the system in the answers file.")
@click.option("--backend", type=click.Choice(BACKENDS), required=True)
@click.option("--model", default="", help="Model: a name at the host, a folder, a hub id, GGUF.")
@click.option("--adapter", default="", metavar="DIR", help="LoRA adapter (transformers).")
@click.option("--prompt", default="cbt", show_default=True, help="cbt, plain, cbt-llm or a file.")
@click.option("--out", type=path_type(), required=True, help="Answers file (JSONL) to write.")
@click.option("--resume", is_flag=True, help="Go on with a run; rows on disk are not repeated.")
@click.option("--base-url", default="", metavar="URL", help="Address of an OpenAI-compatible API.")
@click.option("--lang-prompt", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--scheme", default="burns-12", show_default=True, help="Distortions: id or file.")
@click.option("--temperature", type=click.FloatRange(0, 2), default=0.0, show_default=True)
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0)
@click.option("--max-new-tokens", type=COUNT, default=1536, show_default=True)
@click.option("--repetition-penalty", type=POSITIVE, default=1.0, help="For transformers.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--limit", type=COUNT, help="Only the first questions of the file.")
@paced
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV file, if not UTF-8.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook with several.")
@YES
def generate(*, out: Path, resume: bool, yes: bool, **given: object) -> None:
    """Let a model answer questions; every row is on disk before it counts."""
    from cbt_core.generation.run.runner import require_place
    from cbt_core.services.runs import model_run

    require_place(out, resume=resume)  # before a large file of questions is read
    settings, database = Settings.from_environment(), noted_in(given)
    options = options_of(given, resume=resume)
    plan = model_run.plan(
        task_of(given), options, place=out, settings=settings, database=database, now=now()
    )
    warn(plan.task.warnings)
    outcome = carried_out(plan, settings, database, yes=yes)
    require_end(outcome, "generation")
    click.echo(say("generation.done", desk().language, rows=outcome.rows, file=outcome.out))


def task_of(given: Mapping[str, object]) -> "Answers":
    """Return the questions to be answered, read and checked.

    Raises:
        ImportProblems: the questions cannot be read.
        StudyError: prompt, scheme or system name are wrong.
    """
    from cbt_core.generation.tasks.answers import answers_to
    from cbt_core.generation.tasks.questions import Questions

    limit = given["limit"]
    questions = Questions(
        Path(str(given["questions"])), encoding=str(given["encoding"] or "") or None,
        sheet=str(given["sheet"] or "") or None, limit=limit if isinstance(limit, int) else None,
    )
    return answers_to(
        questions, system=str(given["system"] or ""), prompt=str(given["prompt"] or ""),
        language=str(given["lang_prompt"]), scheme=str(given["scheme"] or ""),
    )
