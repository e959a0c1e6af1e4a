"""Automatic metrics beside people, and judge models, always apart from raters."""

from collections.abc import Mapping

from cbt_core.services.reporting.blocks import (
    Block,
    Cell,
    Figure,
    Grid,
    Section,
    Words,
    figure,
)
from cbt_core.services.reporting.metric_means import in_order, is_main
from cbt_core.services.reporting.sheet import Sheet
from cbt_core.services.study_analysis_parts import JudgeResult, MetricResult, Metrics
from cbt_core.stats.correlation import Correlations
from cbt_core.stats.reasons import Reason


def metrics(sheet: Sheet) -> Section:
    """Return how metrics rank answers beside people, within systems and pooled, with a ceiling.

    The counts within `structure`, and what could not be ranked, stand in the CSV only.
    """
    found = sheet.analysis.metrics
    if found is None:
        closed = sheet.closed("metrics")
        return sheet.section("metrics", [sheet.words("no_metrics")], of="metrics", closed=closed)
    main = [one for one in found.metrics if is_main(one.metric)]
    constant = [one for one in main if _is_constant(one)]
    shown = [one for one in main if one not in constant]
    blocks: list[Block] = [sheet.words("metrics_about")]
    if constant:
        names = sheet.list(in_order(one.metric for one in constant))
        blocks.append(sheet.words("metrics_constant", metrics=names))
    if len(main) < len(found.metrics):
        blocks.append(sheet.words("metrics_rest", count=len(found.metrics) - len(main)))
    return sheet.section("metrics", [*blocks, _correlated(sheet, found, shown)], of="metrics")


def _is_constant(one: MetricResult) -> bool:
    """Tell whether nothing could be ranked on any scale because a measure never changes."""
    values = [
        value for told in one.scales.values() for of in (told.within, told.pooled)
        for value in (of.kendall, of.spearman)
    ]
    return all(value.reason == Reason.CONSTANT_MEASURE.text and value.value is None
               for value in values)


def _correlated(sheet: Sheet, found: Metrics, shown: list[MetricResult]) -> Grid:
    groups = [(one.metric, one.scales) for one in shown]
    groups.append((sheet.w("ceiling"), found.ceiling))
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for name, scales in groups:
        rules.append(len(rows))
        rows += _by_scale(sheet, name, scales)
    rest = [row for one in found.metrics if one not in shown
            for row in _by_scale(sheet, one.metric, one.scales)]
    return Grid(
        "metric_correlation", sheet.w("table_metrics"),
        sheet.heads("metric:", "scale:", "n_answers", "within_kendall", "within_spearman",
                    "pooled_kendall", "pooled_spearman"),
        tuple(rows),
        notes=(sheet.w("note_metrics"),
               *sorted({f"{one.metric}: {one.signature}" for one in shown})),
        rules=tuple(rules), rest=tuple(rest),
    )


def _by_scale(
    sheet: Sheet, name: str, scales: Mapping[str, Correlations]
) -> list[tuple[Cell, ...]]:
    return [("" if place else name, sheet.scale(scale), *_told(told))
            for place, (scale, told) in enumerate(scales.items())]


def _told(found: Correlations) -> tuple[Cell, ...]:
    return (
        found.within.n, figure(found.within.kendall), figure(found.within.spearman),
        figure(found.pooled.kendall), figure(found.pooled.spearman),
    )


def judges(sheet: Sheet) -> Section:
    """Return the alternative annotator test of every judge model."""
    found = sheet.analysis.judges
    if found is None:
        closed = sheet.closed("judges")
        return sheet.section("judges", [sheet.words("no_judges")], of="judges", closed=closed)
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for one in found:
        rules.append(len(rows))
        rows += _judged(sheet, one)
    tests = [test for one in found for test in one.scales.values()]
    declared = all(test.declared for test in tests)
    blocks: list[Block] = [
        sheet.words("judges_about"),
        Words(sheet.w("epsilon_declared" if declared else "epsilon_not_declared",
                      epsilon=f"{tests[0].epsilon:g}")),
        Grid(
            "judges", sheet.w("table_judges"),
            sheet.heads("judge:", "scale:", "n_items", "n_humans", "winning_rate", "advantage",
                        "passed:"),
            tuple(rows), notes=(sheet.w("note_judges"),), rules=tuple(rules),
        ),
        _humans(sheet, found),
    ]
    return sheet.section("judges", blocks, of="judges")


def _judged(sheet: Sheet, one: JudgeResult) -> list[tuple[Cell, ...]]:
    return [
        (
            "" if place else one.judge, sheet.scale(scale), test.n_items, test.n_humans,
            figure(test.winning_rate), figure(test.advantage),
            sheet.reason(test.reason) if test.passed is None
            else sheet.w("passed_yes" if test.passed else "passed_no"),
        )
        for place, (scale, test) in enumerate(one.scales.items())
    ]


def _humans(sheet: Sheet, found: tuple[JudgeResult, ...]) -> Grid:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            one.judge, sheet.scale(scale), human.rater, human.n, Figure(human.judge_wins),
            Figure(human.human_wins), Figure(human.p, form="p"),
            Figure(human.p_adjusted, form="p"),
        )
        for one in found
        for scale, test in one.scales.items()
        for human in test.humans
    )
    return Grid(
        "judges_by_rater", sheet.w("table_judges_raters"),
        sheet.heads("judge:", "scale:", "rater:", "n_items", "judge_wins", "human_wins", "p",
                    "p_by"),
        rows,
    )
