"""``study``: make, list, sample, change and follow studies."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import (
    Group,
    command,
    desk,
    now,
    open_database,
    path_type,
    table,
    tell,
    warn,
    word,
)
from cbt_core.commands.progress import progress
from cbt_core.domain.people import TERMINAL
from cbt_core.files.problems import shown
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.gates.findings import Report


READ_FIRST: Final = 20
"""Items named in the terminal; the JSON of `study gates` names all."""


@click.group("study", cls=Group)
def group() -> None:
    """Make, run and export studies."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


@command(
    group, "create", example="study create sleep-2026 --title Sleep --study-file items.jsonl"
)
@click.argument("slug")
@click.option("--title", required=True, help="Title as raters see it.")
@click.option("--study-file", type=path_type(), help="One row per item with its answers.")
@click.option("--questions", type=path_type(), help="One row per question.")
@click.option("--answers", type=path_type(), multiple=True, help="One row per answer; repeatable.")
@click.option("--references", type=path_type(), multiple=True, help="Reference answers.")
@click.option("--protocol", type=path_type(), help="Protocol (TOML); the defaults stand without.")
@click.option("--encoding", metavar="NAME", help="Encoding of CSV files, if not UTF-8.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook with several.")
@click.option("--strict", is_flag=True, help="Refuse what would only be warned of.")
@click.option("--demonstration", is_flag=True, help="For trying only: scores may be simulated.")
def create(
    *, slug: str, title: str, protocol: Path | None, strict: bool, demonstration: bool,
    **given: object,
) -> None:
    """Import a study from files: all of it, or nothing and the reasons."""
    from cbt_core.services.studies import creation
    from cbt_core.services.studies.creation import StudyFiles

    database = open_database(create=True)
    with progress(word("importing")) as step:
        done = creation.create_study(
            database, TERMINAL, slug=slug, title=title, protocol=protocol, strict=strict,
            demonstration=demonstration,
            files=StudyFiles(**given),  # type: ignore[arg-type]
            now=now(), step=step,
        )
    warn(done.warnings)
    tell(
        "created" if done.new else "nothing_new", slug=slug, items=done.counts.items,
        answers=done.counts.answers, systems=done.systems, references=done.counts.references,
    )
    if done.new and demonstration:
        click.echo(say("simulation.created", desk().language, slug=slug))
    if done.new and done.read is not None and done.systems:
        from cbt_core.services.studies.answer_gates import gates_of

        _tell_gates(gates_of(done.read))


@command(group, "gates", example="study gates sleep-2026 --out gates.json")
@click.argument("slug")
@click.option("--out", type=path_type(), help="JSON file to write, with every finding.")
def gates(slug: str, out: Path | None) -> None:
    """Show what answers betray or risk before raters see them; nothing is refused."""
    from cbt_core.files.writer import write_json
    from cbt_core.services.studies import answer_gates

    found = answer_gates.gates_of_study(open_database(), TERMINAL, slug=slug, now=now())
    _tell_gates(found)
    if out is not None:
        write_json(found.json(), out)
        tell("written", file=out)


def _tell_gates(report: "Report") -> None:
    from cbt_core.services.studies import answer_gates

    language = desk().language
    click.echo(say("gates.title", language))
    for line in answer_gates.summary_lines(report, language):
        click.echo(f"  {line}")
    first = answer_gates.unsafe(report)[:READ_FIRST]
    if first:
        click.echo("  " + say("gates.read_first", language, items=", ".join(map(shown, first))))


@command(group, "list", example="study list")
def list_studies() -> None:
    """List the studies with stage and size."""
    from cbt_core.services.studies import contents

    rows = [
        (line.study.slug, line.study.stage, line.counts.items, line.systems,
         line.study.created_at[:10], line.study.title)
        for line in contents.listing(open_database(), TERMINAL, now=now())
    ]
    heads = [word(key) for key in ("slug", "stage", "items", "systems", "created_on", "title")]
    table(heads, rows)


@command(
    group, "sample",
    example="study sample --questions psyqa.json --n 120 --strata risk,length --seed 7 "
    "--out sample.jsonl",
)
@click.option("--questions", type=path_type(), required=True, help="The sampling frame.")
@click.option("--n", "size", type=click.IntRange(min=1), required=True, help="Items to draw.")
@click.option("--strata", default="", help="risk, length or both, joined by a comma.")
@click.option("--seed", type=int, required=True, help="The same seed draws the same items.")
@click.option("--out", type=path_type(), required=True, help="A new .jsonl or .csv file.")
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV file, if not UTF-8.")
def sample(
    *, questions: Path, size: int, strata: str, seed: int, out: Path, encoding: str | None
) -> None:
    """Draw items at random, with the probability of inclusion beside each."""
    from cbt_core.commands.common import codes
    from cbt_core.files import sample

    drawn = sample.sample(
        questions, size=size, strata=codes(strata), seed=seed, out=out, encoding=encoding
    )
    rows = [(one.name or "-", one.frame, one.drawn, f"{one.probability:.6f}") for one in drawn]
    table([word(key) for key in ("stratum", "frame", "drawn", "probability")], rows)
    tell("sampled", count=sum(one.drawn for one in drawn), file=out)


@command(group, "withdraw-item", example='study withdraw-item sleep-2026 q17 --reason "a typo"')
@click.argument("slug")
@click.argument("key", metavar="ID")
@click.option("--reason", required=True, help="Kept with date and actor.")
def withdraw_item(slug: str, key: str, reason: str) -> None:
    """Stop asking an item; what was rated stays, marked."""
    from cbt_core.services.studies import lifecycle

    taken = lifecycle.withdraw_item(
        open_database(), TERMINAL, slug=slug, key=key, reason=reason, now=now()
    )
    tell("withdrawn", key=key, tasks=taken)


@command(
    group, "amend", example='study amend sleep-2026 --protocol new.toml --reason "ethics number"'
)
@click.argument("slug")
@click.option("--protocol", type=path_type(), required=True, help="The changed protocol.")
@click.option("--reason", required=True, help="Kept with date and actor.")
def amend(slug: str, protocol: Path, reason: str) -> None:
    """Put a changed protocol in force; the old versions stay."""
    from cbt_core.services.studies import protocols

    protocols.amend(
        open_database(), TERMINAL, slug=slug, protocol=protocol, reason=reason, now=now()
    )
    tell("amended", slug=slug)
