"""``agreement``, ``compare``, ``blinding``: numbers from a file of ratings, no database needed."""

from pathlib import Path

import click

from cbt_core.commands.common import codes, command, path_type, tell, warn


def add_to(parent: click.Group) -> None:
    """Add these commands to the program."""
    command(parent, "agreement", example="agreement ratings.csv --out agreement.json")(agreement)
    command(
        parent, "compare", example="compare ratings.csv --baseline baseline --out compare.json"
    )(compare)
    command(parent, "blinding", example="blinding counts.csv --out blinding.json")(blinding)


@click.argument("ratings", type=path_type())
@click.option("--out", type=path_type(), required=True, help="JSON file to write.")
@click.option("--scales", default="", help="Scales, joined by commas.")
@click.option("--values", default="", help='"0,1,2" or "relevance=0,1,2;empathy=1,2,3,4,5".')
@click.option("--bootstrap", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--nominal", default="", help="Scales whose values are names, joined by commas.")
@click.option("--seed", type=int, default=1, show_default=True)
def agreement(
    *, ratings: Path, out: Path, scales: str, values: str, bootstrap: int, seed: int,
    nominal: str,
) -> None:
    """Agreement between raters, with intervals that resample items."""
    from cbt_core.commands.analysis_tables import show_agreement
    from cbt_core.services.results import file_analysis

    written = file_analysis.agreement_file(
        ratings, out=out, scales=codes(scales) or None, values=values or None,
        bootstrap=bootstrap, seed=seed, nominal=codes(nominal),
    )
    warn(written.warnings)
    tell("written", file=out)
    show_agreement(written.found)


@click.argument("ratings", type=path_type())
@click.option("--baseline", required=True, help="System the others are compared with.")
@click.option("--out", type=path_type(), required=True, help="JSON file to write.")
@click.option("--scales", default="", help="Scales, joined by commas.")
@click.option("--values", default="", help='"0,1,2" or "relevance=0,1,2;empathy=1,2,3,4,5".')
@click.option("--bootstrap", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def compare(
    *, ratings: Path, baseline: str, out: Path, scales: str, values: str, bootstrap: int, seed: int
) -> None:
    """Differences from a baseline, paired by item and rater."""
    from cbt_core.commands.analysis_tables import show_comparison
    from cbt_core.services.results import file_analysis

    written = file_analysis.compare_file(
        ratings, baseline=baseline, out=out, scales=codes(scales) or None, values=values or None,
        bootstrap=bootstrap, seed=seed,
    )
    warn(written.warnings)
    tell("written", file=out)
    show_comparison(written.found)


@click.argument("counts", type=path_type())
@click.option("--out", type=path_type(), required=True, help="JSON file to write.")
def blinding(counts: Path, out: Path) -> None:
    """Blinding indices of Bang and James from a table of guesses."""
    from cbt_core.commands.analysis_tables import show_blinding
    from cbt_core.services.results import file_analysis

    written = file_analysis.blinding_file(counts, out=out)
    tell("written", file=out)
    show_blinding(written.found)
