"""`study`: made, assigned, watched, locked, unblinded, registered, exported, reported."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import (
    Group,
    codes,
    command,
    desk,
    now,
    open_database,
    path_type,
    progress,
    table,
    tell,
    warn,
    word,
)
from cbt_core.domain.people import TERMINAL
from cbt_core.files.problems import shown
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.gates.recognition import Report
    from cbt_core.services.assignment.task_draw import Assigned

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

    gate_report = answer_gates.gates_of_study(open_database(), TERMINAL, slug=slug, now=now())
    _tell_gates(gate_report)
    if out is not None:
        write_json(gate_report.json(), out)
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


FORMS = ("csv", "xlsx", "jsonl", "parquet")
SECONDS_PER_HOUR = 3600


@command(group, "assign", example="study assign sleep-2026 --raters R01,R02,R03 --overlap 3")
@click.argument("slug")
@click.option("--raters", default="", help="Codes, joined by commas.")
@click.option("--annotators", default="", help="Codes, joined by commas.")
@click.option("--overlap", type=click.IntRange(min=1), help="Ratings per panel.")
@click.option("--seed", type=int, help="The same seed draws the same tasks and orders.")
def assign(
    slug: str, raters: str, annotators: str, overlap: int | None, seed: int | None
) -> None:
    """Draw tasks and orders and print how balanced they are."""
    from cbt_core.services.assignment import task_draw

    done = task_draw.assign(
        open_database(), TERMINAL, slug=slug, raters=codes(raters), annotators=codes(annotators),
        overlap=overlap, seed=seed, now=now(),
    )
    _show_balance(done)


@command(group, "release", example="study release sleep-2026 --rater R01")
@click.argument("slug")
@click.option("--rater", required=True, help="Code of the person who leaves.")
def release(slug: str, rater: str) -> None:
    """Give a person's unopened tasks to the others."""
    from cbt_core.services.assignment import task_draw

    done = task_draw.release(open_database(), TERMINAL, slug=slug, rater=rater, now=now())
    _show_balance(done)


@command(group, "status", example="study status sleep-2026")
@click.argument("slug")
@click.option("--items", "by_item", is_flag=True, help="List every item too.")
def status(slug: str, by_item: bool) -> None:
    """Show how far a study is: counts, never scores."""
    from cbt_core.services.studies import lifecycle

    database = open_database()
    standing = lifecycle.status(database, TERMINAL, slug=slug, now=now())
    cover = standing.coverage
    tell("status", slug=slug, stage=standing.study.stage, done=standing.done, total=standing.total,
         hours=f"{standing.hours:.1f}")
    tell("coverage", complete=cover.complete, partial=cover.partial, untouched=cover.untouched,
         unassigned=cover.unassigned, withdrawn=cover.withdrawn)
    heads = ("rater", "work", "done", "skipped", "total", "hours", "last")
    table(
        [word(key) for key in heads],
        [(r.code, r.work, r.done, r.skipped, r.total, r.seconds / SECONDS_PER_HOUR,
          (r.last_at or "")[:16]) for r in standing.raters],
    )
    if by_item:
        _show_items(slug)


def _show_items(slug: str) -> None:
    from cbt_core.services.studies import lifecycle

    rows = lifecycle.item_progress(open_database(), TERMINAL, slug=slug, now=now())
    heads = ("item", "risk", "done", "skipped", "total", "state")
    table(
        [word(key) for key in heads],
        [(r.key, r.risk, r.done, r.skipped, r.total, word("withdrawn_word") if r.withdrawn else "")
         for r in rows],
    )


@command(group, "lock", example="study lock sleep-2026")
@click.argument("slug")
def lock(slug: str) -> None:
    """Freeze a study: nothing is saved in it any more."""
    from cbt_core.services.studies import lifecycle

    lifecycle.lock(open_database(), TERMINAL, slug=slug, now=now())
    tell("locked", slug=slug)


@command(group, "unlock", example='study unlock sleep-2026 --reason "one rater still open"')
@click.argument("slug")
@click.option("--reason", required=True, help="Kept with date and actor.")
def unlock(slug: str, reason: str) -> None:
    """Open a locked study again; before the unblinding only."""
    from cbt_core.services.studies import lifecycle

    lifecycle.unlock(open_database(), TERMINAL, slug=slug, reason=reason, now=now())
    tell("unlocked", slug=slug)


@command(group, "unblind", example='study unblind sleep-2026 --reason "analysis as planned"')
@click.argument("slug")
@click.option("--reason", required=True, help="Kept with date and actor.")
def unblind(slug: str, reason: str) -> None:
    """Reveal the systems' names: once, after the lock, audited."""
    from cbt_core.services.studies import contents, lifecycle

    database = open_database()
    lifecycle.unblind(database, TERMINAL, slug=slug, reason=reason, now=now())
    rows = contents.systems_of(database, TERMINAL, slug=slug, now=now())
    table([word("masked"), word("system")], [(row.masked, row.name) for row in rows])
    tell("unblinded", slug=slug)


@command(group, "export", example="study export sleep-2026 --out export/sleep --format csv")
@click.argument("slug")
@click.option("--out", type=path_type(), required=True, help="Folder for the files.")
@click.option("--format", "form", type=click.Choice(FORMS), default="csv", show_default=True)
@click.option("--unblinded", is_flag=True, help="With true names; needs `study unblind` first.")
def export(slug: str, out: Path, form: str, unblinded: bool) -> None:
    """Write ratings and everything that belongs to them into a folder."""
    from cbt_core.services.export import study_export

    done = study_export.export_study(
        open_database(), TERMINAL, slug=slug, folder=out, form=form, unblinded=unblinded,
        now=now(),
    )
    tell("exported", slug=slug, folder=out, files=len(done.files), head=done.head)
    click.echo(done.signature)


def _show_balance(done: "Assigned") -> None:
    """Print the balance of all tasks, a row per rater, and how many are new."""
    language = desk().language
    heads = ("rater", "main_tasks", "repeats", "checks", "minutes", "slots", "halves")
    table(
        [word(key) for key in heads],
        [(done.codes.get(one.rater, "?"), one.main, one.repeats, one.checks,
          round(one.minutes), one.slots, one.halves) for one in done.balance.raters],
    )
    for name, value in done.balance.as_rows(language):
        click.echo(f"{name}: {value}")
    for code in done.warnings:
        tell("warning", error=True, text=say(code, language))
    tell("assigned", tasks=done.added, labels=done.annotator_tasks)


SHOWN = 12


@command(group, "register", example="study register sleep-2026 --out prereg.md")
@click.argument("slug")
@click.option("--out", type=path_type(), help="Markdown file; without it the plan is printed.")
def register(slug: str, out: Path | None) -> None:
    """Freeze the analysis plan before the first rating and write it down with its digest."""
    from cbt_core.services.studies import registration

    language = desk().language
    document = registration.register(
        open_database(), TERMINAL, slug=slug, language=language, now=now()
    )
    if out is None:
        click.echo(document.text)
        return
    registration.write(document, out)
    click.echo(
        say("registration.written", language, slug=slug, digest=document.digest[:SHOWN], file=out)
    )


@command(group, "report", example="study report sleep-2026 --out report")
@click.argument("slug")
@click.option("--out", type=path_type(), required=True, help="A folder: new, or an old report.")
@click.option("--report-lang", type=click.Choice(["zh", "en"]),
              help="Language of the report; the study's without it.")
@click.option("--bootstrap", type=click.IntRange(min=0),
              help="Replicates of the intervals; the protocol's without it, 0 for none.")
@click.option("--with-quotes", is_flag=True,
              help="Append the passages flagged as serious (after the lock).")
def report(
    slug: str, out: Path, report_lang: str | None, bootstrap: int | None, with_quotes: bool
) -> None:
    """Write HTML, tables, figures and checklists: all of them, or nothing."""
    from cbt_core.services.report.study_report import Wish, write_report

    wish = Wish(report_lang or "", bootstrap, with_quotes)
    made = write_report(
        open_database(), TERMINAL, slug=slug, folder=out, now=now(), wish=wish
    )
    click.echo(say("report.written", desk().language, count=len(made), folder=out))
