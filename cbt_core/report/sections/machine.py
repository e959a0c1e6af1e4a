"""Systems, automatic metrics beside people, and judge models, always apart from raters.

Facts about systems, their answers and the items: nothing of them is told while masked.
"""

from collections.abc import Mapping
from typing import Final

from cbt_core.analysis.machine import JudgeResult, MetricResult, Metrics, in_order, is_main
from cbt_core.domain.instrument import Text
from cbt_core.report.blocks import Block, Cell, Figure, Grid, Section, Words, figure
from cbt_core.report.context import SystemFacts
from cbt_core.report.sheet import (
    Fact,
    Sheet,
    Told,
    View,
    answered,
    authors,
    listed,
    not_applicable,
    risks,
    said,
)
from cbt_core.stats.agreement.machine import Correlations
from cbt_core.stats.values import Reason

LONGEST: Final = 80
"""A name of a model, adapter, prompt or run is told up to so many characters."""


def inputs(_view: View) -> Told:
    """Return what kind of input an item is."""
    return answered(said("inputs"))


def outputs(view: View) -> Told:
    """Return what kind of output an answer is, and its length."""
    length = view.context.mean_answer_characters
    return answered(
        said("outputs"),
        said("answer_length", characters=f"{length:.0f}") if length else None,
    )


def task(_view: View) -> Told:
    """Return what the systems do."""
    return answered(said("task"))


def item_languages(view: View) -> Told:
    """Leave languages of items to the authors: only the study's own language is stored."""
    return authors(said("item_languages", language=said(f"lang_{view.context.study.language}")))


def outputs_rated(view: View) -> Told:
    """Return how many answers of each system were rated."""
    flow = view.analysis.flow.items
    counts = sorted({one.answers for one in view.context.systems})
    return answered(
        said("outputs_rated", items=flow.rated, imported=flow.imported),
        said("outputs_uneven", least=counts[0], most=counts[-1]) if len(counts) > 1 else None,
    )


def items_population(view: View) -> Told:
    """Return the sources of the items as imported; without any, ask."""
    known = [one for one in view.context.sources if one.source]
    if not known:
        return authors(said("sources_unknown", items=view.context.items))
    return answered(_sources(view), said("population"))


def data_sources(view: View) -> Told:
    """Return where the items come from; training data are not stored."""
    known = [one for one in view.context.sources if one.source]
    if not known:
        return authors(said("sources_unknown", items=view.context.items), said("training_data"))
    return answered(_sources(view), said("training_data"))


def _sources(view: View) -> Text:
    parts = [
        said("source", source=one.source, items=one.items,
             licence=one.licence or said("no_licence"))
        for one in view.context.sources if one.source
    ]
    unknown = sum(one.items for one in view.context.sources if not one.source)
    if unknown:
        parts.append(said("source_missing", items=unknown))
    return said("sources", sources=listed(parts, many=True))


def data_description(view: View) -> Told:
    """Return number, risk, length and dates of the evaluation data."""
    context = view.context
    length = context.mean_answer_characters
    return answered(
        said("items_answers", items=context.items, answers=sum(s.answers for s in context.systems)),
        said("references", count=context.references) if context.references else None,
        risks(view),
        _sources(view) if any(one.source for one in context.sources) else None,
        said("answer_length", characters=f"{length:.0f}") if length else None,
        said("split_none"),
    )


def data_checks(view: View) -> Told:
    """Return the automatic checks of the answers; cleaning before the import is not known."""
    gates = view.context.gates
    if gates is None:
        return authors(said("cleaning"))
    return answered(
        said("gates", answers=sum(gates.answers.values()), findings=len(gates.findings)),
        said("cleaning"),
    )


def models(view: View) -> Told:
    """Return the models and adapters on record; dates of training are not stored."""
    hidden = _hidden(view)
    if hidden:
        return hidden
    if not view.context.has_provenance:
        return authors(*_lines(view, "models"), said("models_missing"))
    return answered(*_lines(view, "models"), *_lines(view, "adapters"), said("model_dates"))


def model_building(view: View) -> Told:
    """Leave training and alignment to the authors, with the adapters on record."""
    return _hidden(view) or authors(*_lines(view, "adapters"), said("building"))


def inference_settings(view: View) -> Told:
    """Leave settings to the authors, with the runs on record, which lead to the manifests."""
    return _hidden(view) or authors(
        *_lines(view, "prompts"), *_lines(view, "runs"), said("settings")
    )


def prompts(view: View) -> Told:
    """Leave the making of prompts to the authors, with the prompts on record."""
    return _hidden(view) or authors(*_lines(view, "prompts"), said("prompts"))


def instruction_tuning(view: View) -> Told:
    """Leave tuning to the authors, with the adapters on record."""
    return _hidden(view) or authors(*_lines(view, "adapters"), said("tuning"))


def _hidden(view: View) -> Told | None:
    return authors(said("masked")) if view.context.masked else None


def _lines(view: View, part: str) -> list[Text]:
    """Return one sentence with what is on record of every system, none where nothing is."""
    phrases = [
        said("of_system", name=one.name, value=listed([
            Text(v[:LONGEST], v[:LONGEST]) if v else said("no_adapter") for v in _part(one, part)
        ]))
        for one in view.context.systems if _part(one, part)
    ]
    return [said(f"recorded_{part}", values=listed(phrases, many=True))] if phrases else []


def _part(system: SystemFacts, part: str) -> tuple[str, ...]:
    return {
        "models": system.models, "adapters": system.adapters, "prompts": system.prompts,
        "runs": system.runs,
    }[part]


def no_classification(view: View) -> Told:
    """Return that answers are free text; labels of distortions are classes, without thresholds."""
    if view.context.labels is not None:
        return answered(said("classes", labels=len(view.context.scheme.labels)))
    return not_applicable(said("no_classification"))


def no_summarization(_view: View) -> Told:
    """Return that no text was summarised."""
    return not_applicable(said("no_summarization"))


def no_updating(_view: View) -> Told:
    """Return that the answers were fixed before they were rated."""
    return answered(said("no_updating"))


SYSTEM_FACTS: Final[Mapping[str, Fact]] = {
    "data_checks": data_checks,
    "data_description": data_description,
    "data_sources": data_sources,
    "inference_settings": inference_settings,
    "inputs": inputs,
    "instruction_tuning": instruction_tuning,
    "item_languages": item_languages,
    "items_population": items_population,
    "model_building": model_building,
    "models": models,
    "no_classification": no_classification,
    "no_summarization": no_summarization,
    "no_updating": no_updating,
    "outputs": outputs,
    "outputs_rated": outputs_rated,
    "prompts": prompts,
    "task": task,
}


def metrics(sheet: Sheet) -> Section:
    """Return how metrics rank answers beside people, within systems and pooled, with a ceiling.

    The counts within `structure`, and what could not be ranked, stand in the CSV only.
    """
    stored = sheet.analysis.metrics
    if stored is None:
        closed = sheet.closed("metrics")
        return sheet.section("metrics", [sheet.words("no_metrics")], of="metrics", closed=closed)
    main = [one for one in stored.metrics if is_main(one.metric)]
    constant = [one for one in main if _is_constant(one)]
    shown = [one for one in main if one not in constant]
    blocks: list[Block] = [sheet.words("metrics_about")]
    if constant:
        names = sheet.list(in_order(one.metric for one in constant))
        blocks.append(sheet.words("metrics_constant", metrics=names))
    if len(main) < len(stored.metrics):
        blocks.append(sheet.words("metrics_rest", count=len(stored.metrics) - len(main)))
    return sheet.section("metrics", [*blocks, _correlated(sheet, stored, shown)], of="metrics")


def _is_constant(metric: MetricResult) -> bool:
    """Tell whether nothing could be ranked on any scale because a measure never changes."""
    values = [
        value for told in metric.scales.values() for of in (told.within, told.pooled)
        for value in (of.kendall, of.spearman)
    ]
    return all(value.reason == Reason.CONSTANT_MEASURE.text and value.value is None
               for value in values)


def _correlated(sheet: Sheet, stored: Metrics, shown: list[MetricResult]) -> Grid:
    groups = [(one.metric, one.scales) for one in shown]
    groups.append((sheet.w("ceiling"), stored.ceiling))
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for name, scales in groups:
        rules.append(len(rows))
        rows += _by_scale(sheet, name, scales)
    rest = [row for one in stored.metrics if one not in shown
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


def _told(ranks: Correlations) -> tuple[Cell, ...]:
    return (
        ranks.within.n, figure(ranks.within.kendall), figure(ranks.within.spearman),
        figure(ranks.pooled.kendall), figure(ranks.pooled.spearman),
    )


def judges(sheet: Sheet) -> Section:
    """Return the alternative annotator test of every judge model."""
    tested = sheet.analysis.judges
    if tested is None:
        closed = sheet.closed("judges")
        return sheet.section("judges", [sheet.words("no_judges")], of="judges", closed=closed)
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for model in tested:
        rules.append(len(rows))
        rows += _judged(sheet, model)
    tests = [test for one in tested for test in one.scales.values()]
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
        _humans(sheet, tested),
    ]
    return sheet.section("judges", blocks, of="judges")


def _judged(sheet: Sheet, model: JudgeResult) -> list[tuple[Cell, ...]]:
    return [
        (
            "" if place else model.judge, sheet.scale(scale), test.n_items, test.n_humans,
            figure(test.winning_rate), figure(test.advantage),
            sheet.reason(test.reason) if test.passed is None
            else sheet.w("passed_yes" if test.passed else "passed_no"),
        )
        for place, (scale, test) in enumerate(model.scales.items())
    ]


def _humans(sheet: Sheet, tested: tuple[JudgeResult, ...]) -> Grid:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            one.judge, sheet.scale(scale), human.rater, human.n, Figure(human.judge_wins),
            Figure(human.human_wins), Figure(human.p, form="p"),
            Figure(human.p_adjusted, form="p"),
        )
        for one in tested
        for scale, test in one.scales.items()
        for human in test.humans
    )
    return Grid(
        "judges_by_rater", sheet.w("table_judges_raters"),
        sheet.heads("judge:", "scale:", "rater:", "n_items", "judge_wins", "human_wins", "p",
                    "p_by"),
        rows,
    )
