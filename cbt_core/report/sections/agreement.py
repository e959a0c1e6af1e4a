"""Agreement: percent, alpha and AC together, by scale and system, with one sentence to read it."""

from collections.abc import Iterator
from typing import Final

from cbt_core.analysis.reading_rules import (
    RELIABLE,
    TENTATIVE,
    Verdict,
    benchmark,
    is_settled,
    verdict_of,
)
from cbt_core.report.blocks import (
    Block,
    Cell,
    Drawing,
    Figure,
    Grid,
    Head,
    Section,
    figure,
    plain,
)
from cbt_core.report.drawing import Axis, Plot, PlotRow, draw_intervals
from cbt_core.report.sheet import Sheet, signed
from cbt_core.stats.agreement.results import StratumFigures
from cbt_core.stats.values import Value

FULL: Final = (
    "percent_agreement", "percent_agreement_pooled", "alpha_nominal", "alpha_ordinal",
    "alpha_interval", "fleiss_kappa", "ac1", "ac2_linear", "ac2_quadratic", "icc_agreement_vc",
    "icc_1_1", "icc_1_k", "icc_2_1", "icc_2_k", "icc_3_1", "icc_3_k", "kendall_w",
)


def agreement(sheet: Sheet) -> Section:
    """Return the section; the lists of every statistic and pair stand in files beside it."""
    blocks: list[Block] = [sheet.words("agreement_about"), _main(sheet), _drawing(sheet)]
    for scale in sheet.analysis.agreement.scales:
        blocks += _read(sheet, scale)
    blocks += [_all(sheet), _raters(sheet), _pairs(sheet)]
    return sheet.section("agreement", blocks, of="agreement")


def _main(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale, strata in sheet.analysis.agreement.scales.items():
        rules.append(len(found))
        for place, one in enumerate(strata.values()):
            found.append((
                "" if place else sheet.scale(scale), sheet.system(one.name),
                one.counts.n_units, one.counts.n_raters, one.counts.n_ratings,
                figure(one.percent_agreement, "share"), figure(one.alpha), figure(one.ac),
            ))
            if one.details and one.details.within_systems:
                within = None if one.nominal else one.details.within_systems
                found.append((
                    "", sheet.w("within_systems"), None, None, None, None,
                    figure(within.alpha_ordinal if within else None),
                    figure(within.ac2_quadratic if within else None),
                ))
    return Grid(
        "agreement", sheet.w("table_agreement"),
        sheet.heads("scale:", "system:", "n_units", "n_raters", "n_ratings", "percent", "alpha",
                    "ac"),
        tuple(found), notes=(sheet.w("note_agreement"), sheet.w("note_all")), rules=tuple(rules),
    )


def _read(sheet: Sheet, scale: str) -> Iterator[Block]:
    """Yield what may be said of a scale's agreement, and by which benchmark."""
    name, told = sheet.scale(scale), sheet.analysis.agreement.told_apart(scale)
    parts = [_judged(sheet, one) for one in told]
    yield sheet.words("read_alpha", scale=name, told=sheet.w("semicolon").join(parts))
    if any(verdict_of(one) is Verdict.PARADOX for one in told):
        yield sheet.note("read_paradox", scale=name)
    details = sheet.analysis.agreement.pooled(scale).details
    if details and details.left_out.low is not None:
        left = details.left_out
        yield sheet.note("read_left_out", scale=name, low=signed(left.low),
                         high=signed(left.high), rater=left.rater)


def _judged(sheet: Sheet, one: StratumFigures) -> str:
    alpha, name = figure(one.alpha), sheet.system(one.name)
    if alpha.value is None:
        reason = sheet.reason(alpha.reason)
        return sheet.w("read_undefined", system=name, reason=reason)
    return sheet.w(
        "read_one", system=name, alpha=sheet.told(alpha),
        verdict=sheet.w(f"alpha_{benchmark(alpha.value)}"),
        interval=sheet.w(INTERVALS[is_settled(alpha)]),
    )


INTERVALS: Final = {None: "interval_none", True: "interval_same", False: "interval_crosses"}
"""Words on an interval: none, on one side of the benchmarks, on both."""


def _drawing(sheet: Sheet) -> Drawing:
    found: list[PlotRow] = []
    for scale, strata in sheet.analysis.agreement.scales.items():
        found.append(PlotRow(sheet.scale(scale)))
        for one in strata.values():
            name = sheet.system(one.name)
            found += [
                PlotRow(f"{name}, α", figure(one.alpha)),
                PlotRow(f"{name}, {one.ac_name}", figure(one.ac), "diamond"),
            ]
    axis = Axis(sheet.w("axis_agreement"), (0.0, 1.0), 0.0, (TENTATIVE, RELIABLE), most=1.0)
    legend = (("circle", sheet.w("legend_alpha")), ("diamond", sheet.w("legend_ac")))
    return draw_intervals(
        Plot("agreement", sheet.w("figure_agreement"), tuple(found), axis, legend), sheet.language
    )


def _all(sheet: Sheet) -> Grid:
    pooled = {
        scale: sheet.analysis.agreement.pooled(scale) for scale in sheet.analysis.agreement.scales
    }
    found: tuple[tuple[Cell, ...], ...] = tuple(
        (
            sheet.w(f"stat_{key}"),
            *(figure(one.values[key], "share" if key.startswith("percent") else "score")
              for one in pooled.values()),
        )
        for key in FULL if pooled
    )
    heads = (*sheet.heads("statistic:"), *(Head(scale, sheet.scale(scale)) for scale in pooled))
    return Grid("agreement_all", sheet.w("table_agreement_all"), heads, found,
                notes=(sheet.w("note_icc"),))


def _raters(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale in sheet.analysis.agreement.scales:
        rules.append(len(found))
        for place, one in enumerate(sheet.analysis.agreement.pooled(scale).raters):
            found.append((
                "" if place else sheet.scale(scale), one.rater, one.n, plain(one.mean),
                _with_limits(one.severity, one.severity_interval),
                _with_limits(one.drift, one.drift_interval),
            ))
    return Grid(
        "raters", sheet.w("table_raters"),
        sheet.heads("scale:", "rater:", "n", "mean", "severity", "drift"), tuple(found),
        notes=(sheet.w("note_raters"),), rules=tuple(rules),
    )


def _with_limits(point: float | None, interval: Value | None) -> Figure:
    return plain(point) if interval is None else figure(interval)


def _pairs(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale in sheet.analysis.agreement.scales:
        rules.append(len(found))
        for place, one in enumerate(sheet.analysis.agreement.pooled(scale).pairs):
            found.append((
                "" if place else sheet.scale(scale), f"{one.a} – {one.b}", one.n,
                figure(one.kappa), figure(one.kappa_quadratic),
            ))
    return Grid(
        "pairs", sheet.w("table_pairs"), sheet.heads("scale:", "pair:", "n", "kappa", "kappa_q"),
        tuple(found), rules=tuple(rules),
    )
