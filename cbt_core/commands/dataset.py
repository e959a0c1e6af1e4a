"""``dataset``: build a dataset from questions, count it, split it without leakage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from cbt_core.commands import generate
from cbt_core.commands import generate as commands_generate
from cbt_core.commands.common import Group, codes, command, desk, now, path_type, table, tell
from cbt_core.commands.model_options import carried_out, existing_database, noted_in, options_of
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.settings import Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.dataset.splits import Asked
    from cbt_core.generation.run.journal import Outcome
    from cbt_core.services.runs.dataset import Built


OWN: Final = frozenset({"questions", "out", "system", "sheet", "encoding", "resume"})
"""Options of `generate` that mean something else here; every other one is taken over."""

Function = TypeVar("Function", bound=Callable[..., object])


def run_options(function: Function) -> Function:
    """Give a command the options of `generate` that say how a run is done."""
    taken: list[click.Parameter] = getattr(generate.generate, "__click_params__", [])
    own: list[click.Parameter] = getattr(function, "__click_params__", [])
    merged = [*own, *(one for one in taken if one.name not in OWN)]
    function.__click_params__ = merged  # type: ignore[attr-defined]
    return function


@click.group("dataset", cls=Group)
def group() -> None:
    """Make a CBT question-answer dataset and look at it."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@command(
    group, "build",
    example="dataset build --questions psyqa.json --backend openai --model MODEL "
    "--base-url http://127.0.0.1:8000/v1 --out data/cbt-qa",
)
@click.option("--questions", type=path_type(), required=True, help="PsyQA JSON or own questions.")
@click.option("--out", type=path_type(), required=True, metavar="DIR", help="Folder to make.")
@click.option("--system", default="generated", show_default=True, help="Name in answers.jsonl.")
@click.option("--source", default="", help="Source of questions that name none.")
@click.option("--licence", default="", help="Licence of questions that name none.")
@click.option("--shortest", type=click.IntRange(1), default=10, show_default=True)
@click.option("--longest", type=click.IntRange(1), default=5000, show_default=True)
@click.option("--near", type=click.FloatRange(0.5, 1), default=0.8, show_default=True,
              help="Similarity from which a question repeats an earlier one.")
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV file, if not UTF-8.")
@click.option("--resume", is_flag=True, help="Go on with a run; rows on disk are not repeated.")
@run_options
def build(*, questions: Path, out: Path, resume: bool, yes: bool, **given: object) -> None:
    """Clean questions, let a model answer them, write a dataset folder with its card."""
    from cbt_core.generation.dataset.clean_texts import Rules
    from cbt_core.services.runs import dataset

    shortest, longest, near = given.pop("shortest"), given.pop("longest"), given.pop("near")
    language = str(given["lang_prompt"])
    order = dataset.Order(
        questions=questions, out=out, backend=str(given["backend"]),
        model=str(given["model"] or given["backend"]), prompt=str(given["prompt"]),
        scheme=str(given["scheme"]), language=language, source=str(given.pop("source")),
        licence=str(given.pop("licence")), resume=resume,
        rules=Rules(language, int(str(shortest)), int(str(longest)), float(str(near))),
        encoding=str(given.pop("encoding") or "") or None,
    )
    built = dataset.build(
        order, generate=_generating(given, resume=resume, yes=yes), now=now(), step=_step
    )
    _tell(built, out)


@command(group, "stats", example="dataset stats data/cbt-qa --out stats.json")
@click.argument("file", type=path_type())
@click.option("--out", type=path_type(), help="JSON file to write.")
@click.option("--scheme", default="burns-12", show_default=True, help="Distortions: id or file.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--no-words", is_flag=True, help="Leave out the vocabulary in words (slow).")
def stats(*, file: Path, out: Path | None, scheme: str, language: str, no_words: bool) -> None:
    """Figures of Table 1 for a dataset (a file or its folder), the paper's beside where known."""
    from cbt_core.files.writer import write_json
    from cbt_core.services.runs import dataset

    figures = dataset.stats_of(file, scheme=scheme, language=language, words=not no_words)
    heads = [say(f"dataset.{key}", desk().language) for key in ("figure", "here", "paper")]
    table(heads, dataset.table_of(figures))
    if out is not None:
        write_json(figures, out)
        tell("written", file=out)


@command(
    group, "split",
    example="dataset split data/cbt-qa/dataset.jsonl --out data/split --seed 7",
)
@click.argument("file", type=path_type())
@click.option("--out", type=path_type(), required=True, metavar="DIR", help="Folder to make.")
@click.option("--shares", default="0.8,0.1,0.1", show_default=True,
              help="Train, validation, test; they sum to 1.")
@click.option("--seed", type=int, required=True, help="The same seed makes the same split.")
@click.option("--against-study", "slugs", multiple=True, metavar="SLUG",
              help="Leave out what is like an item of this study; default: of every study.")
@click.option("--against-none", is_flag=True, help="Compare with no study.")
def split(
    *, file: Path, out: Path, shares: str, seed: int, slugs: tuple[str, ...], against_none: bool
) -> None:
    """Share a dataset (a file, or the folder of dataset build) out without leakage."""
    from cbt_core.services.runs import dataset

    against = _against(slugs, none=against_none)
    made = dataset.split_file(
        file, out=out, shares=_shares(shares), seed=seed, against=against
    )
    language = desk().language
    heads = [say(f"dataset.{key}", language) for key in ("part", "rows")]
    table(heads, list(made.counts.items()))
    for slug, count in made.excluded.items():
        if count:
            click.echo(say("dataset.excluded", language, slug=slug, count=count))
    click.echo(say(
        "dataset.split", language, studies=len(against), groups=made.groups,
        largest=made.largest_group, leaks=made.leaks, folder=out,
    ))


def _against(slugs: tuple[str, ...], *, none: bool) -> "Mapping[str, Sequence[Asked]]":
    """Return the items of these studies, of every study when none is named.

    Raises:
        StudyError: both options were given, or there is no database to look a study up in.
    """
    from cbt_core.services.runs import dataset

    if none and slugs:
        raise StudyError("dataset.split_either")
    database = None if none else existing_database()
    if database is None and slugs:
        raise StudyError("storage.missing")
    if database is None:
        return {}
    return dataset.study_items(database, TERMINAL, slugs=slugs, now=now())


def _shares(joined: str) -> list[float]:
    """Return the numbers of a list such as ``0.8,0.1,0.1``.

    Raises:
        StudyError: one of them is no number.
    """
    try:
        return [float(part) for part in codes(joined)]
    except ValueError as error:
        raise StudyError("dataset.shares") from error


def _generating(
    given: Mapping[str, object], *, resume: bool, yes: bool
) -> "Callable[[Path, Path], Outcome]":
    """Return how a file of questions is answered by the options given."""

    def generate(questions: Path, answers: Path) -> "Outcome":
        from cbt_core.services.runs import model_run

        settings, database = Settings.from_environment(), noted_in(given)
        options = options_of(given, resume=resume)
        task = commands_generate.task_of(
            {**given, "questions": questions, "encoding": None, "sheet": None}
        )
        plan = model_run.plan(
            task, options, place=answers, settings=settings, database=database, now=now()
        )
        return carried_out(plan, settings, database, yes=yes)

    return generate


def _step(name: str) -> None:
    click.echo(say(f"dataset.step_{name}", desk().language), err=True)


def _tell(built: "Built", out: Path) -> None:
    """Say what the folder holds.

    Raises:
        StudyError: the run stopped before its end, or nothing was answered.
    """
    language = desk().language
    for line in _dropped_lines(built, language):
        click.echo(line)
    if not built.finished:
        code = "dataset.stopped" if built.rows else "dataset.no_answers"
        raise StudyError(code, rows=built.rows, kept=built.kept, failed=built.failed, folder=out)
    if built.failed:
        click.echo(say("dataset.some_failed", language, count=built.failed, folder=out), err=True)
    if built.unknown:
        names = ", ".join(f"{name} {count}" for name, count in list(built.unknown.items())[:10])
        click.echo(say("dataset.unknown", language, kinds=len(built.unknown), names=names))
    for gate, count in built.gates.items():
        click.echo(say("gates.line", language, gate=say(f"gates.{gate}", language), counts=count))
    share = built.with_distortion / built.rows
    click.echo(say(
        "dataset.built", language, rows=built.rows, share=f"{share:.1%}", folder=out
    ))


def _dropped_lines(built: "Built", language: str) -> Iterator[str]:
    yield say("dataset.cleaned", language, kept=built.kept, read=built.read)
    for reason, count in built.dropped.items():
        yield "  " + say(f"dataset.dropped_{reason}", language, count=count)
