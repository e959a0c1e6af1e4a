"""Comparison of systems: forest plot, means, differences with both tests, what each estimates."""

from collections.abc import Iterator

from cbt_core.report.blocks import (
    Block,
    Cell,
    Drawing,
    Figure,
    Grid,
    Points,
    Section,
    Words,
    figure,
    plain,
)
from cbt_core.report.drawing import Axis, Plot, PlotRow, draw_intervals
from cbt_core.report.sheet import Sheet
from cbt_core.stats.comparison.contrasts import Comparison, SystemContrast, SystemMean


def comparison(sheet: Sheet) -> Section:
    """Return the section; closed before the lock, and told as absent with a single system."""
    if sheet.closed("comparison"):
        return sheet.section("comparison", (), of="comparison", closed=True)
    compared = sheet.analysis.comparison
    if compared is None:
        return sheet.section("comparison", [sheet.words("one_system")], of="comparison")
    blocks: list[Block] = [
        sheet.words("comparison_about", reference=sheet.analysis.reference),
        *_masked(sheet), _means(sheet, compared), _forest(sheet, compared), _tests(sheet, compared),
        _effects(sheet, compared), Points(tuple(_estimands(sheet, compared))),
        sheet.note("note_family", n=compared.family_size),
    ]
    return sheet.section("comparison", blocks, of="comparison")


def _masked(sheet: Sheet) -> Iterator[Words]:
    if sheet.analysis.masked:
        yield sheet.words("comparison_masked", reference=sheet.analysis.reference)


def _means(sheet: Sheet, compared: Comparison) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale, outcome in compared.scales.items():
        rules.append(len(rows))
        for place, (system, stats) in enumerate(outcome.systems.items()):
            rows.append((
                "" if place else sheet.scale(scale), system, stats.n_items, mean_of(stats),
                plain(stats.sd),
            ))
    return Grid(
        "means", sheet.w("table_means"), sheet.heads("scale:", "system:", "n_items", "mean", "sd"),
        tuple(rows), notes=(sheet.w("note_means"),), rules=tuple(rules),
    )


def mean_of(stats: SystemMean, digits: int = 2) -> Figure:
    """Return the mean of a system with its interval."""
    return figure(stats.mean, digits=digits)


def _forest(sheet: Sheet, compared: Comparison) -> Drawing:
    rows: list[PlotRow] = []
    for scale, outcome in compared.scales.items():
        rows.append(PlotRow(sheet.scale(scale)))
        for pair in outcome.contrasts:
            rows += [
                PlotRow(sheet.w("forest_item", system=pair.system), figure(pair.difference)),
                PlotRow(sheet.w("forest_crossed", system=pair.system),
                        figure(pair.difference_crossed), "diamond"),
            ]
    words = sheet.w("axis_difference", reference=sheet.analysis.reference)
    legend = (("circle", sheet.w("legend_item")), ("diamond", sheet.w("legend_crossed")))
    plot = Plot("forest", sheet.w("figure_forest"), tuple(rows), Axis(words, (-0.2, 0.2), 0.0),
                legend)
    return draw_intervals(plot, sheet.language)


def _rows(sheet: Sheet, compared: Comparison) -> Iterator[tuple[str, SystemContrast, bool]]:
    """Yield the words of the scale, the comparison, and whether it is the scale's first."""
    for scale, outcome in compared.scales.items():
        for place, pair in enumerate(outcome.contrasts):
            name = sheet.scale(scale) + (" *" if pair.primary else "")
            yield ("" if place and not pair.primary else name), pair, place == 0


def _tests(sheet: Sheet, compared: Comparison) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for name, pair, is_first in _rows(sheet, compared):
        if is_first:
            rules.append(len(rows))
        crossed = pair.difference_crossed
        holm = None if pair.primary else plain(pair.p_holm, "p", reason=pair.reason)
        rows.append((
            name, pair.system, pair.n_items, pair.n_raters, figure(pair.difference),
            plain(pair.permutation_p, "p", reason=pair.reason),
            holm,  # a dash: the primary comparison is left alone by Holm
            plain(pair.wilcoxon_p, "p", reason=pair.reason),
            figure(crossed), plain(crossed.p, "p", reason=crossed.reason),
        ))
    return Grid(
        "comparison", sheet.w("table_comparison"),
        sheet.heads("scale:", "system:", "n_items", "n_raters", "difference", "p_permutation",
                    "p_holm", "p_wilcoxon", "difference_crossed", "p_crossed"),
        tuple(rows), notes=(sheet.w("note_tests"), sheet.w("note_primary")), rules=tuple(rules),
    )


def _effects(sheet: Sheet, compared: Comparison) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for name, pair, is_first in _rows(sheet, compared):
        if is_first:
            rules.append(len(rows))
        rows.append((
            name, pair.system, figure(pair.rank_biserial_interval),
            figure(pair.superiority_interval), figure(pair.difference_unpaired),
            pair.n_items_dropped,
        ))
    return Grid(
        "effects", sheet.w("table_effects"),
        sheet.heads("scale:", "system:", "rank_biserial", "superiority", "difference_unpaired",
                    "n_dropped"),
        tuple(rows), notes=(sheet.w("note_effects"),), rules=tuple(rules),
    )


def _estimands(sheet: Sheet, compared: Comparison) -> Iterator[str]:
    yield sheet.w("estimand_item")
    yield sheet.w("estimand_crossed")
    methods = {
        one.difference_crossed.method for _, one in compared.contrasts
        if one.difference_crossed.method
    }
    if methods:
        yield sheet.w("crossed_method", method=sheet.list([
            sheet.w("method_quasi_f" if one.startswith("quasi-F") else "method_mixed")
            for one in sorted(methods)
        ]))
