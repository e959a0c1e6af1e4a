"""What `agreement`, `compare` and `blinding` print of what they found: its main figures."""

from collections.abc import Mapping
from typing import Final

import click

from cbt_core.commands.common import desk, table
from cbt_core.stats.agreement.results import Agreement
from cbt_core.stats.bias.blinding import CountedBlinding
from cbt_core.stats.comparison.contrasts import Comparison
from cbt_core.stats.ratings import POOLED
from cbt_core.stats.values import Framed, translated
from cbt_core.words import say

NONE: Final = "–"
LEAST_P: Final = 0.001


def show_agreement(agreement: Agreement) -> None:
    """Print percent agreement, alpha and Gwet's coefficient by scale and system."""
    whys: dict[str, None] = {}
    rows = []
    for scale, strata in agreement.scales.items():
        for system, figures in strata.items():
            name = say("analysis.all_systems", desk().language) if system == POOLED else system
            rows.append((
                scale, name, _framed(figures.percent_agreement, whys, percent=True),
                _framed(figures.alpha, whys), _framed(figures.ac, whys),
            ))
    table(_heads("scale", "system", "percent", "alpha", "ac"), rows)
    _explain("agreement_about", whys)


def show_comparison(comparison: Comparison) -> None:
    """Print differences from the baseline, with these raters and with raters sampled."""
    whys: dict[str, None] = {}
    rows = [
        (
            scale, one.system, _framed(one.difference, whys, signed=True),
            _p(one.permutation_p),
            _framed(one.difference_crossed, whys, signed=True), _p(one.difference_crossed.p),
        )
        for scale, one in comparison.contrasts
    ]
    table(_heads("scale", "system", "difference", "p", "crossed", "p_crossed"), rows)
    _explain("comparison_about", whys, baseline=comparison.baseline)


def show_blinding(blinding: CountedBlinding) -> None:
    """Print the indices of James and Bang."""
    whys: dict[str, None] = {}
    generalised = say("analysis.bang_generalised", desk().language)
    rows = [("James", "", _framed(blinding.james, whys))]
    for name, held in (("Bang", blinding.bang), (generalised, blinding.bang_generalised)):
        rows += [(name, arm, _framed(index, whys)) for arm, index in held.items()]
    table(_heads("index", "arm", "value"), rows)
    _explain("blinding_about", whys)


def _framed(
    figure: Framed, whys: dict[str, None], *, percent: bool = False, signed: bool = False
) -> str:
    """Return a figure with its limits; why one is missing is noted in `whys`."""
    if figure.reason:
        whys[figure.reason] = None
    value, low, high = (_number(part, percent, signed)
                        for part in (figure.value, figure.low, figure.high))
    return value if NONE in (low, high) else f"{value} [{low}, {high}]"


def _number(figure: float | None, percent: bool, signed: bool) -> str:
    if figure is None:
        return NONE
    if percent:
        return f"{100 * figure:.1f}%"
    text = f"{figure:+.2f}" if signed else f"{figure:.2f}"
    return text[1:] if text in {"-0.00", "+0.00"} else text


def _p(p_value: float | None) -> str:
    if p_value is None:
        return NONE
    return f"<{LEAST_P}" if p_value < LEAST_P else f"{p_value:.3f}"


def _heads(*keys: str) -> list[str]:
    return [say(f"analysis.col_{key}", desk().language) for key in keys]


def _explain(key: str, whys: Mapping[str, None], **values: object) -> None:
    """Print what the columns are, and why figures or limits are missing."""
    language = desk().language
    click.echo(say(f"analysis.{key}", language, **values))
    for why in whys:
        click.echo(say("analysis.missing", language, reason=translated(why, language)))
