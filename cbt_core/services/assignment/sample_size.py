"""Planning a study: the simulated plan as JSON, advice, figure and a sentence to register."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Final

import altair as alt
import numpy as np

from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.palette import FONT, LIGHT, Palette
from cbt_core.stats.planning import plan as planning
from cbt_core.stats.planning.plan import Plan, Wish, advice, hours
from cbt_core.stats.planning.power import Power
from cbt_core.stats.planning.simulation import (
    ASSUMED,
    SDS,
    SKEWS,
    Assumptions,
    Size,
    shares,
    thresholds_of,
)
from cbt_core.version import VERSION
from cbt_core.words import LANGUAGES, say


def assumptions(wish: Wish) -> tuple[tuple[str, object, str], ...]:
    """Return every assumption as name, value and source: assumed, given or pilot."""
    sources = dict(wish.sources)
    rows: list[tuple[str, object]] = [(name, getattr(wish.assumed, name)) for name in SDS]
    rows += [("thresholds", list(wish.assumed.thresholds)), ("missing", wish.assumed.missing)]
    return tuple((name, value, sources.get(name, "assumed")) for name, value in rows)


def recommendation(planned: Plan, language: str) -> tuple[str, ...]:
    """Return the advice in words, the main one first."""
    return tuple(
        say(f"sample_size.advice_{one.code}", language, **_rounded(dict(one.values)))
        for one in advice(planned)
    )


def sentence(planned: Plan, language: str) -> str:
    """Return the sentence for the pre-registration."""
    wish, held = planned.wish, planned.wish.assumed
    return say(
        "sample_size.sentence", language,
        items=wish.size.items, raters=wish.size.raters, overlap=wish.size.overlap,
        difference=f"{wish.difference:g}", highest=held.highest, level=f"{wish.level:.3g}",
        simulations=f"{wish.simulations:,}", seed=wish.seed, version=VERSION,
        **_figures(planned, language),
        **{name: f"{getattr(held, name):.2f}" for name in SDS},
        thresholds=", ".join(f"{cut:.2f}" for cut in held.thresholds),
        shares=" / ".join(f"{share:.0%}" for share in shares(held)),
        missing=f"{held.missing:.0%}", origin=_origin(wish, language),
    )  # fmt: skip


def _figures(planned: Plan, language: str) -> dict[str, str]:
    undefined = say("sample_size.undefined", language)
    errors = [planned.power.item_level.mc_error or 0.0, planned.power.crossed.mc_error or 0.0]
    return {
        "item_test": say("sample_size.item_test", language),
        "item": told(planned.power.item_level.value) or undefined,
        "crossed": told(planned.power.crossed.value) or undefined,
        "error": f"{max(errors):.3f}",
        "alpha": told(planned.width["alpha_ordinal"].width) or undefined,
        "ac2": told(planned.width["ac2_quadratic"].width) or undefined,
    }


def _origin(wish: Wish, language: str) -> str:
    sources = dict(wish.sources)
    if "pilot" in sources.values():
        return say("sample_size.origin_pilot", language)
    given = [say(f"sample_size.{name}", language) for name, _, how in assumptions(wish)
             if how == "given"]  # fmt: skip
    if not given:
        return say("sample_size.origin_assumed", language)
    return say("sample_size.origin_given", language, given=", ".join(given))


def told(value: float | None) -> str:
    """Return a share or width with two decimals, empty when there is none."""
    return "" if value is None else f"{value:.2f}"


def _rounded(values: Mapping[str, object]) -> dict[str, object]:
    return {name: told(value) if isinstance(value, float) else value
            for name, value in values.items()}  # fmt: skip


LARGEST_SD: Final = 10.0

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for; None = not said, so the assumed value or the pilot's stands.

    `shares`: of each value of the scale, lowest first, in the baseline. `sds`: name -> value.
    """

    items: int
    raters: int
    overlap: int
    difference: float
    skew: str | None = None
    shares: tuple[float, ...] | None = None
    sds: tuple[tuple[str, float], ...] = ()
    missing: float | None = None
    comparisons: int = 1
    characters: int = planning.CHARACTERS
    simulations: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Drafted:
    """Assumptions before anything was said about them, and where they come from."""

    assumed: Assumptions = ASSUMED
    pilot: bool = False


def wish_of(asked: Asked, drafted: Drafted | None = None) -> Wish:
    """Return what is to be simulated.

    Raises:
        StudyError: values that contradict one another or cannot be.
    """
    held = drafted or Drafted()
    if held.pilot and (asked.skew or asked.shares):
        raise StudyError("sample_size.pilot_both")
    if asked.skew and asked.shares:
        raise StudyError("sample_size.skew_or_shares")
    given = {name: value for name, value in asked.sds if _is_sd(name, value)}
    assumed = held.assumed.with_sds(given)
    sources = dict.fromkeys((*SDS, "thresholds"), "pilot") if held.pilot else {}
    sources |= dict.fromkeys(given, "given")
    if asked.missing is not None:
        assumed, sources["missing"] = replace(assumed, missing=asked.missing), "given"
    if asked.skew or asked.shares:
        assumed, sources["thresholds"] = replace(assumed, thresholds=_cuts(asked, assumed)), "given"
    return Wish(
        Size(asked.items, asked.raters, asked.overlap), asked.difference, assumed,
        comparisons=asked.comparisons, characters=asked.characters,
        simulations=asked.simulations, seed=asked.seed, sources=tuple(sorted(sources.items())),
    )  # fmt: skip


def _is_sd(name: str, value: float) -> bool:
    if name not in SDS or not 0 <= value <= LARGEST_SD:
        raise StudyError("sample_size.sd_range", name=name)
    return True


def _cuts(asked: Asked, assumed: Assumptions) -> tuple[float, ...]:
    if asked.shares:
        return thresholds_of(np.array(asked.shares), assumed.total)
    return SKEWS[asked.skew or "moderate"]


@lru_cache(maxsize=32)
def plan(wish: Wish) -> Plan:
    """Return the simulated plan; the same wish is simulated once."""
    return planning.plan(wish)


def pilot_file(
    path: Path, *, baseline: str | None, scale: str | None = None, values: str | None = None
) -> tuple[Drafted, tuple[Problem, ...]]:
    """Return the assumptions that a file of pilot ratings suggests, and the doubts about it.

    Raises:
        StudyError: the file cannot be read, or it is too small or too flat.
    """
    from cbt_core.files.ratings import read_ratings
    from cbt_core.stats.planning.pilot import pilot

    if not baseline:
        raise StudyError("sample_size.pilot_baseline")
    read = read_ratings(path, scales=(scale,) if scale else None, values=values)
    names = tuple(read.values)
    if len(names) > 1:
        raise StudyError("sample_size.pilot_scale", names="|".join(names))
    estimate = pilot(read.ratings, names[0], read.values[names[0]], baseline)
    return Drafted(estimate.assumed, pilot=True), read.warnings


def plan_json(planned: Plan) -> Json:
    """Return the `study plan` JSON."""
    wish, held = planned.wish, hours(planned.wish)
    return {
        "design": {
            "items": wish.size.items, "raters": wish.size.raters, "overlap": wish.size.overlap,
            "difference": wish.difference, "comparisons": wish.comparisons, "level": wish.level,
        },
        "assumptions": {
            name: {"value": value, "source": source} for name, value, source in assumptions(wish)
        },
        "latent_shift": planned.shift,
        "shares": {
            "baseline": list(shares(wish.assumed)),
            "system": list(shares(wish.assumed, planned.shift)),
        },
        "hours_per_rater": {"low": held.low, "high": held.high, "tasks": held.tasks,
                            "characters": wish.characters},
        **_simulated(planned),
        "recommendation": {words: list(recommendation(planned, words)) for words in LANGUAGES},
        "sentence": {words: sentence(planned, words) for words in LANGUAGES},
        "simulations": wish.simulations, "simulations_beside": planned.beside,
        "seed": wish.seed, "version": VERSION,
    }  # fmt: skip


def _simulated(planned: Plan) -> Json:
    def reading(size: Size) -> list[float]:
        held = hours(planned.wish, size)
        return [held.low, held.high]

    return {
        "power": _power_json(planned.power),
        "precision": {key: width.json() for key, width in planned.width.items()},
        "false_alarms": _power_json(planned.alarms),
        "curve": [
            {**_power_json(one), **{key: width.json() for key, width in widths.items()}}
            for one, widths in zip(planned.curve, planned.widths, strict=True)
        ],
        "by_sd_rater_system": [
            {"sd_rater_system": sd, **_power_json(one)} for sd, one in planned.likings
        ],
        "by_raters": [
            {"raters": size.raters, "overlap": size.overlap, **_power_json(one),
             "hours_per_rater": reading(size)}
            for size, one in planned.alternatives
        ],
    }  # fmt: skip


def _power_json(power: Power) -> Json:
    return {
        "items": power.items,
        "item_level": power.item_level.json(),
        "crossed": power.crossed.json(),
        "half_width": {"item_level": power.item_half_width, "crossed": power.crossed_half_width},
    }


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as ``0.2,0.4,0.4``.

    Raises:
        StudyError: one of them is no number.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise StudyError("sample_size.bad_numbers", text=text) from error


def plan_files(planned: Plan, out: Path, language: str) -> tuple[Path, ...]:
    """Write the plan as JSON with the plot as SVG and PNG beside it; return the files.

    `out` is a ``.json`` file or a folder, in which they are called ``plan``.

    Raises:
        StudyError: the place cannot be written.
    """
    from cbt_core.files.writer import write_bytes, write_json

    place = out if out.suffix == ".json" else out / "plan.json"
    write_json(plan_json(planned), place)
    made: Sequence[Path] = [place.with_suffix(".svg"), place.with_suffix(".png")]
    for file in made:
        write_bytes(picture(planned, language, file.suffix.removeprefix(".")), file)
    return (place, *made)


WIDTH, HEIGHT = 400, 280
PNG_SCALE: Final = 2.0
TARGET: Final = 0.8
TICKS: Final = 6

KINDS: Final = ("power", "width")
LINES: Final = {"power": ("crossed", "item"), "width": ("alpha", "ac2")}


def rows(planned: Plan, language: str, kind: str) -> list[dict[str, object]]:
    """Return the points: items, line, value, and how far it varies (low, high).

    Power: one Monte Carlo standard error to each side. Width: the middle 80 % of studies.
    """
    points = _power(planned) if kind == "power" else _widths(planned)
    return [
        {"items": items, "line": say(f"sample_size.line_{line}", language), "value": value,
         "low": low, "high": high}
        for items, line, value, low, high in points
    ]  # fmt: skip


Point = tuple[int, str, float, float, float]


def _power(planned: Plan) -> list[Point]:
    return [
        (one.items, line, share.value, max(0.0, share.value - (share.mc_error or 0.0)),
         min(1.0, share.value + (share.mc_error or 0.0)))
        for one in planned.curve
        for line, share in (("crossed", one.crossed), ("item", one.item_level))
        if share.value is not None
    ]  # fmt: skip


def _widths(planned: Plan) -> list[Point]:
    return [
        (one.items, line, width.width, width.low or 0.0, width.high or 0.0)
        for one, widths in zip(planned.curve, planned.widths, strict=True)
        for line, width in (("alpha", widths["alpha_ordinal"]), ("ac2", widths["ac2_quadratic"]))
        if width.width is not None
    ]


def chart(
    planned: Plan, language: str, kind: str, colours: Palette = LIGHT
) -> alt.LayerChart:
    """Return the chart of `power` or `width`; the planned number of items is marked."""
    items, title = (say(f"sample_size.axis_{axis}", language) for axis in ("items", kind))
    x = alt.X("items:Q", title=items, axis=alt.Axis(tickCount=TICKS),
              scale=alt.Scale(nice=False, zero=True))
    points = rows(planned, language, kind)
    top = 1.0 if kind == "power" else _above(float(str(one["high"])) for one in points)
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format=".1f", tickCount=TICKS),
              scale=alt.Scale(domain=[0, top], nice=False))
    colour, dash, shape = _looks(language, kind, colours)
    tips = [alt.Tooltip("line:N", title=" "), alt.Tooltip("items:Q", title=items),
            alt.Tooltip("value:Q", title=title, format=".2f")]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=points)).encode(x=x, color=colour)
    return alt.LayerChart(layer=[
        *_marks(planned, kind, colours),
        base.mark_rule(strokeWidth=1).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash),
        base.mark_point(filled=True, size=70, opacity=1).encode(y=y, shape=shape, tooltip=tips),
    ]).properties(height=HEIGHT)  # fmt: skip


def _above(heights: Iterable[float]) -> float:
    """Return the next tenth that leaves room above the highest bar."""
    return ceil(max(heights, default=1.0) * 10 + 0.2) / 10


def _looks(
    language: str, kind: str, held: Palette
) -> tuple[alt.Color, alt.StrokeDash, alt.Shape]:
    """Return colour, dash and shape of the two lines, with one legend."""
    names = [say(f"sample_size.line_{line}", language) for line in LINES[kind]]
    legend = alt.Legend(orient="top", title=None, labelLimit=400, direction="vertical")

    colours = alt.Scale(domain=names, range=[held.strong, held.middle])
    dashes = alt.Scale(domain=names, range=[[1, 0], [6, 4]])
    shapes = alt.Scale(domain=names, range=["circle", "diamond"])
    return (
        alt.Color("line:N", legend=legend, scale=colours),
        alt.StrokeDash("line:N", legend=legend, scale=dashes),
        alt.Shape("line:N", legend=legend, scale=shapes),
    )


def _marks(planned: Plan, kind: str, colours: Palette) -> list[alt.Chart]:
    """Return the lines at the planned number of items and at the power usually asked for."""
    marks = [alt.Chart(alt.InlineData(values=[{"items": planned.power.items}])).encode(x="items:Q")]
    if kind == "power":
        marks.append(alt.Chart(alt.InlineData(values=[{"value": TARGET}])).encode(y="value:Q"))
    return [mark.mark_rule(color=colours.soft, strokeDash=[2, 2]) for mark in marks]


def picture(planned: Plan, language: str, form: str) -> bytes:
    """Return both plots beside each other as `svg` or `png`."""
    import vl_convert

    drawn = [
        chart(planned, language, kind).properties(
            width=WIDTH, title=say(f"sample_size.title_{kind}", language)
        )
        for kind in KINDS
    ]
    both = alt.hconcat(*drawn).resolve_scale(color="independent", strokeDash="independent",
                                             shape="independent")  # fmt: skip
    spec = both.configure(font=FONT, background="white").to_json()
    if form == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))


def told_points(planned: Plan, language: str, kind: str) -> str:
    """Return the points of a plot as text, for who cannot see it."""
    return "; ".join(
        f"{row['items']}: {row['line']} {row['value']:.2f}" for row in rows(planned, language, kind)
    )
