"""``study`` while it runs: assign, release, follow, lock, unlock, unblind, export."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cbt_core.commands.common import (
    codes,
    command,
    desk,
    now,
    open_database,
    path_type,
    table,
    tell,
    word,
)
from cbt_core.commands.study_group import group
from cbt_core.domain.people import TERMINAL
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.services.assignment.task_draw import Assigned


FORMS = ("csv", "xlsx", "jsonl", "parquet")
SECONDS_PER_HOUR = 3600


def add_to(_parent: click.Group) -> None:
    """Nothing to add: these commands join the group `study` as they are defined."""


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
    found = lifecycle.status(database, TERMINAL, slug=slug, now=now())
    cover = found.coverage
    tell("status", slug=slug, stage=found.study.stage, done=found.done, total=found.total,
         hours=f"{found.hours:.1f}")
    tell("coverage", complete=cover.complete, partial=cover.partial, untouched=cover.untouched,
         unassigned=cover.unassigned, withdrawn=cover.withdrawn)
    heads = ("rater", "work", "done", "skipped", "total", "hours", "last")
    table(
        [word(key) for key in heads],
        [(r.code, r.work, r.done, r.skipped, r.total, r.seconds / SECONDS_PER_HOUR,
          (r.last_at or "")[:16]) for r in found.raters],
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
