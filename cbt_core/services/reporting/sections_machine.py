"""Automatic metrics beside people, and judge models, always apart from raters."""

from cbt_core.services.reporting.blocks import (
    Block,
    Cell,
    Figure,
    Grid,
    Section,
    Words,
    figure,
)
from cbt_core.services.reporting.sheet import Sheet
from cbt_core.services.study_analysis_parts import JudgeResult
from cbt_core.stats.correlation import Correlations


def metrics(sheet: Sheet) -> Section:
    """Return how metrics rank answers beside people, within systems and pooled, with a ceiling."""
    found = sheet.analysis.metrics
    if found is None:
        closed = sheet.closed("metrics")
        return sheet.section("metrics", [sheet.words("no_metrics")], of="metrics", closed=closed)
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for one in found.metrics:
        rules.append(len(rows))
        for place, (scale, told) in enumerate(one.scales.items()):
            rows.append(("" if place else one.metric, sheet.scale(scale), *_told(told)))
    rules.append(len(rows))
    for place, (scale, told) in enumerate(found.ceiling.items()):
        rows.append(("" if place else sheet.w("ceiling"), sheet.scale(scale), *_told(told)))
    grid = Grid(
        "metric_correlation", sheet.w("table_metrics"),
        sheet.heads("metric:", "scale:", "n_answers", "within_kendall", "within_spearman",
                    "pooled_kendall", "pooled_spearman"),
        tuple(rows),
        notes=(sheet.w("note_metrics"),
               *sorted({f"{one.metric}: {one.signature}" for one in found.metrics})),
        rules=tuple(rules),
    )
    return sheet.section("metrics", [sheet.words("metrics_about"), grid], of="metrics")


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
