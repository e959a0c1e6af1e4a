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
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale, strata in sheet.analysis.agreement.scales.items():
        rules.append(len(rows))
        for place, group in enumerate(strata.values()):
            rows.append((
                "" if place else sheet.scale(scale), sheet.system(group.name),
                group.counts.n_units, group.counts.n_raters, group.counts.n_ratings,
                figure(group.percent_agreement, "share"), figure(group.alpha), figure(group.ac),
            ))
            if group.details and group.details.within_systems:
                within = None if group.nominal else group.details.within_systems
                rows.append((
                    "", sheet.w("within_systems"), None, None, None, None,
                    figure(within.alpha_ordinal if within else None),
                    figure(within.ac2_quadratic if within else None),
                ))
    return Grid(
        "agreement", sheet.w("table_agreement"),
        sheet.heads("scale:", "system:", "n_units", "n_raters", "n_ratings", "percent", "alpha",
                    "ac"),
        tuple(rows), notes=(sheet.w("note_agreement"), sheet.w("note_all")), rules=tuple(rules),
    )


def _read(sheet: Sheet, scale: str) -> Iterator[Block]:
    """Yield what may be said of a scale's agreement, and by which benchmark."""
    name, strata = sheet.scale(scale), sheet.analysis.agreement.told_apart(scale)
    parts = [_judged(sheet, one) for one in strata]
    yield sheet.words("read_alpha", scale=name, told=sheet.w("semicolon").join(parts))
    if any(verdict_of(one) is Verdict.PARADOX for one in strata):
        yield sheet.note("read_paradox", scale=name)
    details = sheet.analysis.agreement.pooled(scale).details
    if details and details.left_out.low is not None:
        left = details.left_out
        yield sheet.note("read_left_out", scale=name, low=signed(left.low),
                         high=signed(left.high), rater=left.rater)


def _judged(sheet: Sheet, stratum: StratumFigures) -> str:
    alpha, name = figure(stratum.alpha), sheet.system(stratum.name)
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
    rows: list[PlotRow] = []
    for scale, strata in sheet.analysis.agreement.scales.items():
        rows.append(PlotRow(sheet.scale(scale)))
        for stratum in strata.values():
            name = sheet.system(stratum.name)
            rows += [
                PlotRow(f"{name}, α", figure(stratum.alpha)),
                PlotRow(f"{name}, {stratum.ac_name}", figure(stratum.ac), "diamond"),
            ]
    axis = Axis(sheet.w("axis_agreement"), (0.0, 1.0), 0.0, (TENTATIVE, RELIABLE), most=1.0)
    legend = (("circle", sheet.w("legend_alpha")), ("diamond", sheet.w("legend_ac")))
    return draw_intervals(
        Plot("agreement", sheet.w("figure_agreement"), tuple(rows), axis, legend), sheet.language
    )


def _all(sheet: Sheet) -> Grid:
    pooled = {
        scale: sheet.analysis.agreement.pooled(scale) for scale in sheet.analysis.agreement.scales
    }
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            sheet.w(f"stat_{key}"),
            *(figure(one.values[key], "share" if key.startswith("percent") else "score")
              for one in pooled.values()),
        )
        for key in FULL if pooled
    )
    heads = (*sheet.heads("statistic:"), *(Head(scale, sheet.scale(scale)) for scale in pooled))
    return Grid("agreement_all", sheet.w("table_agreement_all"), heads, rows,
                notes=(sheet.w("note_icc"),))


def _raters(sheet: Sheet) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale in sheet.analysis.agreement.scales:
        rules.append(len(rows))
        for place, person in enumerate(sheet.analysis.agreement.pooled(scale).raters):
            rows.append((
                "" if place else sheet.scale(scale), person.rater, person.n, plain(person.mean),
                _with_limits(person.severity, person.severity_interval),
                _with_limits(person.drift, person.drift_interval),
            ))
    return Grid(
        "raters", sheet.w("table_raters"),
        sheet.heads("scale:", "rater:", "n", "mean", "severity", "drift"), tuple(rows),
        notes=(sheet.w("note_raters"),), rules=tuple(rules),
    )


def _with_limits(point: float | None, interval: Value | None) -> Figure:
    return plain(point) if interval is None else figure(interval)


def _pairs(sheet: Sheet) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale in sheet.analysis.agreement.scales:
        rules.append(len(rows))
        for place, pair in enumerate(sheet.analysis.agreement.pooled(scale).pairs):
            rows.append((
                "" if place else sheet.scale(scale), f"{pair.a} – {pair.b}", pair.n,
                figure(pair.kappa), figure(pair.kappa_quadratic),
            ))
    return Grid(
        "pairs", sheet.w("table_pairs"), sheet.heads("scale:", "pair:", "n", "kappa", "kappa_q"),
        tuple(rows), rules=tuple(rules),
    )
