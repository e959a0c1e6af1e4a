"""What `agreement`, `compare` and `blinding` print of the JSON they wrote: its main figures."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from cbt_core.commands.common import desk, table
from cbt_core.stats.ratings import POOLED
from cbt_core.stats.values import Reason, translated
from cbt_core.words import say

NONE: Final = "–"
LEAST_P: Final = 0.001
Json = Mapping[str, object]


def show_agreement(out: Path) -> None:
    """Print percent agreement, alpha and Gwet's coefficient by scale and system."""
    whys: dict[str, None] = {}
    rows = []
    for scale, strata in _each(_read(out), "scales"):
        for system, body in _each(strata):
            alpha, gwet = _coefficients(body)
            name = say("analysis.all_systems", desk().language) if system == POOLED else system
            rows.append((
                scale, name, _framed(body, "percent_agreement", whys, percent=True),
                _framed(body, alpha, whys), _framed(body, gwet, whys),
            ))
    table(_heads("scale", "system", "percent", "alpha", "ac"), rows)
    _explain("agreement_about", whys)


def show_comparison(out: Path) -> None:
    """Print differences from the baseline, with these raters and with raters sampled."""
    whys: dict[str, None] = {}
    rows = []
    found = _read(out)
    for scale, body in _each(found, "scales"):
        for one in _list(body, "comparisons"):
            crossed = _part(one, "difference_crossed")
            rows.append((
                scale, str(one.get("system", "")), _framed(one, "difference", whys, signed=True),
                _p(one.get("permutation_p")),
                _framed(one, "difference_crossed", whys, signed=True), _p(crossed.get("p")),
            ))
    table(_heads("scale", "system", "difference", "p", "crossed", "p_crossed"), rows)
    _explain("comparison_about", whys, baseline=found.get("baseline"))


def show_blinding(out: Path) -> None:
    """Print the indices of James and Bang."""
    whys: dict[str, None] = {}
    found = _read(out)
    rows = [("James", "", _framed(found, "james", whys))]
    for key, name in (("bang", "Bang"), ("bang_generalised", say(
            "analysis.bang_generalised", desk().language))):
        held = _part(found, key)
        rows += [(name, arm, _framed(held, arm, whys)) for arm in held]
    table(_heads("index", "arm", "value"), rows)
    _explain("blinding_about", whys)


def _read(out: Path) -> Json:
    found = json.loads(out.read_text("utf-8"))
    return found if isinstance(found, dict) else {}


def _part(body: Json, key: str) -> Json:
    found = body.get(key)
    return found if isinstance(found, Mapping) else {}


def _each(body: Json, key: str = "") -> Iterator[tuple[str, Json]]:
    """Yield the objects of a body, or of a part of it, by name."""
    for name, one in (_part(body, key) if key else body).items():
        if isinstance(one, Mapping):
            yield name, one


def _list(body: Json, key: str) -> list[Json]:
    found = body.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _coefficients(body: Json) -> tuple[str, str]:
    """Return alpha and Gwet's coefficient of a scale; the nominal ones where values are names."""
    named = _part(body, "alpha_ordinal").get("reason") == Reason.NOMINAL.text
    return ("alpha_nominal", "ac1") if named else ("alpha_ordinal", "ac2_quadratic")


def _framed(
    body: Json, key: str, whys: dict[str, None], *, percent: bool = False, signed: bool = False
) -> str:
    """Return a figure with its limits; why one is missing is noted in `whys`."""
    found = _part(body, key)
    if found.get("reason"):
        whys[str(found["reason"])] = None
    texts = [_number(found.get(part), percent, signed) for part in ("value", "low", "high")]
    if NONE in texts[1:]:
        return texts[0]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _number(found: object, percent: bool, signed: bool) -> str:
    if not isinstance(found, int | float):
        return NONE
    if percent:
        return f"{100 * found:.1f}%"
    text = f"{found:+.2f}" if signed else f"{found:.2f}"
    return text[1:] if text in {"-0.00", "+0.00"} else text


def _p(found: object) -> str:
    if not isinstance(found, int | float):
        return NONE
    return f"<{LEAST_P}" if found < LEAST_P else f"{found:.3f}"


def _heads(*keys: str) -> list[str]:
    return [say(f"analysis.col_{key}", desk().language) for key in keys]


def _explain(key: str, whys: Mapping[str, None], **values: object) -> None:
    """Print what the columns are, and why figures or limits are missing."""
    language = desk().language
    click.echo(say(f"analysis.{key}", language, **values))
    for why in whys:
        click.echo(say("analysis.missing", language, reason=translated(why, language)))
