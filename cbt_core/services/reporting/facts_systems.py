"""Facts about systems, their answers and the items: nothing of them is told while masked."""

from collections.abc import Mapping
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.services.reporting.context import SystemFacts
from cbt_core.services.reporting.facts import (
    Fact,
    Told,
    View,
    answered,
    authors,
    listed,
    not_applicable,
    risks,
    said,
)

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
    told = [
        said("of_system", name=one.name, value=listed([
            Text(v[:LONGEST], v[:LONGEST]) if v else said("no_adapter") for v in _part(one, part)
        ]))
        for one in view.context.systems if _part(one, part)
    ]
    return [said(f"recorded_{part}", values=listed(told, many=True))] if told else []


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


FACTS: Final[Mapping[str, Fact]] = {
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
