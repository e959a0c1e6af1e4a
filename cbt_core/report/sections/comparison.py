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
)
from cbt_core.report.drawing import Axis, Plot, PlotRow, draw_intervals
from cbt_core.report.sheet import Sheet, at, count, items, number, rows, value


def comparison(sheet: Sheet) -> Section:
    """Return the section; closed before the lock, and told as absent with a single system."""
    if sheet.closed("comparison"):
        return sheet.section("comparison", (), of="comparison", closed=True)
    if sheet.analysis.comparison is None:
        return sheet.section("comparison", [sheet.words("one_system")], of="comparison")
    blocks: list[Block] = [
        sheet.words("comparison_about", reference=sheet.analysis.reference),
        *_masked(sheet), _means(sheet), _forest(sheet), _tests(sheet), _effects(sheet),
        Points(tuple(_estimands(sheet))),
        sheet.note("note_family", n=count(at(sheet.analysis.comparison, "family_size"))),
    ]
    return sheet.section("comparison", blocks, of="comparison")


def _masked(sheet: Sheet) -> Iterator[Words]:
    if sheet.analysis.masked:
        yield sheet.words("comparison_masked", reference=sheet.analysis.reference)


def _means(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for scale, one in items(at(sheet.analysis.comparison, "scales")):
        rules.append(len(found))
        for place, (system, stats) in enumerate(items(at(one, "systems"))):
            found.append((
                "" if place else sheet.scale(scale), system, count(at(stats, "n_items")),
                mean_of(stats), value(at(stats, "sd")),
            ))
    return Grid(
        "means", sheet.w("table_means"), sheet.heads("scale:", "system:", "n_items", "mean", "sd"),
        tuple(found), notes=(sheet.w("note_means"),), rules=tuple(rules),
    )


def mean_of(stats: object, digits: int = 2) -> Figure:
    """Return the mean of a system with its interval."""
    return Figure(
        number(at(stats, "mean")), number(at(stats, "low")), number(at(stats, "high")),
        str(at(stats, "reason")) if at(stats, "reason") else None, digits=digits,
    )


def _forest(sheet: Sheet) -> Drawing:
    found: list[PlotRow] = []
    for scale, one in items(at(sheet.analysis.comparison, "scales")):
        found.append(PlotRow(sheet.scale(scale)))
        for pair in rows(at(one, "comparisons")):
            name = str(pair["system"])
            found += [
                PlotRow(sheet.w("forest_item", system=name), figure(pair["difference"])),
                PlotRow(sheet.w("forest_crossed", system=name),
                        figure(pair["difference_crossed"]), "diamond"),
            ]
    words = sheet.w("axis_difference", reference=sheet.analysis.reference)
    legend = (("circle", sheet.w("legend_item")), ("diamond", sheet.w("legend_crossed")))
    plot = Plot("forest", sheet.w("figure_forest"), tuple(found), Axis(words, (-0.2, 0.2), 0.0),
                legend)
    return draw_intervals(plot, sheet.language)


def _rows(sheet: Sheet) -> Iterator[tuple[str, object, bool]]:
    """Yield the words of the scale, the comparison, and whether it is the scale's first."""
    for scale, one in items(at(sheet.analysis.comparison, "scales")):
        for place, pair in enumerate(rows(at(one, "comparisons"))):
            name = sheet.scale(scale) + (" *" if pair.get("primary") else "")
            yield ("" if place and not pair.get("primary") else name), pair, place == 0


def _tests(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for name, pair, is_first in _rows(sheet):
        if is_first:
            rules.append(len(found))
        crossed = at(pair, "difference_crossed")
        found.append((
            name, str(at(pair, "system")), count(at(pair, "n_items")), count(at(pair, "n_raters")),
            figure(at(pair, "difference")), _p(at(pair, "permutation_p"), pair),
            _p(at(pair, "p_holm"), pair, is_holm=True), _p(at(pair, "wilcoxon_p"), pair),
            figure(crossed), _p(at(crossed, "p"), crossed),
        ))
    return Grid(
        "comparison", sheet.w("table_comparison"),
        sheet.heads("scale:", "system:", "n_items", "n_raters", "difference", "p_permutation",
                    "p_holm", "p_wilcoxon", "difference_crossed", "p_crossed"),
        tuple(found), notes=(sheet.w("note_tests"), sheet.w("note_primary")), rules=tuple(rules),
    )


def _p(found: object, holder: object, *, is_holm: bool = False) -> Cell:
    """Return a p value; a dash for the primary comparison under Holm, which leaves it alone."""
    if is_holm and at(holder, "primary"):
        return None
    return value(found, "p", reason=at(holder, "reason"))


def _effects(sheet: Sheet) -> Grid:
    found: list[tuple[Cell, ...]] = []
    rules = []
    for name, pair, is_first in _rows(sheet):
        if is_first:
            rules.append(len(found))
        found.append((
            name, str(at(pair, "system")), figure(at(pair, "rank_biserial_interval")),
            figure(at(pair, "probability_of_superiority_interval")),
            figure(at(pair, "difference_unpaired")), count(at(pair, "n_items_dropped")),
        ))
    return Grid(
        "effects", sheet.w("table_effects"),
        sheet.heads("scale:", "system:", "rank_biserial", "superiority", "difference_unpaired",
                    "n_dropped"),
        tuple(found), notes=(sheet.w("note_effects"),), rules=tuple(rules),
    )


def _estimands(sheet: Sheet) -> Iterator[str]:
    yield sheet.w("estimand_item")
    yield sheet.w("estimand_crossed")
    methods = {
        str(at(pair, "difference_crossed", "method")) for _, pair, _ in _rows(sheet)
        if at(pair, "difference_crossed", "method")
    }
    if methods:
        yield sheet.w("crossed_method", method=sheet.list([
            sheet.w("method_quasi_f" if one.startswith("quasi-F") else "method_mixed")
            for one in sorted(methods)
        ]))
