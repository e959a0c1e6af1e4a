"""``study plan``: power, width of intervals and hours before a study is made; no database."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import command, desk, path_type, table, warn
from cbt_core.commands.study import group
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.stats.planning.plan import Plan
    from cbt_core.stats.planning.power import Share


BARS: Final = 40
"""Characters of a power of 1 in the plot of the terminal."""


def add_to(parent: click.Group) -> None:
    """Add this command to the group `study`, which is part of the program already."""


@command(
    group, "plan",
    example="study plan --items 100 --raters 5 --overlap 3 --difference 0.2 --out plan.json",
)
@click.option("--items", type=click.IntRange(1, 200_000), required=True)
@click.option("--raters", type=click.IntRange(1, 500), required=True)
@click.option("--overlap", type=click.IntRange(1, 100), required=True, help="Raters per item.")
@click.option("--difference", type=click.FloatRange(-100, 100), required=True,
              help="Expected difference from the baseline, in points of the scale.")
@click.option("--skew", type=click.Choice(["none", "moderate", "strong"]),
              help="Spread of the baseline's scores 0, 1, 2 (assumed: moderate, 40 % twos).")
@click.option("--shares", metavar="LIST",
              help="Instead of --skew: share of each value, lowest first, e.g. 0.2,0.4,0.4.")
@click.option("--sd-item", type=float, help="Latent SD of items (assumed: 0.6).")
@click.option("--sd-item-system", type=float, help="Latent SD of item × system (assumed: 0.5).")
@click.option("--sd-rater", type=float, help="Latent SD of raters (assumed: 0.4).")
@click.option("--sd-rater-system", type=float, help="Latent SD of rater × system (assumed: 0.2).")
@click.option("--sd-noise", type=float, help="Latent SD of the rest (assumed: 0.8).")
@click.option("--missing", type=click.FloatRange(0, 0.9), help="Share of pairs missing.")
@click.option("--comparisons", type=click.IntRange(1, 100), default=1, show_default=True,
              help="Systems compared with the baseline; they share the level of .05.")
@click.option("--characters", type=click.IntRange(1), default=1400, show_default=True,
              help="Characters of a pair with its question; 1,400 take 4 to 5 minutes.")
@click.option("--pilot", type=path_type(), help="Ratings that give the variances and shares.")
@click.option("--baseline", help="Baseline system of the pilot.")
@click.option("--scale", help="Scale of the pilot.")
@click.option("--values", help='Values of the pilot\'s scale, e.g. "0,1,2".')
@click.option("--simulations", type=click.IntRange(100, 100_000), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--out", type=path_type(), help="JSON file or folder; the plot comes beside it.")
def plan(
    *, pilot: Path | None, baseline: str | None, scale: str | None, values: str | None,
    shares: str | None, out: Path | None, **given: object,
) -> None:
    """Power of both tests, width of intervals, hours per rater: by simulation."""
    from cbt_core.services.assignment import sample_size
    from cbt_core.stats.planning.simulation import SDS

    drafted = None
    if pilot is not None:
        drafted, doubts = sample_size.pilot_file(
            pilot, baseline=baseline, scale=scale, values=values
        )
        warn(doubts)
    sds = tuple((name, given.pop(name)) for name in SDS)
    asked = sample_size.Asked(
        **given,  # type: ignore[arg-type]
        shares=sample_size.numbers(shares) if shares else None,
        sds=tuple((name, sd) for name, sd in sds if isinstance(sd, float)),
    )
    draft = sample_size.plan(sample_size.wish_of(asked, drafted))
    _print(draft)
    for file in sample_size.plan_files(draft, out, desk().language) if out else ():
        click.echo(_word("written", file=file))


def _word(key: str, **values: object) -> str:
    return say(f"sample_size.{key}", desk().language, **values)


def _print(draft: "Plan") -> None:
    """Print assumptions, figures with their Monte Carlo error, plot, advice and sentence."""
    from cbt_core.services.assignment.sample_size import recommendation, sentence

    _assumptions(draft)
    _curve(draft)
    _beside(draft)
    click.echo(f"\n{_word('recommendation')}")
    for line in recommendation(draft, desk().language):
        click.echo(f"- {line}")
    click.echo(f"\n{_word('registration')}\n{sentence(draft, desk().language)}")


def _assumptions(draft: "Plan") -> None:
    from cbt_core.services.assignment.sample_size import assumptions
    from cbt_core.stats.planning.simulation import shares

    wish = draft.wish
    click.echo(_word("assumptions"))
    rows = [
        (_word(name), _listed(value), _word(f"source_{source}"))
        for name, value, source in assumptions(wish)
    ]
    rows += [
        (_word("shares"), _listed(shares(wish.assumed)), ""),
        (_word("shares_system"), _listed(shares(wish.assumed, draft.shift)), ""),
        (_word("difference"), f"{wish.difference:g}", _word("source_given")),
        (_word("latent_shift"), f"{draft.shift:.3f}", ""),
        (_word("level"), f"{wish.level:.4g}", ""),
    ]
    table([_word(key) for key in ("assumption", "value", "source")], rows)


def _listed(value: object) -> str:
    if isinstance(value, list | tuple):
        return " / ".join(f"{part:.2f}" for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _curve(draft: "Plan") -> None:
    click.echo(f"\n{_word('curve')}")
    heads = ("items", "power_item", "mc_error", "power_crossed", "mc_error", "half_difference",
             "width_alpha", "width_ac2")  # fmt: skip
    rows = [
        (one.items, *_share(one.item_level), *_share(one.crossed),
         _figure(one.crossed_half_width or one.item_half_width),
         _figure(width["alpha_ordinal"].width), _figure(width["ac2_quadratic"].width))
        for one, width in zip(draft.curve, draft.widths, strict=True)
    ]
    table([_word(key) for key in heads], rows)
    means = [_figure(draft.width[key].value) for key in ("alpha_ordinal", "ac2_quadratic")]
    click.echo(_word("widths_expected", alpha=means[0], ac2=means[1]))
    click.echo(f"\n{_word('plot')}")
    for point in draft.curve:
        click.echo(f"{point.items:>7} |{_bar(point.item_level.value, point.crossed.value)}|")


def _bar(item: float | None, crossed: float | None) -> str:
    """Return one line of the plot, 0 to 1; | marks .8."""
    line = [" "] * (BARS + 1)
    line[round(0.8 * BARS)] = ":"
    for value, mark in ((item, "○"), (crossed, "●")):
        if value is not None:
            line[round(value * BARS)] = mark
    return "".join(line)


def _beside(draft: "Plan") -> None:
    from cbt_core.stats.planning.plan import hours

    held = hours(draft.wish)
    click.echo("\n" + _word(
        "hours_are", low=f"{held.low:.1f}", high=f"{held.high:.1f}", tasks=f"{held.tasks:.0f}",
        characters=draft.wish.characters,
    ))  # fmt: skip
    alarms = [_figure(one.value) or "-" for one in (draft.alarms.item_level, draft.alarms.crossed)]
    click.echo(f"{_word('alarms')}: {_word('alarms_are', item=alarms[0], crossed=alarms[1])}")
    tests = [_word(key) for key in ("power_item", "mc_error", "power_crossed", "mc_error")]
    click.echo(f"\n{_word('likings')}")
    table([_word("sd_rater_system"), *tests], [
        (f"{sd:g}", *_share(one.item_level), *_share(one.crossed)) for sd, one in draft.likings
    ])  # fmt: skip
    click.echo(f"\n{_word('alternatives')}")
    rows = []
    for size, power in draft.alternatives:
        own = hours(draft.wish, size)
        rows.append((size.raters, size.overlap, *_share(power.item_level), *_share(power.crossed),
                     f"{own.low:.1f}–{own.high:.1f}"))
    table([_word("raters"), _word("per_item"), *tests, _word("hours")], rows)


def _share(share: "Share") -> tuple[str, str]:
    return _figure(share.value), "" if share.mc_error is None else f"{share.mc_error:.3f}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
