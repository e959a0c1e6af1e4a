"""``study report``: the whole report of a study, as far as its stage allows."""

from pathlib import Path

import click

from cbt_core.commands.common import command, desk, now, open_database, path_type
from cbt_core.commands.study_group import group
from cbt_core.domain.people import TERMINAL
from cbt_core.words import say


def add_to(_parent: click.Group) -> None:
    """Nothing to add: the command joins the group `study` as it is defined."""


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
