"""Agreement: percent, alpha and AC together, by scale and system, with one sentence to read it."""

from collections.abc import Iterator
from typing import Final

from cbt_core.analysis.reading_rules import RELIABLE, TENTATIVE, alpha_verdict
from cbt_core.report.blocks import Block, Cell, Drawing, Figure, Grid, Head, Section, figure
from cbt_core.report.drawing import Axis, Plot, PlotRow, draw_intervals
from cbt_core.report.sheet import Sheet, at, count, items, number, rows, signed, value
from cbt_core.stats.ratings import POOLED

FULL: Final = (
    "percent_agreement", "percent_agreement_pooled", "alpha_nominal", "alpha_ordinal",
    "alpha_interval", "fleiss_kappa", "ac1", "ac2_linear", "ac2_quadratic", "icc_agreement_vc",
    "icc_1_1", "icc_1_k", "icc_2_1", "icc_2_k", "icc_3_1", "icc_3_k", "kendall_w",
)

def agreement(sheet: Sheet) -> Section:
    """Return the section; the lists of every statistic and pair stand in files beside it."""
    scales = list(items(sheet.analysis.agreement.get("scales")))
    blocks: list[Block] = [sheet.words("agreement_about"), _main(sheet), _drawing(sheet)]
    for scale, strata in scales:
        blocks += _read(sheet, scale, strata)
    blocks += [_all(sheet), _raters(sheet), _pairs(sheet)]
    return sheet.section("agreement", blocks, of="agreement")


def _chosen(sheet: Sheet, scale: str) -> tuple[str, str]:
    """Return which alpha and AC a scale takes."""
    if scale in sheet.analysis.nominal:
        return "alpha_nominal", "ac1"
    return "alpha_ordinal", "ac2_quadratic"


def _main(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale, strata in items(sheet.analysis.agreement.get("scales")):
        rules.append(len(found))
        alpha, ac = _chosen(sheet, scale)
        for place, (stratum, stats) in enumerate(items(strata)):
            found.append((
                "" if place else sheet.scale(scale), sheet.system(stratum),
                count(at(stats, "n_units")), count(at(stats, "n_raters")),
                count(at(stats, "n_ratings")),
                figure(at(stats, "percent_agreement"), "share"), figure(at(stats, alpha)),
                figure(at(stats, ac)),
            ))
            within = at(stats, "within_systems")
            if within:
                found.append((
                    "", sheet.w("within_systems"), None, None, None, None,
                    figure(at(within, alpha)), figure(at(within, ac)),
                ))
    return Grid(
        "agreement", sheet.w("table_agreement"),
        sheet.heads("scale:", "system:", "n_units", "n_raters", "n_ratings", "percent", "alpha",
                    "ac"),
        tuple(found), notes=(sheet.w("note_agreement"), sheet.w("note_all")), rules=tuple(rules),
    )


def _read(sheet: Sheet, scale: str, strata: object) -> Iterator[Block]:
    """Yield what may be said of a scale's agreement, and by which benchmark.

    By system where systems may be told apart: pooled, their difference would pass for agreement.
    """
    name, pooled = sheet.scale(scale), at(strata, POOLED)
    told = [(stratum, stats) for stratum, stats in items(strata) if stratum != POOLED]
    parts = [_judged(sheet, scale, *one) for one in told or [(POOLED, pooled)]]
    yield sheet.words("read_alpha", scale=name, told=sheet.w("semicolon").join(parts))
    if any(_is_paradox(sheet, scale, stats) for _, stats in told or [(POOLED, pooled)]):
        yield sheet.note("read_paradox", scale=name)
    left = at(pooled, "leave_one_rater_out", "alpha_ordinal")
    if number(at(left, "min")) is not None:
        yield sheet.note("read_left_out", scale=name, low=signed(number(at(left, "min"))),
                         high=signed(number(at(left, "max"))), rater=at(left, "rater"))


def _judged(sheet: Sheet, scale: str, stratum: str, stats: object) -> str:
    alpha, name = figure(at(stats, _chosen(sheet, scale)[0])), sheet.system(stratum)
    if alpha.value is None:
        reason = sheet.reason(alpha.reason)
        return sheet.w("read_undefined", system=name, reason=reason)
    return sheet.w(
        "read_one", system=name, alpha=sheet.told(alpha), verdict=sheet.w(
            alpha_verdict(alpha.value)
        ),
        interval=sheet.w(_interval_words(alpha)),
    )


def _is_paradox(sheet: Sheet, scale: str, stats: object) -> bool:
    """Tell whether percent agreement and AC are high beside a low alpha."""
    alpha, ac = (number(at(stats, key, "value")) for key in _chosen(sheet, scale))
    percent = number(at(stats, "percent_agreement", "value"))
    if alpha is None or ac is None or percent is None:
        return False
    return percent >= RELIABLE and alpha < TENTATIVE <= ac


def _interval_words(alpha: Figure) -> str:
    """Return whether the interval stays on one side of the benchmarks."""
    if alpha.low is None or alpha.high is None or alpha.value is None:
        return "interval_none"
    sides = {alpha_verdict(one) for one in (alpha.low, alpha.high)}
    return "interval_same" if len(sides) == 1 else "interval_crosses"


def _drawing(sheet: Sheet) -> Drawing:
    found: list[PlotRow] = []
    for scale, strata in items(sheet.analysis.agreement.get("scales")):
        found.append(PlotRow(sheet.scale(scale)))
        alpha, ac = _chosen(sheet, scale)
        for stratum, stats in items(strata):
            name = sheet.system(stratum)
            found += [
                PlotRow(f"{name}, α", figure(at(stats, alpha))),
                PlotRow(f"{name}, {'AC1' if ac == 'ac1' else 'AC2'}", figure(at(stats, ac)),
                        "diamond"),
            ]
    axis = Axis(sheet.w("axis_agreement"), (0.0, 1.0), 0.0, (TENTATIVE, RELIABLE), most=1.0)
    legend = (("circle", sheet.w("legend_alpha")), ("diamond", sheet.w("legend_ac")))
    return draw_intervals(
        Plot("agreement", sheet.w("figure_agreement"), tuple(found), axis, legend), sheet.language
    )


def _all(sheet: Sheet) -> Grid:
    scales = [scale for scale, _ in items(sheet.analysis.agreement.get("scales"))]
    strata = {scale: at(sheet.analysis.agreement, "scales", scale, POOLED) for scale in scales}
    found = tuple(
        (
            sheet.w(f"stat_{key}"),
            *(figure(at(strata[scale], key), "share" if key.startswith("percent") else "score")
              if at(strata[scale], key) is not None else None for scale in scales),
        )
        for key in FULL
        if any(at(strata[scale], key) is not None for scale in scales)
    )
    heads = (*sheet.heads("statistic:"), *(_scale_head(sheet, scale) for scale in scales))
    return Grid("agreement_all", sheet.w("table_agreement_all"), heads, found,
                notes=(sheet.w("note_icc"),))


def _scale_head(sheet: Sheet, scale: str) -> Head:
    return Head(scale, sheet.scale(scale))


def _raters(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale, strata in items(sheet.analysis.agreement.get("scales")):
        rules.append(len(found))
        for place, one in enumerate(rows(at(strata, POOLED, "raters"))):
            found.append((
                "" if place else sheet.scale(scale), str(one["rater"]), count(one["n"]),
                value(one.get("mean")), _with_limits(one, "severity"), _with_limits(one, "drift"),
            ))
    return Grid(
        "raters", sheet.w("table_raters"),
        sheet.heads("scale:", "rater:", "n", "mean", "severity", "drift"), tuple(found),
        notes=(sheet.w("note_raters"),), rules=tuple(rules),
    )


def _with_limits(one: object, key: str) -> Figure:
    interval = at(one, f"{key}_interval")
    return figure(interval) if interval is not None else value(at(one, key))


def _pairs(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale, strata in items(sheet.analysis.agreement.get("scales")):
        rules.append(len(found))
        for place, one in enumerate(rows(at(strata, POOLED, "pairs"))):
            found.append((
                "" if place else sheet.scale(scale), f"{one['a']} – {one['b']}", count(one["n"]),
                figure(one.get("kappa")), figure(one.get("kappa_quadratic")),
            ))
    return Grid(
        "pairs", sheet.w("table_pairs"), sheet.heads("scale:", "pair:", "n", "kappa", "kappa_q"),
        tuple(found), rules=tuple(rules),
    )
